"""Frames into a video file, each at its own time, and the proof that the file holds them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matting.errors import EncodeError, MediaError
from matting.media.container import encoding_to
from matting.media.decode_check import decode_through
from matting.progress import ignore
from matting.system.closing import Closing


class TimedWriter(Closing):
    """What all writers of videos share. Use one in a `with` block; only `finish` completes it.

    A subclass opens its encoder in `_stream`, and gives frames to `_encode`.
    """

    _stream: VideoStream

    def __init__(
        self,
        path: Path,
        *,
        container: str,
        options: Mapping[str, str],
        time_base: Fraction,
        tick_seconds: Fraction | None = None,
    ) -> None:
        """Open `path` for writing, replacing what was there.

        Args:
            container: FFmpeg's name of its format.
            options: the muxer's.
            time_base: seconds a tick of the times given to `_encode`.
            tick_seconds: what the container rounds times to; None: it keeps them as they are.
        Raises:
            StorageError: the file cannot be written.
        """
        self._path = path
        self._time_base = time_base
        self._tick_seconds = tick_seconds
        self._pts: list[int] = []
        with encoding_to(path):
            self._container = av.open(str(path), "w", format=container, options=dict(options))

    @contextmanager
    def _opening(self) -> Iterator[None]:
        """Close the file if the block, in which the encoder is set up, raises."""
        try:
            with encoding_to(self._path):
                yield
        except BaseException:
            self._container.close()
            raise

    def close(self) -> None:
        """Close the file, however much of it is written."""
        with encoding_to(self._path):
            self._container.close()

    def finish(self, on_frames: Callable[[int], None] = ignore) -> None:
        """Encode what the encoder still holds, close the file, and decode it through.

        Args:
            on_frames: told how many more frames have been checked.
        Raises:
            EncodeError: the file does not hold every frame at its time, each decodable.
            StorageError: the file cannot be written.
        """
        self.complete()
        require_times(self._path, self.times_seconds, on_frames)

    def complete(self) -> None:
        """Encode what the encoder still holds, and close the file, for somebody else to check.

        Raises:
            EncodeError, StorageError: as `finish`.
        """
        packets = self._packets_of(None)
        with encoding_to(self._path):
            self._mux(packets)
            self._mux_rest()
            self._container.close()
        self._release_encoder()

    @property
    def times_seconds(self) -> list[Fraction]:
        """When the frames so far are presented, counted from the first."""
        first = self._time_of(self._pts[0]) if self._pts else Fraction(0)
        return [self._time_of(pts) - first for pts in self._pts]

    def _encode(self, make_frame: Callable[[], VideoFrame], pts: int) -> None:
        """Encode a frame.

        Args:
            make_frame: returns it; called where the encoder's errors are caught.
            pts: its time in ticks, later than the one before.
        Raises:
            EncodeError: it is not later, or the encoder refuses it.
        """
        if self._pts and self._time_of(pts) <= self._time_of(self._pts[-1]):
            raise EncodeError(
                f"{self._path}: picture {len(self._pts)} is not later than the one before."
            )
        with self._encoder_errors():
            frame = make_frame()
        frame.pts, frame.time_base = pts, self._time_base
        packets = self._packets_of(frame)
        with encoding_to(self._path):
            self._mux(packets)
        self._pts.append(pts)

    def _packets_of(self, frame: VideoFrame | None) -> list[Packet[VideoStream]]:
        """Return the packets that come out for a frame; None: what the encoder still holds."""
        with self._encoder_errors():
            return self._stream.encode(frame)

    @contextmanager
    def _encoder_errors(self) -> Iterator[None]:
        """Translate the encoder's errors in the block."""
        with encoding_to(self._path):
            yield

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        self._container.mux(packets)

    def _mux_rest(self) -> None:
        """Write what `_mux` has kept back."""

    def _release_encoder(self) -> None:
        """End the encoder, its threads and its memory, which are those of its last reference."""
        del self._stream

    def _time_of(self, pts: int) -> Fraction:
        """Return the time at which the container keeps a frame, in seconds."""
        time = pts * self._time_base
        if self._tick_seconds is None:
            return time
        return math.floor(time / self._tick_seconds + Fraction(1, 2)) * self._tick_seconds


def require_times(
    path: Path, expected: Sequence[Fraction], on_frames: Callable[[int], None] = ignore
) -> None:
    """Decode a written file through, and compare its frames' times with what they should be.

    Args:
        expected: in seconds, counted from the first.
        on_frames: told how many more frames have been checked.
    Raises:
        EncodeError: the file does not hold every frame at its time, each decodable.
    """
    try:
        times = decode_through(path, on_frames)
    except MediaError as error:
        raise EncodeError(f"{path} came out damaged: {error.what}") from error
    if [time - times[0] for time in times] != list(expected):
        raise EncodeError(
            f"{path}: {len(expected)} pictures went in, {len(times)} came out, "
            "or came out at other times."
        )
