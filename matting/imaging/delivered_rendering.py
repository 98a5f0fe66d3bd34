"""Frames for delivered formats, and edges for players that key, from source and stored matte."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import torch
from torch import Tensor

from matting.imaging.device_copy import to_host
from matting.imaging.edges import KeyEdges
from matting.imaging.matte_planes import (
    ALPHA_FORMAT,
    MAX_ALPHA,
    MattePlanes,
    concatenate_mattes,
    foreground_format,
    to_matte_planes,
)
from matting.imaging.planes import Planes, concatenate
from matting.imaging.renderer import StoredFrames
from matting.imaging.sample_format import SampleFormat
from matting.imaging.stored_compositor import straight_foreground
from matting.system.memory import in_parts


def straight_foregrounds(
    stored: StoredFrames, targets: Collection[SampleFormat]
) -> tuple[dict[SampleFormat, Planes], Tensor]:
    """Return the foreground in each of some formats, and the alpha to go with it, on the CPU.

    Where memory is short, this is done in parts.

    Returns:
        T frames for each target; and [T, 1, H, W], uint16, 0..MAX_ALPHA.
    Raises:
        OutOfMemoryError: there is too little memory for a single frame.
        MachineError: the graphics card broke off.
    """

    def render_part(part: StoredFrames) -> dict[SampleFormat, Planes]:
        matte = part.matte.to(part.source.device)
        return {
            target: to_host(straight_foreground(part.source, matte, target)) for target in targets
        }

    parts = in_parts(render_part, stored, stored.source.device)
    colours = {target: concatenate([part[target] for part in parts]) for target in targets}
    return colours, to_host(stored.matte.alpha_planes).luma_or_rgb


def with_edges(
    stored: StoredFrames, edges: KeyEdges, background: tuple[int, int, int]
) -> StoredFrames:
    """Return the frames with a matte for keying; where memory is short, made in parts.

    What was half transparent never becomes quite opaque: there the source's own colours are shown,
    and they hold what was behind.

    Args:
        background: R'G'B' of what may shine through, 0..255.
    Raises:
        OutOfMemoryError: there is too little memory for a single frame.
        MachineError: the graphics card broke off.
    """

    @torch.inference_mode()
    def edge_part(part: StoredFrames) -> MattePlanes:
        source, matte = part.source, part.matte.to(part.source.device)
        foreground = straight_foreground(source, matte, foreground_format(source.sample_format))
        alpha, foreground = edges.apply(matte.alpha, foreground, background)
        most = torch.where(matte.alpha.to(torch.int32) == MAX_ALPHA, MAX_ALPHA, MAX_ALPHA - 1)
        alpha = torch.minimum(alpha.to(torch.int32), most).to(torch.uint16)
        return to_matte_planes(source, Planes(ALPHA_FORMAT, alpha), foreground)

    parts = in_parts(edge_part, stored, stored.source.device)
    return replace(stored, matte=concatenate_mattes(parts))
