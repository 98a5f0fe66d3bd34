"""Frames to be matted, whatever they come from: videos and image sequences look alike from here."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.media.colour import Colour


@dataclass(frozen=True)
class FrameChunk:
    """Consecutive frames.

    Attributes:
        rgb: [T, 3, H, W], uint8, 0..255, on the CPU.
        pts: T times, in ticks of the source's time base.
    """

    rgb: Tensor
    pts: tuple[int, ...]


def ignore() -> None:
    """Hears of nothing."""


class FrameSource(Protocol):
    """Frames in order, upright. Everything but `chunks` is known before the first is decoded."""

    @property
    def path(self) -> Path: ...
    @property
    def width_px(self) -> int: ...
    @property
    def height_px(self) -> int: ...
    @property
    def time_base(self) -> Fraction: ...
    @property
    def rate(self) -> Fraction: ...
    @property
    def pixel_aspect(self) -> Fraction: ...
    @property
    def colour(self) -> Colour: ...
    @property
    def frames(self) -> int: ...

    def chunks(
        self, size: int, last: int | None = None, on_skip: Callable[[], None] = ignore
    ) -> Generator[FrameChunk, None, None]:
        """All frames, or only the last `last`, in chunks of `size` frames.

        Args:
            on_skip: told of every frame that is decoded only for those after it.
        Raises:
            DecodeError: a frame is missing, damaged or out of order.
        """


def gather(
    frames: Iterator[tuple[int, NDArray[np.uint8]]], size: int
) -> Generator[FrameChunk, None, None]:
    """Chunks of `size` (PTS, RGB [H, W, 3]) pairs; the last may hold fewer."""
    pts: list[int] = []
    pictures: list[NDArray[np.uint8]] = []
    for time, picture in frames:
        pts.append(time)
        pictures.append(picture)
        if len(pts) == size:
            yield _chunk(pts, pictures)
            pts, pictures = [], []
    if pts:
        yield _chunk(pts, pictures)


def _chunk(pts: list[int], pictures: list[NDArray[np.uint8]]) -> FrameChunk:
    alone = len(pictures) == 1  # a copy of an 8K picture takes a third of a second
    joined = np.ascontiguousarray(pictures[0])[None] if alone else np.stack(pictures)
    stacked = torch.from_numpy(joined)  # [T, H, W, 3]
    return FrameChunk(stacked.permute(0, 3, 1, 2), tuple(pts))
