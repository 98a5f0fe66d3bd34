"""Stage two, run again: what is done stays, and what is not is done as if nothing had happened."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from matting.combine import combine
from matting.errors import BusyError, InputError
from matting.infer import infer
from matting.options import (
    EncodingOptions,
    OutputKind,
    OutputOptions,
    VideoCodec,
)
from matting.project.paths import MattedFolder
from matting.system.file_lock import folder_lock
from tests.support.recorder import Recorder, carry_on
from tests.support.snapshots import snapshot
from tests.support.stages import (
    FAST,
    assert_same,
    composites,
    cut,
    interrupt_after,
    matte,
    matting_options,
    processed,
    with_output,
)


def test_a_second_run_does_nothing(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)
    folder = matte(segments, opaque_checkpoint, progress)
    before = snapshot(composites(folder))
    assert sum(report.frames for report in progress.reports) == 70
    assert all(report.seconds > 0 for report in progress.reports)
    progress.totals.clear()
    progress.reports.clear()
    matte(segments, opaque_checkpoint, progress)
    assert snapshot(composites(folder)) == before
    assert progress.totals == []
    assert progress.reports == []  # nothing, of which there could be a speed


@pytest.mark.parametrize("how", ["set to false", "deleted", "damaged"])
def test_only_what_is_not_done_is_done_again(
    how: str, tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)
    folder = matte(segments, opaque_checkpoint, progress)
    whole = snapshot(composites(folder))
    middle = folder.output_folder(OutputKind.COMPOSITE) / "output_001.mp4"
    if how == "set to false":
        done = {**processed(folder), "output_001.mp4": False}
        folder.processed.write_text(json.dumps(done), encoding="utf-8")
    elif how == "deleted":
        middle.unlink()
    else:
        content = bytearray(middle.read_bytes())
        content[len(content) // 2] ^= 1
        middle.write_bytes(content)
    matte(segments, opaque_checkpoint, progress)
    after = snapshot(composites(folder))
    # Matted again, for which the state after the one before is computed; or its matte is there.
    assert progress.totals[-1] == (60 if how == "set to false" else 30)
    assert all(processed(folder).values())
    for name in ("output_000.mp4", "output_002.mp4"):
        assert after[name] == whole[name]
    assert after["output_001.mp4"][1] == whole["output_001.mp4"][1]


def test_interrupted_in_the_second_segment(
    tmp_path: Path, progress: Recorder, light_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)
    uncut = matte(segments, light_checkpoint, progress, tmp_path / "uncut")

    folder = MattedFolder(tmp_path / "clip_segments_matted")
    interrupt_after(progress, folder, "output_000.mp4")
    with pytest.raises(KeyboardInterrupt):
        matte(segments, light_checkpoint, progress)
    assert processed(folder) == {
        "output_000.mp4": True,
        "output_001.mp4": False,
        "output_002.mp4": False,
    }
    # The second may have got its name already, and not its entry; nothing else is left.
    names = {path.name for path in folder.output_folder(OutputKind.COMPOSITE).iterdir()}
    assert {"output_000.mp4"} <= names <= {"output_000.mp4", "output_001.mp4"}
    first = snapshot(composites(folder))

    progress.on_segment_end = carry_on
    matte(segments, light_checkpoint, progress)
    assert snapshot(composites(folder)[:1]) == first
    assert all(processed(folder).values())
    # As if it had never been interrupted.
    assert_same(folder, uncut)


def test_other_settings_are_said_and_done_again(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path, empty_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)
    matte(segments, opaque_checkpoint, progress)
    matte(segments, empty_checkpoint, progress)
    assert progress.mentions(
        "3 segments are done again, for these have changed: the network's weights."
    )
    output = OutputOptions(background=(0, 0, 0), encoding=FAST)
    infer(segments, matting_options(empty_checkpoint, output), None, progress)
    assert progress.mentions("changed: --background.")


def test_a_folder_that_is_in_use(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 10)
    with (
        folder_lock(tmp_path / "clip_segments_matted"),
        pytest.raises(BusyError) as caught,
    ):
        matte(segments, opaque_checkpoint, progress)
    assert caught.value.exit_code == 5
    matte(segments, opaque_checkpoint, progress)


@pytest.mark.parametrize("content", ["", "{", "[1, 2]"])
def test_a_broken_ledger_is_named_and_kept(
    content: str, tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 10)
    folder = matte(segments, opaque_checkpoint, progress)
    folder.manifest.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="manifest.json"):
        matte(segments, opaque_checkpoint, progress)
    assert len(composites(folder)) == 1


def test_settings_that_change_nothing_redo_nothing(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 20)
    both = OutputOptions(
        kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA), encoding=EncodingOptions(VideoCodec.H264)
    )
    infer(segments, matting_options(opaque_checkpoint, both), None, progress)
    same = OutputOptions(encoding=EncodingOptions(VideoCodec.H264, quality=18))
    progress.totals.clear()
    options = with_output(matting_options(opaque_checkpoint, same), frame_rate=Fraction(25))
    infer(segments, options, None, progress)
    assert progress.totals == []


def test_interrupted_with_other_settings(
    tmp_path: Path, progress: Recorder, light_checkpoint: Path, empty_checkpoint: Path
) -> None:
    """What is done stays done until another takes its place; old and new are never joined."""
    segments = cut(tmp_path, progress)
    folder = matte(segments, light_checkpoint, progress)
    old = snapshot(composites(folder))

    def interrupt() -> None:
        raise KeyboardInterrupt

    progress.on_segment_end = interrupt
    with pytest.raises(KeyboardInterrupt):
        matte(segments, empty_checkpoint, progress)
    assert list(processed(folder).values()) == [True, True, True]
    after = snapshot(composites(folder))
    assert [name for name in old if after[name][1] != old[name][1]] == ["output_000.mp4"]
    with pytest.raises(InputError, match=r"different settings.* 1 with .* 2 with .*weights"):
        combine(folder.root, None, progress)

    progress.on_segment_end = carry_on
    matte(segments, light_checkpoint, progress)
    assert progress.mentions("2 of 3 are done already.")
    back = snapshot(composites(folder))
    assert {name: content for name, (_, content) in back.items()} == {
        name: content for name, (_, content) in old.items()
    }
    combine(folder.root, None, progress)
