"""Reading the frames that the run-up of a shot takes, where segments end within it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from fractions import Fraction
from itertools import islice, pairwise

from matting.imaging.planes import Planes
from matting.imaging.sample_format import Size
from matting.media.frame_chunks import in_chunks, take_frames
from matting.media.source import FrameChunk, FrameSource
from matting.media.video_source import VideoSource
from matting.workers.shot import Ahead


def split_at(
    chunks: Generator[FrameChunk, None, None], starts: Sequence[int], first: int = 0
) -> Generator[tuple[FrameChunk, bool], None, None]:
    """Yield chunks that no shot starts within, and whether one starts with each.

    Args:
        starts: the numbers of the frames at which shots start.
        first: the number of the first frame of all.
    """
    at = first
    with closing(chunks):
        for chunk in chunks:
            end = at + len(chunk.pts)
            edges = [at, *(start for start in starts if at < start < end), end]
            for begin, stop in pairwise(edges):
                pictures = chunk.pictures.between(begin - at, stop - at)
                yield FrameChunk(pictures, chunk.pts[begin - at : stop - at]), begin in starts
            at = end


def frames_of(
    source: FrameSource, first: int, counts: Sequence[int], size: int
) -> Generator[FrameChunk, None, None]:
    """Yield some frames of a source in chunks of `size`; the rest of it is not decoded.

    Args:
        first: the number of the first of them.
        counts: how many there are in each part; a chunk is of one part.
    """
    with closing(_frames_from(source, first)) as frames:
        for count in counts:
            yield from in_chunks((frame for frame in islice(frames, count)), size)


def _frames_from(source: FrameSource, first: int) -> Generator[tuple[int, Planes], None, None]:
    """Yield the frames of a source from the one of that number on, each with its PTS."""
    if isinstance(source, VideoSource):
        yield from source.frames_from(first)
        return
    with closing(source.chunks(1, last=source.frames - first)) as chunks:
        for chunk in chunks:
            yield chunk.pts[0], chunk.pictures


def read_ahead(
    ahead: Ahead, size_px: Size, rate: Fraction | None, chunk_frames: int
) -> Generator[FrameChunk, None, None]:
    """Yield those frames. Where pictures have another size, as after a repair, the shot has ended.

    Args:
        size_px: of the pictures before them.
        rate: as for `Input.open`.
    Raises:
        InputError: a segment cannot be read.
    """
    for item, frames in ahead:
        source = item.open(rate)
        if source.size_px != size_px:
            return
        with closing(source.chunks(chunk_frames)) as chunks:
            yield from take_frames(chunks, frames)
