"""Fisheye circles are known by the black around them, whatever the frame's format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from numpy.typing import NDArray

from matting.media import fisheye_circles
from matting.media.probe import upright_size_px
from matting.media.view_detection import Origin, view_of
from matting.view import Projection, StereoLayout

RGB = NDArray[np.uint8]
EYE = 64
CAMERA = 1.0  # the radius of a circle that fills its part


def eye(number: int, radius: float = CAMERA, side: int = EYE) -> RGB:
    """Draw a textured circle on black, [side, side, 3]."""
    rows, columns = np.mgrid[0:side, 0:side]
    texture = (96 + (columns * 3 + rows * 2 + number * 5) % 128).astype(np.uint8)
    inside = np.hypot(2 * columns + 1 - side, 2 * rows + 1 - side) <= radius * side
    return np.repeat((texture * inside).astype(np.uint8)[..., None], 3, axis=2)


def write(path: Path, frames: list[RGB], pixel_format: str = "yuv420p", gop: int = 4) -> Path:
    """Write frames without loss; return the path."""
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w") as container:
        codec = "libx264rgb" if "rgb" in pixel_format else "libx264"
        # In so small a picture, what a lossy encoder smears lies far outside of the circle.
        video = container.add_stream(codec, rate=30, options={"qp": "0"})
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = width, height, pixel_format
        video.codec_context.gop_size = gop
        if pixel_format.startswith("yuvj"):
            video.codec_context.color_range = 2
        for rgb in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            container.mux(video.encode(frame.reformat(format=pixel_format)))
        container.mux(video.encode(None))
    return path


def fisheye_layout(video: Path, stated: StereoLayout | None = None) -> StereoLayout | None:
    return fisheye_circles.fisheye_layout(video, upright_size_px(video), stated)


def side_by_side(number: int) -> RGB:
    return np.concatenate([eye(number), eye(number + 3)], axis=1)


def stacked(number: int) -> RGB:
    return np.concatenate([eye(number), eye(number + 3)], axis=0)


def film(draw: Callable[[int], RGB], frames: int = 12) -> list[RGB]:
    return [draw(number) for number in range(frames)]


@pytest.mark.parametrize(
    ("draw", "layout"),
    [
        (eye, StereoLayout.MONO),
        (side_by_side, StereoLayout.LEFT_RIGHT),
        (stacked, StereoLayout.TOP_BOTTOM),
    ],
)
def test_circles_and_where_they_lie(
    tmp_path: Path, draw: Callable[[int], RGB], layout: StereoLayout
) -> None:
    video = write(tmp_path / "clip.mp4", film(draw))
    assert fisheye_layout(video) is layout
    found = view_of(video)
    assert (found.view.stereo, found.view.projection) == (layout, Projection.FISHEYE)
    assert found.view.field_of_view_deg is None
    assert (found.stereo_from, found.projection_from) == (Origin.PIXELS, Origin.PIXELS)


@pytest.mark.parametrize("pixel_format", ["yuvj420p", "yuv420p10le", "yuv444p", "rgb24"])
def test_in_any_format(tmp_path: Path, pixel_format: str) -> None:
    video = write(tmp_path / "clip.mkv", film(side_by_side), pixel_format)
    assert fisheye_layout(video) is StereoLayout.LEFT_RIGHT


def test_a_name_is_believed_before_the_pictures(tmp_path: Path) -> None:
    video = write(tmp_path / "clip_LR_180.mp4", film(side_by_side, 2))
    assert view_of(video).view.projection is Projection.HALF_EQUIRECTANGULAR


def test_a_layout_from_the_name_and_a_fisheye_from_the_pictures(tmp_path: Path) -> None:
    found = view_of(write(tmp_path / "clip_SBS.mp4", film(side_by_side, 4)))
    assert found.view.projection is Projection.FISHEYE
    assert (found.stereo_from, found.projection_from) == (Origin.NAME, Origin.PIXELS)


def test_a_stated_layout_that_the_size_denies_is_no_fisheye(tmp_path: Path) -> None:
    video = write(tmp_path / "clip.mp4", film(side_by_side, 4))
    assert fisheye_layout(video, StereoLayout.TOP_BOTTOM) is None


def full_frame(number: int) -> RGB:
    """A picture that fills its frame, as an equirectangular one does."""
    return np.concatenate([eye(number, 2.0), eye(number, 2.0)], axis=1)


def letterboxed(number: int) -> RGB:
    frame = full_frame(number)
    frame[:12], frame[-12:] = 0, 0
    return frame


def dark(number: int) -> RGB:
    return (side_by_side(number) // 8).astype(np.uint8)


def one_circle(number: int) -> RGB:
    return np.concatenate([eye(number), eye(number, 2.0)], axis=1)


def on_grey(number: int) -> RGB:
    return np.maximum(side_by_side(number), 40).astype(np.uint8)


@pytest.mark.parametrize("draw", [full_frame, letterboxed, dark, one_circle, on_grey])
def test_other_pictures_are_no_fisheye(tmp_path: Path, draw: Callable[[int], RGB]) -> None:
    assert fisheye_layout(write(tmp_path / "clip.mp4", film(draw, 4))) is None


def test_a_film_that_begins_in_black_is_known_by_the_rest(tmp_path: Path) -> None:
    black = [np.zeros_like(side_by_side(0))] * 4
    video = write(tmp_path / "clip.mp4", [*black, *film(side_by_side, 16)])
    assert fisheye_layout(video) is StereoLayout.LEFT_RIGHT
    assert fisheye_layout(write(tmp_path / "black.mp4", black)) is None


def test_a_film_with_a_scene_that_fills_the_frame_is_none(tmp_path: Path) -> None:
    frames = [*film(side_by_side, 12), *film(full_frame, 8)]
    assert fisheye_layout(write(tmp_path / "clip.mp4", frames)) is None


def test_what_cannot_be_sought_is_judged_by_its_start(tmp_path: Path) -> None:
    raw = write(tmp_path / "clip.h264", film(side_by_side, 6))
    assert fisheye_layout(raw) is StereoLayout.LEFT_RIGHT


def test_a_small_watermark_does_not_hide_the_circles(tmp_path: Path) -> None:
    def marked(number: int) -> RGB:
        frame = side_by_side(number)
        frame[1:3, 1:3] = 255
        return frame

    assert fisheye_layout(write(tmp_path / "clip.mkv", film(marked, 4), "rgb24")) is not None
