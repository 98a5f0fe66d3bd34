"""The network's small maps at full size: as torch interpolates them, in the tiles that count."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from matting.imaging.compositor import Matte, render, render_in_bands, render_in_tiles
from matting.imaging.planes import Planes
from matting.imaging.renderer import nearly_equal
from matting.imaging.sample_format import SampleFormat, Size
from matting.imaging.tiles import TILE, all_tiles
from matting.imaging.upsampling import tiles_influenced_by, upsample_band, upsample_tiles
from matting.options import OutputKind
from tests.support.frames import (
    BT709,
    CHROMA_LAYOUTS,
    GREEN,
    random_code_values,
    random_video,
)


def random_maps(frames: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return slope and offset, [T, 4, h, w] each."""
    generator = torch.Generator().manual_seed(11)
    slope, offset = torch.randn(2, frames, 4, height, width, generator=generator)
    return slope, offset


@pytest.mark.parametrize("map_shape", [(1, 1), (7, 9), (43, 61), (100, 130)])
@pytest.mark.parametrize("size", [Size(130, 100), Size(333, 95)])
def test_bands_and_tiles_are_upsampled_as_torch_interpolates(
    map_shape: tuple[int, int], size: Size
) -> None:
    maps = random_maps(2, *map_shape)
    channels = torch.cat(maps, dim=1)
    expected = torch.nn.functional.interpolate(
        channels.double(), (size.height, size.width), mode="bilinear", align_corners=False
    )
    for rows in (slice(0, size.height), slice(16, 57), slice(88, 89)):
        assert (upsample_band(channels, rows, size) - expected[:, :, rows]).abs().max() < 1e-4
    positions = all_tiles(size)
    for frame in range(2):
        tiles = upsample_tiles([each[frame] for each in maps], positions, size)
        for (row, column), tile in zip(positions.tolist(), tiles, strict=True):
            rows = slice(row * TILE.height, (row + 1) * TILE.height)
            columns = slice(column * TILE.width, (column + 1) * TILE.width)
            part = expected[frame, :, rows, columns]
            inside = tile[:, : part.shape[1], : part.shape[2]]
            assert (inside - part).abs().max() < 1e-4


def test_only_tiles_that_somebody_may_be_in_are_chosen() -> None:
    mask = torch.zeros(20, 50, dtype=torch.bool)
    size = Size(500, 200)  # ten pixels a map sample
    assert tiles_influenced_by(mask, size).shape == (0, 2)
    mask[19, 49] = mask[0, 0] = True
    positions = {(row, column) for row, column in tiles_influenced_by(mask, size).tolist()}
    assert positions == {(0, 0), (11, 15), (12, 15)}
    mask[:] = True
    assert torch.equal(tiles_influenced_by(mask, size), all_tiles(size))


@pytest.mark.parametrize(("bits", "subsampling"), [(8, (2, 2)), (10, (2, 1)), (12, (1, 1))])
@pytest.mark.parametrize("faint", [0.0, 0.0002, 0.003])
def test_tiles_that_are_left_out_are_what_they_would_have_been(
    bits: int, subsampling: tuple[int, int], faint: float
) -> None:
    """Nobody but in two corners; elsewhere an alpha of nearly nothing, or below it."""
    siting = (0.0, 0.5 if subsampling[1] == 2 else 0.0)
    sample_format = SampleFormat(bits, BT709, False, subsampling, siting)
    slope, offset = (each * 0.2 for each in random_maps(2, 40, 60))
    slope[:, 3] = 0
    offset[:, 3] = torch.linspace(-0.5, faint, 60).clamp(min=-0.001)
    offset[:, 3, 5:9, 5:9] += 0.5
    offset[:, 3, -4:, -3:] += 0.9
    source = random_video(sample_format, 2, 97, 301)
    matte = Matte(source, slope, offset)
    formats = {
        OutputKind.COMPOSITE: sample_format,
        OutputKind.ALPHA: sample_format,
        OutputKind.ALPHA_PNG: SampleFormat(16),
    }
    with_foreground = {**formats, OutputKind.FOREGROUND: sample_format}  # needs every tile
    every_tile = render_in_tiles(matte, with_foreground, GREEN, 4000)
    some_tiles = render_in_tiles(matte, formats, GREEN, 4000)
    bands = render_in_bands(matte, formats, GREEN, 4000)
    for kind, output in some_tiles.items():
        expected = every_tile[kind]
        assert torch.equal(output.luma_or_rgb.int(), expected.luma_or_rgb.int()), kind
        if output.chroma is not None:
            assert expected.chroma is not None, kind
            assert torch.equal(output.chroma.int(), expected.chroma.int()), kind
        assert nearly_equal(output, bands[kind]), kind


@pytest.mark.parametrize("size", [Size(64, 48), Size(65, 49), Size(31, 5), Size(1, 1)])
@pytest.mark.parametrize(("subsampling", "siting"), CHROMA_LAYOUTS)
def test_tiles_are_what_bands_are_in_every_sample_format(
    subsampling: tuple[int, int], siting: tuple[float, float], size: Size
) -> None:
    """The halo of a tile holds as much as any output needs."""
    slope, offset = (each * 0.5 for each in random_maps(1, 12, 17))
    for source_subsampling, source_siting in CHROMA_LAYOUTS:
        source_format = SampleFormat(10, BT709, False, source_subsampling, source_siting)
        source = random_video(source_format, 1, size.height, size.width)
        matte = Matte(source, slope, offset)
        for target in (SampleFormat(12, BT709, True, subsampling, siting), SampleFormat()):
            formats = {OutputKind.COMPOSITE: target, OutputKind.ALPHA: target}
            bands = render_in_bands(matte, formats, GREEN, 200)
            for kind, output in render(matte, formats, GREEN).items():
                assert output.luma_or_rgb.shape == bands[kind].luma_or_rgb.shape
                assert nearly_equal(output, bands[kind]), (kind, source_format, target)


def test_p010_gives_what_planar_samples_give() -> None:
    """Ten bits in the high ones of sixteen, Cb and Cr interleaved, as GPUs hold them."""
    planar = SampleFormat(10, BT709, False, (2, 2), (0.0, 0.5))
    p010 = SampleFormat(10, BT709, False, (2, 2), (0.0, 0.5), lsb_padding=6, semi_planar=True)
    source = random_video(planar, 2, 50, 70)
    assert source.chroma is not None
    interleaved = random_code_values(2, 25, 35, 2, bits=10)
    interleaved.copy_(source.chroma.permute(0, 2, 3, 1))
    surface = Planes(
        p010,
        (source.luma_or_rgb.int() << 6).to(torch.uint16),
        (interleaved.int() << 6).to(torch.uint16).permute(0, 3, 1, 2),
    )
    slope, offset = random_maps(2, 20, 30)
    for render_parts in (render_in_tiles, render_in_bands):  # the latter is a GPU's
        expected, output = (
            render_parts(
                Matte(planes, slope, offset), {OutputKind.COMPOSITE: planes.sample_format}, GREEN
            )[OutputKind.COMPOSITE]
            for planes in (source, surface)
        )
        assert output.chroma is not None and expected.chroma is not None
        assert torch.equal(output.luma_or_rgb.int(), expected.luma_or_rgb.int() << 6)
        assert torch.equal(output.chroma.int(), expected.chroma.int() << 6)
        assert output.chroma.stride(1) == 1
        assert render_parts is render_in_tiles or output.chroma.permute(0, 2, 3, 1).is_contiguous()
