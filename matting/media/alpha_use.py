"""Whether the alpha that a video's pixel format holds is transparency at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from enum import Enum

from matting.media.alpha import is_invisible
from matting.media.frame_decoding import Decoding, decode_files
from matting.media.video_info import VideoInfo
from matting.progress import ignore


class AlphaUse(Enum):
    """What is done with the alpha that a pixel format holds."""

    ABSENT = "absent"
    OVER_BLACK = "over black"
    # The colours are shown as they are, as by FFmpeg's players.
    IGNORED = "ignored"


def alpha_use_of(info: VideoInfo, alive: Callable[[], None] = ignore) -> AlphaUse:
    """Return what is to be done with a video's alpha; decodes up to the first frame that shows it.

    Uncompressed RGB in AVI has a fourth byte that means nothing: Microsoft's BITMAPINFOHEADER,
    BI_RGB. Other codecs' alpha is none where it is 0 all over the whole video.

    Args:
        alive: called for every packet.
    Raises:
        InputError: no such file.
        MediaError: it is no video.
    """
    if not info.has_alpha:
        return AlphaUse.ABSENT
    if (info.codec, info.container) == ("rawvideo", "avi"):
        return AlphaUse.IGNORED
    with closing(decode_files([info.path], Decoding(), strict=False, alive=alive)) as frames:
        is_seen = any(not is_invisible(frame) for _, _, frame in frames)
    return AlphaUse.OVER_BLACK if is_seen else AlphaUse.IGNORED
