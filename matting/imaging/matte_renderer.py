"""The network's small maps as what is stored of them, at full size."""

from __future__ import annotations

from dataclasses import replace

import torch

from matting.imaging import compositor
from matting.imaging.blending import NEGLIGIBLE_STEPS, channel_mean
from matting.imaging.blur_fusion import fuse_bands, fuse_tiles, local_colours
from matting.imaging.code_values import quantise_luma_or_rgb
from matting.imaging.colour_conversion import CPU_BAND_PX, rows_to_rgb
from matting.imaging.compositor import BLACK, Matte, RenderFunction
from matting.imaging.crops import blend_crop
from matting.imaging.matte_planes import (
    ALPHA_FORMAT,
    MAX_ALPHA,
    MattePlanes,
    chroma_halo,
    correct_tiles,
    foreground_format,
    soft_tiles,
    to_matte_planes,
)
from matting.imaging.planes import Planes
from matting.imaging.tiles import TILE, gather_tiles, scatter_tiles, tiled_size
from matting.imaging.tone_mapping import tone_map
from matting.imaging.upsampling import upsample_tiles
from matting.options import OutputKind

BATCH_TILES = CPU_BAND_PX // (TILE.height * TILE.width)


@torch.inference_mode()
def render_planes(matte: Matte, render: RenderFunction = compositor.render) -> MattePlanes:
    """Return what is stored of a matte, on its device.

    Args:
        render: what renders alpha and foreground, as `compositor.render` does. On a CPU, maps
            smaller than the frames need it not.
    """
    planes = _render_whole(matte, render)
    for crop in matte.crops:
        frames = planes.between(crop.first, crop.first + len(crop.shares))
        blend_crop(frames, _render_whole(replace(crop.content, fused=matte.fused), render), crop)
    return planes


def _render_whole(matte: Matte, render: RenderFunction) -> MattePlanes:
    """Return what `render_planes` does, without the crops."""
    if matte.fused:
        return _fuse(matte, render)
    source = matte.source
    foreground = {OutputKind.FOREGROUND: foreground_format(source.sample_format)}
    if matte.slope is None or source.device.type != "cpu":
        outputs = render(matte, {OutputKind.ALPHA: ALPHA_FORMAT, **foreground}, BLACK)
        return to_matte_planes(source, outputs[OutputKind.ALPHA], outputs[OutputKind.FOREGROUND])
    # Most of a person is opaque, and there the foreground is not asked for.
    alpha = _render_alpha(matte)
    soft = [soft_tiles(frame, source.sample_format) for frame in alpha.luma_or_rgb]
    outputs = compositor.render_in_tiles(matte, foreground, BLACK, chosen=soft)
    return correct_tiles(source, alpha, outputs[OutputKind.FOREGROUND], soft)


def _fuse(matte: Matte, render: RenderFunction) -> MattePlanes:
    """Return what `render_planes` does, with the colours around at soft edges."""
    source, on_cpu = matte.source, matte.source.device.type == "cpu"
    if matte.slope is not None and on_cpu:
        alpha = _render_alpha(matte)
    else:
        alpha = render(matte, {OutputKind.ALPHA: ALPHA_FORMAT}, BLACK)[OutputKind.ALPHA]
    colours = local_colours(matte)
    if not on_cpu:
        return fuse_bands(source, alpha, colours)
    soft = [soft_tiles(frame, source.sample_format) for frame in alpha.luma_or_rgb]
    return fuse_tiles(source, alpha, colours, soft)


def _render_alpha(matte: Matte) -> Planes:
    """Return the alpha, computing only the tiles that somebody may be in; on the CPU."""
    source = matte.source
    size = tiled_size(source.size)
    alpha = torch.zeros(len(source), 1, size.height, size.width, dtype=torch.uint16)
    halo = chroma_halo(source.sample_format)
    rows = slice(halo.height, halo.height + TILE.height)
    columns = slice(halo.width, halo.width + TILE.width)
    for frame, output in zip(matte.split(1), Planes(ALPHA_FORMAT, alpha).split(1), strict=True):
        positions = compositor.tiles_that_matter(frame, NEGLIGIBLE_STEPS / MAX_ALPHA)
        maps = [each[3:] for each in compositor.frame_maps(frame)]
        for batch in positions.split(BATCH_TILES) if len(positions) else ():
            rgb = rows_to_rgb(gather_tiles(frame.source, batch, halo), rows)[..., columns]
            guide = channel_mean(tone_map(rgb, source.sample_format))
            slope, offset = upsample_tiles(maps, batch, source.size).split(1, dim=1)
            values = torch.addcmul(offset, slope, guide).clamp_(0, 1)
            tiles = Planes(ALPHA_FORMAT, quantise_luma_or_rgb(values, ALPHA_FORMAT))
            scatter_tiles(tiles, output, batch)
    return Planes(ALPHA_FORMAT, alpha).crop(source.size)
