"""HDR metadata that a decoder gives is written again by each encoder."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matting.media.hdr_metadata import HdrMetadata, MasteringDisplay, hdr_note
from matting.media.mp4.boxes import Box, entries, read_moov, write_moov
from tests.support.clips import make_clip

P3 = MasteringDisplay(
    red=(Fraction(34000, 50000), Fraction(16000, 50000)),
    green=(Fraction(13250, 50000), Fraction(34500, 50000)),
    blue=(Fraction(7500, 50000), Fraction(3000, 50000)),
    white=(Fraction(15635, 50000), Fraction(16450, 50000)),
    brightest=Fraction(1000),
    darkest=Fraction(50, 10000),
)
ENCODERS = ["libx264", "libx265", "libsvtav1"]


def make_hdr_clip(path: Path, encoder: str, metadata: HdrMetadata) -> Path:
    """Write a clip of a few frames with that metadata."""
    options = {
        "libx264": {"x264-params": metadata.x264()},
        "libx265": {"x265-params": f"log-level=none:{metadata.x265()}"},
        "libsvtav1": {"preset": "12", "svtav1-params": metadata.svtav1()},
    }[encoder]
    return make_clip(path, 3, codec=encoder, options=options, pixel_format="yuv420p10le")


def metadata_of(path: Path) -> list[HdrMetadata | None]:
    """Return each frame's metadata."""
    with av.open(str(path)) as container:
        return [HdrMetadata.of(frame) for frame in container.decode(video=0)]


def encoded_again(path: Path, encoder: str, metadata: HdrMetadata) -> HdrMetadata:
    """Return the metadata of the first frame of a clip that was written with some."""
    first = metadata_of(make_hdr_clip(path, encoder, metadata))[0]
    assert first is not None
    return first


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVT_LOG", "1")


@pytest.mark.parametrize("encoder", ENCODERS)
def test_each_encoder_writes_what_a_decoder_gives(encoder: str, tmp_path: Path) -> None:
    clip = make_hdr_clip(tmp_path / "clip.mp4", encoder, HdrMetadata(P3, (1000, 400)))
    frames = metadata_of(clip)
    assert frames
    # H.264's decoder gives it with key frames only.
    for metadata in frames[: 1 if encoder == "libx264" else None]:
        assert metadata is not None
        assert metadata.light == (1000, 400)
        if encoder != "libsvtav1":
            assert metadata.display == P3
        else:  # in binary fractions: AV1 specification, 6.7.4
            assert metadata.display is not None
            pairs = zip(numbers(metadata.display), numbers(P3), strict=True)
            assert max(abs(a - b) for a, b in pairs) <= Fraction(1, 1 << 15)


def numbers(display: MasteringDisplay) -> list[Fraction]:
    points = (display.red, display.green, display.blue, display.white)
    return [*(value for point in points for value in point), display.brightest, display.darkest]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_either_may_be_missing(encoder: str, tmp_path: Path) -> None:
    light = encoded_again(tmp_path / "light.mp4", encoder, HdrMetadata(None, (600, 0)))
    assert (light.display, light.light) == (None, (600, 0))
    display = encoded_again(tmp_path / "display.mp4", encoder, HdrMetadata(P3, None))
    assert display.light is None
    assert display.display is not None


def test_another_encoding_changes_nothing(tmp_path: Path) -> None:
    """AV1's numbers, which are no multiples of H.265's units, become the nearest of these."""
    metadata = HdrMetadata(P3, (1000, 400))
    by_av1 = encoded_again(tmp_path / "a.mp4", "libsvtav1", metadata)
    assert encoded_again(tmp_path / "b.mp4", "libx265", by_av1) == metadata
    assert encoded_again(tmp_path / "c.mp4", "libsvtav1", by_av1) == by_av1


def test_other_video_has_none(tmp_path: Path) -> None:
    assert metadata_of(make_clip(tmp_path / "clip.mp4", 2)) == [None, None]


@pytest.mark.parametrize(("kind", "size_bytes"), [(b"mdcv", 24), (b"clli", 4)])
@pytest.mark.parametrize("fill", [b"\xff", b"\x7f"])
def test_nonsense_is_left_out_and_said(
    kind: bytes, size_bytes: int, fill: bytes, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 1)
    moov = read_moov(clip)
    assert moov is not None
    entries(moov.all(b"trak")[0])[0].head += bytes(Box(kind, fill * size_bytes))
    write_moov(clip, moov)
    with av.open(str(clip)) as container:
        frame = next(container.decode(video=0))
    known, note = HdrMetadata.of(frame), hdr_note(frame)
    assert (known is None) == ("makes no sense" in note)
    assert known is None or kind == b"clli"


def test_metadata_that_makes_sense_is_not_mentioned(tmp_path: Path) -> None:
    sane = make_hdr_clip(tmp_path / "sane.mp4", "libx265", HdrMetadata(P3, (1000, 400)))
    with av.open(str(sane)) as container:
        assert hdr_note(next(container.decode(video=0))) == ""


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=20, max_size=20), st.data())
@settings(max_examples=50, deadline=None)
def test_what_is_kept_fits_the_encoders_numbers(values: list[int], data: st.DataObject) -> None:
    sides = data.draw(st.sampled_from([values, [abs(value) % 50_000 for value in values]]))
    numbers = [Fraction(a, b or 1) for a, b in zip(sides[::2], sides[1::2], strict=True)]
    red, green, blue, white = zip(numbers[:8:2], numbers[1:8:2], strict=True)
    display = MasteringDisplay(red, green, blue, white, brightest=numbers[8], darkest=numbers[9])
    if display.is_plausible:
        limits = [int(number) for number in re.findall(r"-?\d+", display.in_units())]
        assert all(0 <= number < 1 << 16 for number in limits[:8])
        assert 0 <= limits[9] <= limits[8] < 1 << 32
