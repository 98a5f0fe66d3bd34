"""HDR metadata that a decoder gives is written again by each encoder."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from matting.media.hdr_metadata import HdrMetadata, MasteringDisplay
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
