"""--quality best gives other mattes, the same however the video is cut, and is remembered."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from matting.infer import infer
from matting.network_choice import MatteQuality
from matting.options import CuttingOptions, MattingOptions, OutputKind
from matting.project.job_signs import JobSigns
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.project.segment_signs import Values
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

FRAMES, SHOTS = 16, (10,)


def options(checkpoint: Path, quality: MatteQuality = MatteQuality.BEST) -> MattingOptions:
    frame_by_frame = with_compute(matting_options(checkpoint, ratio=0.5), largest_chunk=1)
    return with_matte(frame_by_frame, quality=quality)


def mattes(folder: MattedFolder) -> list[bytes]:
    """Return the alpha of every frame of a job, in order."""
    parts = (
        stored(path)[0]["alpha"]
        for path in sorted(folder.output_folder(OutputKind.MATTE).glob("*.mkv"))
    )
    frames = [frame for part in parts for frame in part or ()]
    assert len(frames) == FRAMES
    return frames


def between_views(folder: MattedFolder) -> Values:
    """Return how much two views of each frame of a job differ."""
    return JobSigns.read(Ledger(folder)).views


def test_the_best_quality_is_the_same_however_it_is_cut_and_is_remembered(
    tmp_path: Path, light_checkpoint: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", FRAMES, size=(64, 48), rate=Fraction(8), gop=4)
    folders = []
    for seconds in (60, 1):
        cutting = CuttingOptions(seconds=Fraction(seconds))
        segments = segment(clip, cutting, tmp_path / str(seconds), Recorder())
        folders.append(with_shots(segments, SHOTS))
    whole, cut = folders
    best = mattes(infer(whole, options(light_checkpoint), None, Recorder()))
    progress = Recorder()
    interrupt_after(progress, MattedFolder.of(cut), "output_000.mp4")
    with pytest.raises(KeyboardInterrupt):
        infer(cut, options(light_checkpoint), None, progress)
    again = infer(cut, options(light_checkpoint), None, Recorder())
    assert mattes(again) == best
    views = between_views(again)
    assert len(views) == FRAMES
    assert ((views > 0) & (views < 1)).all()
    normal = options(light_checkpoint, MatteQuality.NORMAL)
    progress = Recorder()
    again = infer(whole, normal, None, progress)
    assert progress.mentions("--matte-quality")
    assert all(one != other for one, other in zip(mattes(again), best, strict=True))
    assert np.isnan(between_views(again)).all()  # there is one view
