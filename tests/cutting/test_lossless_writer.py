"""What cannot be copied is re-encoded with the same samples, whatever its pixel format."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from matting.cutting.lossless_writer import intermediate_codec, is_lossless
from matting.imaging.sample_format import Size
from matting.options import CuttingOptions
from matting.segment import segment
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.segments import plan_of


@pytest.mark.parametrize(
    ("codec", "pixel_format", "compared"),
    [
        ("utvideo", "yuv444p", "yuv444p"),
        ("utvideo", "gbrp", "gbrp"),
        ("huffyuv", "rgb24", "gbrp"),
        ("ffvhuff", "yuv444p10le", "yuv444p10le"),
        ("ffvhuff", "yuva420p", "yuv420p"),
    ],
)
def test_lossless_encoding_keeps_the_samples(
    codec: str, pixel_format: str, compared: str, tmp_path: Path, progress: Recorder
) -> None:
    video = make_clip(tmp_path / "clip.avi", 20, codec=codec, pixel_format=pixel_format)
    folder = segment(video, CuttingOptions(), None, progress)
    assert samples(folder / "output_000.mp4", compared) == samples(video, compared)
    assert progress.mentions("re-encoded, without loss")
    assert progress.mentions("over black") == (pixel_format == "yuva420p")
    assert not progress.mentions("but for its pixel format")


@pytest.mark.parametrize("pixel_format", ["gray", "gray10le"])
def test_re_encoded_grey_keeps_its_code_values(
    pixel_format: str, tmp_path: Path, progress: Recorder
) -> None:
    """Compared without libswscale, which takes all grey as of full range."""
    video = make_clip(tmp_path / "clip.avi", 20, codec="ffv1", pixel_format=pixel_format)
    folder = segment(video, CuttingOptions(), None, progress)
    assert luma(folder / "output_000.mp4") == luma(video)


def luma(path: Path) -> list[bytes]:
    """Return the first plane of every frame, without the padding of lines."""
    with av.open(str(path)) as container:
        planes = []
        for frame in container.decode(video=0):
            plane = frame.planes[0]
            size = (frame.format.components[0].bits + 7) // 8
            lines = np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)
            planes.append(lines[: frame.height, : frame.width * size].tobytes())
    return planes


def samples(path: Path, pixel_format: str) -> list[bytes]:
    """Return all planes of all frames in that format, without the padding of lines."""
    size = 2 if "10" in pixel_format else 1
    planes = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            for plane in frame.reformat(format=pixel_format).planes:
                lines = np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)
                planes.append(lines[: plane.height, : plane.width * size].tobytes())
    return planes


def test_the_nearest_format_for_a_constant_quality() -> None:
    nearest = {
        ("yuv411p", (64, 48)): "yuv422p",
        ("yuv410p", (64, 48)): "yuv420p",
        ("yuv440p", (64, 48)): "yuv444p",
        ("yuv420p9le", (64, 48)): "yuv420p10le",
        ("yuv422p16le", (64, 48)): "yuv422p12le",
        ("gbrp14le", (64, 48)): "gbrp12le",
        ("yuv420p", (65, 48)): "yuv444p",
        ("yuv420p10le", (64, 49)): "yuv422p10le",
    }
    for (pixel_format, size), expected in nearest.items():
        codec = intermediate_codec(pixel_format, Size(*size), 12)
        assert codec.pixel_format == expected, (pixel_format, size)
    assert not is_lossless("gbrpf16be")


@pytest.mark.parametrize("size", [(8, 8), (161, 40)])
@pytest.mark.parametrize("pixel_format", ["yuv410p", "yuv411p", "yuv420p"])
def test_small_and_odd_pictures(
    pixel_format: str, size: tuple[int, int], tmp_path: Path, progress: Recorder
) -> None:
    """Without loss, and in H.265 or in what takes such pictures."""
    clip = make_clip(
        tmp_path / "clip.nut", 3, codec="rawvideo", pixel_format=pixel_format, size=size
    )
    for options in (CuttingOptions(), CuttingOptions(reencode=True, overwrite=True)):
        assert plan_of(segment(clip, options, None, progress)).frames == 3
