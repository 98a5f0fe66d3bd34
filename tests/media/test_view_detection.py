"""The view of a video is that of its boxes, else its name, else its pictures, or their size."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from matting.media.mp4.spatial import BASE_VIEW, Spatial
from matting.media.view_detection import FoundView, Origin, view_of
from matting.view import View, parse_view
from tests.support.clips import make_clip
from tests.support.spatial_boxes import EQUIRECT, HFOV, full, st3d, sv3d, vexu
from tests.support.stream_sources import make, opened, with_boxes

HALF = sv3d(full(b"equi", struct.pack(">IIII", 0, 0, 0x3FFFFFFF, 0x3FFFFFFF)))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("plain") / "plain.mp4", 3, size=(96, 48))


def found(plain: Path, folder: Path, name: str, spatial: Spatial | None = None) -> FoundView:
    video = Path(shutil.copy(plain, folder / name))
    return view_of(with_boxes(video, spatial) if spatial else video)


@pytest.mark.parametrize(
    ("entry", "view"),
    [
        ((st3d(2), HALF), "left-right,180"),
        ((st3d(1), sv3d(EQUIRECT)), "top-bottom,360"),
        ((vexu(packed=True), HFOV), "left-right,180"),
    ],
)
def test_boxes_come_before_a_name(
    plain: Path, tmp_path: Path, entry: tuple[bytes, ...], view: str
) -> None:
    for name in ("clip.mp4", "clip_MONO_MKX200.mp4"):
        one = found(plain, tmp_path, name, Spatial(entry))
        assert one.view == parse_view(view)
        assert (one.stereo_from, one.projection_from) == (Origin.BOXES, Origin.BOXES)
        assert bool(one.notes) == (name != "clip.mp4")  # they contradict each other


def test_what_boxes_leave_open_a_name_says(plain: Path, tmp_path: Path) -> None:
    one = found(plain, tmp_path, "clip_LR_MKX200_alpha.mp4", Spatial((st3d(2),)))
    assert one.view == parse_view("left-right,mkx200")
    assert (one.stereo_from, one.projection_from) == (Origin.BOXES, Origin.NAME)
    assert one.notes == ()
    other = found(plain, tmp_path, "clip_180_TB.mp4", Spatial((HALF,)))
    assert other.view == parse_view("top-bottom,180")
    assert (other.stereo_from, other.projection_from) == (Origin.NAME, Origin.BOXES)


@pytest.mark.parametrize(
    ("size", "name", "view"),
    [
        ((96, 48), "clip_180.mp4", "left-right,180"),
        ((48, 48), "clip_180.mp4", "mono,180"),
        ((48, 96), "clip_180.mp4", "top-bottom,180"),
        ((96, 48), "clip_360.mp4", "mono,360"),
        ((48, 48), "clip_360.mp4", "top-bottom,360"),
        ((96, 48), "clip_MKX220.mp4", "left-right,mkx220"),
        ((96, 48), "clip_SBS.mp4", "left-right,180"),
        ((48, 48), "clip_TB.mp4", "top-bottom,360"),
        ((96, 48), "clip_SBS_flat.mp4", "left-right,flat"),
        ((96, 54), "clip_SBS.mp4", "left-right,flat"),
        ((96, 54), "clip.mp4", "mono,flat"),
        ((96, 48), "clip.mp4", "mono,flat"),
    ],
)
def test_the_size_says_what_a_name_leaves_open(
    tmp_path: Path, size: tuple[int, int], name: str, view: str
) -> None:
    one = view_of(make_clip(tmp_path / name, 2, size=size))
    assert one.view == parse_view(view)


def test_another_name_can_be_read(plain: Path) -> None:
    assert view_of(plain, "clip_360_TB.mp4").view == parse_view("top-bottom,360")


def test_one_eye_of_two_views_is_one_picture(plain: Path, tmp_path: Path) -> None:
    layers = bytes(full(b"lhvC", bytes(20)))
    one = found(plain, tmp_path, "clip_LR.mov", Spatial((layers, vexu(packed=False))))
    assert one.view == parse_view("mono,180")


@pytest.mark.parametrize(
    ("mode", "view"),
    [
        ("left_right", "left-right,180"),
        ("right_left", "right-left,180"),
        ("top_bottom", "top-bottom,flat"),
        ("bottom_top", "bottom-top,flat"),
        ("checkerboard_lr", "mono,flat"),
        ("mono", "mono,flat"),
    ],
)
def test_the_layouts_of_matroska(plain: Path, tmp_path: Path, mode: str, view: str) -> None:
    video = make(
        tmp_path / "clip.mkv", *opened(plain), "-c", "copy", "-metadata:s:v", f"stereo_mode={mode}"
    )
    assert view_of(video).view == parse_view(view)


def test_the_projection_of_matroska(plain: Path, tmp_path: Path) -> None:
    boxed = with_boxes(Path(shutil.copy(plain, tmp_path / "a.mp4")), Spatial((st3d(2), HALF)))
    video = make(tmp_path / "clip.mkv", *opened(boxed), "-c", "copy")
    assert view_of(video).view == parse_view("left-right,180")


def test_the_layout_that_only_the_stream_says(tmp_path: Path) -> None:
    packed = {"x264-params": "frame-packing=4"}
    one = view_of(make_clip(tmp_path / "clip.ts", 3, options=packed))
    assert one.view == parse_view("top-bottom")
    assert one.stereo_from is Origin.BOXES


def test_a_turned_picture_is_seen_upright(tmp_path: Path) -> None:
    video = make_clip(tmp_path / "clip_180.mp4", 2, size=(48, 96), rotation=90)
    assert view_of(video).view == parse_view("left-right,180")


def test_large_pictures_of_the_shape_of_vr_are_asked_about(tmp_path: Path) -> None:
    large = view_of(make_clip(tmp_path / "large.mp4", 1, size=(2880, 1440)))
    assert large.view == View()
    assert "--view" in large.notes[0]
    assert not view_of(make_clip(tmp_path / "small.mp4", 1, size=(96, 48))).notes


def test_a_description_says_where_the_view_is_from() -> None:
    view = parse_view("left-right,mkx200")
    by_name = FoundView(view, Origin.NAME, Origin.NAME).describe()
    assert by_name.startswith(view.describe())
    mixed = FoundView(view, Origin.BOXES, Origin.PIXELS).describe()
    assert Origin.BOXES.value in mixed
    assert Origin.PIXELS.value in mixed
    assert BASE_VIEW not in mixed
