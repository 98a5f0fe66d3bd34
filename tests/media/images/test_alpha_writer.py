"""Pictures with alpha are all there, as they were written, and failures are named."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from matting.errors import EncodeError, StorageError
from matting.imaging.linear_light import Curve
from matting.imaging.sample_format import SampleFormat
from matting.media.colour_tags import BT709_TAGS, ColourTags, Transfer
from matting.media.images.alpha_writer import AlphaPngWriter, ExrWriter
from matting.media.images.exr import ExrLight, read_exr
from matting.media.images.png import decode_png
from tests.support.file_size_limit import largest_file
from tests.support.soft_disc import FRAMES, alpha_codes, delivered, disc

LIGHT = ExrLight.of(BT709_TAGS, Fraction(1), picture=False)
Writer = AlphaPngWriter | ExrWriter


def writer_of(suffix: str, folder: Path, count: int = FRAMES) -> Writer:
    names = [f"{number}{suffix}" for number in range(count)]
    return AlphaPngWriter(folder, names) if suffix == ".png" else ExrWriter(folder, names, LIGHT)


@pytest.fixture(params=[".png", ".exr"])
def suffix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def write(writer: Writer) -> None:
    writer.write(delivered(*disc(), SampleFormat(16)), range(FRAMES))


def test_png_holds_both_in_16_bits(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    with writer_of(".png", folder) as writer:
        write(writer)
        writer.finish()
    foreground, alpha = disc()
    for number in range(FRAMES):
        values = decode_png((folder / f"{number}.png").read_bytes())
        assert values.dtype == np.uint16
        assert np.array_equal(values[..., :3], np.rint(foreground[number] * 65535))
        exact = alpha_codes(alpha)[number, 0].numpy() * (65535 / 1023)
        assert np.abs(values[..., 3] - exact).max() <= 0.5


@pytest.mark.parametrize("damage", ["cut short", "another", "gone", "more"])
def test_what_did_not_reach_the_disk_is_noticed(damage: str, suffix: str, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    with writer_of(suffix, folder) as writer:
        write(writer)
        writer.drain()
        first, second = (folder / f"{number}{suffix}" for number in (0, 1))
        if damage == "cut short":
            second.write_bytes(second.read_bytes()[:-300])
        elif damage == "another":
            second.write_bytes(first.read_bytes())
        elif damage == "gone":
            second.unlink()
        else:
            (folder / "more").write_bytes(b"")
        with pytest.raises(EncodeError):
            writer.finish()


def test_more_or_fewer_pictures_than_names(suffix: str, tmp_path: Path) -> None:
    for count in (FRAMES - 1, FRAMES + 1):
        with (
            writer_of(suffix, tmp_path / "x", count) as writer,
            pytest.raises(EncodeError, match="pictures"),
        ):
            write(writer)
            writer.finish()


def test_a_full_disk_is_named(suffix: str, tmp_path: Path) -> None:
    with (
        largest_file(300),
        writer_of(suffix, tmp_path / "x") as writer,
        pytest.raises(StorageError, match="full"),
    ):
        write(writer)
        writer.finish()


def test_a_place_that_cannot_be_written_is_named(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError):
        writer_of(suffix, tmp_path / "file" / "x")


def test_colours_of_another_format_are_refused(suffix: str, tmp_path: Path) -> None:
    with writer_of(suffix, tmp_path / "x") as writer, pytest.raises(ValueError, match="16 bits"):
        writer.write(delivered(*disc(), SampleFormat(8)), range(FRAMES))


@pytest.mark.parametrize(
    ("colour", "picture", "curve"),
    [
        (BT709_TAGS, False, Curve.CAMERA),
        (ColourTags(), False, Curve.CAMERA),
        (ColourTags(), True, Curve.SRGB),
        (replace(BT709_TAGS, transfer=13), False, Curve.SRGB),
        (replace(BT709_TAGS, transfer=Transfer.PQ), False, Curve.PQ),
        (replace(BT709_TAGS, transfer=Transfer.HLG), False, Curve.HLG),
    ],
)
def test_the_curve_is_the_one_that_the_source_is_tagged_with(
    colour: ColourTags, picture: bool, curve: Curve
) -> None:
    assert ExrLight.of(colour, Fraction(1), picture=picture).curve is curve


def test_the_same_pictures_are_the_same_files_whenever_they_are_written(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = []
    for zone in ("UTC", "Asia/Tokyo"):  # another hour in the clock that headers show
        monkeypatch.setenv("TZ", zone)
        if hasattr(time, "tzset"):
            time.tzset()
        with writer_of(suffix, tmp_path / zone[:3]) as writer:
            write(writer)
            writer.finish()
        contents.append([path.read_bytes() for path in sorted((tmp_path / zone[:3]).iterdir())])
    monkeypatch.undo()
    if hasattr(time, "tzset"):
        time.tzset()
    assert contents[0] == contents[1]


def test_hdr_goes_beyond_white(tmp_path: Path) -> None:
    light = replace(LIGHT, curve=Curve.PQ)
    frames = delivered(np.ones((1, 2, 2, 3)), np.ones((1, 2, 2, 1)), SampleFormat(16))
    with ExrWriter(tmp_path / "x", ["a.exr"], light) as writer:
        writer.write(frames, [0])
        writer.finish()
    values = read_exr(tmp_path / "x" / "a.exr")
    assert values[0, 0] == pytest.approx((10_000 / 203,) * 3 + (1,), rel=1e-3)
