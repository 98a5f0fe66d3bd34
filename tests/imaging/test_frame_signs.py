"""Signs of doubt on mattes drawn by hand, at any size, depth and number of frames at once."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from matting.imaging.frame_signs import SIGNS, CellMeans, SmallCopy, frame_signs
from matting.imaging.matte_planes import MAX_ALPHA, MattePlanes
from matting.imaging.planes import Planes
from matting.imaging.renderer import StoredFrames
from matting.imaging.sample_format import SampleFormat

HEIGHT, WIDTH = 64, 128
GREY = SampleFormat(8)


def frames(alpha: Tensor, luma: Tensor | None = None, layout: SampleFormat = GREY) -> SmallCopy:
    """Return frames [T, H, W] with alpha in [0, 1]; luma in code values, or 100 everywhere."""
    luma = torch.full(alpha.shape, 100, dtype=torch.uint8) if luma is None else luma
    return SmallCopy.of(StoredFrames(Planes(layout, luma[:, None]), matte_of(alpha, layout)))


def matte_of(alpha: Tensor, layout: SampleFormat) -> MattePlanes:
    """Return what is stored of alpha [T, H, W], in [0, 1]."""
    codes = (alpha * MAX_ALPHA).round().to(torch.int32).to(torch.uint16)[:, None]
    return MattePlanes(codes, torch.zeros(codes.shape, dtype=torch.int8), None, layout)


def person(count: int = 1, height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    """Return a block of people that takes a quarter of the picture, with whole cells."""
    alpha = torch.zeros(count, height, width)
    alpha[:, height // 4 : height * 3 // 4, width // 4 : width * 3 // 4] = 1
    return alpha


def signs(alpha: Tensor, luma: Tensor | None = None) -> dict[str, list[float]]:
    values, _ = frame_signs(frames(alpha, luma), None)
    return {name: values[:, index].tolist() for index, name in enumerate(SIGNS)}


def test_a_clean_matte_shows_its_area_and_nothing_to_doubt() -> None:
    found = signs(person())
    assert found.pop("area") == [pytest.approx(0.25)]
    assert found.pop("contour") == [0.0]  # it runs between cells
    assert set(found) == set(SIGNS) - {"area", "contour"}
    assert all(value == [0.0] for value in found.values())


def test_haze_counts_more_the_nearer_to_one_half_and_what_is_far_from_people_by_itself() -> None:
    alpha = person()
    alpha[:, :8, :16] = 0.4  # far from anybody
    alpha[:, HEIGHT // 4 - 4 : HEIGHT // 4, WIDTH // 4 : WIDTH * 3 // 4] = 0.2  # an edge
    found, pixels = signs(alpha), HEIGHT * WIDTH
    edge = 4 * WIDTH / 2
    assert found["haze"] == [pytest.approx((128 * 0.96 + edge * 0.64) / pixels, rel=0.01)]
    assert found["soft"] == [pytest.approx((128 + edge) / pixels)]
    assert found["far_soft"] == [pytest.approx(128 / pixels)]


def test_clouds_are_haze_over_an_area_and_not_along_an_edge() -> None:
    hard, soft, wide = (person(height=HEIGHT, width=WIDTH) for _ in range(3))
    left = WIDTH // 4
    hard[:, 16:48, left - 1] = 0.5  # a pixel of an edge
    soft[:, 16:48, left - 8 : left] = torch.linspace(0, 1, 9)[:-1]
    wide[:, 16:48, left - 8 : left] = 0.5
    found = [signs(alpha) for alpha in (hard, soft, wide)]
    clouds, haze = ([own[name][0] for own in found] for name in ("clouds", "haze"))
    assert clouds[0] < 0.6 * haze[0]
    assert 0.6 * haze[1] < clouds[1] < 0.9 * haze[1]
    assert clouds[2] > 0.9 * haze[2]
    pixels = (HEIGHT - 1) * (WIDTH - 1)
    assert clouds[0] == pytest.approx(31 * 0.5 / pixels, rel=0.01)
    assert clouds[2] == pytest.approx((31 * 7.5 + 7 * 0.5) / pixels, rel=0.01)


def test_specks_and_holes_are_small_parts_far_from_larger_ones() -> None:
    alpha = person()
    alpha[:, 0:4, 0:8] = 1
    alpha[:, HEIGHT // 2 : HEIGHT // 2 + 4, WIDTH // 2 : WIDTH // 2 + 4] = 0
    found, cells = signs(alpha), HEIGHT * WIDTH / 16
    assert found["specks"] == [pytest.approx(2 / cells)]
    assert found["holes"] == [pytest.approx(1 / cells)]


def test_only_what_changes_in_a_picture_that_does_not_flickers() -> None:
    alpha = person(4)
    alpha[1:, :, : WIDTH // 2] = 0
    luma = torch.full(alpha.shape, 100, dtype=torch.uint8)
    assert signs(alpha, luma)["flicker"] == [0.0, pytest.approx(0.125), 0.0, 0.0]
    luma[1:, :, : WIDTH // 2] = 150
    assert signs(alpha, luma)["flicker"] == [0.0] * 4


def test_frames_are_the_same_in_whatever_parts_they_come() -> None:
    torch.manual_seed(1)
    alpha, luma = torch.rand(5, HEIGHT, WIDTH), torch.full((5, HEIGHT, WIDTH), 9).byte()
    whole, _ = frame_signs(frames(alpha, luma), None)
    parts, before = [], None
    for part in (slice(0, 2), slice(2, 3), slice(3, 5)):
        values, before = frame_signs(frames(alpha[part], luma[part]), before)
        parts.append(values)
    assert torch.equal(torch.cat(parts), whole)
    assert whole[1:, -1].min() > 0


def test_what_another_size_is_compared_with_is_not_known() -> None:
    _, before = frame_signs(frames(person(1, 64, 64)), None)
    values, _ = frame_signs(frames(torch.zeros(1, HEIGHT, WIDTH)), before)
    assert values[0, -1] == 0


@pytest.mark.parametrize("size", [(720, 1280), (70, 50), (3, 2)])
def test_any_size_gives_shares(size: tuple[int, int]) -> None:
    values, cells = frame_signs(frames(person(2, *size)), None)
    assert values.shape == (2, len(SIGNS))
    assert float(values.min()) >= 0
    assert float(values.max()) <= 1
    assert isinstance(cells, CellMeans)
    if min(size) > 3:
        assert float(values[0, 0]) == pytest.approx(0.25, abs=0.02)


def test_deep_padded_and_rgb_samples_stand_still_alike() -> None:
    alpha = person(2)
    alpha[1] = 0
    deep = SampleFormat(10, (0.2126, 0.0722), lsb_padding=6)
    luma = torch.full(alpha.shape, 1000 << 6, dtype=torch.int32).to(torch.uint16)
    assert float(frame_signs(frames(alpha, luma, deep), None)[0][1, -1]) == pytest.approx(0.25)
    rgb = torch.full((2, 3, HEIGHT, WIDTH), 7, dtype=torch.uint8)
    rgb[1, 1] = 90  # green changes
    moved = StoredFrames(Planes(GREY, rgb), matte_of(alpha, GREY))
    assert float(frame_signs(SmallCopy.of(moved), None)[0][1, -1]) == 0
