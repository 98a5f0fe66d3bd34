"""Every shot by itself: the same mattes, bit for bit, however the video is cut and interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import pytest

from matting.infer import infer
from matting.network_choice import Shots
from matting.options import CuttingOptions, MattingOptions, OutputKind
from matting.project.paths import MattedFolder
from matting.segment import segment
from tests.support.clips import make_clip
from tests.support.mattes import stored
from tests.support.recorder import Recorder
from tests.support.stages import (
    interrupt_after,
    matting_options,
    with_compute,
    with_matte,
    with_shots,
)

FRAMES, FPS, GOP = 28, 8, 4
# One starts with segments of half a second, the others shortly before one ends. Two are shorter
# than their run-ups; that of the last takes two segments of half a second.
SHOTS = (3, 10, 12, 19)
HALF, ONE, ALL = Fraction(1, 2), Fraction(1), Fraction(60)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shots") / "clip.mp4"
    return make_clip(path, FRAMES, size=(48, 32), rate=Fraction(FPS), gop=GOP)


def cut(clip: Path, folder: Path, seconds: Fraction) -> Path:
    segments = segment(clip, CuttingOptions(seconds=seconds), folder, Recorder())
    return with_shots(segments, SHOTS)


def options(checkpoint: Path, shots: Shots = Shots.AUTO) -> MattingOptions:
    frame_by_frame = with_compute(matting_options(checkpoint), largest_chunk=1)
    return with_matte(frame_by_frame, shots=shots)


def mattes(folder: MattedFolder) -> list[bytes]:
    """Return the alpha of every frame of a job, in order."""
    frames = []
    for path in sorted(folder.output_folder(OutputKind.MATTE).glob("*.mkv")):
        alpha = stored(path)[0]["alpha"]
        assert alpha is not None
        frames += alpha
    assert len(frames) == FRAMES
    return frames


@pytest.fixture(scope="module")
def uncut(
    clip: Path, light_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[bytes]:
    segments = cut(clip, tmp_path_factory.mktemp("uncut"), ALL)
    return mattes(infer(segments, options(light_checkpoint), None, Recorder()))


def test_shots_are_run_up(
    clip: Path, tmp_path: Path, uncut: list[bytes], light_checkpoint: Path
) -> None:
    segments = cut(clip, tmp_path, ALL)
    off = mattes(infer(segments, options(light_checkpoint, Shots.OFF), None, Recorder()))
    differing = [index for index in range(FRAMES) if off[index] != uncut[index]]
    assert {0, *SHOTS} <= set(differing)
    # Off is the pass over all frames as one, however it is cut.
    halves = cut(clip, tmp_path / "halves", HALF)
    assert mattes(infer(halves, options(light_checkpoint, Shots.OFF), None, Recorder())) == off


def test_segments_of_any_length_give_the_same_mattes(
    clip: Path, tmp_path: Path, uncut: list[bytes], light_checkpoint: Path
) -> None:
    segments = cut(clip, tmp_path, HALF)
    assert len(list(segments.glob("*.mp4"))) == FRAMES // GOP
    assert mattes(infer(segments, options(light_checkpoint), None, Recorder())) == uncut


def test_so_do_interruptions_and_results_that_are_lost(
    clip: Path, tmp_path: Path, uncut: list[bytes], light_checkpoint: Path
) -> None:
    segments, progress = cut(clip, tmp_path, ONE), Recorder()
    folder = MattedFolder.of(segments)
    for name in ("output_000.mp4", "output_002.mp4"):
        interrupt_after(progress, folder, name)
        with pytest.raises(KeyboardInterrupt):
            infer(segments, options(light_checkpoint), None, progress)
    infer(segments, options(light_checkpoint), None, Recorder())
    assert mattes(folder) == uncut
    # Its state has to be computed again, of the second shot of the segment before it alone.
    (folder.output_folder(OutputKind.MATTE) / "output_003.mkv").unlink()
    progress = Recorder()
    infer(segments, options(light_checkpoint), None, progress)
    assert progress.mentions(
        "output_002.mp4: only the network's state at the end is computed again"
    )
    assert mattes(folder) == uncut


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    yield
    path.write_bytes(content)


def test_what_lacked_frames_after_it_is_done_again_once_they_are_there(
    clip: Path, tmp_path: Path, uncut: list[bytes], light_checkpoint: Path
) -> None:
    segments, progress = cut(clip, tmp_path, ONE), Recorder()
    with unreadable(segments / "output_003.mp4"), pytest.raises(Exception, match="output_003"):
        infer(segments, options(light_checkpoint), None, progress)
    assert progress.mentions("output_002.mp4: a shot starts at its end, and output_003.mp4")
    progress = Recorder()
    folder = infer(segments, options(light_checkpoint), None, progress)
    assert [report.name for report in progress.reports] == ["output_002.mp4", "output_003.mp4"]
    assert mattes(folder) == uncut
