"""What is stored of a frame's matte: its alpha, and how far the foreground is from the source.

All that is shown is made of these and the source. The arithmetic is of operations that every
device rounds alike, so that a matte is the same wherever and in whatever parts it is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from matting.imaging.planes import Planes, signed_view
from matting.imaging.regions import (
    compute_in_bands,
    compute_in_tiles,
    tile_extremes,
)
from matting.imaging.resampling import average_at_chroma_sites, clamped_rows
from matting.imaging.sample_format import CodeRange, SampleFormat, Size
from matting.imaging.tiles import tiled_size

ALPHA_BITS = 10
MAX_ALPHA = (1 << ALPHA_BITS) - 1
ALPHA_FORMAT = SampleFormat(ALPHA_BITS)  # grey, without chroma
LARGEST_CORRECTION = 127
FOREGROUND_BITS = 2  # more than the source's, to tell what is between its code values


@dataclass(frozen=True)
class MattePlanes:
    """The matte of T frames at full size, as it is stored; on any device.

    A correction is alpha * (foreground - source) in code values of the source's depth, times
    2**correction_shift(bits), rounded, within +-LARGEST_CORRECTION. It is 0 where alpha is 0 or
    MAX_ALPHA at that sample's own site; there the source's own samples are the foreground.

    Attributes:
        alpha: [T, 1, H, W], uint16, 0..MAX_ALPHA.
        luma_or_rgb: [T, 1, H, W], int8, the correction of luma; [T, 3, H, W], of R'G'B', where the
            source has no luma.
        chroma: [T, 2, h, w], int8, the correction of Cb and Cr; None: the source has no chroma.
        sample_format: the source's.
    """

    alpha: Tensor
    luma_or_rgb: Tensor
    chroma: Tensor | None
    sample_format: SampleFormat

    def __len__(self) -> int:
        return self.alpha.shape[0]

    @property
    def size(self) -> Size:
        return Size(self.alpha.shape[3], self.alpha.shape[2])

    @property
    def device(self) -> torch.device:
        return self.alpha.device

    @property
    def alpha_planes(self) -> Planes:
        """The alpha as grey frames, in the same memory."""
        return Planes(ALPHA_FORMAT, self.alpha)

    @property
    def corrections(self) -> Planes:
        """The corrections as frames whose samples are int8, in the same memory."""
        return Planes(self.sample_format, self.luma_or_rgb, self.chroma)

    def to(self, device: torch.device) -> MattePlanes:
        """Return the matte on another device; one that comes to the CPU is complete there."""
        return from_planes(self.alpha_planes.to(device), self.corrections.to(device))

    def split(self, frames: int) -> list[MattePlanes]:
        """Return the matte in parts of at most `frames` frames, in the same memory."""
        pairs = zip(self.alpha_planes.split(frames), self.corrections.split(frames), strict=True)
        return [from_planes(alpha, corrections) for alpha, corrections in pairs]

    def between(self, first: int, stop: int) -> MattePlanes:
        """Return the frames from `first` up to, but not with, `stop`, in the same memory."""
        parts = (planes.between(first, stop) for planes in (self.alpha_planes, self.corrections))
        return from_planes(*parts)


def from_planes(alpha: Planes, corrections: Planes) -> MattePlanes:
    """Return the matte of these frames; see `MattePlanes.alpha_planes` and `corrections`."""
    return MattePlanes(
        alpha.luma_or_rgb, corrections.luma_or_rgb, corrections.chroma, corrections.sample_format
    )


def correction_shift(bits: int) -> int:
    """Return by which power of 2 code values of a source of so many bits become corrections.

    8 bits are stored as they are, more of them in halves of an 8-bit code value.
    """
    return 0 if bits == 8 else 9 - bits


def correction_unit(bits: int) -> int:
    """Return how many code values of a source of so many bits are a correction of 1."""
    return 1 << -correction_shift(bits)


def foreground_format(source: SampleFormat) -> SampleFormat:
    """Return the format in which `to_matte_planes` takes the foreground of such a source."""
    bits = min(16, source.bits + FOREGROUND_BITS)
    return replace(source, bits=bits, lsb_padding=0, semi_planar=False)


def is_soft(alpha: Tensor) -> Tensor:
    """Return where alpha, 0..MAX_ALPHA, is half transparent: only there is a correction."""
    return (alpha > 0) & (alpha < MAX_ALPHA)


def alpha_at_chroma_sites(alpha: Tensor, layout: SampleFormat) -> Tensor:
    """Return the alpha of a format's chroma samples, whole numbers, float32: [T, 1, h, w].

    Args:
        alpha: [T, 1, H, W], 0..MAX_ALPHA, float32.
        layout: where the chroma samples are.
    """
    columns, rows = layout.subsampling
    height = alpha.shape[2]
    if rows > 1:
        last = -(-height // rows) * rows
        alpha = clamped_rows(alpha, slice(-(rows // 2), last + rows // 2))
    if columns == rows == 1:
        return alpha
    # Exact: the weights are fractions of powers of two.
    return average_at_chroma_sites(alpha, layout).round_()


def chroma_halo(layout: SampleFormat) -> Size:
    """Return how many pixels away alpha can be that a chroma sample's depends on, whole samples."""
    return Size(*(0 if step == 1 else step for step in layout.subsampling))


@torch.inference_mode()
def to_matte_planes(source: Planes, alpha: Planes, foreground: Planes) -> MattePlanes:
    """Return what is stored of frames that have been matted, on their device.

    Args:
        source: the frames.
        alpha: in ALPHA_FORMAT.
        foreground: in `foreground_format` of the source's.
    """
    own = source.sample_format
    if source.device.type == "cpu":
        soft = [soft_tiles(frame, own) for frame in alpha.luma_or_rgb]
        return correct_tiles(source, alpha, foreground, soft)
    # To find the tiles would mean waiting for the device.
    corrections = blank_corrections(source, source.size)
    compute_in_bands(_corrections, [source, alpha, foreground], [corrections], chroma_halo(own))
    return from_planes(alpha, corrections)


def correct_tiles(
    source: Planes, alpha: Planes, foreground: Planes, soft: Sequence[Tensor]
) -> MattePlanes:
    """Return what `to_matte_planes` does, on the CPU.

    Args:
        foreground: need be known in the soft tiles only.
        soft: the positions of each frame's `soft_tiles`.
    """
    if source.chroma is None:
        foreground = Planes(foreground.sample_format, foreground.luma_or_rgb)
    corrections = blank_corrections(source, tiled_size(source.size))
    frames = zip(*(each.split(1) for each in (source, alpha, foreground, corrections)), strict=True)
    halo = chroma_halo(source.sample_format)
    for (*inputs, output), positions in zip(frames, soft, strict=True):
        compute_in_tiles(_corrections, inputs, [output], positions, halo)
    return from_planes(alpha, corrections.crop(source.size))


def soft_tiles(alpha: Tensor, source: SampleFormat) -> Tensor:
    """Return the positions of the tiles that depend on any alpha between 0 and MAX_ALPHA.

    Args:
        alpha: [1, H, W], of one frame, on the CPU.
        source: the source's format.
    """
    low, high = tile_extremes(signed_view(alpha)[0], chroma_halo(source))
    return ((high > 0) & (low < MAX_ALPHA)).nonzero()


def blank_corrections(source: Planes, size: Size) -> Planes:
    """Return corrections of 0 for the source's frames, of that size, on its device."""
    shape, device = source.luma_or_rgb.shape[:2], source.device
    luma_or_rgb = torch.zeros(*shape, size.height, size.width, dtype=torch.int8, device=device)
    if source.chroma is None:
        return Planes(source.sample_format, luma_or_rgb)
    width, height = source.sample_format.chroma_size(size)
    chroma = torch.zeros(shape[0], 2, height, width, dtype=torch.int8, device=device)
    return Planes(source.sample_format, luma_or_rgb, chroma)


def concatenate_mattes(parts: Sequence[MattePlanes]) -> MattePlanes:
    """Return the frames of all parts, which are of one format and size, in new memory."""
    alpha = torch.cat([signed_view(part.alpha) for part in parts]).view(torch.uint16)
    luma_or_rgb = torch.cat([part.luma_or_rgb for part in parts])
    chromas = [part.chroma for part in parts if part.chroma is not None]
    chroma = torch.cat(chromas) if chromas else None
    return MattePlanes(alpha, luma_or_rgb, chroma, parts[0].sample_format)


def _corrections(inputs: Sequence[Planes]) -> list[Planes]:
    """Return the corrections of a region: of source, alpha and foreground."""
    source, alpha, foreground = inputs
    own, deep = source.sample_format, foreground.sample_format
    at_pixels = alpha.luma_or_rgb.to(torch.float32)
    luma_or_rgb = _correction(
        source.luma_or_rgb,
        foreground.luma_or_rgb,
        at_pixels,
        own,
        (own.luma_code_range, deep.luma_code_range),
    )
    if source.chroma is None or foreground.chroma is None:
        return [Planes(own, luma_or_rgb)]
    # A renderer's foreground is black where its alpha is 0, and it has an alpha of its own at a
    # chroma site: the foreground is surely known where there is alpha at all pixels around.
    known = alpha_at_chroma_sites((at_pixels > 0).to(torch.float32).mul_(4 * MAX_ALPHA), own)
    at_sites = alpha_at_chroma_sites(at_pixels, own).mul_(known == 4 * MAX_ALPHA)
    chroma = _correction(
        source.chroma,
        foreground.chroma,
        at_sites,
        own,
        (own.chroma_code_range, deep.chroma_code_range),
    )
    return [Planes(own, luma_or_rgb, chroma)]


def _correction(
    source: Tensor,
    foreground: Tensor,
    alpha: Tensor,
    own: SampleFormat,
    ranges: tuple[CodeRange, CodeRange],
) -> Tensor:
    """Return alpha * (foreground - source) as it is stored, int8, of the source's shape.

    Args:
        alpha: at the samples' sites, [T, 1, n, m], 0..MAX_ALPHA, float32.
        ranges: of the source's samples, and of the foreground's.
    """
    (zero, span), (deep_zero, deep_span) = ranges
    change = foreground.to(torch.float32).sub_(deep_zero).mul_(span / deep_span)
    unpadded = source.to(torch.float32).mul_(2.0**-own.lsb_padding)
    change.sub_(unpadded.sub_(zero))
    change.mul_(torch.where(alpha < MAX_ALPHA, alpha, 0))
    change.mul_(1 / (MAX_ALPHA * correction_unit(own.bits))).round_()
    return change.clamp_(-LARGEST_CORRECTION, LARGEST_CORRECTION).to(torch.int8)
