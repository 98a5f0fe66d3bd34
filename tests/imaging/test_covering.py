"""A picture that is brought to another size covers it, in the middle, without a shift."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from matting.imaging.colour_conversion import rows_to_rgb
from matting.imaging.covering import cover
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, Size
from tests.support.frames import BT709, CHROMA_LAYOUTS, RGB8, random_rgb
from tests.support.soft_edges import smooth_source

SQUARE = Fraction(1)


def ramp(width: int, height: int, across: int, down: int) -> Planes:
    """Return a picture whose values are `across` times the column and `down` times the row."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    values = (columns * across + rows * down).to(torch.uint8)
    return Planes(RGB8, values.expand(1, 3, height, width).contiguous())


def test_a_picture_of_the_wanted_size_stays_as_it_is() -> None:
    picture = random_rgb(2, 18, 30)
    values = cover(picture, picture.size, SQUARE) * 255
    assert values.round().to(torch.uint8).equal(picture.luma_or_rgb)


def test_what_has_another_shape_is_cut_off_at_both_sides_alike() -> None:
    wide = cover(ramp(60, 20, 4, 0), Size(20, 20), SQUARE) * 255
    assert wide[0, 0, 0].tolist() == pytest.approx([4.0 * column for column in range(20, 40)])
    high = cover(ramp(20, 60, 0, 4), Size(20, 20), SQUARE) * 255
    assert high[0, 0, :, 0].tolist() == pytest.approx([4.0 * row for row in range(20, 40)])


@pytest.mark.parametrize("reduced_by", [2, 3, 4])
def test_what_is_reduced_is_the_mean_of_its_area(reduced_by: int) -> None:
    """Stripes finer than a pixel of the result become grey, not stripes of another width."""
    picture = torch.zeros(1, 3, 12 * reduced_by, 16 * reduced_by, dtype=torch.uint8)
    picture[..., ::reduced_by] = 240
    values = cover(Planes(RGB8, picture), Size(16, 12), SQUARE) * 255
    assert values.sub(240 / reduced_by).abs().max() < 0.01


def test_what_is_enlarged_is_linear_between_its_pixels() -> None:
    values = cover(ramp(16, 16, 8, 0), Size(32, 32), SQUARE)[0, 0, 0] * 255
    inner = values[2:-2]
    assert inner.diff().tolist() == pytest.approx([4.0] * (len(inner) - 1), abs=1e-4)
    assert values.mean() == pytest.approx(8 * 7.5)  # it is not shifted


def test_the_shape_of_pixels_counts() -> None:
    """Pixels twice as wide as the picture's stand for twice as much of it across."""
    values = cover(ramp(40, 20, 4, 0), Size(20, 20), Fraction(2)) * 255
    assert values[0, 0, 0].tolist() == pytest.approx([8.0 * column + 2 for column in range(20)])


@pytest.mark.parametrize(("subsampling", "siting"), CHROMA_LAYOUTS)
def test_chroma_stays_where_it_belongs(
    subsampling: tuple[int, int], siting: tuple[float, float]
) -> None:
    own = SampleFormat(10, BT709, False, subsampling, siting)
    picture = smooth_source(own, 1, Size(64, 48))
    expected = rows_to_rgb(picture, slice(0, 48))
    values = cover(picture, picture.size, SQUARE)
    assert values.sub(expected).abs()[..., 4:-4, 4:-4].max() < 1e-4
    half = cover(picture, Size(32, 24), SQUARE)
    means = expected.view(1, 3, 24, 2, 32, 2).mean(dim=(3, 5))
    assert half.sub(means).abs()[..., 4:-4, 4:-4].max() < 0.01
