"""People are looked for as finely in each eye of a picture as in a picture of one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import UNSET, UnsetType

from matting.errors import InputError
from matting.infer import infer
from matting.job_option import JobOption
from matting.network_choice import Subject
from matting.options import MattingOptions
from matting.project.input_views import with_delivered_views, with_views
from matting.project.inputs import read_inputs
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.segment import segment
from matting.view import AutoView, Eyes, StereoLayout, parse_view
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.stages import SECOND, matting_options, with_matte

SHORT_SIDE = Subject.PORTRAIT.short_side_px
SIDE = 2 * SHORT_SIDE  # of the picture: two eyes of half its height


def stacked(folder: Path) -> Path:
    """Cut a film in two eyes, one above the other; return the folder of its segments."""
    clip = make_clip(folder / "clip_TB_360.mp4", 3, size=(SIDE, SIDE))
    return segment(clip, SECOND, None, Recorder())


def options_for(checkpoint: Path, **changes: object) -> MattingOptions:
    own = matting_options(checkpoint, ratio=None)
    return with_matte(own, subject=Subject.PORTRAIT, **changes)


def ratios(progress: Recorder) -> list[str]:
    return [text.partition("ratio ")[2].split(",")[0] for text in progress.details]


def eyes(matted: Path) -> set[StereoLayout | UnsetType]:
    ledger = Ledger(MattedFolder(matted))
    return {ledger.entry(name).settings.eyes for name in ledger.names}


def test_two_eyes_one_above_the_other(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = stacked(tmp_path)
    folder = infer(segments, options_for(opaque_checkpoint), None, progress)
    assert f"{SHORT_SIDE / (SIDE // 2):.4f}" in ratios(progress)
    assert progress.mentions(parse_view("top-bottom,360").describe())
    assert eyes(folder.root) == {StereoLayout.TOP_BOTTOM}
    again = Recorder()
    infer(segments, options_for(opaque_checkpoint), None, again)
    assert not again.details
    assert again.mentions("are done already")


@pytest.mark.parametrize(
    ("changes", "ratio"),
    [
        ({"view": AutoView.WHOLE}, SHORT_SIDE / SIDE),
        ({"view": parse_view("mono,360")}, SHORT_SIDE / SIDE),
        ({"ratio": 0.25}, 0.25),
    ],
)
def test_where_it_is_asked_for_the_picture_is_one(
    changes: dict[str, object],
    ratio: float,
    tmp_path: Path,
    progress: Recorder,
    opaque_checkpoint: Path,
) -> None:
    options = options_for(opaque_checkpoint, **changes)
    folder = infer(stacked(tmp_path), options, None, progress)
    assert f"{ratio:.4f}" in ratios(progress)
    assert eyes(folder.root) == {UNSET}


def test_files_that_are_made_by_another_view_leave_mattes_as_they_were_found(
    tmp_path: Path, light_checkpoint: Path
) -> None:
    inputs = read_inputs(stacked(tmp_path))
    options = options_for(light_checkpoint)
    matted = with_views(inputs, options.matte)
    mono, sphere = parse_view("mono,360"), parse_view("top-bottom,180")
    other, note = with_delivered_views(inputs, options, mono)
    assert [item.view for item in other.inputs] == [mono]
    assert [item.eyes for item in other.inputs] == [item.eyes for item in matted.inputs]
    assert f"--view {mono} --again" in note
    assert with_delivered_views(inputs, with_matte(options, ratio=0.25), mono)[1]
    for view, ratio in ((sphere, None), (AutoView.FOUND, None), (mono, 0.25)):
        own = with_matte(options, ratio=ratio, eyes=Eyes.TOGETHER)
        assert not with_delivered_views(inputs, own, view)[1]


def as_before(segments: Path, matted: Path) -> None:
    """Have a job's records be those of an earlier version, which knew nothing of eyes."""
    plan = segments / "segments.json"
    manifest = matted / "manifest.json"
    for path in (plan, manifest):
        record = json.loads(path.read_text(encoding="utf-8"))
        for part in (record, record.get("plan", {}), record.get("options", {})):
            part.pop("view", None)
            part.pop("size_px", None)
            part.pop("eyes", None)
        path.write_text(json.dumps(record), encoding="utf-8")


def test_a_job_of_an_earlier_version_goes_on_as_it_began(
    tmp_path: Path, opaque_checkpoint: Path
) -> None:
    segments = stacked(tmp_path)
    whole = options_for(opaque_checkpoint, view=AutoView.WHOLE)
    folder = infer(segments, whole, None, Recorder())
    for typed in (frozenset[JobOption](), None):  # from the command line, and from Python
        as_before(segments, folder.root)
        progress = Recorder()
        options = replace(options_for(opaque_checkpoint), typed=typed, again=False)
        infer(segments, options, None, progress)
        assert not progress.details
        assert progress.mentions("are done already")
        assert not progress.asked


def test_it_is_done_by_its_eyes_where_that_is_asked_for(
    tmp_path: Path, opaque_checkpoint: Path
) -> None:
    segments = stacked(tmp_path)
    whole = options_for(opaque_checkpoint, view=AutoView.WHOLE)
    folder = infer(segments, whole, None, Recorder())
    as_before(segments, folder.root)
    asked = replace(options_for(opaque_checkpoint), typed=frozenset({JobOption.VIEW}), again=False)
    with pytest.raises(InputError, match="--view"):  # nobody is there to be asked
        infer(segments, asked, None, Recorder())
    assert eyes(folder.root) == {UNSET}
    progress = Recorder()
    infer(segments, replace(asked, again=True), None, progress)
    assert f"{SHORT_SIDE / (SIDE // 2):.4f}" in ratios(progress)
    assert eyes(folder.root) == {StereoLayout.TOP_BOTTOM}
