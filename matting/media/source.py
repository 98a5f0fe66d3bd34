"""Frames to be matted, whatever they come from: videos and image sequences look alike from here."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Protocol

from matting.imaging.planes import Planes, concatenate
from matting.imaging.sample_format import SampleFormat
from matting.media.colour_tags import ColourTags
from matting.media.hdr_metadata import HdrMetadata
from matting.progress import ignore


@dataclass(frozen=True)
class FrameChunk:
    """Consecutive frames.

    Attributes:
        pictures: T of them, upright, where they were decoded.
        pts: T times, in ticks of the source's time base.
    """

    pictures: Planes
    pts: tuple[int, ...]


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
    def colour(self) -> ColourTags: ...
    @property
    def sample_format(self) -> SampleFormat: ...
    @property
    def hdr(self) -> HdrMetadata | None: ...
    @property
    def notes(self) -> tuple[str, ...]:
        """What a user has to know of how it is read, in sentences."""
        ...

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


def in_chunks(frames: Iterator[tuple[int, Planes]], size: int) -> Generator[FrameChunk, None, None]:
    """Chunks of `size` frames of one each, with their PTS; the last may hold fewer."""
    while frames_of_chunk := list(islice(frames, size)):
        pts, pictures = zip(*frames_of_chunk, strict=True)
        alone = len(pictures) == 1  # a copy of an 8K picture takes a third of a second
        yield FrameChunk(pictures[0] if alone else concatenate(pictures), pts)


def take_frames(chunks: Iterator[FrameChunk], frames: int) -> Generator[FrameChunk, None, None]:
    """The first `frames` frames of some chunks, which may hold fewer."""
    left = frames
    while left > 0 and (chunk := next(chunks, None)) is not None:
        if len(chunk.pts) > left:
            chunk = FrameChunk(chunk.pictures.split(left)[0], chunk.pts[:left])
        yield chunk
        left -= len(chunk.pts)
