"""Pictures of both eyes as another lens sees them, side by side: luma and chroma by their own maps.

Both eyes are made by the same maps. Where a lens sees nothing, a picture has one flat colour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from matting.imaging.lenses import Lens, place_finder
from matting.imaging.map_building import Axis, build_map
from matting.imaging.plane_map import PlaneMap
from matting.imaging.planes import Planes, dtype_of, signed_view
from matting.imaging.sample_format import CodeRange, SampleFormat, Size

BAND_ROWS = 256  # where everything stays in its place


class EyePart(NamedTuple):
    """One eye's part of a frame: its lens, and its size in pixels."""

    lens: Lens
    size: Size

    def axes(self, layout: SampleFormat, *, chroma: bool) -> tuple[Axis, Axis]:
        """Return where its samples of luma or chroma lie, across and down."""
        if chroma:
            counts, steps, siting = layout.chroma_size(self.size), layout.subsampling, layout.siting
        else:
            counts, steps, siting = self.size, (1, 1), (0.0, 0.0)
        across, down = map(Axis.of_samples, counts, self.size, steps, siting)
        return across, down


class EyeProjector:
    """Brings the pictures of both eyes to another lens and size; its maps serve every frame."""

    def __init__(
        self, source: EyePart, target: EyePart, layout: SampleFormat, device: torch.device
    ) -> None:
        """Make the maps.

        Args:
            layout: of Y'CbCr: where chroma samples lie, in both; each eye's part has whole ones.
            device: on which the pictures will be.
        """
        self._luma, self._chroma = (
            _PlaneProjector.of(source, target, layout, device, chroma=chroma)
            for chroma in (False, True)
        )

    def project(self, eyes: Sequence[Planes], target: SampleFormat, outside: Planes) -> Planes:
        """Return frames of all eyes side by side, in memory of their own.

        Args:
            eyes: T frames of each eye, the left one's first, with chroma.
            target: of the same colours and chroma sites as they are; of any depth.
            outside: a pixel of that format, of which is what neither lens sees.
        """
        own = eyes[0].sample_format
        luma_codes = _CodeChange(own, own.luma_code_range, target, target.luma_code_range)
        chroma_codes = _CodeChange(own, own.chroma_code_range, target, target.chroma_code_range)
        luma = self._luma.project(
            [eye.luma_or_rgb for eye in eyes], luma_codes, outside.luma_or_rgb
        )
        chroma = self._chroma.project(list(map(_chroma, eyes)), chroma_codes, _chroma(outside))
        return Planes(target, luma, chroma)


class _CodeChange(NamedTuple):
    """From the code values of one format to those of another."""

    source: SampleFormat
    own: CodeRange
    target: SampleFormat
    wanted: CodeRange

    @property
    def is_none(self) -> bool:
        """Whether all samples stay as they are."""
        return self.own == self.wanted and self.source.lsb_padding == self.target.lsb_padding

    def codes(self, values: Tensor) -> Tensor:
        """Return the nearest code values of the target; may write to `values`.

        Args:
            values: between code values of the source, padding included, float32.
        """
        scale = self.wanted.span / self.own.span
        values.mul_(scale * 2.0**-self.source.lsb_padding)
        values.add_(self.wanted.zero - scale * self.own.zero)
        values.round_().clamp_(0, self.target.max_code_value)
        if self.target.lsb_padding:
            values.mul_(1 << self.target.lsb_padding)
        return values.to(dtype_of(self.target))


@dataclass(frozen=True)
class _PlaneProjector:
    """Brings planes to other places.

    Attributes:
        size: of one eye's plane of the result.
        plane_map: None: they stay where they are.
        seen: [H, W], bool: where something is seen, if they stay.
    """

    size: Size
    plane_map: PlaneMap | None
    seen: Tensor

    @classmethod
    def of(
        cls,
        source: EyePart,
        target: EyePart,
        layout: SampleFormat,
        device: torch.device,
        *,
        chroma: bool,
    ) -> _PlaneProjector:
        across, down = target.axes(layout, chroma=chroma)
        size = Size(across.samples, down.samples)
        if source != target:
            find = place_finder(source.lens, target.lens)
            own = source.axes(layout, chroma=chroma)
            plane_map = build_map(find, (across, down), own, device)
            return cls(size, plane_map, torch.empty(0))
        columns, rows = (
            axis.places(torch.arange(axis.samples, dtype=torch.float64, device=device))
            for axis in (across, down)
        )
        return cls(size, None, target.lens.sees(columns, rows[:, None]))

    def project(self, planes: Sequence[Tensor], change: _CodeChange, outside: Tensor) -> Tensor:
        """Return the planes of all eyes side by side, [T, C, H, eyes * W].

        Args:
            planes: [T, C, h, w] of each eye.
            outside: [1, C, 1, 1], code values.
        """
        frames, channels = planes[0].shape[:2]
        shape = frames, channels, self.size.height, len(planes), self.size.width
        result = torch.empty(shape, dtype=dtype_of(change.target), device=planes[0].device)
        flat = signed_view(outside.to(result.device).to(result.dtype)).unsqueeze(-1)
        for rows, values, seen in self._bands(planes, change):
            chosen = torch.where(seen[None, None, :, None], signed_view(values), flat)
            signed_view(result)[:, :, rows] = chosen
        return result.flatten(3)

    def _bands(
        self, planes: Sequence[Tensor], change: _CodeChange
    ) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Yield rows, their code values [T, C, n, eyes, W], and where something is seen there."""
        if self.plane_map is None:
            for top in range(0, self.size.height, BAND_ROWS):
                rows = slice(top, min(self.size.height, top + BAND_ROWS))
                same = torch.stack([signed_view(plane[:, :, rows]) for plane in planes], dim=3)
                same = same.view(planes[0].dtype)
                yield rows, same if change.is_none else change.codes(same.float()), self.seen[rows]
            return
        frames, channels = planes[0].shape[:2]

        def read(rows: slice) -> Tensor:
            parts = torch.stack([signed_view(plane[:, :, rows]) for plane in planes])
            return parts.view(planes[0].dtype).to(torch.float32).flatten(0, 2)

        for band in self.plane_map.values(read):
            values = band.values.unflatten(0, (len(planes), frames, channels))
            yield band.rows, change.codes(values.permute(1, 2, 3, 0, 4)), band.seen


def _chroma(planes: Planes) -> Tensor:
    if planes.chroma is None:
        raise ValueError("pictures of both eyes are projected with chroma")
    return planes.chroma
