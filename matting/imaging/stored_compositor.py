"""Every output from the source and its stored matte.

Where a target has the source's matrix and chroma sites, its code values are blended as they are:
whole numbers, which floats hold exactly, then one multiplication and one rounding. So the result is
the same on every device and in whatever parts it is computed; it is the source's own code value
where alpha is full, and the background's where there is none. Other targets are converted from such
a result of 16 bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from matting.imaging.code_blending import compose_region, flat_samples
from matting.imaging.colour_conversion import CPU_BAND_PX, allocate_planes, convert_planes
from matting.imaging.compositor import BLACK
from matting.imaging.filling import copy_frames, fill_frames, lay_frames
from matting.imaging.matte_planes import MAX_ALPHA, MattePlanes
from matting.imaging.output_spec import OutputSpec, Style
from matting.imaging.planes import Planes, repeat, signed_view
from matting.imaging.regions import (
    compute_in_bands,
    compute_in_tiles,
    dilate,
    fill_tiles,
    tile_extremes,
    tiles_to_pixels,
)
from matting.imaging.sample_format import SampleFormat, Size
from matting.imaging.tile_copies import copy_tiles
from matting.imaging.tiles import TILE, can_be_tiled, halo_size, tiled_size
from matting.options import OutputKind

STYLES = {
    OutputKind.COMPOSITE: Style.COMPOSITE,
    OutputKind.FOREGROUND: Style.FADED_FOREGROUND,
    OutputKind.ALPHA: Style.ALPHA,
    OutputKind.ALPHA_PNG: Style.ALPHA,
}
MASK_FORMAT = SampleFormat()


@torch.inference_mode()
def compose(
    source: Planes,
    matte: MattePlanes,
    outputs: Mapping[OutputKind, SampleFormat],
    background: tuple[int, int, int] | Planes,
    *,
    in_bands: bool = False,
    region_px: int | None = None,
) -> dict[OutputKind, Planes]:
    """Return the full-size frames of every output, on the source's device.

    Args:
        source: the frames.
        matte: theirs, on the same device.
        outputs: the sample format of every output. Alphas are grey, without chroma.
        background: R'G'B' behind the composite, 0..255; or frames, as many as the source's or one,
            in `background_format` and on its device.
        in_bands: on the CPU too, not only the tiles that somebody is in.
        region_px: how many pixels to compute at once; None: as suits the device.
    """
    behind = background if isinstance(background, Planes) else None
    colour = BLACK if isinstance(background, Planes) else background
    specs = [
        OutputSpec(
            STYLES[kind],
            source.sample_format,
            target,
            colour if kind == OutputKind.COMPOSITE else BLACK,
            is_grey=_is_grey(source),
            over_frames=behind is not None and kind == OutputKind.COMPOSITE,
        )
        for kind, target in outputs.items()
    ]
    results = _compose(source, matte, specs, in_bands=in_bands, region_px=region_px, behind=behind)
    return dict(zip(outputs, results, strict=True))


def background_format(source: Planes, target: SampleFormat) -> SampleFormat:
    """Return the format in which `compose` takes the frames behind a composite."""
    spec = OutputSpec(Style.COMPOSITE, source.sample_format, target, BLACK, _is_grey(source))
    return spec.behind


@torch.inference_mode()
def straight_foreground(
    source: Planes,
    matte: MattePlanes,
    target: SampleFormat,
    *,
    everywhere: bool = False,
    in_bands: bool = False,
    region_px: int | None = None,
) -> Planes:
    """Return the foreground to go with an alpha of its own, on the source's device.

    Around people the source goes on, for up to two tiles, so that neither a lossy codec nor chroma
    subsampling brings black into soft edges; farther out it is black, which costs no bits.

    Args:
        source: the frames.
        matte: theirs, on the same device.
        target: the sample format of the result.
        everywhere: whether the source goes on to all edges.
        in_bands, region_px: as for `compose`.
    """
    style = Style.STRAIGHT_FOREGROUND
    spec = OutputSpec(style, source.sample_format, target, BLACK, _is_grey(source))
    return _compose(
        source, matte, [spec], in_bands=in_bands, region_px=region_px, everywhere=everywhere
    )[0]


def _compose(
    source: Planes,
    matte: MattePlanes,
    specs: Sequence[OutputSpec],
    *,
    in_bands: bool,
    region_px: int | None,
    behind: Planes | None = None,
    everywhere: bool = False,
) -> list[Planes]:
    """Return the results of specs, all of them straight foregrounds, or none.

    Args:
        behind: the frames behind a composite.
        everywhere: as for `straight_foreground`.
    """
    shown = None
    inputs = [source, matte.alpha_planes, matte.corrections]
    if any(spec.style is Style.STRAIGHT_FOREGROUND for spec in specs):
        shown = torch.stack([_near_people(alpha) for alpha in matte.alpha])
        shown |= everywhere
        inputs.append(Planes(MASK_FORMAT, tiles_to_pixels(shown, source.size)))
    if behind is not None and any(spec.over_frames for spec in specs):
        inputs.append(behind if len(behind) == len(source) else repeat(behind, len(source)))
    targets = [spec.target for spec in specs if spec.style is not Style.ALPHA]
    in_tiles = source.device.type == "cpu" and not in_bands and can_be_tiled(source, targets)
    size = tiled_size(source.size) if in_tiles else source.size
    outputs = [
        allocate_planes(source, spec.blended, grey=spec.style is Style.ALPHA, size=size)
        for spec in specs
    ]
    halo = Size(*(max(sides) for sides in zip(*(spec.halo for spec in specs), strict=True)))
    if not in_tiles:
        compute_in_bands(partial(compose_region, specs), inputs, outputs, halo, band_px=region_px)
        return [
            output if spec.is_direct else convert_planes(output, spec.target)
            for spec, output in zip(specs, outputs, strict=True)
        ]
    for spec, output in zip(specs, outputs, strict=True):
        if spec.over_frames:
            lay_frames(output, inputs[-1])
        else:
            fill_frames(output, flat_samples(spec, 0))
    frames = zip(*(planes.split(1) for planes in (*inputs, *outputs)), strict=True)
    around = []
    batch_px = region_px or CPU_BAND_PX
    for index, frame in enumerate(frames):
        frame_inputs, frame_outputs = frame[: len(inputs)], frame[len(inputs) :]
        tiles = _choose_tiles(matte.alpha[index], halo, None if shown is None else shown[index])
        around.append(tiles.around)
        pairs = list(zip(specs, frame_outputs, strict=True))
        for spec, output in pairs:
            if spec.kept_shift is not None:
                copy_tiles(frame_inputs[0], output, tiles.unchanged, spec.kept_shift)
            elif spec.style is Style.ALPHA:
                fill_tiles(output, flat_samples(spec, MAX_ALPHA), tiles.unchanged)
        for positions, chosen in (
            (tiles.blended, [pair for pair in pairs if _is_known_if_unchanged(pair[0])]),
            (tiles.present, [pair for pair in pairs if not _is_known_if_unchanged(pair[0])]),
        ):
            compute_in_tiles(
                partial(compose_region, [spec for spec, _ in chosen]),
                frame_inputs,
                [output for _, output in chosen],
                positions if chosen else positions[:0],
                halo,
                batch_px=batch_px,
            )
    blended = [output.crop(source.size) for output in outputs]
    return [
        output
        if spec.is_direct
        else _convert_tiles(output, spec, around, batch_px, behind if spec.over_frames else None)
        for spec, output in zip(specs, blended, strict=True)
    ]


def _convert_tiles(
    blended: Planes,
    spec: OutputSpec,
    tiles: Sequence[Tensor],
    batch_px: int,
    behind: Planes | None,
) -> Planes:
    """Return what is blended in the target's format.

    Args:
        tiles: the positions of each frame's tiles that are not all background.
        behind: the frames in all others; None: they are of one colour.
    """
    target = spec.target
    converted = allocate_planes(blended, target, size=tiled_size(blended.size))
    if behind is None:
        flat = flat_samples(spec, 0)
        background = allocate_planes(flat, spec.blended, size=TILE)
        fill_frames(background, flat)
        fill_frames(converted, convert_planes(background, target))
    else:
        copy_frames(convert_planes(behind, target), converted)
    halo = halo_size(spec.blended, [target])
    for frame, output, positions in zip(blended.split(1), converted.split(1), tiles, strict=True):
        compute_in_tiles(
            lambda inputs: [convert_planes(inputs[0], target)],
            [frame],
            [output],
            positions,
            halo,
            batch_px=batch_px,
        )
    return converted.crop(blended.size)


class _Tiles(NamedTuple):
    """Which tiles of a frame are not all background, as positions.

    Attributes:
        present: all of them.
        unchanged: those that are all source, with their halo.
        blended: the others of them.
        around: all of them, and their neighbours.
    """

    present: Tensor
    unchanged: Tensor
    blended: Tensor
    around: Tensor


def _choose_tiles(alpha: Tensor, halo: Size, shown: Tensor | None) -> _Tiles:
    """Return the tiles of a frame to be worked on.

    Args:
        alpha: [1, H, W].
        shown: a mask of the tiles where the source is shown without anybody; None: nowhere.
    """
    low, high = tile_extremes(signed_view(alpha)[0], halo)
    opaque, present = low == MAX_ALPHA, high > 0
    unchanged = opaque
    if shown is not None:
        present, unchanged = shown, opaque | (shown & ~present)
    masks = present, unchanged, present & ~unchanged, dilate(present)
    return _Tiles(*(mask.nonzero() for mask in masks))


def _is_known_if_unchanged(spec: OutputSpec) -> bool:
    """Return whether nothing need be computed for an output where the source is unchanged."""
    return spec.kept_shift is not None or spec.style is Style.ALPHA


def _near_people(alpha: Tensor) -> Tensor:
    """Return the tiles in which somebody is, and those around them: [rows, columns], bool.

    Args:
        alpha: of one frame, [1, H, W].
    """
    _, high = tile_extremes(signed_view(alpha)[0], Size(0, 0))
    return dilate(high > 0)


def _is_grey(source: Planes) -> bool:
    return source.chroma is None and source.sample_format.luma_coefficients is not None
