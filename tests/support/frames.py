"""Random frames in memory, and the sample formats that tests go through."""

from __future__ import annotations

import torch
from torch import Tensor

from matting.imaging.planes import Planes, dtype_of
from matting.imaging.sample_format import SampleFormat, Size

GREEN = (120, 255, 155)
RGB8 = SampleFormat()
BT709 = (0.2126, 0.0722)  # Kr and Kb, ITU-T H.273, table 4
NV12 = SampleFormat(8, BT709, False, (2, 2), (0.0, 0.5), semi_planar=True)
# Columns and rows of pixels that share a chroma sample, and where it lies.
CHROMA_LAYOUTS = [
    ((1, 1), (0.0, 0.0)),
    ((2, 1), (0.0, 0.0)),
    ((2, 2), (0.0, 0.5)),
    ((2, 2), (0.5, 0.5)),
    ((2, 2), (0.0, 0.0)),
    ((1, 2), (0.0, 0.5)),
    ((4, 1), (0.0, 0.0)),
]


def random_code_values(*shape: int, bits: int = 8) -> Tensor:
    """Return code values without padding, the same in every call."""
    generator = torch.Generator().manual_seed(3)
    values = torch.randint(0, 1 << bits, shape, generator=generator)
    return values.to(dtype_of(SampleFormat(bits)))


def random_rgb(frames: int, height: int, width: int) -> Planes:
    """Return noise in RGB8."""
    return Planes(RGB8, random_code_values(frames, 3, height, width))


def random_video(sample_format: SampleFormat, frames: int, height: int, width: int) -> Planes:
    """Return noise in a format with chroma, planar and without padding."""
    chroma = sample_format.chroma_size(Size(width, height))
    bits = sample_format.bits
    return Planes(
        sample_format,
        random_code_values(frames, 1, height, width, bits=bits),
        random_code_values(frames, 2, chroma.height, chroma.width, bits=bits),
    )
