"""Stereo layout and projection are in the final file as they were in the source."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import pytest
from av.sidedata.sidedata import SideData, Type

from matting.errors import EncodeError
from matting.media.mp4.boxes import Box, entries, parse, read_moov, split_entry, write_moov
from matting.media.mp4.spatial import BASE_VIEW, Spatial
from matting.media.probe import read_spatial
from matting.run import run
from tests.support.clips import make_clip, numbers, times
from tests.support.recorder import Recorder
from tests.support.spatial_boxes import (
    CUBEMAP,
    EQUIRECT,
    HFOV,
    MESH,
    TILED,
    V1,
    XML,
    full,
    st3d,
    sv3d,
    vexu,
)
from tests.support.stages import SECOND, matting_options
from tests.support.stream_sources import deliver, make, opened, tone, with_boxes

CASES = {
    "top_bottom": Spatial((st3d(1),)),
    "left_right": Spatial((st3d(2),)),
    "mono": Spatial((st3d(0),)),
    "equirectangular": Spatial((st3d(2), sv3d(EQUIRECT))),
    "half, with a pose": Spatial((st3d(2), sv3d(TILED, (30, -10, 5)))),
    "cubemap": Spatial((sv3d(CUBEMAP),)),
    "mesh": Spatial((st3d(2), sv3d(MESH))),
    "version 1": Spatial(track=(V1,)),
    "both versions": Spatial((st3d(1), sv3d(EQUIRECT)), (V1,)),
    "Apple's, packed": Spatial((vexu(packed=True), HFOV)),
    "Apple's, mono": Spatial((vexu(packed=False, eyes=1), HFOV)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_the_boxes_are_the_sources(case: str, suffix: str, tmp_path: Path) -> None:
    plain = make_clip(tmp_path / f"plain.{suffix}")
    audio = "aac" if suffix == "mp4" else "pcm_s16le"
    video = make(
        tmp_path / f"clip.{suffix}", *opened(plain), *tone(440), "-c:v", "copy", "-c:a", audio
    )
    assert not read_spatial(video)
    with_boxes(video, CASES[case])
    final, notes = deliver(video)
    assert (final.suffix, notes) == (f".{suffix}", [])
    assert read_spatial(final) == CASES[case]
    assert spatial_side_data(final) == spatial_side_data(video)
    assert numbers(final) == list(range(30))
    assert times(final) == times(video)


def spatial_side_data(path: Path) -> dict[Type, bytes]:
    """Return what FFmpeg itself makes of the boxes."""
    with av.open(str(path)) as container:
        frame = next(iter(container.decode(video=0)))
        everything: list[object] = list(frame.side_data)
    by_type: dict[Type, bytes] = {}
    for data in everything:
        assert isinstance(data, SideData)
        if data.type in {Type.STEREO3D, Type.SPHERICAL}:
            by_type[data.type] = bytes(data)
    return by_type


def test_ffmpeg_reads_the_boxes(tmp_path: Path) -> None:
    video = with_boxes(make_clip(tmp_path / "clip.mp4"), CASES["half, with a pose"])
    assert set(spatial_side_data(video)) == {Type.STEREO3D, Type.SPHERICAL}
    final, _ = deliver(video)
    yaw, pitch, roll = struct.unpack_from("=iii", spatial_side_data(final)[Type.SPHERICAL], 4)
    assert (yaw >> 16, pitch >> 16, roll >> 16) == (30, -10, 5)


@pytest.mark.parametrize("case", ["left_right", "equirectangular", "half, with a pose", "cubemap"])
def test_matroska_is_translated(case: str, tmp_path: Path) -> None:
    boxed = with_boxes(make_clip(tmp_path / "boxed.mp4"), CASES[case])
    video = make(tmp_path / "clip.mkv", *opened(boxed), "-c", "copy")
    final, notes = deliver(video)
    assert notes == []
    assert spatial_side_data(final) == spatial_side_data(video)
    assert spatial_side_data(final) == spatial_side_data(boxed)


def test_through_all_stages(tmp_path: Path, progress: Recorder, opaque_checkpoint: Path) -> None:
    boxed = with_boxes(make_clip(tmp_path / "boxed.mp4", audio=True), CASES["half, with a pose"])
    video = make(tmp_path / "clip.mkv", *opened(boxed), "-c", "copy")
    final = run(video, SECOND, matting_options(opaque_checkpoint), None, progress)
    assert spatial_side_data(final) == spatial_side_data(boxed)
    assert numbers(final) == list(range(30))


def test_a_layout_that_mp4_cannot_hold_is_named(tmp_path: Path) -> None:
    plain = make_clip(tmp_path / "plain.mp4")
    video = make(
        tmp_path / "clip.mkv",
        *[*opened(plain), "-c", "copy", "-metadata:s:v", "stereo_mode=checkerboard_lr"],
    )
    _, notes = deliver(video)
    assert notes == ["The stereo layout checkerboard_lr cannot be kept in mp4."]


def test_a_layout_of_a_codec_that_mp4_does_not_hold(tmp_path: Path) -> None:
    plain = make_clip(tmp_path / "plain.webm", codec="libvpx", options={"deadline": "realtime"})
    video = make(
        tmp_path / "clip.webm",
        *[*opened(plain), "-c", "copy", "-metadata:s:v", "stereo_mode=top_bottom"],
    )
    final, notes = deliver(video)
    assert notes == []
    assert read_spatial(final) == CASES["top_bottom"]


def test_the_layout_that_only_the_stream_tells(tmp_path: Path) -> None:
    packed = {"x264-params": "frame-packing=4"}
    video = make_clip(tmp_path / "clip.ts", options=packed)
    final, _ = deliver(video)
    assert read_spatial(final) == CASES["top_bottom"]


def test_version_1_in_matroska(tmp_path: Path) -> None:
    plain = make_clip(tmp_path / "plain.mp4")
    video = make(
        tmp_path / "clip.mkv",
        *[*opened(plain), "-c", "copy", "-metadata:s:v", f"SPHERICAL-VIDEO={XML.decode()}"],
    )
    final, _ = deliver(video)
    assert read_spatial(final) == CASES["version 1"]


def test_two_views_become_one_with_a_note(tmp_path: Path) -> None:
    layers = bytes(full(b"lhvC", bytes(20)))
    video = with_boxes(
        make_clip(tmp_path / "clip.mov", audio=True),
        Spatial((layers, vexu(packed=False), HFOV)),
    )
    assert read_spatial(video).one_eye_note == BASE_VIEW  # before hours of matting
    final, notes = deliver(video)
    assert notes == [BASE_VIEW]
    apple = read_spatial(final).entry
    assert apple[1] == HFOV
    inner, _ = parse(parse(apple[0])[0][0].head)
    assert [box.kind for box in inner] == [b"proj"]


def test_what_matroska_cannot_hold_is_named(tmp_path: Path) -> None:
    plain = make_clip(tmp_path / "plain.mp4")
    boxed = with_boxes(plain, CASES["equirectangular"])
    video = make(
        tmp_path / "clip.mkv",
        *[*opened(boxed), *tone(440), "-c:v", "copy", "-c:a", "truehd", "-strict", "-2"],
    )
    final, notes = deliver(video)
    assert final.suffix == ".mkv"
    assert notes == ["The projection of this picture cannot be kept in mkv."]
    assert read_spatial(final) == CASES["left_right"]


def test_the_other_boxes_of_the_picture_stay(tmp_path: Path) -> None:
    """Light levels and the mastering display come from the matted picture, not from here."""
    mastering = bytes(Box(b"mdcv", bytes(range(24))))
    light = bytes(Box(b"clli", struct.pack(">HH", 1000, 400)))
    combined = with_boxes(make_clip(tmp_path / "combined.mp4"), Spatial((mastering, light)))
    for suffix, audio in (("mp4", "aac"), ("mov", "pcm_s16le")):
        plain = make_clip(tmp_path / f"plain.{suffix}")
        video = make(
            tmp_path / f"clip.{suffix}", *opened(plain), *tone(440), "-c:v", "copy", "-c:a", audio
        )
        with_boxes(video, CASES["equirectangular"])
        final, _ = deliver(video, combined)
        moov = read_moov(final)
        assert moov is not None
        boxes = [bytes(box) for box in split_entry(entries(moov.all(b"trak")[0])[0]).children]
        assert {light, *CASES["equirectangular"].entry} <= set(boxes)
        assert any(box[4:8] == b"mdcv" for box in boxes)


@pytest.mark.parametrize("first", [False, True])
def test_a_header_may_lie_at_either_end(first: bool, tmp_path: Path) -> None:
    plain = make_clip(tmp_path / "plain.mp4", audio=True)
    flags = ["-movflags", "faststart"] if first else []
    video = make(tmp_path / "clip.mp4", *opened(plain), "-c", "copy", *flags)
    assert (video.read_bytes().index(b"moov") < 100) == first
    with_boxes(video, CASES["both versions"])
    assert read_spatial(video) == CASES["both versions"]
    assert numbers(video) == list(range(30))
    with_boxes(video, CASES["mono"])
    assert read_spatial(video) == CASES["mono"]
    assert numbers(video) == list(range(30))


def test_a_file_without_a_header_is_refused(tmp_path: Path) -> None:
    video = make_clip(tmp_path / "clip.mp4")
    content = video.read_bytes()
    video.write_bytes(content[:-50])
    with pytest.raises(EncodeError, match="without a header"):
        write_moov(video, Box(b"moov"))
    assert video.read_bytes() == content[:-50]
