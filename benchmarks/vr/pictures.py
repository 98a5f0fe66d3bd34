"""Pictures of both eyes with their mattes, and what is packed of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.vr.player import Floats
from matting.imaging.lenses import Lens
from matting.imaging.matte_planes import MAX_ALPHA, MattePlanes, blank_corrections
from matting.imaging.packed_alpha import AlphaPacker
from matting.imaging.planes import Planes
from matting.imaging.projection import EyePart
from matting.imaging.renderer import StoredFrames
from matting.imaging.sample_format import SampleFormat, Size
from matting.media.colour_tags import BT709_TAGS
from matting.view import Projection

CPU = torch.device("cpu")
YUV420 = BT709_TAGS.sample_format(8, (2, 2), 1080)
EQUIRECTANGULAR = Lens(Projection.HALF_EQUIRECTANGULAR)
FISHEYE_190, FISHEYE_180 = Lens(Projection.FISHEYE, 190), Lens(Projection.FISHEYE, 180)
BLACK, GREY = 16, 128


def part(lens: Lens, side: int) -> EyePart:
    return EyePart(lens, Size(side, side))


def alpha_of(shares: Floats) -> Tensor:
    """Return shares [H, W], 0..1, as one stored frame's alpha."""
    codes = np.rint(shares * MAX_ALPHA).astype(np.uint16)
    return torch.from_numpy(codes)[None, None]


def quadrants(values: Sequence[float], side: int) -> Floats:
    """Return a picture of four flat quarters: upper left, upper right, lower left, lower right."""
    half = side // 2
    return np.array(values).reshape(2, 2).repeat(half, 0).repeat(half, 1)


def flat_planes(
    size: Size, luma: int = BLACK, chroma: int = GREY, layout: SampleFormat = YUV420
) -> Planes:
    """Return a frame of one colour."""
    chroma_size = layout.chroma_size(size)
    return Planes(
        layout,
        torch.full((1, 1, size.height, size.width), luma, dtype=torch.uint8),
        torch.full((1, 2, chroma_size.height, chroma_size.width), chroma, dtype=torch.uint8),
    )


def noise_planes(size: Size, seed: int, layout: SampleFormat = YUV420) -> Planes:
    """Return a frame of noise in limited range."""
    generator = np.random.default_rng(seed)
    chroma_size = layout.chroma_size(size)

    def noise(channels: int, own: Size) -> Tensor:
        values = generator.integers(16, 236, (1, channels, own.height, own.width))
        return torch.from_numpy(values.astype(np.uint8))

    return Planes(layout, noise(1, size), noise(2, chroma_size))


def luma_and_cr(frame: Planes) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the luma and the Cr of a frame of 8 bits."""
    if frame.chroma is None:
        raise ValueError("the frame has no chroma")
    return frame.luma_or_rgb[0, 0].numpy(), frame.chroma[0, 1].numpy()


def in_circles(
    side: int, *, step: int = 1, siting: tuple[float, float] = (0, 0)
) -> NDArray[np.bool_]:
    """Return where samples lie in the eyes' circles, side by side, bool.

    Args:
        step, siting: how many pixels share a sample, and where it lies behind the first.
    """
    across = (np.arange(side // step) * step + siting[0] + 0.5) / side * 2 - 1
    down = (np.arange(side // step) * step + siting[1] + 0.5) / side * 2 - 1
    circle = np.hypot(across, down[:, None]) <= 1
    return np.concatenate([circle, circle], axis=1)


def drawn_eye(side: int, seed: int) -> Planes:
    """Return what an eye may see: large shapes, small ones, and the noise of a camera."""
    generator = torch.Generator().manual_seed(seed)

    def layer(cells: int, most: float, own: int) -> Tensor:
        cells = min(cells, own)
        values = torch.rand((1, 1, cells, cells), generator=generator).sub_(0.5).mul_(2 * most)
        return F.interpolate(values, (own, own), mode="bicubic")

    def plane(scale: float, own: int) -> Tensor:
        layers = ((8, 60.0), (64, 20.0), (own // 4, 6.0), (own, 1.5))
        total = sum((layer(cells, most * scale, own) for cells, most in layers), torch.zeros(1))
        return total.add_(GREY).clamp_(BLACK, 235).to(torch.uint8)

    chroma = torch.cat([plane(0.5, side // 2) for _ in range(2)], dim=1)
    return Planes(YUV420, plane(1, side), chroma)


def person(side: int, column: float) -> Floats:
    """Return a matte: a disc with a soft edge, its middle at a share of the width."""
    rows, columns = np.mgrid[0:side, 0:side] + 0.5
    distance = np.hypot(columns - column * side, rows - 0.55 * side)
    soft: Floats = np.clip((0.25 * side - distance) / (0.02 * side) + 0.5, 0, 1)
    return soft


def both_eyes(pictures: Sequence[Planes], mattes: Sequence[Floats]) -> StoredFrames:
    """Return a frame of two eyes side by side, as it was filmed, and its stored matte."""
    chromas = [own.chroma for own in pictures if own.chroma is not None]
    source = Planes(
        YUV420, torch.cat([own.luma_or_rgb for own in pictures], dim=3), torch.cat(chromas, dim=3)
    )
    alpha = alpha_of(np.concatenate(list(mattes), axis=1))
    blank = blank_corrections(source, source.size)
    return StoredFrames(source, MattePlanes(alpha, blank.luma_or_rgb, blank.chroma, YUV420))


def packed(
    left: Floats,
    right: Floats,
    source: Lens = FISHEYE_190,
    *,
    target: Lens = FISHEYE_190,
    frame: Planes | None = None,
) -> Planes:
    """Return a frame with the mattes of two eyes.

    Args:
        left, right: as `source` sees them, [H, H], 0..1.
        target: of the frame.
        frame: it is written to; None: a black one.
    """
    side = len(left)
    frame = frame or flat_planes(Size(2 * side, side))
    packer = AlphaPacker(part(source, side), part(target, side), YUV420, CPU)
    packer.pack(frame, [alpha_of(left), alpha_of(right)])
    return frame
