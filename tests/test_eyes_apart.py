"""Two eyes, each matted by itself: as its own video, however it is cut, stopped and done again."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from matting.errors import InputError
from matting.infer import infer
from matting.job_option import JobOption
from matting.media.matte_file import MatteFile
from matting.options import CuttingOptions, MattingOptions, OutputKind
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.range_options import RangeOptions
from matting.rematte import rematte
from matting.segment import segment
from matting.view import AutoView, Eyes, StereoLayout, View
from tests.support.recorder import Recorder
from tests.support.stages import (
    interrupt_after,
    matting_options,
    with_compute,
    with_matte,
    with_shots,
)

FRAMES, FPS = 14, 6
SHOTS = (4, 9)  # the last is run up by frames of two segments
WIDTH, HEIGHT = 48, 32  # of an eye
BESIDE, STACKED = StereoLayout.LEFT_RIGHT, StereoLayout.TOP_BOTTOM
AXIS = {BESIDE: 1, STACKED: 0}
Alphas = NDArray[np.uint16]


def film(eye: int) -> list[NDArray[np.uint8]]:
    """Return the frames of one eye, as 4:2:0 in 8 bits: luma, then both planes of chroma."""
    noise = np.random.default_rng(eye)
    samples = noise.integers(16, 235, (FRAMES, HEIGHT * 3 // 2, WIDTH), dtype=np.uint8)
    return [*samples]


def both(layout: StereoLayout) -> list[NDArray[np.uint8]]:
    """Return the frames of both eyes."""

    def planes(frame: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        chroma = frame[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
        return [frame[:HEIGHT], *chroma]

    def joined(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.uint8]:
        pairs = zip(planes(left), planes(right), strict=True)
        whole = [np.concatenate(pair, axis=AXIS[layout]) for pair in pairs]
        width = whole[0].shape[1]
        return np.concatenate([plane.reshape(-1, width) for plane in whole])

    return [joined(left, right) for left, right in zip(film(0), film(1), strict=True)]


def cut(folder: Path, frames: list[NDArray[np.uint8]], seconds: int, view: View) -> Path:
    """Write a video without loss, and cut it; return the folder of its segments."""
    folder.mkdir()
    with av.open(str(folder / "clip.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=FPS)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = frames[0].shape[1], frames[0].shape[0] * 2 // 3
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = FPS
        for index, samples in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(samples, format="yuv420p")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    cutting = CuttingOptions(Fraction(seconds), view=view)
    return with_shots(segment(folder / "clip.mkv", cutting, None, Recorder()), SHOTS)


def options(checkpoint: Path, eyes: Eyes = Eyes.APART, **changes: object) -> MattingOptions:
    frame_by_frame = with_compute(matting_options(checkpoint, ratio=0.75), largest_chunk=1)
    return with_matte(frame_by_frame, eyes=eyes, **changes)


def alphas(job: MattedFolder) -> Alphas:
    """Return the stored alpha of every frame, in order: [T, H, W]."""
    paths = sorted(job.output_folder(OutputKind.MATTE).glob("*.mkv"))
    chunks = [chunk for path in paths for chunk in MatteFile.open(path).chunks(FRAMES)]
    stored: Alphas = np.concatenate([chunk.matte.alpha[:, 0].numpy() for chunk in chunks])
    assert len(stored) == FRAMES
    return stored


def apart(job: MattedFolder) -> set[StereoLayout | UnsetType]:
    ledger = Ledger(job)
    return {ledger.entry(name).settings.apart for name in ledger.names}


@pytest.fixture(scope="module")
def alone(
    tmp_path_factory: pytest.TempPathFactory, light_checkpoint: Path
) -> tuple[Alphas, Alphas]:
    """The alpha of each eye's own video, in one pass."""
    folder = tmp_path_factory.mktemp("alone")
    jobs = [
        infer(
            cut(folder / str(eye), film(eye), 60, View()),
            options(light_checkpoint),
            None,
            Recorder(),
        )
        for eye in (0, 1)
    ]
    assert [apart(job) for job in jobs] == [{UNSET}] * 2
    left, right = map(alphas, jobs)
    assert np.ptp(left) and np.ptp(right)
    return left, right


@pytest.fixture(scope="module")
def stacked(tmp_path_factory: pytest.TempPathFactory, light_checkpoint: Path) -> MattedFolder:
    """Stacked eyes in three segments, matted each by itself because nothing else was asked for."""
    segments = cut(tmp_path_factory.mktemp("stacked") / "job", both(STACKED), 1, View(STACKED))
    return infer(segments, options(light_checkpoint, Eyes.AUTO), None, Recorder())


def copy_of(job: MattedFolder, folder: Path) -> tuple[MattedFolder, Path]:
    """Return a job, to be changed, and its segments."""
    shutil.copytree(job.root.parent, folder / "job")
    copy = MattedFolder(folder / "job" / job.root.name)
    (segments,) = (path.parent for path in (folder / "job").glob("*/segments.json"))
    return copy, segments


def test_eyes_above_each_other_are_matted_as_their_own_videos_over_all_segments(
    stacked: MattedFolder, alone: tuple[Alphas, Alphas]
) -> None:
    assert apart(stacked) == {STACKED}
    np.testing.assert_array_equal(alphas(stacked), np.concatenate(alone, axis=1))


def test_so_are_eyes_side_by_side_where_it_is_asked_for_and_stopped(
    tmp_path: Path, alone: tuple[Alphas, Alphas], light_checkpoint: Path
) -> None:
    segments = cut(tmp_path / "job", both(BESIDE), 1, View(BESIDE))
    job, progress = MattedFolder.of(segments), Recorder()
    interrupt_after(progress, job, "output_001.mp4")
    with pytest.raises(KeyboardInterrupt):
        infer(segments, options(light_checkpoint), None, progress)
    infer(segments, options(light_checkpoint), None, Recorder())
    assert apart(job) == {BESIDE}
    np.testing.assert_array_equal(alphas(job), np.concatenate(alone, axis=2))


def test_a_lost_state_and_a_range_that_is_done_again_are_of_each_eye(
    stacked: MattedFolder,
    tmp_path: Path,
    alone: tuple[Alphas, Alphas],
    light_checkpoint: Path,
) -> None:
    job, segments = copy_of(stacked, tmp_path)
    own = options(light_checkpoint, Eyes.AUTO)
    (job.output_folder(OutputKind.MATTE) / "output_002.mkv").unlink()
    for state in job.root.rglob("*.pt"):
        state.unlink()
    infer(segments, own, None, Recorder())
    np.testing.assert_array_equal(alphas(job), np.concatenate(alone, axis=1))
    again = RangeOptions(Fraction(5, FPS), Fraction(13, FPS), blend_frames=0)
    asked = replace(own, typed=frozenset({JobOption.EYES}))
    rematte(job.root, again, asked, None, Recorder())
    np.testing.assert_array_equal(alphas(job), np.concatenate(alone, axis=1))
    settings = Ledger(job).ranges[0].settings
    assert settings is not None and settings.apart is STACKED


def as_before(job: MattedFolder) -> None:
    """Have a job's records be those of a version that knew no choice."""
    record = json.loads(job.manifest.read_text(encoding="utf-8"))
    assert record["options"].pop("eyes", None) is not None
    job.manifest.write_text(json.dumps(record), encoding="utf-8")


def test_a_job_of_an_earlier_version_stays_one_picture_until_it_is_asked_for(
    tmp_path: Path, stacked: MattedFolder, light_checkpoint: Path
) -> None:
    segments = cut(tmp_path / "job", both(STACKED), 60, View(STACKED))
    together = options(light_checkpoint, Eyes.TOGETHER)
    job = infer(segments, together, None, Recorder())
    before = alphas(job)
    assert apart(job) == {UNSET}
    assert (before != alphas(stacked)).any()
    for typed in (frozenset[JobOption](), None):  # from the command line, and from Python
        as_before(job)
        progress = Recorder()
        now = replace(options(light_checkpoint, Eyes.AUTO), typed=typed, again=False)
        infer(segments, now, None, progress)
        assert progress.mentions("are done already") and not progress.asked
    as_before(job)
    asked = replace(
        options(light_checkpoint, Eyes.AUTO), typed=frozenset({JobOption.EYES}), again=False
    )
    with pytest.raises(InputError, match="--eyes") as refusal:  # nobody is there to be asked
        infer(segments, asked, None, Recorder())
    assert "--eyes together" in refusal.value.hint
    np.testing.assert_array_equal(alphas(job), before)
    infer(segments, replace(asked, again=True), None, Recorder())
    assert apart(job) == {STACKED}
    np.testing.assert_array_equal(alphas(job), alphas(stacked))


def test_side_by_side_or_seen_as_one_picture_it_is_one(
    tmp_path: Path, light_checkpoint: Path
) -> None:
    for name, view in (("beside", View(BESIDE)), ("whole", AutoView.WHOLE)):
        layout = BESIDE if view == View(BESIDE) else STACKED
        segments = cut(tmp_path / name, both(layout)[:2], 60, View(layout))
        own = options(light_checkpoint, Eyes.AUTO, view=view)
        assert apart(infer(segments, own, None, Recorder())) == {UNSET}
