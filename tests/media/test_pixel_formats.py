"""Frames whose lines lie from bottom to top in memory, and grey."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph
from numpy.typing import NDArray

from matting.media.colour_tags import ColourRange
from matting.media.frame_decoding import pixel_hash
from matting.media.pixel_formats import plane_samples, top_down
from matting.media.probe import probe
from matting.options import CuttingOptions
from matting.progress import Progress
from matting.segment import segment
from tests.support.clips import make_clip, picture
from tests.support.recorder import Recorder
from tests.support.stream_sources import make, opened

FORMATS = ["yuv420p", "yuv420p10le", "gray", "gbrp"]


def as_numbers(frame: av.VideoFrame) -> list[NDArray[np.generic]]:
    bits = frame.format.components[0].bits
    return [plane_samples(plane, bits) for plane in frame.planes]


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_lines_from_the_bottom_are_the_same_picture(pixel_format: str) -> None:
    """Two mirrors give the picture itself; FFmpeg mirrors by counting lines from the other end."""
    frame = av.VideoFrame.from_ndarray(picture(3), format="rgb24").reformat(format=pixel_format)
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1)
    )
    mirror = graph.add("vflip")
    graph.link_nodes(source, mirror, graph.add("buffersink")).configure()
    graph.vpush(frame)
    from_below = graph.vpull()
    assert from_below.planes[0].line_size < 0
    upside_down = top_down(from_below)
    for there, here in zip(as_numbers(frame), as_numbers(upside_down), strict=True):
        assert np.array_equal(there[::-1], here)
    assert pixel_hash(from_below) == pixel_hash(upside_down) != pixel_hash(frame)


def test_a_palette_is_part_of_the_picture() -> None:
    frames = [av.VideoFrame(6, 4, "pal8") for _ in range(3)]
    for frame, indices, colours in zip(frames, (1, 1, 2), (5, 6, 5), strict=True):
        pixels, palette = frame.planes
        pixels.update(bytes([indices]) * pixels.buffer_size)
        palette.update(bytes([colours]) * palette.buffer_size)
    assert len({pixel_hash(frame) for frame in frames}) == 3
    assert pixel_hash(frames[0]) == pixel_hash(frames[0])


def test_damage_in_video_with_a_palette_is_gone_on_with(tmp_path: Path, progress: Recorder) -> None:
    clip = make_clip(tmp_path / "plain.mp4", 12)
    video = make(tmp_path / "clip.mov", *opened(clip), "-c:v", "smc", "-an")
    content = bytearray(video.read_bytes())
    half = len(content) // 2
    content[half : half + 200] = b"\xff" * 200
    video.write_bytes(content)
    folder = segment(video, CuttingOptions(), None, progress)
    assert (folder / "output_000.mp4").is_file()
    assert progress.mentions("is damaged")


@pytest.mark.parametrize(
    ("suffix", "codec", "pixel_format", "colour_range"),
    [
        ("mov", "png", "gray", ColourRange.FULL),
        ("mkv", "ffv1", "gray", ColourRange.FULL),
        ("mkv", "ffv1", "yuv420p", ColourRange.LIMITED),
    ],
)
def test_grey_and_full_range_are_cut_as_what_they_are(
    suffix: str,
    codec: str,
    pixel_format: str,
    colour_range: ColourRange,
    tmp_path: Path,
) -> None:
    options = {"strict": "-2"}
    video = make_clip(
        tmp_path / f"clip.{suffix}", 3, codec=codec, pixel_format=pixel_format, options=options
    )
    assert probe(video).colour.range == colour_range
    folder = segment(video, CuttingOptions(), None, Progress())
    with av.open(str(folder / "output_000.mp4")) as container:
        frames = list(container.decode(video=0))
    assert {frame.color_range for frame in frames} == {colour_range}
    with av.open(str(video)) as container:
        sources = list(container.decode(video=0))
    for source, frame in zip(sources, frames, strict=True):
        assert np.array_equal(as_numbers(source)[0], as_numbers(frame)[0])
