"""Does a video decode, every frame of it?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av

from matting.errors import DecodeError
from matting.media.door import open_video


def ignore(_frames: int) -> None:
    """Hears of progress and does nothing."""


def decode_through(path: Path, on_frames: Callable[[int], None] = ignore) -> list[int]:
    """The times of all frames that a strict decode shows, in order; ticks of the stream.

    Args:
        on_frames: told how many more frames are decoded.
    Raises:
        DecodeError: a frame is damaged or cannot be decoded.
        MediaError: it is no video.
    """
    shown: list[int] = []
    try:
        with open_video(path) as (container, stream):
            stream.thread_type = "AUTO"
            stream.codec_context.options = {"err_detect": "explode"}
            for frame in container.decode(stream):
                if frame.is_corrupt or frame.pts is None:
                    raise DecodeError(f"{path}: frame {len(shown)} is damaged.")
                shown.append(frame.pts)
                on_frames(1)
    except av.error.FFmpegError as error:
        what = f"frame {len(shown)} cannot be decoded ({error.strerror})"
        raise DecodeError(f"{path}: {what}.") from error
    return shown
