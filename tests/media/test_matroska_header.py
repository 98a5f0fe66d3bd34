"""What a container's header says of cropping and of chroma siting."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from matting.media.container import open_video
from matting.media.matroska_header import Crop, PictureHeader, parse, read_header
from tests.support.clips import crop_by_header, make_clip


def header(path: Path) -> PictureHeader:
    with open_video(path) as (_, stream):
        return read_header(stream)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mov"])
def test_cropping_by_the_container(suffix: str, tmp_path: Path) -> None:
    cropped = crop_by_header(make_clip(tmp_path / "whole.mkv", 2), left=8, bottom=6)
    if suffix != "mkv":  # FFmpeg writes the same as a `clap` box
        cropped = remuxed(cropped, cropped.with_suffix(f".{suffix}"))
        assert b"clap" in cropped.read_bytes()
    assert header(cropped).crop == Crop(left_px=8, bottom_px=6)
    with av.open(str(cropped)) as container:
        assert next(container.decode(video=0)).width == 64


def test_most_videos_are_not_cropped(tmp_path: Path) -> None:
    assert not header(make_clip(tmp_path / "whole.mp4", 2, size=(66, 50))).crop


@pytest.mark.parametrize("location", [0, 1, 2, 3])
def test_chroma_location(location: int, tmp_path: Path) -> None:
    """By the numbers of ITU-T H.265, figure E.1; FFmpeg's are one more."""
    options = {"x265-params": f"log-level=none:chromaloc={location}"}
    clip = make_clip(tmp_path / "clip.mp4", 2, codec="libx265", options=options)
    assert header(clip).chroma_location == location + 1


def test_chroma_siting_that_is_not_stated(tmp_path: Path) -> None:
    options = {"deadline": "realtime", "cpu-used": "8"}
    clip = make_clip(tmp_path / "clip.webm", 2, codec="libvpx-vp9", options=options)
    assert header(clip) == PictureHeader()


def test_a_truncated_header() -> None:
    """An element whose length goes beyond the end is read as far as it is there."""
    video = bytes.fromhex("e09054cc8108")
    assert parse(bytes.fromhex("1654ae6b90ae8f") + video).crop == Crop(left_px=8)
    assert parse(b"") == PictureHeader()


def remuxed(video: Path, target: Path) -> Path:
    with av.open(str(video)) as source, av.open(str(target), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0], opaque=True)
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    return target
