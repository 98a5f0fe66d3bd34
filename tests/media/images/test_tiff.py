"""TIFF files: every layout, compression and meaning of samples."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import OpenImageIO as oiio  # noqa: N813 - its own name for itself
import pytest
import tifffile
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray
from PIL import Image

from matting.errors import DecodeError
from matting.media.images.png import Values
from matting.media.images.still import read_picture, read_still
from tests.support.pixels import ALPHA16, RGB8, RGB16, flatten_alpha


def write_lzw(path: Path, values: NDArray[np.uint16], pixel_format: str) -> None:
    """Write a TIFF as most programs compress it; of 16 bits, Pillow can write only grey."""
    context = av.CodecContext.create("tiff", "w")
    assert isinstance(context, VideoCodecContext)
    context.height, context.width = values.shape[:2]
    context.pix_fmt, context.time_base = pixel_format, Fraction(1)
    context.options = {"compression_algo": "lzw"}
    frame = av.VideoFrame.from_ndarray(values, format=pixel_format)
    frame.pts = 0
    path.write_bytes(b"".join(bytes(p) for p in context.encode(frame) + context.encode(None)))


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


@pytest.mark.parametrize("compression", ["lzw", "zip"])
@pytest.mark.parametrize("layout", ["tiled", "planar", "bigtiff"])
def test_compressed_tiff_in_unusual_layouts(layout: str, compression: str, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    spec = oiio.ImageSpec(64, 48, 3, "uint16")
    spec.attribute("compression", compression)
    if layout == "tiled":
        spec.tile_width = spec.tile_height = 16
    elif layout == "planar":
        spec.attribute("planarconfig", "separate")
    else:
        spec.attribute("tiff:bigtiff", 1)
    file = oiio.ImageOutput.create(str(path))
    assert file is not None and file.open(str(path), spec)
    assert file.write_image(RGB16)
    file.close()
    oiio.geterror()
    assert np.array_equal(read_picture(path), RGB16)


@pytest.mark.parametrize("rgb", [RGB8, RGB16], ids=["8", "16"])
@pytest.mark.parametrize(
    ("orientation", "turned"),
    [
        (3, lambda rgb: rgb[::-1, ::-1]),
        (6, lambda rgb: np.rot90(rgb, -1)),
        (8, np.rot90),
    ],
)
def test_a_tiff_is_turned_upright(
    orientation: int, turned: Callable[[Values], Values], rgb: Values, tmp_path: Path
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, rgb, photometric="rgb", extratags=[(274, 3, 1, orientation, True)])
    assert np.array_equal(read_picture(path), turned(rgb))


@pytest.mark.parametrize("rgb", [RGB8, RGB16], ids=["8", "16"])
def test_a_fourth_sample_that_is_no_alpha_is_left_out(rgb: Values, tmp_path: Path) -> None:
    stored = np.dstack((rgb, rgb[..., 0] // 2))
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", extrasamples=["unspecified"])
    still = read_still(tmp_path / "a.tif")
    assert np.array_equal(still.rgb, rgb)
    assert not still.is_transparent


@pytest.mark.parametrize("rgb", [RGB8, RGB8[..., :1]], ids=["RGB", "grey"])
def test_associated_alpha_lies_over_black_already(rgb: Values, tmp_path: Path) -> None:
    alpha = np.full((48, 64), 255, np.uint8)
    alpha[:, 10:] = 128
    stored = np.dstack((np.minimum(rgb, alpha[..., None]), alpha))
    photometric = "rgb" if rgb.shape[2] == 3 else "minisblack"
    tifffile.imwrite(
        tmp_path / "a.tif", stored, photometric=photometric, extrasamples=["assocalpha"]
    )
    expected = np.broadcast_to(stored[..., :-1], (48, 64, 3))
    assert np.array_equal(read_picture(tmp_path / "a.tif"), expected)


def test_colours_that_are_no_rgb_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", RGB8, photometric="cielab")
    with pytest.raises(DecodeError, match="colours other than RGB"):
        read_picture(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_the_end_of_a_tiff_is_missed(compression: str | None, tmp_path: Path) -> None:
    """A few bytes may be lost that hold pixels and nothing else."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, RGB16, photometric="rgb", compression=compression)
    whole = path.read_bytes()
    for lost in (1, 5, 20):
        path.write_bytes(whole[:-lost])
        with pytest.raises(DecodeError, match="cannot be read"):
            read_picture(path)


@pytest.mark.parametrize("side", [60_000, 1_000_000])
def test_a_header_that_asks_for_all_memory(side: int, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, RGB16, photometric="rgb")
    content = bytearray(path.read_bytes())
    for tag in (256, 257):  # width and height, as SHORT or LONG
        entries = [struct.pack("<HH", tag, kind) for kind in (3, 4)]
        (place,) = [content.index(entry) for entry in entries if entry in content]
        content[place + 2 : place + 12] = struct.pack("<HII", 4, 1, side)
    path.write_bytes(content)
    with pytest.raises(DecodeError):
        read_picture(path)
