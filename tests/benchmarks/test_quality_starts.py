"""The bench of shots' starts measures what the program does."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from benchmarks.quality import made_clips
from benchmarks.quality.matting import stored_mattes
from benchmarks.quality.metrics import frame_mad
from benchmarks.quality.part_starts import ClipSteps
from matting.imaging.matte_planes import MAX_ALPHA
from matting.imaging.sample_format import Size
from matting.infer import infer
from matting.inference.session import MattingSession
from matting.inference.weights import load_checkpoint
from matting.network_choice import Shots
from tests.support.recorder import Recorder
from tests.support.stages import matting_options, with_compute, with_matte

FRAMES = 11


@pytest.mark.parametrize("shots", Shots)
def test_a_video_starts_as_the_bench_has_it(
    shots: Shots, tmp_path: Path, random_checkpoint: Path
) -> None:
    clip = made_clips.drawn(tmp_path, 1000, Size(64, 48), FRAMES)
    options = with_matte(
        with_compute(matting_options(random_checkpoint), largest_chunk=1), shots=shots
    )
    network = load_checkpoint(random_checkpoint).network
    session = MattingSession(network, torch.device("cpu"), options.matte.precision, 1)
    steps = ClipSteps.of(clip, session, options)
    auto = shots is Shots.AUTO
    errors = steps.run_up_errors(session) if auto else steps.errors(session, None)

    (tmp_path / "videos").mkdir()
    shutil.copy(clip.video, tmp_path / "videos")
    folder = infer(tmp_path / "videos", options, None, Recorder())
    alpha = torch.cat([matte.alpha[:, 0].float() / MAX_ALPHA for matte in stored_mattes(folder)])
    assert errors == pytest.approx(frame_mad(alpha, clip.alpha), abs=1e-3)


def test_the_frames_after_a_cut_are_those_that_are_compared(
    tmp_path: Path, random_checkpoint: Path
) -> None:
    clip = made_clips.drawn(tmp_path, 1000, Size(64, 48), FRAMES)
    network = load_checkpoint(random_checkpoint).network
    session = MattingSession(network, torch.device("cpu"), matting_options(None).matte.precision, 1)
    steps = ClipSteps.of(clip, session, matting_options(random_checkpoint))
    whole = steps.run_up_errors(session, 1)
    assert len(whole) == FRAMES - 1
    assert steps.run_up_errors(session, 1, 10) == whole[:9]
