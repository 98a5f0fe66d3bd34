"""Samples as R'G'B', and back: pure tensor functions, a few rows at a time.

Sources: ITU-T H.273 (matrices, ranges); ITU-R BT.601, BT.709, BT.2020, BT.2100.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.imaging.planes import Planes, dtype_of
from matting.imaging.resampling import (
    clamped_rows,
    downsample_chroma,
    sampled,
    upsample,
    upsample_rows,
)
from matting.imaging.sample_format import SampleFormat, Size

CPU_BAND_PX = 1 << 18  # a plane of floats takes 1 MiB: what is drawn of it stays in the caches
GPU_BAND_PX = 1 << 21  # enough work for any card, in a memory that does not grow with the picture
BAND_ROWS = 4  # whole rows of chroma in all codings


def rows_to_rgb(planes: Planes, rows: slice) -> Tensor:
    """R'G'B' of some rows, [T, 3, n, W], float32; 0 is black, 1 white, neither a bound."""
    main = _main_levels(planes.luma_or_rgb[:, :, rows], planes.sample_format)
    if planes.sample_format.luma_coefficients is None:
        return main
    chroma = None if planes.chroma is None else _at_pixels(planes, rows)
    return _to_rgb(main, chroma, planes.sample_format.luma_coefficients)


def rgb_at_chroma(planes: Planes, target: SampleFormat, rows: slice) -> Tensor:
    """R'G'B' at the places of some rows of `target`'s chroma samples, [T, 3, n, w], float32.

    Where `planes` has its own chroma there, that is what comes out, unchanged.
    """
    source = planes.sample_format
    around = _around(rows, target, planes.height)
    main = downsample_chroma(_main_levels(clamped_rows(planes.luma_or_rgb, around), source), target)
    if source.luma_coefficients is None or planes.chroma is None:
        return main if source.luma_coefficients is None else main.expand(-1, 3, -1, -1)
    if (source.subsampling, source.siting) == (target.subsampling, target.siting):
        chroma = _chroma_levels(planes.chroma[:, :, rows], source)
    else:
        inside = slice(max(0, around.start), min(planes.height, around.stop))
        above, below = inside.start - around.start, around.stop - inside.stop
        full = F.pad(_at_pixels(planes, inside), (0, 0, above, below), mode="replicate")
        chroma = downsample_chroma(full, target)
    return _to_rgb(main, chroma, source.luma_coefficients)


def downsample_to_rgb(planes: Planes, ratio: float) -> Tensor:
    """A copy of `ratio` times the size, R'G'B' [T, 3, h, w], float32.

    Bilinear without smoothing, pixels as areas: what the network was trained on.
    """
    height, width = math.floor(planes.height * ratio), math.floor(planes.width * ratio)
    rows, columns = (
        (torch.arange(count, device=planes.luma_or_rgb.device) + 0.5)
        .div_(ratio)
        .sub_(0.5)
        .clamp_(min=0)
        for count in (height, width)
    )
    sample_format = planes.sample_format
    main = _main_levels(sampled(planes.luma_or_rgb, rows, columns), sample_format)
    if sample_format.luma_coefficients is None:
        return main
    chroma = None
    if planes.chroma is not None:
        across = (columns - sample_format.siting[0]) / sample_format.subsampling[0]
        down = (rows - sample_format.siting[1]) / sample_format.subsampling[1]
        chroma = _chroma_levels(sampled(planes.chroma, down, across), sample_format)
    return _to_rgb(main, chroma, sample_format.luma_coefficients)


def convert_planes(planes: Planes, target: SampleFormat) -> Planes:
    """The same pictures in another coding."""
    made = blank(planes, target)
    for rows, shared in bands(planes, target):
        made.luma_or_rgb[:, :, rows] = main_numbers(
            luma_of(rows_to_rgb(planes, rows), target), target
        )
        if made.chroma is not None:
            rgb = rgb_at_chroma(planes, target, shared)
            made.chroma[:, :, shared] = chroma_numbers(chroma_of(rgb, target), target)
    return made


def blank(
    source: Planes, target: SampleFormat, *, grey: bool = False, size: tuple[int, int] | None = None
) -> Planes:
    """As many planes as the source's in another coding, to be filled; grey ones have one channel.

    Args:
        size: width and height; None: the source's.
    """
    frames, device = len(source), source.luma_or_rgb.device
    width, height = size or (source.width, source.height)
    channels = 3 if target.luma_coefficients is None and not grey else 1
    main = torch.empty((frames, channels, height, width), dtype=dtype_of(target), device=device)
    if grey or target.luma_coefficients is None:
        return Planes(target, main)
    width, height = target.chroma_size(Size(width, height))
    if target.semi_planar:
        pairs = torch.empty((frames, height, width, 2), dtype=dtype_of(target), device=device)
        return Planes(target, main, pairs.permute(0, 3, 1, 2))
    chroma = torch.empty((frames, 2, height, width), dtype=dtype_of(target), device=device)
    return Planes(target, main, chroma)


def bands(
    source: Planes, *targets: SampleFormat, band_px: int | None = None
) -> Iterator[tuple[slice, ...]]:
    """Rows of pixels from top to bottom, and the rows of each target's chroma that they share.

    Args:
        band_px: how many pixels at once; None: as suits the device.
    """
    px = band_px or (GPU_BAND_PX if source.luma_or_rgb.is_cuda else CPU_BAND_PX)
    step = max(1, px // (len(source) * source.width * BAND_ROWS)) * BAND_ROWS
    for top in range(0, source.height, step):
        rows = slice(top, min(source.height, top + step))
        shared = (
            slice(rows.start // target.subsampling[1], -(-rows.stop // target.subsampling[1]))
            for target in targets
        )
        yield rows, *shared


def luma_of(rgb: Tensor, sample_format: SampleFormat) -> Tensor:
    """The levels of `coding`'s main plane for R'G'B' [T, 3, n, W]."""
    if sample_format.luma_coefficients is None:
        return rgb
    red, green, blue = rgb.unbind(1)
    kr, kb = sample_format.luma_coefficients
    return (red * kr).add_(green, alpha=1 - kr - kb).add_(blue, alpha=kb).unsqueeze_(1)


def chroma_of(rgb: Tensor, sample_format: SampleFormat) -> Tensor:
    """The levels of `coding`'s chroma planes, [T, 2, n, w], for R'G'B' at their places."""
    if sample_format.luma_coefficients is None:
        raise ValueError("R'G'B' has no chroma")
    luma = luma_of(rgb, sample_format)
    kr, kb = sample_format.luma_coefficients
    blue_red = torch.stack((rgb[:, 2], rgb[:, 0]), dim=1).sub_(luma)
    blue_red[:, 0] /= 2 - 2 * kb
    blue_red[:, 1] /= 2 - 2 * kr
    return blue_red


def main_numbers(levels: Tensor, sample_format: SampleFormat) -> Tensor:
    """Levels of the main plane, or of alpha, as the nearest numbers that `coding` has."""
    return _numbers(levels, sample_format.luma_code_range, sample_format)


def chroma_numbers(levels: Tensor, sample_format: SampleFormat) -> Tensor:
    """Levels of the chroma planes as the nearest numbers that `coding` has."""
    return _numbers(levels, sample_format.chroma_code_range, sample_format)


def nearest_representable_colour(rgb: Sequence[float], sample_format: SampleFormat) -> Tensor:
    """The R'G'B' [3], float32, that `coding` holds nearest to `rgb`, by its worst channel.

    Rounding luma and chroma each for itself can be off by more than a step of R'G'B'.
    """
    wanted = torch.tensor(rgb, dtype=torch.float32)
    one = wanted.view(1, 3, 1, 1)
    own = SampleFormat(
        sample_format.bits, sample_format.luma_coefficients, sample_format.full_range
    )
    main = main_numbers(luma_of(one, own), own)
    if own.luma_coefficients is None:
        return rows_to_rgb(Planes(own, main), slice(0, 1)).flatten()
    chroma = chroma_numbers(chroma_of(one, own), own)
    steps = torch.arange(-2.0, 3.0)
    y, cb, cr = (grid.flatten() for grid in torch.meshgrid(steps, steps, steps, indexing="ij"))
    near = Planes(
        own,
        (main.float() + y.view(1, 1, 1, -1)).clamp_(0, own.max_code_value),
        (chroma.float() + torch.stack((cb, cr)).view(1, 2, 1, -1)).clamp_(0, own.max_code_value),
    )
    found = rows_to_rgb(near, slice(0, 1))[0, :, 0]  # [3, 125]
    worst = (found - wanted[:, None]).abs().amax(dim=0)
    return found[:, worst.argmin()]


def _around(rows: slice, target: SampleFormat, height: int) -> slice:
    """The rows of pixels that `reduced` needs for some rows of chroma; they may lie outside."""
    step = target.subsampling[1]
    if step == 1:
        return slice(rows.start, min(rows.stop, height))
    return slice(rows.start * step - step // 2, rows.stop * step + step // 2)


def _at_pixels(planes: Planes, rows: slice) -> Tensor:
    """Chroma brought to some rows of pixels, bilinear: [T, 2, n, W], float32."""
    sample_format, chroma = planes.sample_format, planes.chroma
    if chroma is None:
        raise ValueError("grey has no chroma")
    (step, rows_step), (across, down) = sample_format.subsampling, sample_format.siting
    cells = slice(rows.start // rows_step, -(-rows.stop // rows_step))
    more = 0 if rows_step == 1 else 1
    around = slice(cells.start - more, cells.stop + more)
    lines = _chroma_levels(clamped_rows(chroma, around), sample_format)
    if rows_step > 1:
        lines = upsample_rows(lines, rows_step, down)
        first = rows.start - cells.start * rows_step
        lines = lines[:, :, first : first + rows.stop - rows.start]
    if step > 1:
        lines = upsample(lines, step, across)
    return lines[..., : planes.width]


def _main_levels(numbers: Tensor, sample_format: SampleFormat) -> Tensor:
    return _levels(numbers, sample_format.luma_code_range, sample_format.lsb_padding)


def _chroma_levels(numbers: Tensor, sample_format: SampleFormat) -> Tensor:
    return _levels(numbers, sample_format.chroma_code_range, sample_format.lsb_padding)


def _levels(numbers: Tensor, scale: tuple[float, float], shift: int) -> Tensor:
    """Numbers to levels: 0 is black, or no colour."""
    zero, span = (value * (1 << shift) for value in scale)
    return numbers.to(torch.float32).sub(zero).mul_(1 / span)


def _numbers(levels: Tensor, scale: tuple[float, float], sample_format: SampleFormat) -> Tensor:
    """Levels to the nearest numbers that the coding has."""
    zero, span = scale
    numbers = levels.mul(span).add_(zero).round_().clamp_(0, sample_format.max_code_value)
    if sample_format.lsb_padding:
        numbers.mul_(1 << sample_format.lsb_padding)
    return numbers.to(dtype_of(sample_format))


def _to_rgb(luma: Tensor, chroma: Tensor | None, weights: tuple[float, float]) -> Tensor:
    if chroma is None:
        return luma.expand(-1, 3, -1, -1)
    kr, kb = weights
    cb, cr = chroma.unbind(1)
    y = luma[:, 0]
    rgb = luma.new_empty((y.shape[0], 3, *y.shape[1:]))
    red, blue = 2 - 2 * kr, 2 - 2 * kb
    kg = 1 - kr - kb
    torch.add(y, cr, alpha=red, out=rgb[:, 0])
    torch.add(y, cb, alpha=blue, out=rgb[:, 2])
    torch.add(y, cr, alpha=-red * kr / kg, out=rgb[:, 1]).add_(cb, alpha=-blue * kb / kg)
    return rgb
