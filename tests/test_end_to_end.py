"""All stages on a drawn film with the network that learned such films: is the picture right?

The film's alpha is known exactly, and no real weights are needed: these run on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from demo.film import DEMO_SEED, Film
from demo.measure import beep_times, flash_indices
from matting.demo import CHECKPOINT, draw_film
from matting.infer import infer
from matting.media.audio import read_audio
from matting.options import (
    CuttingOptions,
    EncodingOptions,
    MattingOptions,
    OutputKind,
    OutputOptions,
    VideoCodec,
)
from matting.project.paths import MattedFolder, segments_folder
from matting.project.plan import read_plan
from matting.run import run
from matting.segment import segment
from tests.support.clips import decode
from tests.support.recorder import Recorder
from tests.support.stages import interrupt_after, matting_options, with_compute

FPS, FRAMES, SIZE = 20, 60, (320, 180)
GREEN = np.array((120, 255, 155))
LOSSLESS = EncodingOptions(VideoCodec.H264, quality=0)
KINDS = (OutputKind.COMPOSITE, OutputKind.ALPHA, OutputKind.FOREGROUND)
SECOND = CuttingOptions(seconds=Fraction(1))


def options(kinds: tuple[OutputKind, ...] = (OutputKind.ALPHA,)) -> MattingOptions:
    """Return options by which each frame is computed alone.

    So it is rounded alike wherever the video is cut; longer chunks would end elsewhere.
    """
    chunked = matting_options(CHECKPOINT, OutputOptions(kinds=kinds, encoding=LOSSLESS))
    return with_compute(chunked, largest_chunk=1)


def frames_of(path: Path) -> NDArray[np.int16]:
    """Return the frames of a video, [T, H, W, 3]."""
    return np.stack([rgb for _, rgb in decode(path)]).astype(np.int16)


def joined(folder: MattedFolder) -> NDArray[np.int16]:
    """Return the alpha of all segments, [T, H, W]."""
    return np.concatenate(
        [frames_of(p)[..., 0] for p in sorted(folder.output_folder(OutputKind.ALPHA).glob("*.mp4"))]
    )


@dataclass(frozen=True)
class Result:
    """What went in and what came out."""

    video: Path
    final: Path
    truth: NDArray[np.float64]  # [T, H, W] in [0, 1]
    source: NDArray[np.int16]
    composite: NDArray[np.int16]
    foreground: NDArray[np.int16]
    alpha: NDArray[np.float64]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Take three seconds of film in two segments through all four stages."""
    video = tmp_path_factory.mktemp("film") / "film.mp4"
    drawn = draw_film(Film(DEMO_SEED, *SIZE, FRAMES, FPS), video, Recorder())
    final = run(video, SECOND, options(KINDS), None, Recorder())
    matted = MattedFolder.of(segments_folder(video))
    return Result(
        video,
        final,
        np.stack([alpha.numpy() for alpha in drawn.truth]) / 255,
        frames_of(video),
        frames_of(final),
        frames_of(matted.combined(OutputKind.FOREGROUND)),
        joined(matted) / 255,
    )


def test_the_figure_is_found_in_every_frame(result: Result) -> None:
    assert len(result.source) == len(result.composite) == len(result.alpha) == FRAMES
    found, true = result.alpha > 0.5, result.truth > 0.5
    overlap = (found & true).sum(axis=(1, 2)) / (found | true).sum(axis=(1, 2))
    assert overlap.min() > 0.75
    assert np.abs(result.alpha - result.truth).mean() < 0.01


def test_beside_the_figure_is_flat_green(result: Result) -> None:
    touched = torch.from_numpy((result.alpha > 0).astype(np.float32))
    outside = torch.max_pool2d(touched, 9, 1, 4).numpy() == 0
    assert outside.mean() > 0.5
    assert np.abs(result.composite[outside] - GREEN).max() <= 4


def test_inside_the_figure_is_the_source(result: Result) -> None:
    inside = (result.alpha == 1) & (result.truth > 0.99)
    assert inside.mean() > 0.02
    assert np.abs(result.composite[inside] - result.source[inside]).mean() < 8
    assert np.abs(result.foreground[inside] - result.composite[inside]).mean() < 1


def test_the_audio_is_in_time(result: Result) -> None:
    start, samples = read_audio(result.final, 48_000)
    beeps = [float(start) + at for at in beep_times(samples, 48_000)]
    flashes = [at / FPS for at in flash_indices(result.composite.mean(axis=(1, 2, 3)), FPS)]
    assert beeps == pytest.approx(flashes, abs=0.001)
    assert len(beeps) == 2


def test_cutting_cannot_be_seen(result: Result, tmp_path: Path) -> None:
    whole = segment(result.video, CuttingOptions(seconds=Fraction(60)), tmp_path, Recorder())
    uncut = infer(whole, options(), tmp_path, Recorder())
    assert len(list(uncut.output_folder(OutputKind.ALPHA).glob("*.mp4"))) == 1
    assert np.array_equal(joined(uncut), np.rint(result.alpha * 255))


def test_an_interruption_cannot_be_seen(result: Result, tmp_path: Path) -> None:
    segments = segment(result.video, SECOND, tmp_path, Recorder())
    plan = read_plan(segments)
    assert plan is not None
    first, second = plan.segments
    progress = Recorder()
    interrupt_after(progress, MattedFolder.of(segments), first.name)
    with pytest.raises(KeyboardInterrupt):
        infer(segments, options(), tmp_path, progress)
    again = Recorder()
    matted = infer(segments, options(), tmp_path, again)
    assert again.totals == [second.frames]
    assert np.array_equal(joined(matted), np.rint(result.alpha * 255))
