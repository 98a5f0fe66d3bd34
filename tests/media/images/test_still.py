"""Single pictures: every bit of every kind of file, and damage found."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageOps

from matting.errors import DecodeError
from matting.media.images.png import Values, decode_png, encode_png
from matting.media.images.still import read_picture, read_still
from matting.options import OutputKind
from tests.support.clips import picture
from tests.support.pixels import ALPHA16, RGB8, RGB16, flatten_alpha


def stored_png(values: NDArray[np.generic], colour_type: int) -> bytes:
    """Build a PNG of any kind by hand, such as Pillow and FFmpeg do not write."""

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


def test_the_content_says_what_a_picture_is(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encode_png(RGB16))
    assert np.array_equal(read_picture(tmp_path / "a.jpg"), RGB16)
    Image.fromarray(RGB8).save(tmp_path / "b.jpg", quality=95)
    (tmp_path / "b.jpg").rename(tmp_path / "b.png")
    assert np.abs(read_picture(tmp_path / "b.png").astype(int) - RGB8).mean() < 20
    tifffile.imwrite(tmp_path / "c.tif", RGB16, photometric="rgb")
    (tmp_path / "c.tif").rename(tmp_path / "c.png")
    assert np.array_equal(read_picture(tmp_path / "c.png"), RGB16)


def test_a_transparent_value_that_is_not_shown_is_refused(tmp_path: Path) -> None:
    grey = Image.fromarray(RGB8[..., 0]).convert("1")
    grey.save(tmp_path / "a.png", transparency=0)
    with pytest.raises(DecodeError, match="cannot be read"):
        read_picture(tmp_path / "a.png")


def test_a_profile_is_found_beside_a_long_text(tmp_path: Path) -> None:
    profile = bytes(16) + b"RGB " + bytes(200)
    content = encode_png(RGB8, profile)
    text = b"tEXtcomment\0" + b"a" * (8 << 20)
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    (tmp_path / "a.png").write_bytes(content[:33] + chunk + content[33:])
    assert read_still(tmp_path / "a.png").profile == profile


def test_a_profile_in_tiff_and_jpeg(tmp_path: Path) -> None:
    profile = bytes(16) + b"RGB " + bytes(200)
    tifffile.imwrite(tmp_path / "a.tif", RGB16, photometric="rgb", iccprofile=profile)
    Image.fromarray(RGB8).save(tmp_path / "a.jpg", icc_profile=profile)
    for name in ("a.tif", "a.jpg"):
        assert read_still(tmp_path / name).profile == profile


def test_a_progressive_jpeg_that_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(picture(9)).save(path, progressive=True)
    whole = path.read_bytes()
    for share in (3, 2, 1.2):
        path.write_bytes(whole[: int(len(whole) / share)])
        with pytest.raises(DecodeError, match="cannot be read"):
            read_picture(path)


def test_a_grey_profile_is_not_taken_for_one_of_colours(tmp_path: Path) -> None:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[16:20] = b"GRAY"
    path = tmp_path / "a.png"
    Image.fromarray(picture(3)[..., 0]).save(path, icc_profile=bytes(profile))
    assert read_still(path).profile == b""


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_in_png_turns_as_in_jpeg(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    picture_file = Image.fromarray(RGB8)
    picture_file.save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as file:
        expected = np.asarray(ImageOps.exif_transpose(file))
    assert np.array_equal(read_picture(tmp_path / "a.png"), expected)
