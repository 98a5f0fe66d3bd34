"""The foreground's colours where it is half transparent, by the colours around.

The network finds the foreground on a small copy. At soft edges it is kept the means of it and of
what is behind it that lie near, which change slowly and so are found on the small copy too; the
picture at full size then decides how far each pixel is from them. Source: Forte 2021, "Approximate
Fast Foreground Colour Estimation", with the network's foreground as the first estimate in place of
the picture, by which one pass over few pixels does.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.imaging.blending import apply_guided_filter
from matting.imaging.colour_conversion import (
    CPU_BAND_PX,
    resize_to_rgb,
    split_into_bands,
    to_chroma,
    to_luma_or_rgb,
)
from matting.imaging.compositor import Matte
from matting.imaging.matte_planes import (
    LARGEST_CORRECTION,
    MAX_ALPHA,
    MattePlanes,
    alpha_at_chroma_sites,
    blank_corrections,
    chroma_halo,
    correction_unit,
    from_planes,
)
from matting.imaging.planes import Planes
from matting.imaging.resampling import clamped_rows, sample_at_chroma_sites
from matting.imaging.sample_format import CodeRange, SampleFormat, Size
from matting.imaging.tiles import TILE, gather_tiles, scatter_tiles, tiled_size
from matting.imaging.upsampling import upsample_band, upsample_tiles

# By python -m benchmarks.quality --part foreground: a window of 10 pixels of the small copy, in
# cells of 2 x 2. Larger ones blur what belongs to neither side; smaller ones keep its errors.
CELL_PX, RADIUS_CELLS = 2, 2
FAINT = 0.01  # of a cell: how little of a side lets its mean be the picture itself
BATCH_TILES = CPU_BAND_PX // (TILE.height * TILE.width)
CHANNELS = 3


@torch.inference_mode()
def local_colours(matte: Matte) -> Tensor:
    """Return the mean colours of foreground and background near every cell of the small copy.

    Returns:
        [T, 6, h, w], float32, normalised as the source's samples are: of the foreground luma, Cb
        and Cr, or R', G', B' where the source has no luma; then the same of the background.
    """
    # Each frame by itself: then its colours are the same in whatever chunk it comes.
    return torch.cat([_frame_colours(frame) for frame in matte.split(1)])


@torch.inference_mode()
def fuse_tiles(
    source: Planes, alpha: Planes, colours: Tensor, soft: Sequence[Tensor]
) -> MattePlanes:
    """Return what is stored of frames whose foreground is made of the colours around; on the CPU.

    Args:
        source: T frames.
        alpha: theirs, in ALPHA_FORMAT.
        colours: their `local_colours`.
        soft: the positions of each frame's `soft_tiles`.
    """
    own = source.sample_format
    halo = chroma_halo(own)
    corrections = blank_corrections(source, tiled_size(source.size))
    frames = zip(*(each.split(1) for each in (source, alpha, corrections)), strict=True)
    for (frame, frame_alpha, output), maps, positions in zip(frames, colours, soft, strict=True):
        for batch in positions.split(BATCH_TILES) if len(positions) else ():
            tiles = gather_tiles(frame, batch, Size(0, 0))
            around = gather_tiles(frame_alpha, batch, halo).luma_or_rgb
            near = upsample_tiles([maps], batch, source.size)
            scatter_tiles(_corrections(tiles, around, halo, near), output, batch)
    return from_planes(alpha, corrections.crop(source.size))


@torch.inference_mode()
def fuse_bands(
    source: Planes, alpha: Planes, colours: Tensor, band_px: int | None = None
) -> MattePlanes:
    """Return what `fuse_tiles` does, of whole rows, on any device.

    Args:
        band_px: how many pixels to compute at once; None: as suits the device.
    """
    own = source.sample_format
    halo = Size(0, chroma_halo(own).height)
    corrections = blank_corrections(source, source.size)
    for (rows,) in split_into_bands(source, band_px=band_px):
        band, output = source.rows(rows), corrections.rows(rows)
        around = clamped_rows(
            alpha.luma_or_rgb, slice(rows.start - halo.height, rows.stop + halo.height)
        )
        part = _corrections(band, around, halo, upsample_band(colours, rows, source.size))
        output.luma_or_rgb.copy_(part.luma_or_rgb)
        if output.chroma is not None and part.chroma is not None:
            output.chroma.copy_(part.chroma)
    return from_planes(alpha, corrections)


def _frame_colours(frame: Matte) -> Tensor:
    """Return the `local_colours` of a single frame."""
    source, offset = frame.source, frame.offset
    own = source.sample_format
    cells = Size(*(-(-side // CELL_PX) for side in (offset.shape[3], offset.shape[2])))
    coefficients = _resize(offset, cells)
    if frame.slope is not None:
        coefficients = torch.cat((_resize(frame.slope, cells), coefficients), dim=1)
        coefficients[:, :CHANNELS] += 1
    rgb = resize_to_rgb(source, cells)
    foreground, alpha = apply_guided_filter(rgb, coefficients, own)
    rest = 1 - alpha
    sums = _box_sums(torch.cat((foreground.mul_(alpha), alpha, rgb * rest, rest), dim=1))
    (colour, share), (behind, share_behind) = (
        side.split((CHANNELS, 1), dim=1) for side in sums.chunk(2, dim=1)
    )
    both = rgb * FAINT
    sides = (
        (colour + both).div_(share + FAINT),
        (behind + both).div_(share_behind + FAINT),
    )
    if own.luma_coefficients is None:
        return torch.cat(sides, dim=1)
    return torch.cat(
        [part for side in sides for part in (to_luma_or_rgb(side, own), to_chroma(side, own))],
        dim=1,
    )


def _resize(maps: Tensor, size: Size) -> Tensor:
    """Return maps at about half of their size, [T, C, h, w], float32: means of four samples."""
    shape = size.height, size.width
    return F.interpolate(maps.float(), shape, mode="bilinear", align_corners=False)


def _box_sums(values: Tensor) -> Tensor:
    """Return the sums over a window around each sample, of the same shape; 0 is outside."""
    for dim in (2, 3):
        length = values.shape[dim]
        sides = [RADIUS_CELLS, RADIUS_CELLS]
        padded = F.pad(values, [0, 0, *sides] if dim == 2 else sides)
        values = padded.narrow(dim, 0, length).clone()
        for shift in range(1, 2 * RADIUS_CELLS + 1):
            values.add_(padded.narrow(dim, shift, length))
    return values


def _corrections(source: Planes, alpha: Tensor, halo: Size, colours: Tensor) -> Planes:
    """Return the corrections of a region.

    Args:
        source: n x m pixels.
        alpha: with a halo around them, 0..MAX_ALPHA, whole chroma samples.
        colours: the means at its pixels, [T, 6, n, m].
    """
    own = source.sample_format
    around = alpha.to(torch.float32)
    rows = slice(halo.height, halo.height + source.height)
    columns = slice(halo.width, halo.width + source.width)
    foreground, background = colours.split(CHANNELS, dim=1)
    count = source.luma_or_rgb.shape[1]
    luma_or_rgb = _correction(
        source.luma_or_rgb,
        (foreground[:, :count], background[:, :count]),
        around[:, :, rows, columns],
        own,
        own.luma_code_range,
    )
    if source.chroma is None:
        return Planes(own, luma_or_rgb)
    left, top = (side // step for side, step in zip(halo, own.subsampling, strict=True))
    height, width = source.chroma.shape[2:]
    at_sites = alpha_at_chroma_sites(around, own)[:, :, top : top + height, left : left + width]
    means = (sample_at_chroma_sites(side[:, 1:], own) for side in (foreground, background))
    chroma = _correction(source.chroma, (*means,), at_sites, own, own.chroma_code_range)
    return Planes(own, luma_or_rgb, chroma)


def _correction(
    source: Tensor,
    means: tuple[Tensor, ...],
    alpha: Tensor,
    own: SampleFormat,
    code_range: CodeRange,
) -> Tensor:
    """Return alpha * (foreground - source) as it is stored, int8, of the source's shape.

    Args:
        means: of the foreground and of the background, normalised, of that shape.
        alpha: at the samples' sites, [T, 1, n, m], 0..MAX_ALPHA, float32.
    """
    zero, span = code_range
    samples = source.to(torch.float32).mul_(2.0**-own.lsb_padding).sub_(zero)
    foreground, background = (mean * span for mean in means)
    share = alpha * (1 / MAX_ALPHA)
    # What the picture is more than these means would make it, weighted by alpha.
    rest = samples - foreground * share
    rest.sub_(background.mul_(1 - share)).mul_(share)
    foreground.add_(rest)
    lowest = 0.0 if code_range == own.luma_code_range else -span / 2
    bounds = samples.clamp(max=lowest), samples.clamp(min=lowest + span)
    change = torch.minimum(torch.maximum(foreground, bounds[0]), bounds[1]).sub_(samples)
    change.mul_(torch.where(alpha < MAX_ALPHA, alpha, 0))
    change.mul_(1 / (MAX_ALPHA * correction_unit(own.bits))).round_()
    return change.clamp_(-LARGEST_CORRECTION, LARGEST_CORRECTION).to(torch.int8)
