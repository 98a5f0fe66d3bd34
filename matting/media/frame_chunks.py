"""Frames put into chunks, and taken out of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice

from matting.imaging.planes import Planes, concatenate
from matting.media.source import FrameChunk


def in_chunks(
    frames: Generator[tuple[int, Planes], None, None], size: int
) -> Generator[FrameChunk, None, None]:
    """Yield single frames with their PTS in chunks of `size`; the last may hold fewer."""
    with closing(frames):
        while chunk := list(islice(frames, size)):
            pts, pictures = zip(*chunk, strict=True)
            alone = len(pictures) == 1  # copying an 8K frame takes a third of a second
            yield FrameChunk(pictures[0] if alone else concatenate(pictures), pts)


def take_frames(chunks: Iterator[FrameChunk], frames: int) -> Generator[FrameChunk, None, None]:
    """Yield the first `frames` frames of some chunks, or all where they hold fewer."""
    left = frames
    while left > 0 and (chunk := next(chunks, None)) is not None:
        if len(chunk.pts) > left:
            chunk = FrameChunk(chunk.pictures.split(left)[0], chunk.pts[:left])
        yield chunk
        left -= len(chunk.pts)
