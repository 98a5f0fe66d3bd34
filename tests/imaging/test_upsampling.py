"""The network's small results at full size: by matrices as by interpolation, where they count."""

from __future__ import annotations

import pytest
import torch

from matting.imaging.compositor import Matte, render, render_in_bands, render_in_tiles
from matting.imaging.planes import Planes
from matting.imaging.renderer import nearly_equal
from matting.imaging.sample_format import SampleFormat, Size
from matting.imaging.tiles import TILE, all_tiles
from matting.imaging.upsampling import tiles_influenced_by, upsample_band, upsample_tiles
from matting.options import OutputKind
from tests.imaging.test_compositor import BT709, GREEN, STEPS, numbers, video


def maps(frames: int, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(11)
    slope, offset = torch.randn(2, frames, 4, height, width, generator=generator)
    return slope, offset


@pytest.mark.parametrize("small", [(1, 1), (7, 9), (43, 61), (100, 130)])
@pytest.mark.parametrize("size", [Size(130, 100), Size(333, 95)])
def test_matrices_do_what_interpolation_does(small: tuple[int, int], size: Size) -> None:
    found = maps(2, *small)
    width, height = size
    expected = torch.nn.functional.interpolate(
        torch.cat(found, dim=1).double(), (height, width), mode="bilinear", align_corners=False
    )
    joined = torch.cat(found, dim=1)
    for rows in (slice(0, height), slice(16, 57), slice(88, 89)):
        assert (upsample_band(joined, rows, size) - expected[:, :, rows]).abs().max() < 1e-4
    places = all_tiles(size)
    for frame in range(2):
        tiles = upsample_tiles([each[frame] for each in found], places, size)
        for (row, column), tile in zip(places.tolist(), tiles, strict=True):
            here = expected[
                frame,
                :,
                row * TILE.height : (row + 1) * TILE.height,
                column * TILE.width : (column + 1) * TILE.width,
            ]
            inside = tile[:, : here.shape[1], : here.shape[2]]
            assert (inside - here).abs().max() < 1e-4


def test_only_tiles_that_somebody_may_be_in_are_looked_at() -> None:
    some = torch.zeros(20, 50, dtype=torch.bool)
    size = Size(500, 200)  # ten pixels a sample
    assert tiles_influenced_by(some, size).shape == (0, 2)
    some[19, 49] = some[0, 0] = True
    found = {(row, column) for row, column in tiles_influenced_by(some, size).tolist()}
    assert found == {(0, 0), (11, 15), (12, 15)}
    some[:] = True
    assert torch.equal(tiles_influenced_by(some, size), all_tiles(size))


@pytest.mark.parametrize(("bits", "step"), [(8, (2, 2)), (10, (2, 1)), (12, (1, 1))])
@pytest.mark.parametrize("faint", [0.0, 0.0002, 0.003])
def test_what_is_left_out_is_what_would_have_come(
    bits: int, step: tuple[int, int], faint: float
) -> None:
    """Nobody but in two corners; elsewhere an alpha of nearly nothing, or below it."""
    sample_format = SampleFormat(bits, BT709, False, step, (0.0, 0.5 if step[1] == 2 else 0.0))
    slope, offset = (each * 0.2 for each in maps(2, 40, 60))
    slope[:, 3] = 0
    offset[:, 3] = torch.linspace(-0.5, faint, 60).clamp(min=-0.001)
    offset[:, 3, 5:9, 5:9] += 0.5
    offset[:, 3, -4:, -3:] += 0.9
    source = video(sample_format, 2, 97, 301)
    matte = Matte(source, slope, offset)
    kinds = {
        OutputKind.COMPOSITE: sample_format,
        OutputKind.ALPHA: sample_format,
        OutputKind.ALPHA_PNG: SampleFormat(16),
    }
    whole = render_in_tiles(matte, {**kinds, OutputKind.FOREGROUND: sample_format}, GREEN, 4000)
    parts = render_in_tiles(matte, kinds, GREEN, 4000)
    bands = render_in_bands(matte, kinds, GREEN, 4000)
    for kind, planes in parts.items():
        assert torch.equal(planes.luma_or_rgb.int(), whole[kind].luma_or_rgb.int()), kind
        if planes.chroma is not None:
            other = whole[kind].chroma
            assert other is not None and torch.equal(planes.chroma.int(), other.int()), kind
        assert nearly_equal(planes, bands[kind]), kind


@pytest.mark.parametrize("size", [(64, 48), (65, 49), (31, 5), (1, 1)])
@pytest.mark.parametrize(("step", "siting"), STEPS)
def test_tiles_are_what_bands_are_in_every_coding(
    step: tuple[int, int], siting: tuple[float, float], size: tuple[int, int]
) -> None:
    """Tiles see as much of what is around them as any result needs."""
    width, height = size
    slope, offset = (each * 0.5 for each in maps(1, 12, 17))
    for source_step, source_siting in STEPS:
        source = video(SampleFormat(10, BT709, False, source_step, source_siting), 1, height, width)
        matte = Matte(source, slope, offset)
        for sample_format in (SampleFormat(12, BT709, True, step, siting), SampleFormat()):
            kinds = {OutputKind.COMPOSITE: sample_format, OutputKind.ALPHA: sample_format}
            bands, found = render_in_bands(matte, kinds, GREEN, 200), render(matte, kinds, GREEN)
            for kind, planes in found.items():
                assert planes.luma_or_rgb.shape == bands[kind].luma_or_rgb.shape
                assert nearly_equal(planes, bands[kind]), (
                    kind,
                    source.sample_format,
                    sample_format,
                )


def test_samples_as_graphics_cards_hold_them() -> None:
    """P010: ten bits in the high ones of sixteen, Cb and Cr in turns."""
    plain = SampleFormat(10, BT709, False, (2, 2), (0.0, 0.5))
    card = SampleFormat(10, BT709, False, (2, 2), (0.0, 0.5), lsb_padding=6, semi_planar=True)
    source = video(plain, 2, 50, 70)
    assert source.chroma is not None
    pairs = numbers(2, 25, 35, 2, bits=10)
    pairs.copy_(source.chroma.permute(0, 2, 3, 1))
    held = Planes(
        card,
        (source.luma_or_rgb.int() << 6).to(torch.uint16),
        (pairs.int() << 6).to(torch.uint16).permute(0, 3, 1, 2),
    )
    slope, offset = maps(2, 20, 30)
    for way in (render_in_tiles, render_in_bands):  # the latter is a card's
        ours = way(Matte(source, slope, offset), {OutputKind.COMPOSITE: plain}, GREEN)[
            OutputKind.COMPOSITE
        ]
        theirs = way(Matte(held, slope, offset), {OutputKind.COMPOSITE: card}, GREEN)[
            OutputKind.COMPOSITE
        ]
        assert theirs.chroma is not None and ours.chroma is not None
        assert torch.equal(theirs.luma_or_rgb.int(), ours.luma_or_rgb.int() << 6)
        assert torch.equal(theirs.chroma.int(), ours.chroma.int() << 6)
        assert theirs.chroma.stride(1) == 1
        assert way is render_in_tiles or theirs.chroma.permute(0, 2, 3, 1).is_contiguous()
