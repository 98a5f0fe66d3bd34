"""Refusing videos before work starts that would come out wrong."""

from __future__ import annotations

import re

from matting.errors import MediaError
from matting.media.colour_tags import Matrix
from matting.media.video_info import VideoInfo

# Those that no linear matrix undoes, or that need numbers from elsewhere.
UNSUPPORTED_MATRICES: dict[int, str] = {
    Matrix.YCGCO: "YCgCo",
    Matrix.BT2020_CONSTANT_LUMINANCE: "BT.2020 with constant luminance",
    Matrix.SMPTE2085: "Y'D'zD'x",
    Matrix.FROM_PRIMARIES: "a matrix derived from its primaries",
    Matrix.FROM_PRIMARIES_CONSTANT_LUMINANCE: (
        "a matrix derived from its primaries, with constant luminance"
    ),
    Matrix.ICTCP: "ICtCp",
    Matrix.YCGCO_RE: "YCgCo-Re",
    Matrix.YCGCO_RO: "YCgCo-Ro",
}
CONVERT = "Convert it to H.265 with BT.709 or BT.2020 colours first."


def require_supported(info: VideoInfo) -> None:
    """Refuse colours that would come out wrong.

    Raises:
        MediaError: names the file and its kind of colours.
    """
    name, matrix = info.pixel_format, info.colour.matrix
    if info.header.dolby_vision_profile == 5:
        what = "is Dolby Vision profile 5, whose colours only its own players know"
    elif matrix in UNSUPPORTED_MATRICES and not name.startswith(("gbr", "rgb", "bgr")):
        what = f"has its colours as {UNSUPPORTED_MATRICES[matrix]}, which is not understood here"
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
    """Refuse interlaced video, where frames are matted as they are.

    Args:
        interlaced_frame: whether a decoded frame is marked so; not every header says it.
    Raises:
        MediaError: names the file, and the command that helps.
    """
    if info.interlaced or interlaced_frame:
        raise MediaError(
            f"{info.path} is interlaced.",
            f'Cut it first, which makes whole pictures of it: segment "{info.path}"',
        )


def require_matteable(info: VideoInfo) -> None:
    """Refuse what cannot be matted as it is.

    Raises:
        MediaError: says why.
    """
    require_supported(info)
    require_progressive(info)


def require_whole_pictures(info: VideoInfo) -> None:
    """Refuse interlaced video whose decoder gives single fields.

    Raises:
        MediaError: names the file.
    """
    if info.codec == "hevc":
        raise MediaError(
            f"{info.path} is interlaced H.265, whose fields are stored as pictures of their own.",
            "Convert it with a video converter that deinterlaces H.265 first.",
        )
