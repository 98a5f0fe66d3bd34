"""A job that was mended ends as one uncut run would have: no seam stays where one was."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from matting.combine import combine
from matting.errors import InputError, SegmentsFailedError
from matting.infer import infer
from matting.options import CuttingOptions, EncodingOptions, OutputKind, OutputOptions, VideoCodec
from matting.project.paths import MattedFolder
from matting.segment import segment
from tests.support.clips import decode, make_clip
from tests.support.partial_networks import write_light_checkpoint
from tests.support.recorder import Recorder
from tests.support.stages import interrupt_after, matting_options, processed

NAMES = [f"output_{index:03d}.mp4" for index in range(5)]
FRAMES = 12  # of each
LOSSLESS = OutputOptions(
    kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA),
    encoding=EncodingOptions(VideoCodec.H264, quality=0),
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write weights with a long memory: a wrong state shows to the end.

    A hundredth of it is of the newest frame. With the published weights, too, what the network saw
    fades slowly.
    """
    return write_light_checkpoint(tmp_path_factory.mktemp("weights") / "lasting.pth", 7, 0.01)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a clip and, beside it, its five segments."""
    path = make_clip(tmp_path_factory.mktemp("cut") / "clip.mp4", 5 * FRAMES, gop=FRAMES)
    segment(path, CuttingOptions(seconds=Fraction(FRAMES, 30)), None, Recorder())
    return path


@pytest.fixture
def segments(clip: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(clip.with_name("clip_segments"), tmp_path / "clip_segments"))


Matte = Callable[[Path, Recorder], MattedFolder]


@pytest.fixture(scope="module")
def matte(checkpoint: Path) -> Matte:
    def run(segments: Path, progress: Recorder) -> MattedFolder:
        return infer(segments, matting_options(checkpoint, LOSSLESS), None, progress)

    return run


@pytest.fixture(scope="module")
def undisturbed(clip: Path, matte: Matte) -> MattedFolder:
    return matte(clip.with_name("clip_segments"), Recorder())


def contents(folder: MattedFolder) -> dict[str, bytes]:
    return {
        f"{kind}/{name}": (folder.output_folder(kind) / name).read_bytes()
        for kind in LOSSLESS.kinds
        for name in NAMES
    }


def differing(folder: MattedFolder, other: MattedFolder) -> list[str]:
    """Return the segments whose results differ."""
    ours, theirs = contents(folder), contents(other)
    return [n for n in NAMES if any(ours[f"{k}/{n}"] != theirs[f"{k}/{n}"] for k in LOSSLESS.kinds)]


def test_five_segments_are_one_uncut_run(
    clip: Path, undisturbed: MattedFolder, matte: Matte, tmp_path: Path
) -> None:
    whole = segment(clip, CuttingOptions(seconds=Fraction(60)), tmp_path, Recorder())
    uncut = matte(whole, Recorder())
    for kind in LOSSLESS.kinds:
        cut = [rgb for name in NAMES for _, rgb in decode(undisturbed.output_folder(kind) / name)]
        one = [rgb for _, rgb in decode(uncut.output_folder(kind) / NAMES[0])]
        assert np.array_equal(np.stack(cut), np.stack(one))


@pytest.mark.parametrize("victim", [0, 1, 3])
def test_what_descends_from_a_mended_segment_is_done_again(
    victim: int, segments: Path, undisturbed: MattedFolder, matte: Matte
) -> None:
    broken = segments / NAMES[victim]
    intact = broken.read_bytes()
    broken.write_text("no video", encoding="utf-8")
    with pytest.raises(SegmentsFailedError, match="1 of 5"):
        matte(segments, Recorder())
    folder = MattedFolder.of(segments)
    (folder.output_folder(OutputKind.COMPOSITE) / NAMES[victim]).touch()
    (folder.output_folder(OutputKind.ALPHA) / NAMES[victim]).touch()
    assert differing(folder, undisturbed) == NAMES[victim:]  # a wrong state shows to the end
    for kind in LOSSLESS.kinds:
        (folder.output_folder(kind) / NAMES[victim]).unlink()

    broken.write_bytes(intact)
    mending = Recorder()
    matte(segments, mending)
    assert differing(folder, undisturbed) == []
    assert mending.totals == [(5 - victim) * FRAMES] == [mending.done]
    assert mending.mentions(f"{NAMES[victim + 1]}") and mending.mentions("done again")
    again = Recorder()
    matte(segments, again)
    assert again.totals == []


def test_what_descends_from_changed_content_is_done_again(
    segments: Path, matte: Matte, tmp_path: Path
) -> None:
    folder = matte(segments, Recorder())
    make_clip(tmp_path / "other.mp4", FRAMES, gop=3)
    shutil.move(tmp_path / "other.mp4", segments / NAMES[2])
    changing = Recorder()
    matte(segments, changing)
    assert changing.totals == [5 * FRAMES] == [changing.done]  # of two, the state alone
    (tmp_path / "anew").mkdir()
    anew = matte(Path(shutil.copytree(segments, tmp_path / "anew" / "clip_segments")), Recorder())
    assert differing(folder, anew) == []


def test_a_state_that_is_not_kept_is_computed_once_more(
    segments: Path, undisturbed: MattedFolder, matte: Matte
) -> None:
    folder = matte(segments, Recorder())
    assert [path.name for path in folder.state("").parent.iterdir()] == [f"{NAMES[-1]}.pt"]
    (folder.output_folder(OutputKind.COMPOSITE) / NAMES[2]).unlink()
    (folder.output_folder(OutputKind.MATTE) / NAMES[2]).with_suffix(".mkv").unlink()
    kept = {
        path: path.stat().st_mtime_ns
        for path in (folder.root / OutputKind.ALPHA).iterdir()
        if path.name != NAMES[2]
    }
    again = Recorder()
    matte(segments, again)
    assert differing(folder, undisturbed) == []
    assert again.totals == [3 * FRAMES]
    for path, time in kept.items():
        if path.suffix == ".mp4":
            assert path.stat().st_mtime_ns == time
    assert all(processed(folder).values())


@pytest.mark.parametrize("last", [1, 2])
def test_an_interruption_while_descendants_are_done_again(
    last: int, segments: Path, undisturbed: MattedFolder, matte: Matte
) -> None:
    broken = segments / NAMES[1]
    intact = broken.read_bytes()
    broken.write_text("no video", encoding="utf-8")
    with pytest.raises(SegmentsFailedError):
        matte(segments, Recorder())
    broken.write_bytes(intact)
    folder = MattedFolder.of(segments)
    stopping = Recorder()
    interrupt_after(stopping, folder, NAMES[last])
    with pytest.raises(KeyboardInterrupt):
        matte(segments, stopping)
    done = processed(folder)
    assert done[NAMES[last]]
    assert not done[NAMES[last + 1]]  # it does not continue what is there now
    with pytest.raises(InputError, match="not done"):
        combine(folder.root, None, Recorder())
    matte(segments, Recorder())
    assert all(processed(folder).values())
    assert differing(folder, undisturbed) == []
