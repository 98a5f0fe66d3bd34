"""A file of many files' packets, each with its time there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from matting.errors import InputError
from matting.media.container import encoding_to
from matting.media.mp4.header_room import header_first
from matting.media.mp4.stream_copy import add_copied_stream
from matting.media.packet_table import delayed

# By FFmpeg's names; they count times in whole milliseconds.
MILLISECOND_CONTAINERS = {"matroska", "webm"}


class JoinedFile:
    """A file that is written. Use it in a `with` block, which ends it.

    Attributes:
        delay: by how many frames any is decoded before it is presented, at the most.
        frames: how many have been written.
    """

    def __init__(
        self,
        path: Path,
        container: str,
        time_base: Fraction,
        presented: Sequence[int],
        delay: int,
    ) -> None:
        """
        Args:
            container: FFmpeg's name of the format.
            time_base: seconds a tick.
            presented: the times of all frames, rising.
            delay: what is needed at the least, as far as it is known.
        """
        self.delay, self.frames = delay, 0
        self._path = path
        self._format = container
        self._time_base = time_base
        self._presented = presented
        self._output: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._first = Path()
        self._extradata = b""
        self._decoded: Iterator[int] = iter(())

    def __enter__(self) -> JoinedFile:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._output is None:
            return
        # What has gone wrong before is told, and not that the file cannot be ended for that.
        failed = kind is not None
        with suppress(av.error.FFmpegError) if failed else encoding_to(self._path):
            self._output.close()

    def begin(self, source: InputContainer, video: VideoStream, path: Path, delay: int) -> bool:
        """Take the packets of one more file from now on.

        Args:
            path: of that file.
            delay: what its packets need.
        Returns:
            whether that is possible: not with more delay than those before.
        Raises:
            InputError: it is encoded in another way.
        """
        extradata = bytes(video.codec_context.extradata or b"")
        if self._stream is None:
            self.delay = max(self.delay, delay)
            self._first, self._extradata = path, extradata
            self._stream = self._begun(source.format.name, video)
        elif extradata != self._extradata:
            raise InputError(
                f"{path} is encoded in another way than {self._first.name}.",
                "Files of one size and rate, matted with the same options, can be joined.",
            )
        return delay <= self.delay

    def add(self, packet: Packet[VideoStream], time: int) -> None:
        """Write a packet of that file, which is presented at that time."""
        if self._output is None or self._stream is None:
            raise ValueError("no file was begun")
        if packet.duration:
            packet.duration = round(packet.duration * packet.time_base / self._time_base)
        packet.pts, packet.dts = time, next(self._decoded)
        packet.time_base = self._time_base
        packet.stream = self._stream
        with encoding_to(self._path):
            self._output.mux_one(packet)
        self.frames += 1

    def _begun(self, container: str, video: VideoStream) -> VideoStream:
        options: dict[str, str] = {}
        if self._format not in MILLISECOND_CONTAINERS:
            # The start of the picture is noted in the movie's own ticks, by default milliseconds.
            ticks = str(self._time_base.denominator)
            options = {"movie_timescale": ticks, **header_first(len(self._presented))}
        with encoding_to(self._path):
            self._output = av.open(str(self._path), "w", format=self._format, options=options)
        self._decoded = iter(delayed(self._presented, self.delay))
        return add_copied_stream(self._output, container, video, self._time_base)
