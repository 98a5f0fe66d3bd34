"""Code values to normalised R'G'B' and back: pure tensor functions, a few rows at a time.

Normalised values are float32: 0 is black and 1 white, and neither is a bound; colour differences
lie around 0. Sources: ITU-T H.273 (matrices, ranges); ITU-R BT.601, BT.709, BT.2020, BT.2100.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.imaging.code_values import (
    normalise_chroma,
    normalise_luma_or_rgb,
    quantise_chroma,
    quantise_luma_or_rgb,
)
from matting.imaging.planes import Planes, dtype_of
from matting.imaging.resampling import (
    average_at_chroma_sites,
    clamped_rows,
    sample_bilinear,
    upsample_columns,
    upsample_rows,
)
from matting.imaging.sample_format import SampleFormat, Size

CPU_BAND_PX = 1 << 18  # a plane of floats takes 1 MiB: what is computed of it stays in the caches
GPU_BAND_PX = 1 << 21  # enough work for any GPU, in memory that does not grow with the frame
BAND_ROWS = 4  # bands are multiples of this: whole rows of chroma in all formats


def rows_to_rgb(planes: Planes, rows: slice) -> Tensor:
    """Return R'G'B' of some rows of pixels, [T, 3, n, W], float32, on the planes' device."""
    source = planes.sample_format
    luma_or_rgb = normalise_luma_or_rgb(planes.luma_or_rgb[:, :, rows], source)
    if source.luma_coefficients is None:
        return luma_or_rgb
    chroma = None if planes.chroma is None else _chroma_at_pixels(planes, planes.chroma, rows)
    return ycbcr_to_rgb(luma_or_rgb, chroma, source.luma_coefficients)


def rgb_at_chroma_sites(planes: Planes, target: SampleFormat, rows: slice) -> Tensor:
    """Return R'G'B' at the sites of some rows of `target`'s chroma, [T, 3, n, w], float32.

    Where `planes` has chroma samples of its own there, they come out unchanged.
    """
    source = planes.sample_format
    pixel_rows = _pixel_rows_around(rows, target, planes.height)
    pixels = normalise_luma_or_rgb(clamped_rows(planes.luma_or_rgb, pixel_rows), source)
    luma_or_rgb = average_at_chroma_sites(pixels, target)
    if source.luma_coefficients is None:
        return luma_or_rgb
    if planes.chroma is None:
        return luma_or_rgb.expand(-1, 3, -1, -1)
    if source.has_chroma_sites_of(target):
        chroma = normalise_chroma(planes.chroma[:, :, rows], source)
    else:
        inside = slice(max(0, pixel_rows.start), min(planes.height, pixel_rows.stop))
        above, below = inside.start - pixel_rows.start, pixel_rows.stop - inside.stop
        at_pixels = _chroma_at_pixels(planes, planes.chroma, inside)
        padded = F.pad(at_pixels, (0, 0, above, below), mode="replicate")
        chroma = average_at_chroma_sites(padded, target)
    return ycbcr_to_rgb(luma_or_rgb, chroma, source.luma_coefficients)


def downsample_to_rgb(planes: Planes, ratio: float) -> Tensor:
    """Return a copy of `ratio` times the size, R'G'B' [T, 3, h, w], float32.

    Bilinear without smoothing, pixels as areas: what the network was trained on.
    """
    height, width = math.floor(planes.height * ratio), math.floor(planes.width * ratio)
    rows, columns = (
        (torch.arange(count, device=planes.device) + 0.5).div_(ratio).sub_(0.5).clamp_(min=0)
        for count in (height, width)
    )
    return _sample_rgb(planes, rows, columns)


def resize_to_rgb(planes: Planes, size: Size) -> Tensor:
    """Return a copy of that size, R'G'B' [T, 3, h, w], float32: bilinear, pixels as areas."""
    rows, columns = (
        (torch.arange(count, device=planes.device) + 0.5).mul_(full / count).sub_(0.5).clamp_(min=0)
        for count, full in ((size.height, planes.height), (size.width, planes.width))
    )
    return _sample_rgb(planes, rows, columns)


def convert_planes(planes: Planes, target: SampleFormat) -> Planes:
    """Return the same frames in another sample format, on the same device."""
    result = allocate_planes(planes, target)
    for rows, chroma_rows in split_into_bands(planes, target):
        rgb = rows_to_rgb(planes, rows)
        luma_or_rgb = to_luma_or_rgb(rgb, target)
        result.luma_or_rgb[:, :, rows] = quantise_luma_or_rgb(luma_or_rgb, target)
        if result.chroma is not None:
            if target.subsampling == (1, 1):  # each pixel is such a site
                values = to_chroma(rgb, target, luma_or_rgb)
            else:
                values = to_chroma(rgb_at_chroma_sites(planes, target, chroma_rows), target)
            result.chroma[:, :, chroma_rows] = quantise_chroma(values, target)
    return result


def allocate_planes(
    source: Planes, target: SampleFormat, *, grey: bool = False, size: Size | None = None
) -> Planes:
    """Return uninitialised planes for as many frames as the source has, on its device.

    Args:
        grey: for one channel and no chroma, whatever the format.
        size: None: the source's.
    """
    frames, device, dtype = len(source), source.device, dtype_of(target)
    size = size or source.size
    channels = 3 if target.luma_coefficients is None and not grey else 1
    shape = frames, channels, size.height, size.width
    luma_or_rgb = torch.empty(shape, dtype=dtype, device=device)
    if grey or target.luma_coefficients is None:
        return Planes(target, luma_or_rgb)
    width, height = target.chroma_size(size)
    if target.semi_planar:
        interleaved = torch.empty((frames, height, width, 2), dtype=dtype, device=device)
        return Planes(target, luma_or_rgb, interleaved.permute(0, 3, 1, 2))
    chroma = torch.empty((frames, 2, height, width), dtype=dtype, device=device)
    return Planes(target, luma_or_rgb, chroma)


def split_into_bands(
    source: Planes, *targets: SampleFormat, band_px: int | None = None
) -> Iterator[tuple[slice, ...]]:
    """Yield rows of pixels from top to bottom, each with the rows of every target's chroma there.

    Args:
        band_px: how many pixels of all frames to take at once; None: as suits the device.
    """
    px = band_px or (GPU_BAND_PX if source.luma_or_rgb.is_cuda else CPU_BAND_PX)
    step = max(1, px // (len(source) * source.width * BAND_ROWS)) * BAND_ROWS
    for top in range(0, source.height, step):
        rows = slice(top, min(source.height, top + step))
        chroma_rows = (
            slice(rows.start // target.subsampling[1], -(-rows.stop // target.subsampling[1]))
            for target in targets
        )
        yield rows, *chroma_rows


def to_luma_or_rgb(rgb: Tensor, target: SampleFormat) -> Tensor:
    """Return the luma [T, 1, n, W] of R'G'B' [T, 3, n, W]; R'G'B' where the format has no luma."""
    if target.luma_coefficients is None:
        return rgb
    red, green, blue = rgb.unbind(1)
    kr, kb = target.luma_coefficients
    return (red * kr).add_(green, alpha=1 - kr - kb).add_(blue, alpha=kb).unsqueeze_(1)


def to_chroma(rgb: Tensor, target: SampleFormat, luma: Tensor | None = None) -> Tensor:
    """Return Cb and Cr [T, 2, n, w], normalised, of R'G'B' [T, 3, n, w] at the chroma sites.

    Args:
        luma: of that R'G'B', if it is known.
    """
    if target.luma_coefficients is None:
        raise ValueError("R'G'B' has no chroma")
    luma = to_luma_or_rgb(rgb, target) if luma is None else luma
    kr, kb = target.luma_coefficients
    chroma = torch.stack((rgb[:, 2], rgb[:, 0]), dim=1).sub_(luma)
    chroma[:, 0] /= 2 - 2 * kb
    chroma[:, 1] /= 2 - 2 * kr
    return chroma


def nearest_representable_colour(rgb: Sequence[float], target: SampleFormat) -> Tensor:
    """Return the R'G'B' [3], float32, that `target` can hold nearest to `rgb` in its worst channel.

    Rounding luma and chroma each by itself can be off by more than a step of R'G'B'.
    """
    exact = torch.tensor(rgb, dtype=torch.float32)
    pixel = exact.view(1, 3, 1, 1)
    full_chroma = SampleFormat(target.bits, target.luma_coefficients, target.full_range)
    luma_or_rgb = quantise_luma_or_rgb(to_luma_or_rgb(pixel, full_chroma), full_chroma)
    if full_chroma.luma_coefficients is None:
        return rows_to_rgb(Planes(full_chroma, luma_or_rgb), slice(0, 1)).flatten()
    chroma = quantise_chroma(to_chroma(pixel, full_chroma), full_chroma)
    steps = torch.arange(-2.0, 3.0)
    y, cb, cr = (grid.flatten() for grid in torch.meshgrid(steps, steps, steps, indexing="ij"))
    neighbours = Planes(
        full_chroma,
        (luma_or_rgb.float() + y.view(1, 1, 1, -1)).clamp_(0, full_chroma.max_code_value),
        (chroma.float() + torch.stack((cb, cr)).view(1, 2, 1, -1)).clamp_(
            0, full_chroma.max_code_value
        ),
    )
    candidates = rows_to_rgb(neighbours, slice(0, 1))[0, :, 0]  # [3, 125]
    errors = (candidates - exact[:, None]).abs().amax(dim=0)
    return candidates[:, errors.argmin()]


def _sample_rgb(planes: Planes, rows: Tensor, columns: Tensor) -> Tensor:
    """Return R'G'B' on a grid of positions in pixels, bilinear: [T, 3, n, m], float32."""
    source, chroma = planes.sample_format, None
    luma_or_rgb = sample_bilinear(planes.luma_or_rgb, rows, columns)
    if planes.chroma is not None:
        chroma_columns = (columns - source.siting[0]) / source.subsampling[0]
        chroma_rows = (rows - source.siting[1]) / source.subsampling[1]
        chroma = sample_bilinear(planes.chroma, chroma_rows, chroma_columns)
    return samples_to_rgb(luma_or_rgb, chroma, source)


def _pixel_rows_around(chroma_rows: slice, target: SampleFormat, height: int) -> slice:
    """Return the rows of pixels that the means at some rows of chroma need; some may lie outside.

    Args:
        height: of the frame.
    """
    step = target.subsampling[1]
    if step == 1:
        return slice(chroma_rows.start, min(chroma_rows.stop, height))
    return slice(chroma_rows.start * step - step // 2, chroma_rows.stop * step + step // 2)


def _chroma_at_pixels(planes: Planes, chroma: Tensor, rows: slice) -> Tensor:
    """Return normalised chroma at some rows of pixels, bilinear: [T, 2, n, W], float32."""
    source = planes.sample_format
    (column_step, row_step), (across, down) = source.subsampling, source.siting
    chroma_rows = slice(rows.start // row_step, -(-rows.stop // row_step))
    halo = 0 if row_step == 1 else 1
    with_halo = slice(chroma_rows.start - halo, chroma_rows.stop + halo)
    values = normalise_chroma(clamped_rows(chroma, with_halo), source)
    if row_step > 1:
        values = upsample_rows(values, row_step, down)
        first = rows.start - chroma_rows.start * row_step
        values = values[:, :, first : first + rows.stop - rows.start]
    if column_step > 1:
        values = upsample_columns(values, column_step, across)
    return values[..., : planes.width]


def samples_to_rgb(luma_or_rgb: Tensor, chroma: Tensor | None, source: SampleFormat) -> Tensor:
    """Return R'G'B' [T, 3, n, w], float32, of samples of all planes at the same places.

    Args:
        luma_or_rgb, chroma: code values, [T, C, n, w] and [T, 2, n, w]; None: there is no chroma.
    """
    values = normalise_luma_or_rgb(luma_or_rgb, source)
    if source.luma_coefficients is None:
        return values
    colours = None if chroma is None else normalise_chroma(chroma, source)
    return ycbcr_to_rgb(values, colours, source.luma_coefficients)


def ycbcr_to_rgb(
    luma: Tensor, chroma: Tensor | None, luma_coefficients: tuple[float, float]
) -> Tensor:
    """Return R'G'B' [T, 3, n, w] of luma [T, 1, n, w] and Cb, Cr [T, 2, n, w]; None: grey."""
    if chroma is None:
        return luma.expand(-1, 3, -1, -1)
    kr, kb = luma_coefficients
    cb, cr = chroma.unbind(1)
    y = luma[:, 0]
    rgb = luma.new_empty((y.shape[0], 3, *y.shape[1:]))
    red, blue = 2 - 2 * kr, 2 - 2 * kb
    kg = 1 - kr - kb
    torch.add(y, cr, alpha=red, out=rgb[:, 0])
    torch.add(y, cb, alpha=blue, out=rgb[:, 2])
    torch.add(y, cr, alpha=-red * kr / kg, out=rgb[:, 1]).add_(cb, alpha=-blue * kb / kg)
    return rgb
