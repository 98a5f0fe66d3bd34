"""Single pictures: every bit of every kind of file, and damage found."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import tifffile
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray
from PIL import Image

from matting.errors import DecodeError
from matting.media.images.still import Values, decode_png, encode_png, read_picture
from matting.options import OutputKind
from tests.support.clips import picture

ROWS, COLUMNS = np.mgrid[0:48, 0:64]
# Values whose lower eight bits are their own.
RGB16 = np.stack((COLUMNS * 1000 + ROWS, ROWS * 1300, COLUMNS * 501), axis=2).astype(np.uint16)
RGB8 = (RGB16 >> 8).astype(np.uint8)
ALPHA16 = (ROWS * 700 + COLUMNS).astype(np.uint16)


def stored_png(values: NDArray[np.generic], colour_type: int) -> bytes:
    """A PNG of any kind, written by hand: what Pillow and FFmpeg do not write."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + checksum(kind + content)

    def checksum(content: bytes) -> bytes:
        return struct.pack(">I", zlib.crc32(content))

    height, width = values.shape[:2]
    depth = values.dtype.itemsize * 8
    lines = (b"\0" + row.astype(values.dtype.newbyteorder(">")).tobytes() for row in values)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"".join(lines)))
        + chunk(b"IEND", b"")
    )


def flatten_alpha(colour: Values, alpha: Values) -> NDArray[np.float64]:
    full = np.iinfo(colour.dtype).max
    return np.rint(colour.astype(np.float64) * alpha[..., None] / full)


def write_lzw(path: Path, values: NDArray[np.uint16], pixel_format: str) -> None:
    """A TIFF as most programs compress it; Pillow cannot write more than grey of 16 bits."""
    context = av.CodecContext.create("tiff", "w")
    assert isinstance(context, VideoCodecContext)
    context.height, context.width = values.shape[:2]
    context.pix_fmt, context.time_base = pixel_format, Fraction(1)
    context.options = {"compression_algo": "lzw"}
    frame = av.VideoFrame.from_ndarray(values, format=pixel_format)
    frame.pts = 0
    path.write_bytes(b"".join(bytes(p) for p in context.encode(frame) + context.encode(None)))


@pytest.mark.parametrize("rgb", [RGB8, RGB16], ids=["8", "16"])
@pytest.mark.parametrize("kind", ["grey", "grey+alpha", "RGB", "RGBA"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_every_bit_of_a_picture(suffix: str, kind: OutputKind, rgb: Values, tmp_path: Path) -> None:
    alpha = ALPHA16 if rgb.dtype == np.uint16 else (ALPHA16 >> 8).astype(np.uint8)
    colour = rgb if kind.startswith("RGB") else rgb[..., :1]
    transparent = kind in {"grey+alpha", "RGBA"}
    stored = np.dstack((colour, alpha)) if transparent else colour
    path = tmp_path / f"a{suffix}"
    if suffix == ".png":
        path.write_bytes(stored_png(stored, {1: 0, 2: 4, 3: 2, 4: 6}[stored.shape[2]]))
    else:
        tifffile.imwrite(
            path,
            np.squeeze(stored),
            photometric="rgb" if kind.startswith("RGB") else "minisblack",
            planarconfig="contig",
            extrasamples=["unassalpha"] if transparent else None,
        )
    expected = flatten_alpha(colour, alpha) if transparent else colour
    values = read_picture(path)
    assert values.dtype == rgb.dtype
    assert np.array_equal(values, np.broadcast_to(expected, (48, 64, 3)))


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "raw"])
def test_compressed_tiff_of_16_bits(compression: str, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(ALPHA16).save(path, compression=compression)
    assert np.array_equal(read_picture(path)[..., 1], ALPHA16)


def test_colour_tiff_of_16_bits_compressed_by_lzw(tmp_path: Path) -> None:
    write_lzw(tmp_path / "a.tif", RGB16, "rgb48le")
    assert np.array_equal(read_picture(tmp_path / "a.tif"), RGB16)
    write_lzw(tmp_path / "b.tif", np.dstack((RGB16, ALPHA16)), "rgba64le")
    assert np.array_equal(read_picture(tmp_path / "b.tif"), flatten_alpha(RGB16, ALPHA16))


@pytest.mark.parametrize("how", ["big endian", "planar", "tiled", "zlib", "premultiplied", "white"])
def test_unusual_tiff_of_16_bits(how: str, tmp_path: Path) -> None:
    path, expected = tmp_path / "a.tif", RGB16
    if how == "big endian":
        tifffile.imwrite(path, RGB16, photometric="rgb", byteorder=">")
    elif how == "planar":
        planes = np.ascontiguousarray(np.moveaxis(RGB16, 2, 0))
        tifffile.imwrite(path, planes, photometric="rgb", planarconfig="separate")
    elif how == "tiled":
        tifffile.imwrite(path, RGB16, photometric="rgb", tile=(16, 16))
    elif how == "zlib":
        tifffile.imwrite(path, RGB16, photometric="rgb", compression="zlib", predictor=True)
    elif how == "premultiplied":
        stored = np.dstack((RGB16, ALPHA16))
        tifffile.imwrite(path, stored, photometric="rgb", extrasamples=["assocalpha"])
    else:
        tifffile.imwrite(path, ~RGB16[..., 0], photometric="miniswhite")
        expected = np.repeat(RGB16[..., :1], 3, axis=2)
    assert np.array_equal(read_picture(path), expected)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_palettes(suffix: str, tmp_path: Path) -> None:
    picture_of_few_colours = Image.fromarray(RGB8).quantize(16)
    picture_of_few_colours.save(tmp_path / f"a{suffix}")
    expected = np.asarray(picture_of_few_colours.convert("RGB"))
    assert np.array_equal(read_picture(tmp_path / f"a{suffix}"), expected)


def test_a_transparent_colour_of_a_palette_is_black(tmp_path: Path) -> None:
    indexed = Image.fromarray(RGB8).quantize(16)
    indexed.save(tmp_path / "a.png", transparency=3)
    expected = np.array(indexed.convert("RGB"))
    expected[np.asarray(indexed) == 3] = 0
    assert np.array_equal(read_picture(tmp_path / "a.png"), expected)


def test_a_photograph_is_turned_upright(tmp_path: Path) -> None:
    photograph = Image.fromarray(picture(9))
    exif = photograph.getexif()
    exif[0x0112] = 6  # the camera was held a quarter turn anticlockwise
    photograph.save(tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)
    upright = np.rot90(picture(9), -1).astype(int)
    assert np.abs(read_picture(tmp_path / "a.jpg") - upright).mean() < 5


@pytest.mark.parametrize("values", [RGB8, RGB16, RGB8[..., 0], RGB16[..., :1]])
def test_png_is_without_loss(values: Values) -> None:
    again = decode_png(encode_png(values))
    assert again.dtype == values.dtype
    assert np.array_equal(again, np.squeeze(values))


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_a_picture_that_is_cut_off(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".png":
        path.write_bytes(encode_png(RGB16))
    elif suffix == ".tif":
        tifffile.imwrite(path, RGB16, photometric="rgb")
    else:
        Image.fromarray(RGB8).save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 20, max(1, len(whole) // 40)):
        path.write_bytes(whole[:length])
        with pytest.raises(DecodeError, match="cannot be read"):
            read_picture(path)


def test_damage_in_a_png(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    whole = encode_png(RGB16)
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(DecodeError):
            read_picture(path)


@pytest.mark.parametrize(
    ("values", "photometric", "says"),
    [
        (RGB16.astype(np.float32), "rgb", "numbers"),
        (np.dstack((RGB8, RGB8[..., 0])), "separated", "print"),
        (np.stack((RGB16, RGB16)), "rgb", "2 pictures"),
    ],
)
def test_tiff_that_is_refused(
    values: NDArray[np.generic], photometric: str, says: str, tmp_path: Path
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", values, photometric=photometric)
    with pytest.raises(DecodeError, match=says):
        read_picture(tmp_path / "a.tif")
