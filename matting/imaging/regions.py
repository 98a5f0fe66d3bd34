"""Work on frames region by region: bands of whole rows, or only the tiles in which something is.

Each region is computed with a halo, as if it were a frame. What is computed may depend on samples
at most a halo away, and then no result depends on how the frames were divided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.imaging.colour_conversion import BAND_ROWS, CPU_BAND_PX, split_into_bands
from matting.imaging.planes import Planes
from matting.imaging.sample_format import Size
from matting.imaging.tiles import TILE, gather_tiles, scatter_tiles

# Frames of one size and length, regions of them, to frames of the same size.
Compute = Callable[[Sequence[Planes]], Sequence[Planes]]


def compute_in_bands(
    compute: Compute,
    inputs: Sequence[Planes],
    outputs: Sequence[Planes],
    halo: Size,
    *,
    band_px: int | None = None,
) -> None:
    """Fill the outputs, one band of whole rows after the other.

    Args:
        inputs: frames of one size, on one device.
        outputs: what `compute` returns for them.
        band_px: how many pixels to compute at once; None: as suits the device.
    """
    height = inputs[0].height
    margin = -(-halo.height // BAND_ROWS) * BAND_ROWS
    for (rows,) in split_into_bands(inputs[0], band_px=band_px):
        with_halo = slice(max(0, rows.start - margin), min(height, rows.stop + margin))
        inner = slice(rows.start - with_halo.start, rows.stop - with_halo.start)
        for part, output in zip(
            compute([planes.rows(with_halo) for planes in inputs]), outputs, strict=True
        ):
            band, own = output.rows(rows), part.rows(inner)
            band.luma_or_rgb.copy_(own.luma_or_rgb)
            if band.chroma is not None and own.chroma is not None:
                band.chroma.copy_(own.chroma)


def compute_in_tiles(
    compute: Compute,
    inputs: Sequence[Planes],
    outputs: Sequence[Planes],
    positions: Tensor,
    halo: Size,
    *,
    batch_px: int = CPU_BAND_PX,
) -> None:
    """Fill some tiles of the outputs, on the CPU.

    Args:
        inputs: single frames of one size.
        outputs: what `compute` returns for them; of whole tiles, each in memory of its own.
        positions: [N, 2], the tiles.
        halo: whole chroma samples of all inputs and outputs.
        batch_px: how many pixels to compute at once.
    """
    batch_tiles = max(1, batch_px // (TILE.height * TILE.width))
    for batch in positions.split(batch_tiles) if len(positions) else ():
        parts = compute([gather_tiles(planes, batch, halo) for planes in inputs])
        for part, output in zip(parts, outputs, strict=True):
            scatter_tiles(_inner_tiles(part, halo), output, batch)


def fill_tiles(output: Planes, sample: Planes, positions: Tensor) -> None:
    """Fill some tiles of a frame with one colour.

    Args:
        output: one frame of whole tiles, on the CPU, in memory of its own.
        sample: a single pixel of that colour.
        positions: [N, 2], the tiles.
    """
    if not len(positions):
        return
    shape = len(positions), sample.luma_or_rgb.shape[1], TILE.height, TILE.width
    chroma = None
    if sample.chroma is not None:
        width, height = sample.sample_format.chroma_size(TILE)
        chroma = sample.chroma.expand(len(positions), 2, height, width)
    scatter_tiles(
        Planes(output.sample_format, sample.luma_or_rgb.expand(shape), chroma), output, positions
    )


def tile_extremes(plane: Tensor, halo: Size) -> tuple[Tensor, Tensor]:
    """Return the least and the largest value in each tile with its halo: [rows, columns] each.

    Args:
        plane: [H, W], int16, on any device.
    """
    results = []
    for reduce, combine in ((torch.amin, torch.minimum), (torch.amax, torch.maximum)):
        # Rows first, which leaves little.
        lines = _extremes(plane, TILE.height, halo.height, reduce, combine)
        columns = _extremes(lines.T.contiguous(), TILE.width, halo.width, reduce, combine)
        results.append(columns.T)
    return results[0], results[1]


def dilate(mask: Tensor) -> Tensor:
    """Return a mask of tiles, [.., rows, columns], bool, with the eight neighbours of each."""
    grid = mask.reshape(-1, 1, *mask.shape[-2:]).float()
    return F.max_pool2d(grid, 3, stride=1, padding=1).view(mask.shape) > 0


def tiles_to_pixels(mask: Tensor, size: Size) -> Tensor:
    """Return a mask of tiles, [T, rows, columns], bool, as 0 and 1 at the pixels: [T, 1, H, W]."""
    lines = mask.to(torch.uint8).repeat_interleave(TILE.width, 2)[..., : size.width]
    return lines.repeat_interleave(TILE.height, 1)[:, None, : size.height]


def _inner_tiles(tiles: Planes, halo: Size) -> Planes:
    """Return tiles without their halo, in the same memory."""
    planes = []
    for plane, steps in (
        (tiles.luma_or_rgb, (1, 1)),
        (tiles.chroma, tiles.sample_format.subsampling),
    ):
        if plane is None:
            continue
        left, top = halo.width // steps[0], halo.height // steps[1]
        width, height = TILE.width // steps[0], TILE.height // steps[1]
        planes.append(plane[..., top : top + height, left : left + width])
    return Planes(tiles.sample_format, *planes)


def _extremes(
    lines: Tensor,
    step: int,
    halo: int,
    reduce: Callable[[Tensor, int], Tensor],
    combine: Callable[..., Tensor],
) -> Tensor:
    """Return the least or the largest of every `step` lines and `halo` more at each side.

    Args:
        lines: [N, n].
        halo: at most `step`.
        reduce: torch.amin or torch.amax.
        combine: torch.minimum or torch.maximum, as that.
    Returns:
        [ceil(N / step), n].
    """
    whole = len(lines) // step
    result = lines.new_empty(-(-len(lines) // step), lines.shape[1])
    result[:whole] = reduce(lines[: whole * step].view(whole, step, lines.shape[1]), 1)
    if len(result) > whole:
        result[whole] = reduce(lines[whole * step :], 0)
    for distance in range(halo):
        # The last lines may be fewer than a halo: then these are all.
        after = lines[step + distance :: step]
        inner = result[: len(after)]
        combine(inner, after, out=inner)
        before = lines[step - 1 - distance : (len(result) - 1) * step : step]
        combine(result[1:], before, out=result[1:])
    return result
