"""HDR's metadata: what a decoder says of it, each encoder writes again."""

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


def made(path: Path, encoder: str, metadata: HdrMetadata) -> Path:
    """A clip of a few frames that says this."""
    options = {
        "libx264": {"x264-params": metadata.x264()},
        "libx265": {"x265-params": f"log-level=none:{metadata.x265()}"},
        "libsvtav1": {"preset": "12", "svtav1-params": metadata.svtav1()},
    }[encoder]
    return make_clip(path, 3, codec=encoder, options=options, pixel_format="yuv420p10le")


def said(path: Path) -> list[HdrMetadata | None]:
    with av.open(str(path)) as container:
        return [HdrMetadata.of(frame) for frame in container.decode(video=0)]


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVT_LOG", "1")


@pytest.mark.parametrize("encoder", ENCODERS)
def test_each_encoder_writes_what_was_said(encoder: str, tmp_path: Path) -> None:
    clip = made(tmp_path / "clip.mp4", encoder, HdrMetadata(P3, (1000, 400)))
    frames = said(clip)
    assert frames
    # H.264's decoder says it with key frames only.
    for found in frames[: 1 if encoder == "libx264" else None]:
        assert found is not None
        assert found.light == (1000, 400)
        if encoder != "libsvtav1":
            assert found.display == P3
        else:  # in binary fractions: AV1 specification, 6.7.4
            assert found.display is not None
            pairs = zip(numbers(found.display), numbers(P3), strict=True)
            assert max(abs(a - b) for a, b in pairs) <= Fraction(1, 1 << 15)


def numbers(display: MasteringDisplay) -> list[Fraction]:
    points = (display.red, display.green, display.blue, display.white)
    return [*(value for point in points for value in point), display.brightest, display.darkest]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_either_may_be_missing(encoder: str, tmp_path: Path) -> None:
    light = said(made(tmp_path / "light.mp4", encoder, HdrMetadata(None, (600, 0))))[0]
    assert light is not None
    assert (light.display, light.light) == (None, (600, 0))
    display = said(made(tmp_path / "display.mp4", encoder, HdrMetadata(P3, None)))[0]
    assert display is not None
    assert display.light is None
    assert display.display is not None


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    """The numbers of AV1, which are none of H.265's units, come back as the nearest of these."""
    first = said(made(tmp_path / "a.mp4", "libsvtav1", HdrMetadata(P3, (1000, 400))))[0]
    assert first is not None
    assert said(made(tmp_path / "b.mp4", "libx265", first))[0] == HdrMetadata(P3, (1000, 400))
    again = said(made(tmp_path / "c.mp4", "libsvtav1", first))[0]
    assert again == first


def test_other_video_says_nothing(tmp_path: Path) -> None:
    assert said(make_clip(tmp_path / "clip.mp4", 2)) == [None, None]
