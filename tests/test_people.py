"""Real people and the real network, where they are at hand: are the people found?"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from matting.imaging.sample_format import Size
from matting.infer import infer
from matting.inference.session import automatic_ratio
from matting.network_choice import Subject
from matting.options import CuttingOptions, EncodingOptions, OutputKind, OutputOptions, VideoCodec
from matting.run import run
from tests.support.clips import decode
from tests.support.recorder import Recorder
from tests.support.stages import matting_options, with_matte

GREEN = (120, 255, 155)


@pytest.fixture
def real_checkpoint(shared: Path) -> Path:
    return shared / "weights" / "rvm_mobilenetv3.pth"


def test_people_stand_before_flat_green(
    shared: Path, real_checkpoint: Path, tmp_path: Path, progress: Recorder
) -> None:
    torch.set_num_threads(2)
    clip = shared / "media" / "people" / "want.mkv"
    output = OutputOptions(
        kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA),
        encoding=EncodingOptions(VideoCodec.H264, quality=10),
    )
    options = matting_options(real_checkpoint, output, ratio=None)
    options = with_matte(options, subject=Subject.PORTRAIT)
    final = run(clip, CuttingOptions(seconds=Fraction(1)), options, tmp_path, progress)
    matted = tmp_path / "want_segments_matted"
    source, result = decode(clip), decode(final)
    alphas = [rgb[..., 0] for _, rgb in decode(matted / "ALPHA_SEGMENTS_COMBINED.mp4")]
    torch.set_num_threads(1)
    assert len(source) == len(result) == len(alphas) == 47
    for (_, before), (_, after), alpha in zip(source[3:], result[3:], alphas[3:], strict=True):
        assert 0.1 < (alpha > 200).mean() < 0.5
        # The chest of the person in the middle is kept, the upper corners are gone.
        assert alpha[250:300, 240:300].min() > 240
        assert alpha[:60, :60].max() < 10
        corner = after[:60, :60].reshape(-1, 3).astype(int)
        assert np.abs(corner - GREEN).max() <= 4
        chest = np.abs(before[250:300, 240:300].astype(int) - after[250:300, 240:300])
        assert chest.mean() < 12


def test_the_formats_that_trip_others(
    shared: Path, empty_checkpoint: Path, tmp_path: Path, progress: Recorder
) -> None:
    """10 bits, HDR, 4:4:4, full range, odd sizes, rotation, VP8/VP9, a hidden first key frame."""
    torch.set_num_threads(1)
    output = OutputOptions(encoding=EncodingOptions(VideoCodec.H264, quality=20))
    options = matting_options(empty_checkpoint, output, ratio=0.25)
    folder = tmp_path / "formats"
    folder.mkdir()
    for clip in sorted((shared / "media" / "formats").iterdir()):
        if "vp8" not in clip.name:  # 1280x720 would take too long here
            (folder / clip.name).write_bytes(clip.read_bytes())
    clips = sorted(folder.iterdir())
    assert clips
    matted = infer(folder, options, None, progress)
    for clip in clips:
        made = decode(matted.output_folder(OutputKind.COMPOSITE) / f"{clip.stem}.mp4")
        assert len(made) == len(decode(clip))
        assert np.abs(made[0][1].astype(int) - GREEN).max() <= 4


@pytest.mark.parametrize(
    ("size", "subject", "ratio"),
    [
        ((1280, 720), "full-body", 0.6),
        ((1280, 720), "portrait", 0.375),
        ((1920, 1080), "full-body", 0.4),
        ((3840, 2160), "portrait", 0.125),
        ((1080, 1920), "full-body", 0.4),
        ((320, 240), "full-body", 1.0),
    ],
)
def test_the_automatic_ratio(size: tuple[int, int], subject: str, ratio: float) -> None:
    assert automatic_ratio(Size(*size), Subject(subject)) == pytest.approx(ratio)
