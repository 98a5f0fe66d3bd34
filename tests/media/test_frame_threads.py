"""How many threads of a codec hold a frame each."""

from __future__ import annotations

import av
import pytest
from av.video.codeccontext import VideoCodecContext

from matting.imaging.sample_format import Size
from matting.media.frame_threads import AUTO, FFMPEG_MOST, MOST_BYTES, frame_bytes, use_threads

ENCODERS = {"prores_ks", "ffv1"}
HD, HEADSET = Size(1920, 1080), Size(8192, 4096)


@pytest.mark.parametrize(
    ("pixel_format", "size", "expected"),
    [
        ("yuv420p", HD, HD.width * HD.height * 3 // 2),
        ("yuva444p10le", HD, HD.width * HD.height * 8),
        ("p010le", HD, HD.width * HD.height * 3),
        (None, HD, 0),
    ],
)
def test_the_bytes_of_a_frame(pixel_format: str | None, size: Size, expected: int) -> None:
    assert frame_bytes(pixel_format, *size) == expected


@pytest.mark.parametrize(
    ("codec", "pixel_format", "size", "cores", "threads"),
    [
        ("prores_ks", "yuva444p10le", HD, 64, AUTO),
        ("prores_ks", "yuva444p10le", HEADSET, 2, AUTO),
        ("prores_ks", "yuva444p10le", HEADSET, 16, 4),
        ("prores", "yuva444p10le", HEADSET, 16, 4),
        ("h264", "yuv420p", HEADSET, 64, AUTO),
        ("ffv1", "yuva444p10le", HEADSET, 64, AUTO),  # its threads share one frame
    ],
)
def test_large_frames_get_fewer_threads(
    codec: str, pixel_format: str, size: Size, cores: int, threads: int
) -> None:
    context = av.CodecContext.create(codec, "w" if codec in ENCODERS else "r")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height = size
    context.pix_fmt = pixel_format
    use_threads(context, cores)
    assert context.thread_count == threads
    most = threads or min(FFMPEG_MOST, cores + 1)
    if codec != "ffv1":
        assert most * frame_bytes(pixel_format, *size) <= MOST_BYTES
