"""Colours by the standards alone: code values and RGB, in float64, without the program's code.

Sources: ITU-R BT.601-7, BT.709-6, BT.2020-2 (non-constant luminance, quantisation of section 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]
CodeValues = NDArray[np.generic]  # a plane as it is decoded: uint8 or uint16

LUMA = {  # the luma coefficients of red and blue
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
}
MATRICES = {  # FFmpeg's names
    "bt709": "bt709",
    "bt470bg": "bt601",
    "smpte170m": "bt601",
    "bt2020nc": "bt2020",
    "bt2020ncl": "bt2020",
}
SD_HEIGHT_PX = 576
LAYOUTS = {(1, 1): "4:2:0", (1, 0): "4:2:2", (0, 0): "4:4:4"}


@dataclass(frozen=True)
class Layout:
    """A planar pixel format.

    Attributes:
        shift: how many times chroma's width and height are halved.
    """

    bits: int
    shift: tuple[int, int]
    alpha: bool
    rgb: bool

    @classmethod
    def of(cls, name: str) -> Layout | None:
        """Return the layout of a pixel format by FFmpeg's name; None where it is not planar."""
        form = av.VideoFormat(name, 64, 64)
        parts = form.components
        planes = [part.plane for part in parts]
        if len(set(planes)) != len(planes) or len(parts) < 3 or form.is_bit_stream:
            return None
        shift = (int(parts[1].width < 64), int(parts[1].height < 64))
        if not form.is_rgb and parts[1].width not in {32, 64}:
            return None
        return cls(parts[0].bits, shift, len(parts) == 4, form.is_rgb)

    @property
    def name(self) -> str:
        """Its name as people write it."""
        return "RGB" if self.rgb else LAYOUTS.get(self.shift, str(self.shift))

    def sizes(self, width: int, height: int) -> list[tuple[int, int]]:
        """Return the height and width of every plane."""
        across, down = self.shift
        chroma = ((height + (1 << down) - 1) >> down, (width + (1 << across) - 1) >> across)
        return [(height, width), chroma, chroma, *([(height, width)] if self.alpha else [])]

    def split(self, raw: bytes, width: int, height: int) -> list[list[CodeValues]]:
        """Split a raw stream into frames, each a list of its planes of code values."""
        kind = np.dtype(np.uint8) if self.bits == 8 else np.dtype("<u2")
        sizes = self.sizes(width, height)
        values = np.frombuffer(raw, kind).reshape(-1, sum(h * w for h, w in sizes))
        frames = []
        for frame in values:
            planes: list[CodeValues] = []
            at = 0
            for rows, columns in sizes:
                planes.append(frame[at : at + rows * columns].reshape(rows, columns))
                at += rows * columns
            frames.append(planes)
        return frames


def luma_weights(matrix: str, height: int) -> tuple[float, float]:
    """Return the luma coefficients of red and blue.

    Untagged video is BT.709 above 576 lines, else BT.601.
    """
    usual = "bt709" if height > SD_HEIGHT_PX else "bt601"
    return LUMA[MATRICES.get(matrix, usual)]


def code_ranges(bits: int, *, full: bool) -> tuple[float, float, float, float]:
    """Return (black, white less black, middle of chroma, width of chroma) in code values."""
    if full:
        top = (1 << bits) - 1
        return 0.0, top, float(1 << (bits - 1)), top
    step = 1 << (bits - 8)
    return 16.0 * step, 219.0 * step, 128.0 * step, 224.0 * step


def eight_bit_step(bits: int, *, full: bool) -> float:
    """Return how many code values one step of 8 bits spans."""
    return ((1 << bits) - 1) / 255 if full else float(1 << (bits - 8))


def to_codes(rgb: Plane, weights: tuple[float, float], bits: int, *, full: bool) -> list[Plane]:
    """Convert RGB [H, W, 3] in 0..1 to luma and both chroma planes [H, W], rounded, 4:4:4."""
    red, blue = weights
    luma = rgb @ np.array([red, 1 - red - blue, blue])
    chroma = [
        (rgb[..., 2] - luma) / (2 * (1 - blue)),
        (rgb[..., 0] - luma) / (2 * (1 - red)),
    ]
    black, height, middle, width = code_ranges(bits, full=full)
    codes = [black + height * luma, *(middle + width * part for part in chroma)]
    return [np.clip(np.rint(plane), 0, (1 << bits) - 1) for plane in codes]


def to_rgb(
    planes: Sequence[Plane], weights: tuple[float, float], bits: int, *, full: bool
) -> Plane:
    """Convert luma and chroma of one size to RGB [H, W, 3] in 0..255, not rounded, not clipped."""
    red, blue = weights
    black, height, middle, width = code_ranges(bits, full=full)
    luma = (planes[0] - black) / height
    blues, reds = ((plane - middle) / width for plane in planes[1:3])
    r = luma + 2 * (1 - red) * reds
    b = luma + 2 * (1 - blue) * blues
    g = (luma - red * r - blue * b) / (1 - red - blue)
    return np.stack((r, g, b), axis=2) * 255


def downsampled(plane: Plane, shift: tuple[int, int]) -> Plane:
    """Downsample chroma: the mean of the pixels that share a sample, edges repeated."""
    across, down = (1 << part for part in shift)
    height, width = plane.shape
    padded = np.pad(plane, ((0, -height % down), (0, -width % across)), mode="edge")
    rows, columns = padded.shape
    blocks = padded.reshape(rows // down, down, columns // across, across)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float64)


def downsampled_to_left_siting(plane: Plane, shift: tuple[int, int]) -> Plane:
    """Downsample chroma to where H.264 and H.265 site it by default.

    Across, a sample lies at the left pixel of two: half of that pixel and a quarter of each of its
    neighbours. Down, it lies between two rows: their mean.
    """
    if shift[0]:
        padded = np.pad(plane, ((0, 0), (1, 1 + plane.shape[1] % 2)), mode="edge")
        plane = (padded[:, :-2:2] + 2 * padded[:, 1:-1:2] + padded[:, 2::2]) / 4
    return downsampled(plane, (0, shift[1]))


def upsampled(plane: Plane, size: tuple[int, int]) -> Plane:
    """Upsample chroma to the picture's height and width by repetition."""
    down, across = (-(-side // part) for side, part in zip(size, plane.shape, strict=True))
    return np.repeat(np.repeat(plane, down, axis=0), across, axis=1)[: size[0], : size[1]]
