"""Whether a video is there to its end: one that is being copied or recorded is not."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from matting.errors import MattingError
from matting.media.codecs import decode_packet, decoder_of
from matting.media.container import open_video, reading, until_break
from matting.media.foreign_files import read_guarded
from matting.progress import Progress

# So far before its end a video is decoded, from a key frame on.
TAIL_SECONDS = Fraction(5)
# Headers round, and some containers do not say how long the last picture is shown.
TOLERANCE_SECONDS = Fraction(1)


def is_whole_at_end(path: Path) -> bool:
    """Return whether a file is a video that decodes at its end, and ends where it says.

    Only its header and its last seconds are read, where it can be sought in.
    """
    try:
        return read_guarded(path, partial(_is_whole_at_end, path))
    except MattingError:
        return False


def _is_whole_at_end(path: Path, progress: Progress) -> bool:
    with open_video(path) as (container, picture), reading(path):
        end = _stated_end(container)
        if end is not None:
            _seek(container, end - TAIL_SECONDS)
        tail = _Tail(picture)
        breaks: list[av.error.FFmpegError] = []
        for packet in until_break(container.demux(), breaks.append):
            progress.alive()
            tail.add(packet)
        reached = end is None or tail.end_seconds >= end - TOLERANCE_SECONDS
        return not breaks and reached and tail.is_decoded()


def _stated_end(container: InputContainer) -> Fraction | None:
    """Return when the file says that it ends, in seconds; None: it does not."""
    if container.duration is None or container.duration <= 0:
        return None
    return Fraction((container.start_time or 0) + container.duration, av.time_base)


def _seek(container: InputContainer, seconds: Fraction) -> None:
    with suppress(av.error.FFmpegError):  # then it is read from its beginning
        container.seek(max(int(seconds * av.time_base), container.start_time or 0))


class _Tail:
    """The last packets of a file, of which the picture's are decoded."""

    def __init__(self, picture: VideoStream) -> None:
        self.end_seconds = Fraction(0)
        self._picture = picture
        self._decoder = decoder_of(picture)
        self._frames = 0
        self._is_cut_off = False
        # Once a frame has come out: what comes before that may refer to what is not read.
        self._refused = 0

    def add(self, packet: Packet[Stream]) -> None:
        """Take the next packet of any stream."""
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None and packet.time_base is not None:
            end = (time + (packet.duration or 0)) * packet.time_base
            self.end_seconds = max(self.end_seconds, Fraction(end))
        self._is_cut_off |= packet.is_corrupt
        if packet.stream_index == self._picture.index:
            self._decode(packet)

    def is_decoded(self) -> bool:
        """Return whether frames came out, and none of the last packets was refused, or a part."""
        self._decode(None)
        return self._frames > 0 and self._refused == 0 and not self._is_cut_off

    def _decode(self, packet: Packet[Stream] | None) -> None:
        try:
            frames = decode_packet(self._decoder, packet)
        except av.error.InvalidDataError:
            self._refused += self._frames > 0
            return
        except av.error.EOFError:
            return
        if any(frame.is_corrupt for frame in frames) and self._frames:
            self._refused += 1
        self._frames += len(frames)
