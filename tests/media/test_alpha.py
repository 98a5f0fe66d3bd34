"""Transparent frames are put over black, in every kind of source."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from matting.media import ffmpeg
from matting.media.alpha import flatten_alpha, has_alpha, opaque_format
from matting.media.colour_tags import ColourRange
from matting.media.container import decode, open_video
from matting.media.probe import probe
from matting.media.video_source import VideoSource
from matting.options import CuttingOptions
from matting.segment import segment
from tests.support.clips import SIZE, picture
from tests.support.recorder import Recorder

Samples = NDArray[np.int64]


def planes(frame: VideoFrame) -> list[Samples]:
    """Return the code values of every plane, [H, W]."""
    values = []
    for plane in frame.planes:
        dtype = np.uint8 if frame.format.components[0].bits == 8 else np.dtype("<u2")
        lines = np.frombuffer(bytes(plane), dtype)
        lines = lines.reshape(-1, plane.line_size // lines.itemsize)
        values.append(lines[: plane.height, : plane.width].astype(np.int64))
    return values


def noise(pixel_format: str, size: tuple[int, int], colour_range: int) -> VideoFrame:
    """Return a planar frame of every code value."""
    rng = np.random.default_rng(5)
    frame = VideoFrame(*size, pixel_format)
    bits = frame.format.components[0].bits
    for plane in frame.planes:
        dtype = np.uint8 if bits == 8 else np.dtype("<u2")
        own = np.frombuffer(memoryview(plane), dtype)
        own[:] = rng.integers(0, 1 << bits, own.shape)
    frame.color_range = colour_range
    frame.pts, frame.time_base = 7, Fraction(1, 30)
    return frame


def expected(value: Samples, alpha: Samples, zero: int, opaque_alpha: int) -> Samples:
    """Compute by fractions, sample by sample, the slow way."""
    height, width = value.shape
    rows, columns = (-(-alpha.shape[axis] // value.shape[axis]) for axis in (0, 1))
    samples = np.empty_like(value)
    for y in range(height):
        for x in range(width):
            cell = alpha[y * rows : (y + 1) * rows, x * columns : (x + 1) * columns]
            share = Fraction(int(cell.sum()), cell.size * opaque_alpha)
            exact = zero + (int(value[y, x]) - zero) * share
            samples[y, x] = (exact + Fraction(1, 2)).__floor__()
    return samples


@pytest.mark.parametrize("colour_range", [ColourRange.LIMITED, ColourRange.FULL])
@pytest.mark.parametrize(
    "pixel_format",
    ["yuva420p", "yuva422p", "yuva444p", "yuva420p10le", "yuva444p12le", "yuva444p16le", "gbrap"],
)
def test_exact_to_rounding(pixel_format: str, colour_range: int) -> None:
    frame = noise(pixel_format, (9, 7), colour_range)
    before = planes(frame)
    after = flatten_alpha(frame)
    assert after.format.name == opaque_format(pixel_format)
    assert (after.pts, after.time_base, after.color_range) == (7, Fraction(1, 30), colour_range)
    bits = frame.format.components[0].bits
    rgb = frame.format.is_rgb
    black = 0 if rgb or colour_range == ColourRange.FULL else 16 << bits - 8
    middle = 0 if rgb else 1 << bits - 1
    for plane, value, zero in zip(planes(after), before, (black, middle, middle), strict=False):
        assert np.array_equal(plane, expected(value, before[3], zero, (1 << bits) - 1))
    assert all(np.array_equal(a, b) for a, b in zip(planes(frame), before, strict=True))


@pytest.mark.parametrize(
    "pixel_format", ["rgba", "bgra", "argb", "rgba64le", "rgba64be", "gbrap10le"]
)
def test_rgb_in_any_order(pixel_format: str) -> None:
    """What is opaque stays; what is transparent becomes black."""
    rgba = np.dstack((picture(3), np.full(SIZE[::-1], 255, np.uint8)))
    rgba[:10, :, 3] = 0
    frame = VideoFrame.from_ndarray(rgba, format="rgba").reformat(format=pixel_format)
    rgb = flatten_alpha(frame).reformat(format="rgb24").to_ndarray()
    assert (rgb[:10] == 0).all()
    assert np.array_equal(rgb[10:], picture(3)[10:])


def test_a_palette() -> None:
    palette = np.zeros((256, 4), np.uint8)  # a, r, g, b
    palette[1] = (255, 10, 20, 30)
    palette[2] = (0, 200, 200, 200)
    frame = VideoFrame(4, 2, "pal8")
    np.frombuffer(memoryview(frame.planes[0]), np.uint8)[:] = 1
    np.frombuffer(memoryview(frame.planes[0]), np.uint8)[0] = 2
    np.frombuffer(memoryview(frame.planes[1]), np.uint8)[:] = palette[:, ::-1].ravel()
    rgb = flatten_alpha(frame).reformat(format="rgb24").to_ndarray()
    assert rgb[0, 0].tolist() == [0, 0, 0]
    assert rgb[1, 3].tolist() == [10, 20, 30]


def test_an_opaque_frame_is_left_alone() -> None:
    frame = noise("yuv420p", (8, 8), ColourRange.LIMITED)
    assert flatten_alpha(frame) is frame
    assert not has_alpha("yuv420p")


@pytest.mark.parametrize(
    ("codec", "suffix", "pixel_format", "tolerance"),
    [
        ("libvpx-vp9", "webm", "yuva420p", 6),
        ("libvpx-vp9", "mkv", "yuva420p", 6),
        ("libvpx", "webm", "yuva420p", 6),
        ("prores_ks", "mov", "yuva444p10le", 3),
        ("ffv1", "mkv", "bgra", 1),
        ("png", "mov", "rgba", 1),
        ("qtrle", "mov", "argb", 1),
        ("huffyuv", "avi", "bgra", 1),
    ],
)
def test_sources_with_alpha(
    codec: str,
    suffix: str,
    pixel_format: str,
    tolerance: int,
    tmp_path: Path,
) -> None:
    """A white picture whose alpha rises from left to right comes out as that ramp, grey."""
    ramp = np.repeat(np.linspace(0, 255, SIZE[0]).round().astype(np.uint8)[None], SIZE[1], 0)
    video = transparent(tmp_path / f"clip.{suffix}", codec, pixel_format, ramp)
    assert probe(video).has_alpha
    progress = Recorder()
    folder = segment(video, CuttingOptions(), None, progress)
    assert progress.mentions("over black")
    assert progress.mentions("re-encoded, without loss: ")
    with open_video(folder / "output_000.mp4") as (container, stream):
        frames = list(decode(container, stream))
    assert len(frames) == 6
    for frame in frames:
        grey = frame.reformat(format="gray", dst_color_range=ColourRange.FULL).to_ndarray()
        assert np.abs(grey.astype(int) - ramp).max() <= tolerance


@pytest.mark.parametrize(
    ("codec", "suffix", "pixel_format", "alpha"),
    [
        ("rawvideo", "avi", "bgra", 0),
        ("rawvideo", "avi", "bgra", 100),
        ("huffyuv", "avi", "bgra", 0),
        ("utvideo", "avi", "gbrap", 0),
        ("qtrle", "mov", "argb", 0),
        ("ffv1", "mkv", "yuva444p10le", 0),
    ],
)
def test_a_fourth_channel_that_is_no_alpha(
    codec: str, suffix: str, pixel_format: str, alpha: int, tmp_path: Path
) -> None:
    """The colours come out as they are: cut, and read without being cut."""
    flat = np.full(SIZE[::-1], alpha, np.uint8)
    video = transparent(tmp_path / f"clip.{suffix}", codec, pixel_format, flat)
    progress = Recorder()
    folder = segment(video, CuttingOptions(), None, progress)
    assert progress.mentions("its colours are taken as they are")
    for path in (folder / "output_000.mp4", video):
        planes = next(VideoSource(path).chunks(1)).pictures
        sample_format = planes.sample_format
        white = 235 << sample_format.bits - 8 if sample_format.luma_coefficients else 255
        assert (planes.luma_or_rgb.int() == white).all()


def transparent(path: Path, codec: str, pixel_format: str, alpha: NDArray[np.uint8]) -> Path:
    options = {
        "libvpx-vp9": {"crf": "4", "b": "0", "deadline": "realtime", "cpu-used": "8"},
        "libvpx": {"crf": "4", "b": "4M", "deadline": "realtime", "auto-alt-ref": "0"},
    }.get(codec, {})
    white = np.full((*alpha.shape, 3), 255, np.uint8)
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=30, options=options)
        assert isinstance(video, av.VideoStream)
        video.width, video.height = SIZE
        video.pix_fmt = pixel_format
        for index in range(6):
            frame = VideoFrame.from_ndarray(np.dstack((white, alpha)), format="rgba")
            frame = frame.reformat(format=pixel_format)
            frame.pts, frame.time_base = index, Fraction(1, 30)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def test_deep_vp9_is_shown_without_its_alpha(tmp_path: Path, progress: Recorder) -> None:
    """As by the ffmpeg program, for no decoder here takes it."""
    video = tmp_path / "clip.webm"
    source = f"testsrc2=s={SIZE[0]}x{SIZE[1]},format=yuva420p10le"
    encoding = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -strict -2 -frames:v 3"
    command = [str(ffmpeg.program()), "-v", "error", "-f", "lavfi", "-i", source]
    subprocess.run([*command, *encoding.split(), str(video)], check=True)
    folder = segment(video, CuttingOptions(), None, progress)
    with open_video(folder / "output_000.mp4") as (container, stream):
        assert sum(1 for _ in decode(container, stream)) == 3
