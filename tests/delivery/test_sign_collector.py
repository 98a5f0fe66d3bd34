"""The most doubtful frames: which are pictured, how far apart, and what is to be seen of them."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from matting.delivery.sign_collector import DoubtfulFrames, SignCollector
from matting.imaging.display_light import DisplayLight
from matting.imaging.matte_planes import MAX_ALPHA, MattePlanes
from matting.imaging.planes import Planes
from matting.imaging.renderer import StoredFrames
from matting.imaging.sample_format import SampleFormat, Size
from matting.imaging.small_views import SmallViews
from matting.project.segment_signs import read_segment_signs
from matting.view import StereoLayout
from tests.support.mattes import YUV420

GREEN, RED = (0, 255, 0), (200, 20, 20)
WIDE = Size(1280, 32)


def doubtful(doubts: list[float], most: int, apart: int) -> list[int]:
    frames = DoubtfulFrames(most, apart)
    blank = SmallViews(*torch.zeros(3, 2, 2, 3, dtype=torch.uint8))
    for number, doubt in enumerate(doubts):
        frames.offer(number, doubt, lambda: blank)
    return [moment.frame for moment in frames.moments()]


def test_the_greatest_are_kept_apart_from_each_other() -> None:
    assert doubtful([1, 5, 2, 1, 1, 8, 1, 1, 9], 2, 2) == [5, 8]
    assert doubtful([1, 5, 2, 1, 1, 8, 1, 1, 9], 3, 2) == [1, 5, 8]
    assert doubtful([1, 5, 2, 1, 1, 8, 1, 1, 9], 9, 5) == [8]


def test_what_is_hardly_more_doubtful_is_not_pictured_again() -> None:
    assert doubtful([1 + frame / 1000 for frame in range(40)], 1, 1) == [0]


def test_only_what_stays_is_pictured_where_doubt_rises() -> None:
    frames, made = DoubtfulFrames(2, 5), []
    blank = SmallViews(*torch.zeros(3, 2, 2, 3, dtype=torch.uint8))

    def views(number: int) -> SmallViews:
        made.append(number)
        return blank

    for number, doubt in enumerate([1, 2, 3, 4, 1, 1, 1, 1, 1, 3, 4, 5]):
        frames.offer(number, doubt, partial(views, number))
    assert [moment.frame for moment in frames.moments()] == made == [3, 11]


def frame(alpha: float) -> StoredFrames:
    """Return a wide frame in red, half of it a person of some alpha."""
    rgb = SampleFormat()
    source = torch.tensor(RED, dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, 32, 1280)
    codes = torch.zeros(1, 1, 32, 1280)
    codes[..., :640] = alpha * MAX_ALPHA
    correction = torch.zeros(source.shape, dtype=torch.int8)
    matte = MattePlanes(codes.round().to(torch.int32).to(torch.uint16), correction, None, rgb)
    return StoredFrames(Planes(rgb, source.contiguous()), matte)


def test_a_moment_shows_the_frame_its_matte_and_both_together(tmp_path: Path) -> None:
    collector = SignCollector(1, 1, GREEN, light=DisplayLight())
    for alpha in (1.0, 0.5, 1.0):
        collector.take(frame(alpha))
    collector.collected().write(tmp_path / "a.npz")
    (moment,) = read_segment_signs(tmp_path / "a.npz", 3).moments
    assert moment.frame == 1
    pictures = [
        np.asarray(Image.open(io.BytesIO(view)))[8].astype(int)
        for view in (moment.source, moment.matte, moment.composite)
    ]
    assert [picture.shape[0] for picture in pictures] == [640, 640, 640]
    source, matte, composite = (picture[[20, 600]] for picture in pictures)
    assert np.abs(source - RED).max() < 12
    assert matte[:, 0].tolist() == [pytest.approx(128, abs=4), pytest.approx(0, abs=4)]
    half = (np.array(RED) + GREEN) / 2
    assert np.abs(composite - [half, GREEN]).max() < 12


def test_frames_of_video_are_pictured_in_its_colours() -> None:
    luma = torch.full((2, 1, 32, 64), 82, dtype=torch.uint8)  # red, of limited range
    chroma = torch.tensor([90, 240], dtype=torch.uint8).view(1, 2, 1, 1).expand(2, 2, 16, 32)
    alpha = torch.full((2, 1, 32, 64), MAX_ALPHA, dtype=torch.int32).to(torch.uint16)
    blank = (torch.zeros(2, 1, 32, 64, dtype=torch.int8), torch.zeros(2, 2, 16, 32).to(torch.int8))
    collector = SignCollector(1, 1, GREEN, light=DisplayLight())
    matte = MattePlanes(alpha, *blank, YUV420)
    collector.take(StoredFrames(Planes(YUV420, luma, chroma.contiguous()), matte))
    (moment,) = collector.collected().moments
    red = np.asarray(Image.open(io.BytesIO(moment.composite)))[8, 8]
    assert red[0] > 200
    assert red[1:].max() < 60


def test_eyes_are_compared_where_there_are_two(tmp_path: Path) -> None:
    both, alone = frame(1.0), frame(1.0)
    both.matte.alpha[..., 640:] = MAX_ALPHA
    collector = SignCollector(1, 1, GREEN, light=DisplayLight(), eyes=StereoLayout.LEFT_RIGHT)
    for seen in (both, alone):
        collector.take(seen)
    collector.collected().write(tmp_path / "a.npz")
    eyes = read_segment_signs(tmp_path / "a.npz", 2).eyes
    assert eyes is not None
    assert eyes.tolist() == [pytest.approx(0, abs=1e-3), pytest.approx(1, abs=1e-2)]
