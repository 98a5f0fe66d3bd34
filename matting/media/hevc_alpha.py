"""HEVC with alpha in a layer of its own, which Apple's devices show.

PyAV's x265 has no such layers; that of the ffmpeg program which is installed beside it does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from matting.errors import EncodeError, MattingError, MediaError, MissingError
from matting.imaging.delivered_frames import DeliveredFrames
from matting.imaging.planes import Planes
from matting.imaging.sample_format import Size
from matting.media import ffmpeg
from matting.media.alpha_encoders import AlphaCodec, alpha_input
from matting.media.alpha_writer import AlphaVideoWriter
from matting.media.colour_tags import BT709_TAGS, ColourTags
from matting.media.container import open_video, reading
from matting.media.encoders import EncoderInput
from matting.media.timed_writer import require_times
from matting.media.video_writer import KEY_FRAME_SECONDS, MAX_RATE
from matting.progress import ignore
from matting.system import atomic_files
from matting.system.closing import Closing
from matting.system.memory import return_freed_memory
from matting.system.temporary_files import create_temporary

DEFAULT_QUALITY = 20
# A rate in the header would be a guess at the file's own times, another for each segment.
PARAMETERS = "open-gop=0:bframes=0:info=0:vui-timing-info=0:log-level=error"
HINT = "Choose another format with alpha: prores4444, webm-alpha or ffv1."
PROBE_SIZE = Size(64, 64)
ARRAYS = 23  # where a decoder configuration record's lists of NAL units begin
SEQUENCE_PARAMETERS = 33  # the type of such NAL units


class HevcAlphaWriter(Closing):
    """Writes an mp4 file. Use it in a `with` block; only `finish` completes the file.

    Frames are kept without loss, in a temporary file beside it, until ffmpeg encodes them all.
    """

    def __init__(
        self,
        path: Path,
        *,
        size_px: Size,
        time_base: Fraction,
        rate: Fraction,
        colour: ColourTags,
        samples: EncoderInput,
        pixel_aspect: Fraction = Fraction(1),
        most_frames: int | None = None,
        quality: int = DEFAULT_QUALITY,
    ) -> None:
        """Open `path` for writing, replacing what was there.

        Args:
            quality: x265's constant rate factor, 0 to 51; lower is better.
            others: as `AlphaVideoWriter` takes them, `samples` for AlphaCodec.HEVC.
        Raises:
            StorageError: the file cannot be written.
        """
        self._path, self._quality = path, quality
        self._time_base = time_base
        rate = min(rate, Fraction(MAX_RATE))
        self._key_frames = max(1, round(rate * KEY_FRAME_SECONDS))
        self._lossless = create_temporary(path)
        try:
            self._writer = AlphaVideoWriter(
                self._lossless,
                AlphaCodec.HEVC,
                size_px=size_px,
                time_base=time_base,
                rate=rate,
                colour=colour,
                samples=samples,
                pixel_aspect=pixel_aspect,
                most_frames=most_frames,
            )
        except BaseException:
            atomic_files.discard(self._lossless)
            raise

    def close(self) -> None:
        """Close the file, however much of it is written, and remove the temporary one."""
        try:
            self._writer.close()
        finally:
            atomic_files.discard(self._lossless)

    def write(self, frames: DeliveredFrames, pts: Sequence[int]) -> None:
        """Take frames; as `AlphaVideoWriter.write`."""
        self._writer.write(frames, pts)

    def finish(self, on_frames: Callable[[int], None] = ignore) -> None:
        """Encode all frames, and decode the file through.

        Args:
            on_frames: told how many more frames have been checked.
        Raises:
            EncodeError: the file does not hold every frame at its time, each decodable and with
                alpha.
            MissingError: there is no ffmpeg program.
            StorageError: the file cannot be written.
        """
        self._writer.finish(lambda _: on_frames(0))
        return_freed_memory()  # of as much as this process has used, ffmpeg needs most
        try:
            self._encode(lambda _: on_frames(0))
            self._decode(lambda _: on_frames(0))
        except MediaError as error:
            raise EncodeError(error.what, HINT) from error
        require_times(self._path, self._writer.times_seconds, on_frames)
        if not has_alpha_layer(self._path):
            raise EncodeError(f"{self._path} came out without alpha.", HINT)

    def _encode(self, on_frames: Callable[[int], None]) -> None:
        parameters = f"{PARAMETERS}:keyint={self._key_frames}"
        arguments = [*ffmpeg.input_file(self._lossless), "-map", "0:v:0", "-map_metadata", "-1"]
        arguments += ["-c:v", "libx265", "-pix_fmt", "yuva420p", "-tag:v", "hvc1"]
        arguments += ["-preset", "superfast", "-crf", str(self._quality)]
        arguments += ["-x265-params", parameters]
        arguments += ["-fps_mode", "passthrough", "-enc_time_base", "demux"]
        arguments += ["-video_track_timescale", str(self._time_base.denominator)]
        self._run([*arguments, "-f", "mp4", str(self._path.resolve())], on_frames)

    def _decode(self, on_frames: Callable[[int], None]) -> None:
        """Have ffmpeg decode both layers, of which PyAV decodes the first alone."""
        strict = ["-xerror", "-err_detect", "explode"]
        self._run([*strict, *ffmpeg.input_file(self._path), "-f", "null", "-"], on_frames)

    def _run(self, arguments: Sequence[str], on_frames: Callable[[int], None]) -> None:
        folder = self._path.parent
        ffmpeg.run(arguments, folder=folder, subject=self._path, hint=HINT, on_frames=on_frames)


def has_alpha_layer(path: Path) -> bool:
    """Return whether every frame of an HEVC file in mp4 has a second layer that can be decoded.

    FFmpeg's muxer leaves that layer's parameters out of a copy, until `keep_layers` puts them back.
    """
    with open_video(path) as (container, stream), reading(path):
        if 1 not in _configured_layers(bytes(stream.codec_context.extradata or b"")):
            return False
        found = (1 in _layers(bytes(packet)) for packet in container.demux(stream) if packet.size)
        return next(found, False) and all(found)


def _configured_layers(record: bytes) -> set[int]:
    """Return the layers whose sequences a header describes. Source: ISO/IEC 14496-15, 8.3.2.1."""
    layers, start = set(), ARRAYS
    while start + 3 <= len(record):
        kind, count = record[start] & 0x3F, int.from_bytes(record[start + 1 : start + 3], "big")
        start += 3
        for _ in range(count):
            if start + 4 > len(record):
                break
            if kind == SEQUENCE_PARAMETERS:
                layers.add(_layer(record, start + 2))
            start += 2 + int.from_bytes(record[start : start + 2], "big")
    return layers


def _layers(packet: bytes) -> set[int]:
    """Return the layers of a packet's NAL units, each after its size in four bytes."""
    layers, start = set(), 0
    while start + 6 <= len(packet):
        layers.add(_layer(packet, start + 4))
        start += 4 + int.from_bytes(packet[start : start + 4], "big")
    return layers


def _layer(content: bytes, start: int) -> int:
    """Return the layer that a NAL unit belongs to. Source: ITU-T H.265, 7.3.1.2."""
    return (content[start] & 1) << 5 | content[start + 1] >> 3


def require_alpha_layers() -> None:
    """Find out, by writing a frame, whether the ffmpeg program can encode such files.

    Raises:
        MissingError: it cannot; says why, and which other formats there are.
    """
    reason = _reason_against(ffmpeg.program())
    if reason:
        raise MissingError(f"hevc-alpha cannot be written here: {reason}", HINT, option="--as")


@cache
def _reason_against(_program: Path) -> str:
    """Return why a program cannot encode alpha layers; "": it can."""
    samples = alpha_input(AlphaCodec.HEVC, BT709_TAGS.sample_format(8, (2, 2), 64), BT709_TAGS, 64)
    luma, chroma = torch.full((1, 1, 64, 64), 128), torch.full((1, 2, 32, 32), 128)
    colour = Planes(samples.sample_format, luma.to(torch.uint8), chroma.to(torch.uint8))
    alpha = torch.arange(64, dtype=torch.int32).mul_(16).expand(1, 1, 64, 64).to(torch.uint16)
    with TemporaryDirectory() as folder:
        try:
            with HevcAlphaWriter(
                Path(folder) / "probe.mp4",
                size_px=PROBE_SIZE,
                time_base=Fraction(1, 30),
                rate=Fraction(30),
                colour=BT709_TAGS,
                samples=samples,
            ) as writer:
                writer.write(DeliveredFrames(colour, alpha), [0])
                writer.finish()
        except MattingError as error:
            return error.what
    return ""
