"""Single pictures: PNG by FFmpeg, which knows 16 bits; TIFF and JPEG by what reads them whole.

The only door to pims, imageio and tifffile.
"""

from __future__ import annotations

import logging
import struct
import zlib
from fractions import Fraction
from pathlib import Path

import av
import imageio.v3 as imageio
import numpy as np
import pims
import tifffile
from av.codec.context import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from matting.errors import DecodeError
from matting.media.container import encoding
from matting.system import atomic_files
from matting.system.files import JPEG, PNG, TIFF

Values = NDArray[np.uint8] | NDArray[np.uint16]

# Filter "sub" at zlib's level 1: as small as the default level on noisy material, in a third of
# the time.
PNG_OPTIONS = {"pred": "sub", "compression_level": "1"}
ICC_TAG = 34675  # of TIFF
PNG_HEADER_BYTES = 8 + 25  # signature and IHDR
# FFmpeg shows a damaged PNG as far as it goes, unless told to give up.
PNG_STRICT = {"err_detect": "crccheck+bitstream+buffer+explode"}
PNG_FORMATS = {(1, 8): "gray", (1, 16): "gray16be", (3, 8): "rgb24", (3, 16): "rgb48be"}
# What FFmpeg decodes a PNG to, other than those: as which it is wanted. All exact.
PNG_AS = {"monob": "gray", "pal8": "rgba", "ya8": "rgba", "ya16be": "rgba64be"}
# What reading a damaged picture raises; tifffile trusts the numbers in a file's header.
UNREADABLE = (
    *(OSError, ValueError, SyntaxError, LookupError, zlib.error, struct.error),
    *(TypeError, ArithmeticError),
)
# It is told here what is wrong with a picture; tifffile would tell the console too.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def bits(values: Values) -> int:
    """How many bits a channel the values have: 8 or 16."""
    return 8 * values.dtype.itemsize


def to_16_bits(values: Values) -> NDArray[np.uint16]:
    """The same picture with 16 bits a channel: 255 becomes 65535."""
    if values.dtype == np.uint16:
        return np.asarray(values, dtype=np.uint16)
    return np.asarray(values.astype(np.uint16) * 257, dtype=np.uint16)


def encode_png(values: Values, profile: bytes = b"") -> bytes:
    """The bytes of a PNG file, without loss.

    Args:
        values: RGB [H, W, 3] or grey [H, W] or [H, W, 1], of the whole range of their type.
        profile: the ICC profile by which RGB values are meant; empty: none.
    Raises:
        av.error.FFmpegError: there is too little memory.
    """
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    pixel_format = PNG_FORMATS[3 if values.ndim == 3 else 1, bits(values)]
    context = _context("png", "w", PNG_OPTIONS)
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
    return content[:PNG_HEADER_BYTES] + size + chunk + checksum + content[PNG_HEADER_BYTES:]


def decode_png(content: bytes) -> Values:
    """The values of a PNG file: grey [H, W], RGB [H, W, 3] or RGBA [H, W, 4].

    Raises:
        ValueError: it is none, or damaged.
    """
    context = _context("png", "r", PNG_STRICT)
    try:
        frames = context.decode(Packet(content)) + context.decode(None)
    except av.error.FFmpegError as error:
        raise ValueError(f"no whole PNG: {error}") from error
    if len(frames) != 1:
        raise ValueError(f"{len(frames)} pictures")
    (frame,) = frames
    name = frame.format.name
    if name in PNG_AS:
        frame = frame.reformat(format=PNG_AS[name])
    values = frame.to_ndarray()
    kind = np.uint8 if values.dtype == np.uint8 else np.uint16
    return np.asarray(values, dtype=kind)


def write_png(path: Path, values: Values) -> None:
    """Writes a picture, as `encode_png` takes it, as `path`.

    Raises:
        StorageError: it cannot be written.
    """
    with encoding(path):
        content = encode_png(values)
    atomic_files.write_bytes(path, content)


def read_picture(path: Path) -> Values:
    """A picture as RGB [H, W, 3] of the bits that the file has, transparency over black.

    Raises:
        DecodeError: it is none, is damaged, or is of a kind that cannot be matted.
    """
    return _to_rgb(_stored(path))


def has_transparency(path: Path) -> bool:
    """Whether a picture is not opaque everywhere.

    Raises:
        DecodeError: as `read_picture`.
    """
    values = _stored(path)
    return values.shape[2] in {2, 4} and bool((values[..., -1] < np.iinfo(values.dtype).max).any())


def _stored(path: Path) -> Values:
    """A picture as it is stored, [H, W, 1 to 4]: grey or RGB, either with transparency."""
    suffix = path.suffix.lower()
    try:
        if suffix in PNG:
            values = decode_png(path.read_bytes())
        elif suffix in TIFF:
            values = _read_tiff(path)
        else:
            values = _read_by_pillow(path)
    except UNREADABLE as error:
        raise _unreadable(path) from error
    if values.ndim == 3 and values.shape[2] == 4 and suffix in JPEG:
        raise _made_for_print(path)
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3 or values.shape[2] not in {1, 2, 3, 4}:
        raise DecodeError(f"{path} is no single picture.", "Save it as RGB or grey.")
    return values


def colour_profile(path: Path) -> bytes:
    """The ICC profile of a picture that is meant in RGB; empty where it has none.

    Raises:
        DecodeError: it cannot be read.
    """
    try:
        if path.suffix.lower() in TIFF:
            with tifffile.TiffFile(path) as file:
                profile = file.pages.first.tags.valueof(ICC_TAG)
        else:
            profile = imageio.immeta(path, plugin="pillow").get("icc_profile")
    except UNREADABLE as error:
        raise _unreadable(path) from error
    # At this place a profile says what it is for.
    return profile if profile and profile[16:20] == b"RGB " else b""


def _context(codec: str, mode: str, options: dict[str, str]) -> VideoCodecContext:
    context = CodecContext.create(codec, "w" if mode == "w" else "r")
    if not isinstance(context, VideoCodecContext):
        raise TypeError(f"{codec} is no codec of pictures")
    context.options = options
    context.thread_count = 1  # one picture gives threads nothing to do at once
    return context


def _frame(values: Values, pixel_format: str) -> VideoFrame:
    if values.dtype == np.uint8:
        return VideoFrame.from_ndarray(np.ascontiguousarray(values, np.uint8), pixel_format)
    return VideoFrame.from_ndarray(np.ascontiguousarray(values, np.uint16), pixel_format)


def _read_by_pillow(path: Path) -> NDArray[np.uint8]:
    """Of 8 bits or fewer, the right way up; Pillow makes 16 bits 8 without a word."""
    values = np.asarray(imageio.imread(path, plugin="pillow", rotate=True))
    largest = 255 if values.dtype == np.bool_ else 1
    return np.asarray(values.astype(np.uint8) * largest, dtype=np.uint8)


def _read_tiff(path: Path) -> Values:
    with tifffile.TiffFile(path) as file:
        pages = [page for page in file.pages if not page.is_reduced]
        page = file.pages.first
        depth, sample, photometric = page.bitspersample, page.sampleformat, page.photometric
        tiled, planar = page.is_tiled, page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
        lzw = page.compression == tifffile.COMPRESSION.LZW
        premultiplied = tifffile.EXTRASAMPLE.ASSOCALPHA in page.extrasamples
    if len(pages) != 1:
        raise DecodeError(f"{path} holds {len(pages)} pictures.", "Save each as a file of its own.")
    if photometric == tifffile.PHOTOMETRIC.SEPARATED:
        raise _made_for_print(path)
    if sample not in {1, None} or depth not in {1, 2, 4, 8, 16}:
        kind = "other than whole" if sample not in {1, None} else f"{depth}-bit"
        raise DecodeError(
            f"{path} holds {kind} numbers.", "Save it with 8 or 16 bits a channel, or as PNG."
        )
    if depth < 16:
        return _read_by_pillow(path)
    if lzw and (tiled or planar):
        raise DecodeError(f"{path} is stored in an unusual way.", "Save it as PNG.")
    values = _lzw_tiff(path) if lzw else _plain_tiff(path)
    if planar and values.ndim == 3:
        values = np.moveaxis(values, 0, 2)
    if photometric == tifffile.PHOTOMETRIC.MINISWHITE and not lzw:  # FFmpeg has turned it round
        values = ~values
    # What is multiplied with its own transparency already lies over black.
    return values[..., :-1] if premultiplied else values


def _plain_tiff(path: Path) -> NDArray[np.uint16]:
    # One file at a time: pims takes a list's length and shape from its first file.
    with pims.ImageSequence([str(path)]) as sequence:
        return np.asarray(sequence[0], dtype=np.uint16)


def _lzw_tiff(path: Path) -> NDArray[np.uint16]:
    """The commonest compression, which what pims reads TIFF with does not know."""
    context = _context("tiff", "r", {})
    try:
        (frame,) = context.decode(Packet(path.read_bytes())) + context.decode(None)
    except av.error.FFmpegError as error:
        raise ValueError(f"no whole TIFF: {error}") from error
    if frame.format.name.startswith("ya16"):
        frame = frame.reformat(format="rgba64le")
    return np.asarray(frame.to_ndarray(), dtype=np.uint16)


def _to_rgb(values: Values) -> Values:
    """Grey, RGB, either with transparency, to RGB [H, W, 3]."""
    if values.shape[2] in {2, 4}:
        values = _over_black(values[..., :-1], values[..., -1:])
    return _repeated(values) if values.shape[2] == 1 else values


def _over_black(colour: Values, alpha: Values) -> Values:
    full = np.iinfo(colour.dtype).max
    product = colour.astype(np.uint32) * alpha  # at most 65535 squared, which just fits
    rounded = (product + full // 2) // full
    return rounded.astype(np.uint8) if full == 255 else rounded.astype(np.uint16)


def _repeated(grey: Values) -> Values:
    rgb = np.broadcast_to(grey, (*grey.shape[:2], 3))
    return rgb.astype(np.uint8) if grey.dtype == np.uint8 else rgb.astype(np.uint16)


def _made_for_print(path: Path) -> DecodeError:
    return DecodeError(f"{path} is made for print (CMYK).", "Save it as RGB.")


def _unreadable(path: Path) -> DecodeError:
    return DecodeError(f"{path} cannot be read as a picture.", "Make or copy it again.")
