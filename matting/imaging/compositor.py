"""Full-size frames from the network's small maps: the outputs that are encoded, rendered by torch.

Large frames are memory traffic, so they go from the source's samples to the outputs' in parts that
stay in the CPU's caches; nothing else is ever held at full size. A CPU renders only the
tiles that somebody may be in, or bands of whole rows where every pixel is needed. A GPU always
renders bands: finding the tiles would mean waiting for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from matting.imaging.blending import (
    NEGLIGIBLE_STEPS,
    SolidColour,
    fill,
    render_region,
    solid_colour,
)
from matting.imaging.colour_conversion import (
    CPU_BAND_PX,
    allocate_planes,
    split_into_bands,
)
from matting.imaging.crops import Crop, split_crops
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, Size
from matting.imaging.tiles import (
    TILE,
    can_be_tiled,
    gather_tiles,
    halo_size,
    scatter_tiles,
    tiled_size,
)
from matting.imaging.upsampling import tiles_influenced_by, upsample_band, upsample_tiles
from matting.options import OutputKind

BLACK = (0, 0, 0)  # behind the foreground


@dataclass(frozen=True)
class Matte:
    """What the network found for T frames, still to be brought to their full size.

    With the source as the network sees it, and the mean of its channels as a fourth, for x,
    slope * x + offset is the foreground less the source, and alpha. All on one device.

    Attributes:
        source: the frames.
        slope: [T, 4, h, w], of any float type; None: zero, and `offset` is of full size.
        offset: [T, 4, h, w], of any float type.
        fused: whether soft edges are to be given the colours around, see `blur_fusion`; else
            those that the network found.
        crops: what was found of parts of the frames by themselves; it counts in what is stored.
        between_views: [T], float32, in [0, 1]: how much alpha differs between two views of the same
            frames, the mean over the picture; None: they were seen once.
    """

    source: Planes
    slope: Tensor | None
    offset: Tensor
    fused: bool = False
    crops: tuple[Crop[Matte], ...] = ()
    between_views: Tensor | None = None

    def __len__(self) -> int:
        return len(self.source)

    def split(self, frames: int) -> list[Matte]:
        """Return the matte in parts of at most `frames` frames, in the same memory."""
        sources, offsets = self.source.split(frames), self.offset.split(frames)
        slopes = [None] * len(sources) if self.slope is None else self.slope.split(frames)
        crops = split_crops(self.crops, [len(source) for source in sources])
        views = self.between_views
        between = [None] * len(sources) if views is None else views.split(frames)
        parts = zip(sources, slopes, offsets, crops, between, strict=True)
        return [Matte(s, a, b, self.fused, c, v) for s, a, b, c, v in parts]

    def between(self, first: int, stop: int) -> Matte:
        """Return the frames from `first` up to, but not with, `stop`, in the same memory."""
        slope = None if self.slope is None else self.slope[first:stop]
        (_, crops) = split_crops(self.crops, [first, stop - first])
        source, offset = self.source.between(first, stop), self.offset[first:stop]
        between = None if self.between_views is None else self.between_views[first:stop]
        return Matte(source, slope, offset, self.fused, crops, between)


RenderFunction = Callable[
    [Matte, Mapping[OutputKind, SampleFormat], tuple[int, int, int]], dict[OutputKind, Planes]
]


@torch.inference_mode()
def render(
    matte: Matte, formats: Mapping[OutputKind, SampleFormat], background: tuple[int, int, int]
) -> dict[OutputKind, Planes]:
    """Return the full-size frames of every output, on the matte's device.

    Args:
        formats: the sample format of every output. Alphas are grey, without chroma.
        background: R'G'B' behind the composite, 0..255.
    """
    whole = matte.slope is None or matte.offset.is_cuda
    if whole or not can_be_tiled(matte.source, formats.values()):
        return render_in_bands(matte, formats, background)
    return render_in_tiles(matte, formats, background)


def render_in_bands(
    matte: Matte,
    formats: Mapping[OutputKind, SampleFormat],
    background: tuple[int, int, int],
    band_px: int | None = None,
) -> dict[OutputKind, Planes]:
    """Return what `render` does, one band of whole rows after the other.

    Args:
        band_px: how many pixels to compute at once; None: as suits the device.
    """
    source = matte.source
    outputs = _allocate_outputs(source, formats, source.size)
    backgrounds = _background_colours(source, formats, background)
    columns = slice(0, source.width)
    for rows, coefficients in coefficient_bands(matte, band_px):
        parts = render_region(source, (rows, columns), coefficients, formats, backgrounds)
        for kind, part in parts.items():
            output = outputs[kind]
            output.luma_or_rgb[:, :, rows] = part.luma_or_rgb
            if output.chroma is not None and part.chroma is not None:
                first = rows.start // output.sample_format.subsampling[1]
                output.chroma[:, :, first : first + part.chroma.shape[2]] = part.chroma
    return outputs


def render_in_tiles(
    matte: Matte,
    formats: Mapping[OutputKind, SampleFormat],
    background: tuple[int, int, int],
    batch_px: int = CPU_BAND_PX,
    chosen: Sequence[Tensor] | None = None,
) -> dict[OutputKind, Planes]:
    """Return what `render` does, computing only the tiles that somebody may be in; on the CPU.

    Args:
        matte: with a slope; `can_be_tiled` holds for its source.
        batch_px: how many pixels to compute at once.
        chosen: the positions of the tiles to compute of each frame; None: all that matter.
    """
    source = matte.source
    outputs = _allocate_outputs(source, formats, tiled_size(source.size))
    backgrounds = _background_colours(source, formats, background)
    negligible_alpha = NEGLIGIBLE_STEPS / max(f.max_code_value for f in formats.values())
    for kind, output in outputs.items():
        target = output.sample_format
        behind = backgrounds[target] if kind == OutputKind.COMPOSITE else None
        if kind == OutputKind.FOREGROUND:
            behind = solid_colour(BLACK, target, source.device)
        fill(output, behind)
    halo = halo_size(source.sample_format, formats.values())
    inner = (
        slice(halo.height, halo.height + TILE.height),
        slice(halo.width, halo.width + TILE.width),
    )
    batch_tiles = max(1, batch_px // (TILE.height * TILE.width))
    frame_outputs = zip(*(output.split(1) for output in outputs.values()), strict=True)
    for index, (frame, frame_output) in enumerate(zip(matte.split(1), frame_outputs, strict=True)):
        own = None if chosen is None else chosen[index]
        own = tiles_that_matter(frame, negligible_alpha) if own is None else own
        for positions in own.split(batch_tiles) if len(own) else ():
            tiles = gather_tiles(frame.source, positions, halo)
            coefficients = upsample_tiles(frame_maps(frame), positions, source.size)
            coefficients[:, :3] += 1
            parts = render_region(tiles, inner, coefficients, formats, backgrounds)
            for part, output in zip(parts.values(), frame_output, strict=True):
                scatter_tiles(part, output, positions)
    return {kind: output.crop(source.size) for kind, output in outputs.items()}


def coefficient_bands(matte: Matte, band_px: int | None) -> Iterator[tuple[slice, Tensor]]:
    """Yield rows from top to bottom, with the coefficients there for `apply_guided_filter`.

    Args:
        band_px: how many pixels to compute at once; None: as suits the device.
    """
    source, slope, offset = matte.source, matte.slope, matte.offset
    bands = (rows for (rows,) in split_into_bands(source, band_px=band_px))
    if slope is None:
        yield from ((rows, offset[:, :, rows].float()) for rows in bands)
        return
    maps = torch.cat((slope.float(), offset.float()), dim=1)
    maps[:, :3] += 1
    yield from ((rows, upsample_band(maps, rows, source.size)) for rows in bands)


def _allocate_outputs(
    source: Planes, formats: Mapping[OutputKind, SampleFormat], size: Size
) -> dict[OutputKind, Planes]:
    """Return uninitialised planes of that size for every output."""
    return {
        kind: allocate_planes(source, target, grey=kind.is_alpha, size=size)
        for kind, target in formats.items()
    }


def _background_colours(
    source: Planes,
    formats: Mapping[OutputKind, SampleFormat],
    background: tuple[int, int, int],
) -> dict[SampleFormat, SolidColour]:
    """Return the background in each of the outputs' formats, on the source's device."""
    return {
        target: solid_colour(background, target, source.device) for target in set(formats.values())
    }


def tiles_that_matter(frame: Matte, negligible_alpha: float) -> Tensor:
    """Return the positions of the tiles in which alpha can be above `negligible_alpha`."""
    slope, offset = frame_maps(frame)
    # The most that alpha can be, whatever the source: that is in [0, 1].
    largest_alpha = torch.maximum(offset[3], offset[3] + slope[3])
    return tiles_influenced_by(largest_alpha > negligible_alpha, frame.source.size)


def frame_maps(frame: Matte) -> tuple[Tensor, Tensor]:
    """Return slope and offset of a single frame, [4, h, w] each."""
    if frame.slope is None:
        raise ValueError("a matte of full size has no slope")
    return frame.slope[0], frame.offset[0]
