"""PNG files, read and written by FFmpeg, which keeps 16 bits and finds damage."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from matting.imaging.sample_format import Size
from matting.media.codecs import create_codec_context
from matting.media.container import encoding_to
from matting.system import atomic_files

Values = NDArray[np.uint8] | NDArray[np.uint16]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_BYTES = len(SIGNATURE) + 25  # with IHDR
GREY = 0  # colour type in IHDR
# Filter "sub" at zlib's level 1: as small as the default level on noisy material, in a third of
# the time.
ENCODER_OPTIONS = {"pred": "sub", "compression_level": "1"}
# FFmpeg shows a damaged PNG as far as it goes, unless told to give up.
DECODER_OPTIONS = {"err_detect": "crccheck+bitstream+buffer+explode"}
PIXEL_FORMATS = {(1, 8): "gray", (1, 16): "gray16be", (3, 8): "rgb24", (3, 16): "rgb48be"}
PIXEL_FORMATS |= {(4, 8): "rgba", (4, 16): "rgba64be"}
# What FFmpeg decodes other PNGs to, and the format that is wanted instead; all are exact.
CONVERTED = {"monob": "gray", "pal8": "rgba", "ya8": "rgba", "ya16be": "rgba64be"}
LARGEST_PROFILE_BYTES = 1 << 24
# What the picture does not need, and FFmpeg would unpack or parse: a few kilobytes can become
# gigabytes, which it keeps.
PASSED_OVER = {b"iCCP", b"zTXt", b"iTXt", b"tEXt", b"eXIf"}


def bits(values: Values) -> int:
    """Return how many bits a channel the values have, 8 or 16."""
    return 8 * values.dtype.itemsize


def encode_png(values: Values, profile: bytes = b"") -> bytes:
    """Return the bytes of a PNG file, without loss.

    Args:
        values: RGB [H, W, 3], RGBA [H, W, 4] with straight alpha, or grey [H, W] or [H, W, 1], of
            the whole range of their type.
        profile: the ICC profile of colours; empty: none.
    Raises:
        av.error.FFmpegError: there is too little memory.
    """
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    pixel_format = PIXEL_FORMATS[values.shape[2] if values.ndim == 3 else 1, bits(values)]
    context = _context("w", ENCODER_OPTIONS)
    context.height, context.width = values.shape[:2]
    context.pix_fmt = pixel_format
    context.time_base = Fraction(1)
    context.sample_aspect_ratio = Fraction(1)  # it would write 0 to 1
    frame = _frame(values, pixel_format)
    frame.pts = 0
    content = b"".join(bytes(packet) for packet in context.encode(frame) + context.encode(None))
    if not profile:
        return content
    chunk = b"iCCPICC profile\0\0" + zlib.compress(profile)  # name, and zlib as its method
    size, checksum = (struct.pack(">I", n) for n in (len(chunk) - 4, zlib.crc32(chunk)))
    return content[:HEADER_BYTES] + size + chunk + checksum + content[HEADER_BYTES:]


def decode_png(content: bytes) -> Values:
    """Return the values of a PNG file: grey [H, W], RGB [H, W, 3] or RGBA [H, W, 4].

    Raises:
        ValueError: it is none, is damaged, or has transparency that FFmpeg does not show.
    """
    if _has_unread_transparency(content):
        raise ValueError("grey of fewer than 8 bits with a transparent value")
    context = _context("r", DECODER_OPTIONS)
    try:
        frames = context.decode(Packet(_picture_alone(content))) + context.decode(None)
    except av.error.FFmpegError as error:
        raise ValueError(f"no intact PNG: {error}") from error
    if len(frames) != 1:
        raise ValueError(f"{len(frames)} pictures")
    (frame,) = frames
    if frame.format.name in CONVERTED:
        frame = frame.reformat(format=CONVERTED[frame.format.name])
    values = frame.to_ndarray()
    kind = np.uint8 if values.dtype == np.uint8 else np.uint16
    return np.asarray(values, dtype=kind)


def png_profile(content: bytes) -> bytes:
    """Return the ICC profile of a PNG file; empty where there is none.

    Raises:
        ValueError: it is damaged, or larger than any.
    """
    for kind, start, end in _chunks(content):
        if kind == b"IDAT":
            break
        if kind == b"iCCP":
            _, _, compressed = content[start + 8 : end - 4].partition(b"\0")
            unpacking = zlib.decompressobj()
            try:
                profile = unpacking.decompress(compressed[1:], LARGEST_PROFILE_BYTES)
            except zlib.error as error:
                raise ValueError("a damaged colour profile") from error
            if unpacking.unconsumed_tail:
                raise ValueError("a colour profile larger than any")
            return profile
    return b""


def png_exif(content: bytes) -> bytes:
    """Return the EXIF metadata of a PNG file; empty where there is none."""
    for kind, start, end in _chunks(content):
        if kind == b"eXIf":
            return content[start + 8 : end - 4]
    return b""


def png_size(content: bytes) -> Size:
    """Return the size that a PNG file says it has.

    Raises:
        ValueError: it is none.
    """
    if content[:8] != SIGNATURE or content[12:16] != b"IHDR" or len(content) < HEADER_BYTES:
        raise ValueError("no PNG")
    return Size(*struct.unpack_from(">II", content, 16))


def write_png(path: Path, values: Values) -> None:
    """Write a picture, as `encode_png` takes it, as `path`.

    Raises:
        StorageError: it cannot be written.
    """
    with encoding_to(path):
        content = encode_png(values)
    atomic_files.write_bytes(path, content)


def _has_unread_transparency(content: bytes) -> bool:
    """Return whether it is grey of 1 to 4 bits with tRNS, which FFmpeg passes over."""
    if content[:8] != SIGNATURE or len(content) < HEADER_BYTES:
        return False
    depth, colour_type = content[24], content[25]
    if colour_type != GREY or depth >= 8:
        return False
    return any(kind == b"tRNS" for kind, _, _ in _chunks(content))


def _picture_alone(content: bytes) -> bytes:
    """Return a PNG file without the chunks that are passed over; itself if it has none."""
    others = [(start, end) for kind, start, end in _chunks(content) if kind in PASSED_OVER]
    if not others:
        return content
    starts = [0, *(end for _, end in others)]
    ends = [*(start for start, _ in others), len(content)]
    return b"".join(content[start:end] for start, end in zip(starts, ends, strict=True))


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each whole chunk, where it starts, and where it ends with its checksum."""
    start = len(SIGNATURE)
    while start + 12 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, start)
        end = start + 12 + size
        if end > len(content):
            return
        yield kind, start, end
        start = end


def _context(mode: Literal["r", "w"], options: dict[str, str]) -> VideoCodecContext:
    context = create_codec_context("png", mode)
    context.options = options
    context.thread_count = 1  # one picture gives threads nothing to do at once
    return context


def _frame(values: Values, pixel_format: str) -> VideoFrame:
    if values.dtype == np.uint8:
        return VideoFrame.from_ndarray(np.ascontiguousarray(values, np.uint8), pixel_format)
    return VideoFrame.from_ndarray(np.ascontiguousarray(values, np.uint16), pixel_format)
