"""The matte of both eyes in the black around their circles, as headset players take it.

Each eye's matte is its own picture of coverage, as the same lens sees it, scaled to 0.4, in the red
channel. The left eye's lies around the middle of the upper and lower edge, cut in two halves: its
lower one above, its upper one below. The right eye's lies around the corners, cut in four.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.imaging.code_values import quantise_chroma, quantise_luma_or_rgb
from matting.imaging.colour_conversion import to_chroma, to_luma_or_rgb
from matting.imaging.lenses import place_finder
from matting.imaging.map_building import Axis, build_map
from matting.imaging.matte_planes import MAX_ALPHA
from matting.imaging.plane_map import PlaneMap
from matting.imaging.planes import Planes, signed_view
from matting.imaging.projection import EyePart
from matting.imaging.resampling import average_at_chroma_sites
from matting.imaging.sample_format import SampleFormat

SCALE = 0.4  # of an eye's side
MARGIN_PX = 4  # around a matte's circle, in which nothing is: whole chroma samples
RED = (1.0, 0.0, 0.0)


class _Strip(NamedTuple):
    """Rows along the upper or lower edge of a frame, in which halves of mattes lie.

    Attributes:
        rows: of the frame.
        plane_map: of one eye's matte there.
        sites: [n, m], bool: which of the chroma samples lie in its circle.
    """

    rows: slice
    plane_map: PlaneMap
    sites: Tensor


class AlphaPacker:
    """Writes mattes into frames; its maps serve every frame."""

    def __init__(
        self, source: EyePart, target: EyePart, layout: SampleFormat, device: torch.device
    ) -> None:
        """Make the maps.

        Args:
            source: one eye's part of the matte.
            target: one of the frames, side by side: a square of a multiple of 4 pixels, in a
                circle of which is the picture.
            layout: where the frames' chroma samples lie.
            device: on which both will be.
        """
        side = target.size.height
        radius = SCALE / 2 * side
        reach = math.ceil(radius / 2) * 2 + MARGIN_PX
        find = place_finder(source.lens, target.lens)
        own = source.axes(SampleFormat(), chroma=False)
        self._strips = []
        for top, first in ((0, 0.5), (side - reach, 0.5 - reach)):
            across = Axis(2 * reach, (0.5 - reach) / radius, 1 / radius)
            down = Axis(reach, first / radius, 1 / radius)
            plane_map = build_map(find, (across, down), own, device)
            columns, rows = (
                axis.places(_chroma_numbers(axis.samples, step, siting, device))
                for axis, step, siting in zip(
                    (across, down), layout.subsampling, layout.siting, strict=True
                )
            )
            sites = target.lens.sees(columns, rows[:, None])
            self._strips.append(_Strip(slice(top, top + reach), plane_map, sites))

    def pack(self, frames: Planes, alphas: Sequence[Tensor]) -> None:
        """Write mattes into frames; no sample without matte is touched.

        Args:
            frames: T frames of both eyes side by side, Y'CbCr with chroma.
            alphas: of the left eye and of the right, [T, 1, h, w], uint16, 0..MAX_ALPHA.
        """
        layout, chroma = frames.sample_format, frames.chroma
        if chroma is None:
            raise ValueError("a matte is packed in the colours of a picture")
        red = torch.tensor(RED, device=frames.device).view(1, 3, 1, 1)
        luma_of_red, chroma_of_red = to_luma_or_rgb(red, layout), to_chroma(red, layout)
        for strip in self._strips:
            for eye, shares in enumerate(_shares(strip.plane_map, alphas)):
                codes = quantise_luma_or_rgb(shares * luma_of_red, layout)
                self._write(frames.luma_or_rgb[:, :, strip.rows], eye, codes, shares)
                at_sites = torch.where(strip.sites, _at_chroma_sites(shares, layout), 0)
                codes = quantise_chroma(at_sites * chroma_of_red, layout)
                step = layout.subsampling[1]
                rows = slice(strip.rows.start // step, strip.rows.stop // step)
                self._write(chroma[:, :, rows], eye, codes, at_sites)

    def _write(self, lines: Tensor, eye: int, codes: Tensor, shares: Tensor) -> None:
        """Write an eye's samples where there is matte.

        Args:
            lines: of the frames, [T, C, n, W].
            eye: 0: the left one.
            codes, shares: [T, C, n, m] and [T, 1, n, m].
        """
        width, columns = lines.shape[3], codes.shape[3]
        start = (width - columns) // 2 + eye * (width // 2)
        inside = min(width - start, columns)
        target, written = signed_view(lines), signed_view(codes)
        for place, part in (
            (slice(start, start + inside), slice(0, inside)),
            (slice(0, columns - inside), slice(inside, None)),
        ):
            own = target[..., place]
            own.copy_(torch.where(shares[..., part] > 0, written[..., part], own))


def _shares(plane_map: PlaneMap, alphas: Sequence[Tensor]) -> Tensor:
    """Return each eye's matte, 0..1, where a strip has it: [eyes, T, 1, n, m], float32."""

    def read(rows: slice) -> Tensor:
        parts = torch.stack([signed_view(alpha[:, :, rows]) for alpha in alphas])
        return parts.to(torch.float32).flatten(0, 2)

    bands = [torch.where(band.seen, band.values, 0) for band in plane_map.values(read)]
    shares = torch.cat(bands, dim=1).mul_(1 / MAX_ALPHA)
    return shares.view(len(alphas), len(alphas[0]), 1, *shares.shape[1:])


def _at_chroma_sites(shares: Tensor, layout: SampleFormat) -> Tensor:
    """Return the matte at a strip's chroma samples, [T, 1, n, m].

    Args:
        shares: [T, 1, n, m], of whole chroma samples.
    """
    halo = layout.subsampling[1] // 2
    return average_at_chroma_sites(F.pad(shares, (0, 0, halo, halo), mode="replicate"), layout)


def _chroma_numbers(pixels: int, step: int, siting: float, device: torch.device) -> Tensor:
    """Return where chroma samples lie along a side, as numbers of its pixels."""
    return torch.arange(0, pixels, step, dtype=torch.float64, device=device) + siting
