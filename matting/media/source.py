"""Frames to be matted, whatever they come from: videos and image sequences look alike here."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from matting.imaging.sample_format import SampleFormat, Size
from matting.media.colour_tags import ColourTags
from matting.media.hdr_metadata import HdrMetadata
from matting.progress import ignore

if TYPE_CHECKING:  # who only asks what there is to decode needs no torch
    from matting.imaging.planes import Planes


@dataclass(frozen=True)
class FrameChunk:
    """Consecutive frames.

    Attributes:
        pictures: T of them, upright, on the device that decoded them.
        pts: their T times, in ticks of the source's time base.
    """

    pictures: Planes
    pts: tuple[int, ...]


class FrameSource(Protocol):
    """Upright frames, in order. All but `chunks` is known before the first of them is decoded."""

    @property
    def path(self) -> Path: ...
    @property
    def size_px(self) -> Size: ...
    @property
    def time_base(self) -> Fraction: ...
    @property
    def rate(self) -> Fraction: ...
    @property
    def pixel_aspect(self) -> Fraction: ...
    @property
    def colour(self) -> ColourTags: ...
    @property
    def sample_format(self) -> SampleFormat: ...
    @property
    def hdr(self) -> HdrMetadata | None: ...
    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user on how it is read, where that needs a word."""
        ...

    @property
    def frames(self) -> int: ...

    def chunks(
        self, size: int, last: int | None = None, on_skip: Callable[[], None] = ignore
    ) -> Generator[FrameChunk, None, None]:
        """Yield all frames, or only the last `last`, in chunks of `size` frames.

        Args:
            on_skip: called for every frame that is decoded only for the sake of those after it.
        Raises:
            DecodeError: a frame is missing, damaged or out of order.
        """
