"""Decoding a file of mattes: picture by picture, each proven by its checksums, put together."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

import av
import numpy as np
import torch

from matting.errors import DecodeError
from matting.media.container import open_video, until_break
from matting.media.ffv1_checksums import is_frame_intact
from matting.media.matte_header import HINT, MatteHeader
from matting.media.matte_layout import MatteLayout, Stamp, Strip
from matting.media.pixel_formats import plane_samples


def read_strips(
    path: Path, header: MatteHeader, frames: int
) -> Generator[tuple[Stamp, Strip], None, None]:
    """Yield the strip of every frame, with its stamp.

    Args:
        frames: how many the file lists.
    Raises:
        DecodeError: a frame is missing, damaged or out of order; names file and frame.
    """
    layout, previous, count = header.layout, None, 0
    with closing(_pictures(path, layout, frames)) as pictures:
        for _, group in groupby(pictures, key=itemgetter(0)):
            strip = np.concatenate([part for _, part in islice(group, layout.most_pictures)])
            try:
                stamp = layout.stamp_of(strip)
            except ValueError as error:
                raise broken_matte(path, count, frames, f"is not whole ({error})") from error
            if stamp.header != header.checksum:
                raise broken_matte(path, count, frames, "belongs to another header")
            if (stamp.index, stamp.is_last) != (count, count == frames - 1):
                raise broken_matte(path, count, frames, "is missing, or not in its place")
            if previous is not None and stamp.pts <= previous:
                raise broken_matte(path, count, frames, "is not later than the one before")
            yield stamp, strip
            previous = stamp.pts
            count += 1
    if count < frames:
        raise broken_matte(path, count, frames, "cannot be read")


def broken_matte(path: Path, index: int, frames: int, what: str) -> DecodeError:
    """Return the error for one of the mattes of a file."""
    return DecodeError(f"{path}: matte {index} of {frames} {what}.", HINT)


def codec_threads(layout: MatteLayout) -> int:
    """Return how many threads a codec may use: at most as many as a step of the network."""
    return min(layout.slices, torch.get_num_threads())


def _pictures(
    path: Path, layout: MatteLayout, frames: int
) -> Generator[tuple[int | None, Strip], None, None]:
    """Yield every picture with its time in the container, which is that of its frame."""
    count, tick = -1, None
    try:
        with open_video(path) as (container, stream):
            context = stream.codec_context
            context.thread_count, context.thread_type = codec_threads(layout), "SLICE"
            for packet in until_break(container.demux(stream)):
                if packet.pts != tick:
                    tick, count = packet.pts, count + 1
                if not is_frame_intact(bytes(packet)):
                    raise broken_matte(path, count, frames, "is damaged")
                for frame in context.decode(packet):
                    if (frame.width, frame.height) != layout.picture_size:
                        raise broken_matte(path, count, frames, "has another size")
                    yield tick, np.asarray(plane_samples(frame.planes[0], 8), np.uint8)
    except av.error.FFmpegError as error:
        reason = f"cannot be decoded ({error.strerror})"
        raise broken_matte(path, count, frames, reason) from error
