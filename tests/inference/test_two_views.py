"""With the best quality, each frame is seen twice, and nothing of the rest is different."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, Size
from matting.inference.base import UnusableStateError
from matting.inference.session import MattingSession
from matting.inference.two_views import CELL_PX, WINDOW_CELLS, mirrored_share
from matting.inference.weights import load_checkpoint
from matting.network_choice import MatteQuality
from matting.options import Precision

CPU = torch.device("cpu")
SIZE = Size(64, 48)
RATIOS = [0.5, 1.0]
REACH_PX = CELL_PX * (WINDOW_CELLS // 2 + 2)  # how far away a doubt can count


@pytest.fixture
def sessions(random_checkpoint: Path) -> dict[MatteQuality, MattingSession]:
    network = load_checkpoint(random_checkpoint).network
    return {
        quality: MattingSession(network, CPU, Precision.FP32, 3, quality=quality)
        for quality in MatteQuality
    }


def frames(count: int) -> Planes:
    generator = torch.Generator().manual_seed(8)
    samples = torch.randint(0, 256, (count, 3, SIZE.height, SIZE.width), generator=generator)
    return Planes(SampleFormat(), samples.to(torch.uint8))


def mirrored(source: Planes) -> Planes:
    return Planes(source.sample_format, source.luma_or_rgb.flip(3))


def maps(session: MattingSession, source: Planes, ratio: float) -> torch.Tensor:
    """Return slopes and offsets of all frames, one after the other."""
    mattes = session.mattes(source, ratio)
    return torch.cat(
        [m.offset if m.slope is None else torch.cat((m.slope, m.offset), 1) for m in mattes]
    )


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_matte_lies_between_both_views(
    sessions: dict[MatteQuality, MattingSession], ratio: float
) -> None:
    normal, best = sessions[MatteQuality.NORMAL], sessions[MatteQuality.BEST]
    plain = maps(normal, frames(3), ratio)
    normal.reset()
    other = maps(normal, mirrored(frames(3)), ratio).flip(3)
    between = maps(best, frames(3), ratio)
    assert (plain - other).abs().max() > 1e-3
    assert (between - torch.minimum(plain, other)).min() > -1e-5
    assert (between - torch.maximum(plain, other)).max() < 1e-5
    for view in (plain, other):
        assert (between - view).abs().max() > 1e-3


def test_how_much_the_views_differ_is_told_of_each_frame(
    sessions: dict[MatteQuality, MattingSession],
) -> None:
    both, alone = (
        sessions[quality].mattes(frames(3), 1.0)
        for quality in (MatteQuality.BEST, MatteQuality.NORMAL)
    )
    assert all(matte.between_views is None for matte in alone)
    views = [matte.between_views for matte in both]
    known = torch.cat([values for values in views if values is not None])
    assert known.shape == (3,)
    assert ((known > 1e-4) & (known < 1)).all()
    (whole,) = both
    parts = [*whole.split(2), whole.between(1, 3)]
    assert [part.between_views.tolist() for part in parts if part.between_views is not None] == [
        known[rows].tolist() for rows in (slice(2), slice(2, 3), slice(1, 3))
    ]


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_mirrored_video_gives_the_mirrored_matte(
    sessions: dict[MatteQuality, MattingSession], ratio: float
) -> None:
    best = sessions[MatteQuality.BEST]
    expected = maps(best, frames(3), ratio)
    best.reset()
    assert (maps(best, mirrored(frames(3)), ratio).flip(3) - expected).abs().max() < 1e-4


def test_the_surer_view_counts_where_it_is_the_surer() -> None:
    size = 2 * REACH_PX + 32
    plain, other = torch.zeros(2, 1, 40, 2 * size), torch.ones(2, 1, 40, 2 * size)
    plain[..., :size] = other[..., size:] = 0.5
    share = mirrored_share(plain, other)
    assert share.shape == plain.shape
    assert share[..., : size - REACH_PX].min() > 0.99
    assert share[..., size + REACH_PX :].max() < 0.01


def test_views_that_are_as_sure_count_alike() -> None:
    person = torch.zeros(1, 1, 37, 53)
    person[..., 8:20, 9:30] = 1
    elsewhere = 1 - person
    assert (mirrored_share(person, elsewhere) == 0.5).all()
    assert (mirrored_share(0.3 * person, 1 - 0.3 * person) - 0.5).abs().max() < 1e-5


@pytest.mark.parametrize("ratio", RATIOS)
def test_frames_at_once_equal_frames_one_by_one_from_a_saved_state(
    sessions: dict[MatteQuality, MattingSession], ratio: float
) -> None:
    best = sessions[MatteQuality.BEST]
    expected = maps(best, frames(3), ratio)
    best.reset()
    for index, frame in enumerate(frames(3).split(1)):
        assert (maps(best, frame, ratio) - expected[index]).abs().max() < 1e-4
        assert best.state is not None
        assert best.has_state_for(SIZE, ratio)
        assert not best.has_state_for(SIZE, 0.75)
        saved = best.state.to_bytes()
        best.reset()
        best.load_state(saved)


def test_neither_quality_goes_on_from_the_others_state(
    sessions: dict[MatteQuality, MattingSession],
) -> None:
    saved = {}
    for quality, session in sessions.items():
        session.mattes(frames(1), 0.5)
        assert session.state is not None
        saved[quality] = session.state.to_bytes()
    normal, best = sessions[MatteQuality.NORMAL], sessions[MatteQuality.BEST]
    for session, content in (
        (normal, saved[MatteQuality.BEST]),
        (best, saved[MatteQuality.NORMAL]),
        (best, saved[MatteQuality.BEST][:-100]),
        (best, saved[MatteQuality.BEST][:30]),
    ):
        with pytest.raises(UnusableStateError):
            session.load_state(content)
        assert session.state is None
