"""VP9 with alpha for large frames: one encoder after the other, for the same file in less memory.

FFmpeg's encoder of VP9 with alpha is two, and at 8192x4096 each holds 2.2 GB.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import av
import torch
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matting.errors import EncodeError, MediaError, writing
from matting.imaging.delivered_frames import DeliveredFrames, quantise_alpha
from matting.imaging.planes import Planes
from matting.imaging.sample_format import Size
from matting.media.alpha_encoders import ENCODERS, AlphaCodec
from matting.media.alpha_writer import AlphaVideoWriter
from matting.media.block_additions import PacketPair, write_pairs
from matting.media.colour_tags import ColourTags
from matting.media.container import encoding_to, open_video, reading
from matting.media.encoders import EncoderInput
from matting.media.frame_planes import frame_of
from matting.media.timed_writer import require_times
from matting.progress import ignore
from matting.system import atomic_files
from matting.system.closing import Closing
from matting.system.temporary_files import create_temporary

OPAQUE = "yuv420p"
CODEC_ID = "V_VP9"
FASTEST = 1  # of zlib's levels: most of alpha is flat


class Vp9AlphaWriter(Closing):
    """Writes a WebM file. Use it in a `with` block; only `finish` completes the file."""

    def __init__(
        self,
        path: Path,
        *,
        size_px: Size,
        colour: ColourTags,
        samples: EncoderInput,
        **others: Any,
    ) -> None:
        """Open `path` for writing, replacing what was there.

        Args:
            others: as `AlphaVideoWriter` takes them, `samples` for AlphaCodec.VP9.
        Raises:
            MissingError: this build of FFmpeg has no such encoder.
            StorageError: the file cannot be written.
        """
        self._path, self._size_px = path, size_px
        self._samples = replace(samples, pixel_format=OPAQUE)
        self._pts: list[int] = []
        self._alpha_bytes: list[int] = []  # of each frame, compressed
        self._files = ExitStack()
        self._open = partial(
            _PlainWriter,
            codec=AlphaCodec.VP9,
            size_px=size_px,
            samples=self._samples,
            **others,
        )
        # FFmpeg tells the encoder of alpha its range alone.
        self._alpha_tags = ColourTags(range=colour.range)
        try:
            self._stored_alpha = self._temporary()
            self._colour_path = self._temporary()
            self._colour = self._files.enter_context(
                self._open(path=self._colour_path, colour=colour)
            )
        except BaseException:
            self._files.close()
            raise

    def close(self) -> None:
        """Close the file, however much of it is written, and remove the temporary ones."""
        self._files.close()

    def write(self, frames: DeliveredFrames, pts: Sequence[int]) -> None:
        """Encode colours, and keep alpha; as `AlphaVideoWriter.write`."""
        colours = frames.require_colour().split(1)
        alphas = quantise_alpha(frames.require_alpha(), self._samples.sample_format.bits).split(1)
        for colour, alpha, time in zip(colours, alphas, pts, strict=True):
            self._colour.write_picture(colour, time)
            content = zlib.compress(alpha.contiguous().numpy().data, FASTEST)
            with writing(self._stored_alpha), self._stored_alpha.open("ab") as file:
                file.write(content)
            self._alpha_bytes.append(len(content))
            self._pts.append(time)

    def finish(self, on_frames: Callable[[int], None] = ignore) -> None:
        """Encode alpha, put it beside the colours, and decode the file through.

        Args:
            on_frames: told how many more frames have been checked.
        Raises:
            EncodeError: the file does not hold every frame at its time, each decodable.
            StorageError: the file cannot be written.
        """
        self._colour.complete()
        alpha_path, joined = self._temporary(), self._temporary()
        with (
            self._open(path=alpha_path, colour=self._alpha_tags) as alpha,
            closing(self._alphas()) as pictures,
        ):
            for time, picture in zip(self._pts, pictures, strict=True):
                alpha.write_picture(picture, time)
                on_frames(0)
            alpha.complete()
        try:
            with closing(_pairs(self._colour_path, alpha_path)) as pairs:
                write_pairs(joined, CODEC_ID, self._size_px, pairs)
            self._copy(joined)
        except MediaError as error:
            raise EncodeError(error.what) from error
        require_times(self._path, self._colour.times_seconds, on_frames)

    def _alphas(self) -> Generator[Planes, None, None]:
        """Yield the alpha of every frame as a grey picture."""
        width, height = self._size_px
        with writing(self._stored_alpha), self._stored_alpha.open("rb") as file:
            for size in self._alpha_bytes:
                content = bytearray(zlib.decompress(file.read(size)))
                alpha = torch.frombuffer(content, dtype=torch.uint8).view(1, 1, height, width)
                yield Planes(self._samples.sample_format, alpha)

    def _copy(self, joined: Path) -> None:
        """Copy the pairs as FFmpeg writes them, under the colours' header."""
        spec = ENCODERS[AlphaCodec.VP9]
        with ExitStack() as files:
            colours, template = files.enter_context(open_video(self._colour_path))
            source, track = files.enter_context(open_video(joined))
            with encoding_to(self._path):
                target = files.enter_context(
                    av.open(str(self._path), "w", format=spec.container, options={**spec.muxing})
                )
                stream = target.add_stream_from_template(template)
                stream.metadata["alpha_mode"] = "1"
                stream.codec_context.framerate = template.average_rate
                durations = (packet.duration for packet in _packets(colours.demux(template)))
                for packet in _packets(source.demux(track)):
                    packet.stream, packet.duration = stream, next(durations)
                    target.mux(packet)

    def _temporary(self) -> Path:
        """Return a file that is removed when this is closed."""
        path = create_temporary(self._path)
        self._files.callback(atomic_files.discard, path)
        return path


class _PlainWriter(AlphaVideoWriter):
    """Writes one of the two, without alpha of its own."""

    def write_picture(self, picture: Planes, pts: int) -> None:
        """Encode a frame at a time in ticks; as `AlphaVideoWriter.write`."""
        self._encode(partial(self._plain_frame, picture), pts)

    def _plain_frame(self, picture: Planes) -> VideoFrame:
        return self._tagged(frame_of(picture, OPAQUE, self._size_px))


def _pairs(colour: Path, alpha: Path) -> Generator[PacketPair, None, None]:
    """Yield the packets of two files whose frames have the same times.

    Raises:
        EncodeError: they have not.
        MediaError: one cannot be read.
    """
    with ExitStack() as files:
        packets = []
        for path in (colour, alpha):
            container, stream = files.enter_context(open_video(path))
            files.enter_context(reading(path))
            packets.append(_packets(container.demux(stream)))
        for own, other in zip(*packets, strict=True):
            if own.pts is None or own.pts != other.pts:
                raise EncodeError(f"{colour}: a frame's alpha came out at another time.")
            yield PacketPair(bytes(own), bytes(other), own.pts, own.is_keyframe)


def _packets(packets: Iterator[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
    """Yield packets, without that which marks the end."""
    return (packet for packet in packets if packet.size)
