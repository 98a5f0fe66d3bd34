"""Mattes of any content, for what stores and reads them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from matting.imaging.matte_planes import MAX_ALPHA, MattePlanes
from matting.imaging.sample_format import SampleFormat, Size
from matting.media.matte_file import MatteFile, MatteWriter

BT709 = (0.2126, 0.0722)
TIME_BASE = Fraction(1, 90_000)
SIZE_PX = Size(48, 32)
YUV420 = SampleFormat(8, BT709, full_range=False, subsampling=(2, 2), siting=(0.0, 0.5))


def random_mattes(
    size_px: Size = SIZE_PX,
    sample_format: SampleFormat = YUV420,
    frames: int = 1,
    *,
    grey: bool = False,
    seed: int = 0,
) -> MattePlanes:
    """Return mattes that are flat at the left and noise at the right."""
    generator = np.random.default_rng(seed)

    def noise(low: int, high: int, planes: int, size: Size, dtype: type[np.integer]) -> Tensor:
        values = generator.integers(low, high + 1, (frames, planes, size.height, size.width))
        values[..., : size.width // 2] = high
        return torch.from_numpy(values.astype(dtype))

    is_rgb = sample_format.luma_coefficients is None
    chroma = None
    if not is_rgb and not grey:
        chroma = noise(-127, 127, 2, sample_format.chroma_size(size_px), np.int8)
    return MattePlanes(
        noise(0, MAX_ALPHA, 1, size_px, np.uint16),
        noise(-127, 127, 3 if is_rgb else 1, size_px, np.int8),
        chroma,
        sample_format,
    )


def store(path: Path, mattes: MattePlanes, pts: Sequence[int]) -> Path:
    """Write mattes to a file; return its path."""
    height, width = mattes.alpha.shape[2:]
    with MatteWriter(
        path,
        size_px=Size(width, height),
        time_base=TIME_BASE,
        rate=Fraction(30),
        sample_format=mattes.sample_format,
    ) as writer:
        writer.write(mattes, pts)
        writer.finish()
    return path


def stored(path: Path, size: int = 1) -> tuple[dict[str, list[bytes] | None], list[int]]:
    """Return what is stored in a file: the bytes of each kind of samples, by frames; the times."""
    chunks = list(MatteFile.open(path).chunks(size))
    samples: dict[str, list[bytes] | None] = {}
    for name in ("alpha", "luma_or_rgb", "chroma"):
        parts = [getattr(chunk.matte, name) for chunk in chunks]
        samples[name] = None if None in parts else [s for part in parts for s in sample_bytes(part)]
    return samples, [time for chunk in chunks for time in chunk.pts]


def sample_bytes(samples: Tensor) -> list[bytes]:
    """Return the shape and the bytes of each frame's samples."""
    return [f"{f.dtype}{tuple(f.shape)}".encode() + f.numpy().tobytes() for f in samples]
