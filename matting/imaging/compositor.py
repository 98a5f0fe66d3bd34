"""Pure tensor functions on mattes: the full-size pictures that are encoded.

Large pictures are memory traffic, so they go from the source's samples to the results' in pieces
that stay in the processor's caches; nothing else is ever held at full size. A processor draws the
tiles that somebody may be in. Where all is wanted it draws bands of whole rows, as a card always
does: that would have to be waited for to know which tiles those are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from matting.imaging.blending import Flat, apply_guided_filter, drawn, fill, flat
from matting.imaging.colour_conversion import CPU_BAND_PX, bands, blank, rows_to_rgb
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, Size
from matting.imaging.tiles import COLUMNS, ROWS, cut, every_tile, fits, halo_of, put, whole_tiles
from matting.imaging.upsampling import enlarged, interpolated, tiles_with
from matting.options import OutputKind

# Of a step of the numbers: an alpha below that changes none, since the numbers of a background
# lie in the middle between two steps, and nothing is farther from it than twice the range.
SURE = 0.2


@dataclass(frozen=True)
class Matte:
    """What the network found for T frames, still to be brought to their full size.

    Of the source x as the network sees it, with the mean of its channels as a fourth, it gives
    slope * x + offset: foreground less source, and alpha. All on one device.

    Attributes:
        source: the frames.
        slope: [T, 4, h, w], float; None: zero, and `offset` is of full size.
        offset: [T, 4, h, w], float.
    """

    source: Planes
    slope: Tensor | None
    offset: Tensor

    def __len__(self) -> int:
        return len(self.source)

    def split(self, frames: int) -> list[Matte]:
        """The same in parts of at most `frames` frames."""
        sources, offsets = self.source.split(frames), self.offset.split(frames)
        slopes = [None] * len(sources) if self.slope is None else self.slope.split(frames)
        return [Matte(*part) for part in zip(sources, slopes, offsets, strict=True)]


@torch.inference_mode()
def render(
    matte: Matte, targets: Mapping[OutputKind, SampleFormat], background: tuple[int, int, int]
) -> dict[OutputKind, Planes]:
    """The results of each kind, on the matte's device.

    Args:
        targets: the coding of each kind wanted. What is one of ALPHAS is grey, without chroma.
        background: R'G'B' behind the composite, 0..255.
    """
    whole = matte.slope is None or matte.offset.is_cuda or OutputKind.FOREGROUND in targets
    if whole or not fits(matte.source, targets.values()):
        return render_in_bands(matte, targets, background)
    return render_in_tiles(matte, targets, background)


def render_in_bands(
    matte: Matte,
    targets: Mapping[OutputKind, SampleFormat],
    background: tuple[int, int, int],
    band_px: int | None = None,
) -> dict[OutputKind, Planes]:
    """`pictures`, some whole rows after the other.

    Args:
        band_px: how much of a picture is computed at once; None: as suits the device.
    """
    source = matte.source
    made, behind = _begun(source, targets, background, (source.width, source.height))
    columns = slice(0, source.width)
    for rows, linear in _rows(matte, band_px):
        for kind, part in drawn(source, (rows, columns), linear, targets, behind).items():
            planes = made[kind]
            planes.luma_or_rgb[:, :, rows] = part.luma_or_rgb
            if planes.chroma is not None and part.chroma is not None:
                first = rows.start // planes.sample_format.subsampling[1]
                planes.chroma[:, :, first : first + part.chroma.shape[2]] = part.chroma
    return made


def render_in_tiles(
    matte: Matte,
    targets: Mapping[OutputKind, SampleFormat],
    background: tuple[int, int, int],
    piece_px: int = CPU_BAND_PX,
) -> dict[OutputKind, Planes]:
    """`pictures` on a processor, some of the tiles that somebody may be in after the other.

    Args:
        matte: with a slope; its source must fit, see `tiles.fits`.
        piece_px: how many pixels are computed at once.
    """
    source = matte.source
    size = source.width, source.height
    made, behind = _begun(source, targets, background, whole_tiles(*size))
    nothing = (
        None
        if OutputKind.FOREGROUND in targets
        else SURE / max(c.max_code_value for c in targets.values())
    )
    if nothing is not None:
        for kind, planes in made.items():
            fill(planes, None if kind.is_alpha else behind[planes.sample_format])
    across, down = margin = halo_of(source.sample_format, targets.values())
    inner = slice(down, down + ROWS), slice(across, across + COLUMNS)
    results = zip(*(planes.split(1) for planes in made.values()), strict=True)
    for frame, frame_results in zip(matte.split(1), results, strict=True):
        for places in _tiles(frame, nothing, max(1, piece_px // (ROWS * COLUMNS))):
            near = cut(frame.source, places, margin)
            linear = enlarged(_maps(frame), places, size)
            linear[:, :3] += 1
            parts = drawn(near, inner, linear, targets, behind)
            for part, planes in zip(parts.values(), frame_results, strict=True):
                put(part, planes, places)
    return {kind: planes.crop(Size(*size)) for kind, planes in made.items()}


def render_layers(
    matte: Matte, band_px: int | None = None
) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Rows from top to bottom: where, the foreground [T, 3, n, W], the alpha [T, 1, n, W].

    Both float32; alpha in [0, 1]. The foreground means something only where that is above 0.
    """
    for rows, linear in _rows(matte, band_px):
        yield (
            rows,
            *apply_guided_filter(
                rows_to_rgb(matte.source, rows), linear, matte.source.sample_format
            ),
        )


def _begun(
    source: Planes,
    targets: Mapping[OutputKind, SampleFormat],
    background: tuple[int, int, int],
    size: tuple[int, int],
) -> tuple[dict[OutputKind, Planes], dict[SampleFormat, Flat]]:
    """Results of that width and height, to be filled, and the background in each coding."""
    made = {
        kind: blank(source, sample_format, grey=kind.is_alpha, size=size)
        for kind, sample_format in targets.items()
    }
    device = source.luma_or_rgb.device
    return made, {
        sample_format: flat(background, sample_format, device)
        for sample_format in set(targets.values())
    }


def _rows(matte: Matte, band_px: int | None) -> Iterator[tuple[slice, Tensor]]:
    """Rows from top to bottom, and the linear map there, float32, as `applied` takes it."""
    source, slope, offset = matte.source, matte.slope, matte.offset
    found = (rows for (rows,) in bands(source, band_px=band_px))
    if slope is None:
        yield from ((rows, offset[:, :, rows].float()) for rows in found)
        return
    maps = torch.cat((slope.float(), offset.float()), dim=1)
    maps[:, :3] += 1
    yield from ((rows, interpolated(maps, rows, (source.width, source.height))) for rows in found)


def _tiles(frame: Matte, nothing: float | None, most: int) -> Sequence[Tensor]:
    """The places of tiles, at most so many together: where alpha may be above `nothing`, or all."""
    size = frame.source.width, frame.source.height
    if nothing is None:
        found = every_tile(*size)
    else:
        slope, offset = _maps(frame)
        # The most that alpha can be, whatever the source: that is in [0, 1].
        found = tiles_with(torch.maximum(offset[3], offset[3] + slope[3]) > nothing, size)
    parts: Sequence[Tensor] = found.split(most)
    return parts if len(found) else ()


def _maps(frame: Matte) -> tuple[Tensor, Tensor]:
    """Slope and offset of a single frame, [4, h, w]."""
    if frame.slope is None:
        raise ValueError("a matte of full size has no slope")
    return frame.slope[0], frame.offset[0]
