"""What is refused before work starts, because it cannot be done right."""

from __future__ import annotations

import re

from matting.errors import MediaError
from matting.media.video_info import VideoInfo

# Matrices by their numbers in ITU-T H.273, table 4, that no linear matrix undoes, or that need
# numbers from elsewhere.
MATRICES = {
    8: "YCgCo",
    10: "BT.2020 with constant luminance",
    11: "Y'D'zD'x",
    12: "a matrix derived from its primaries",
    13: "a matrix derived from its primaries, with constant luminance",
    14: "ICtCp",
    16: "YCgCo-Re",
    17: "YCgCo-Ro",
}
CONVERT = "Convert it to H.265 with BT.709 or BT.2020 colours first."


def require_supported(info: VideoInfo) -> None:
    """Refuses colours that would come out wrong.

    Raises:
        MediaError: names the file and what it is.
    """
    name = info.pixel_format
    if info.header.dolby_vision_profile == 5:
        what = "is Dolby Vision profile 5, whose colours only its own players know"
    elif info.colour.matrix in MATRICES and not name.startswith(("gbr", "rgb", "bgr")):
        what = f"has its colours as {MATRICES[info.colour.matrix]}, which is not understood here"
    elif name.startswith("xyz"):
        what = "has its colours as XYZ, as films for cinemas have"
    elif re.search(r"f(16|32)", name):
        what = "holds numbers with fractions, which mean light and not what a screen shows"
    elif name.startswith("bayer"):
        what = "holds a camera's raw samples (Bayer)"
    else:
        return
    raise MediaError(f"{info.path} {what}.", CONVERT)


def require_progressive(info: VideoInfo, *, interlaced_frame: bool = False) -> None:
    """Refuses interlaced video, where it is matted as it is.

    Args:
        interlaced_frame: whether a decoded frame is marked so; not every header says it.
    Raises:
        MediaError: names the file and the command that helps.
    """
    if info.interlaced or interlaced_frame:
        raise MediaError(
            f"{info.path} is interlaced.",
            f'Cut it first, which makes whole pictures of it: segment "{info.path}"',
        )


def require_whole_pictures(info: VideoInfo) -> None:
    """Refuses interlaced video whose decoder gives single fields.

    Raises:
        MediaError: names the file.
    """
    if info.codec == "hevc":
        raise MediaError(
            f"{info.path} is interlaced H.265, whose fields are stored as pictures of their own.",
            "Convert it with a video converter that deinterlaces H.265 first.",
        )
