"""Jobs begun with an earlier version are taken up where they stopped.

Those in `tests/data/earlier_jobs` were made by the last version whose records were written by hand:

begun: five segments. Two are matted, the third failed (its file was truncated then), the fourth
    was interrupted, the fifth was never tried.
finished: two segments, matted and combined.
damaged: a cut that stopped at two damaged frames, with its checkpoint.
"""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from matting.add_audio import add_audio
from matting.combine import combine
from matting.infer import infer
from matting.options import CuttingOptions, MattingOptions, OnDamage, OutputOptions
from matting.project.entry import InitialState
from matting.project.ledger import Ledger
from matting.project.plan import read_plan
from matting.segment import segment
from matting.system.files import sha256
from tests.support.clips import audio_packets, numbers
from tests.support.recorder import Recorder
from tests.support.repository import ROOT
from tests.support.stages import composites, matting_options, processed

EARLIER_JOBS = ROOT / "tests" / "data" / "earlier_jobs"
THIRD = Fraction(1, 3)  # of a second, the segments' length in all three
NEW_FOLDERS = ("/MATTE/", "/SIGNS/")  # which earlier versions did not make


@pytest.fixture
def options(opaque_checkpoint: Path) -> MattingOptions:
    """Return the options with which both jobs were begun."""
    return matting_options(opaque_checkpoint, OutputOptions(), ratio=0.4)


def take_up(name: str, target: Path, checkpoint: Path) -> Path:
    """Copy the job `name` into the folder `target`; return its video.

    The weights are not kept with the jobs. What the network made of them is not compared, so
    any weights that make everything foreground may stand in for those on record.
    """
    shutil.copytree(EARLIER_JOBS / name, target, dirs_exist_ok=True)
    manifest = target / "clip_segments_matted" / "manifest.json"
    if manifest.is_file():
        text = manifest.read_text(encoding="utf-8")
        first = next(iter(json.loads(text)["segments"].values()))
        text = text.replace(first["settings"]["checkpoint"], sha256(checkpoint))
        manifest.write_text(text, encoding="utf-8")
    return target / "clip.mp4"


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return when each file of a folder was written, and its content."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in files
    }


def test_a_begun_job_is_resumed(
    tmp_path: Path, progress: Recorder, options: MattingOptions, opaque_checkpoint: Path
) -> None:
    video = take_up("begun", tmp_path, opaque_checkpoint)
    matted = tmp_path / "clip_segments_matted"
    before = contents(matted / "COMPOSITE")
    assert sorted(before) == ["output_000.mp4", "output_001.mp4"]
    segments_before = contents(tmp_path / "clip_segments")

    assert segment(video, CuttingOptions(), None, progress) == tmp_path / "clip_segments"
    assert progress.mentions("Already cut")
    folder = infer(tmp_path / "clip_segments", options, None, progress)

    assert folder.root == matted
    assert progress.mentions("2 of 5 are done already.")
    assert not progress.mentions("again")
    after = contents(matted / "COMPOSITE")
    assert {name: after[name] for name in before} == before
    assert all(processed(folder).values())
    # The third goes on from the state that the earlier version kept after the second.
    starts = [Ledger(folder).entry(path.name).start_state for path in composites(folder)]
    assert starts == [InitialState.FRESH, *[InitialState.CARRIED] * 4]

    combined = combine(matted, None, progress)
    assert numbers(combined) == list(range(48))
    final = add_audio(video, None, progress)
    assert numbers(final) == list(range(48))
    assert audio_packets(final) == audio_packets(video)
    segments_after = contents(tmp_path / "clip_segments")
    assert {name: segments_after[name] for name in segments_before} == segments_before


def test_names_on_the_disk_are_the_same(
    tmp_path: Path, progress: Recorder, options: MattingOptions, opaque_checkpoint: Path
) -> None:
    take_up("finished", tmp_path / "earlier", opaque_checkpoint)
    (tmp_path / "anew").mkdir()
    video = shutil.copy(tmp_path / "earlier" / "clip.mp4", tmp_path / "anew" / "clip.mp4")
    segments = segment(Path(video), CuttingOptions(seconds=THIRD), None, progress)
    combine(infer(segments, options, None, progress).root, None, progress)
    infer(tmp_path / "earlier" / "clip_segments", options, None, progress)  # clears states
    names = [
        sorted(
            name
            for name in contents(tmp_path / job)
            if not name.endswith("lock") and not any(new in name for new in NEW_FOLDERS)
        )
        for job in ("earlier", "anew")
    ]
    assert names[0] == names[1]


def test_a_finished_job_is_left_alone(
    tmp_path: Path, progress: Recorder, options: MattingOptions, opaque_checkpoint: Path
) -> None:
    video = take_up("finished", tmp_path, opaque_checkpoint)
    before = contents(tmp_path)
    folder = infer(tmp_path / "clip_segments", options, None, progress)
    assert progress.mentions("2 of 2 are done already.")
    combine(folder.root, None, progress)
    assert progress.mentions("Already combined")
    after = contents(tmp_path)
    videos = [name for name in before if name.endswith(".mp4")]
    assert {name: after[name] for name in videos} == {name: before[name] for name in videos}
    assert numbers(add_audio(video, None, progress)) == list(range(20))


def test_the_checkpoint_of_a_damaged_cut_is_taken_up(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    video = take_up("damaged", tmp_path, opaque_checkpoint)
    work = contents(tmp_path / "clip_segments" / ".cutting")
    options = CuttingOptions(seconds=THIRD, damaged=OnDamage.REPEAT)
    folder = segment(video, options, None, progress)
    assert progress.totals[-1] == 10  # only the damaged segment is written anew
    installed = contents(folder)
    for intact in ("output_000.mp4", "output_002.mp4", "output_003.mp4"):
        assert installed[intact] == work[intact]
    plan = read_plan(folder)
    assert plan is not None
    assert [s.frames for s in plan.segments] == [10, 10, 10, 10]
    assert [s.repeated for s in plan.segments] == [(), (6656, 7168), (), ()]
    shown = [number for s in plan.segments for number in numbers(folder / s.name)]
    assert len(shown) == 40
    assert shown[:15] == [*range(13), 12, 12]  # the last good picture stands in for both
    assert shown[20:] == list(range(20, 40))
