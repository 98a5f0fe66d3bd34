"""What a file is and holds, without decoding it through. Asking again costs next to nothing."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from matting.errors import MediaError
from matting.imaging.sample_format import Size
from matting.media.encryption import is_encrypted
from matting.media.media_index import IndexPart, index_of, upright_size
from matting.media.mp4.spatial import Spatial
from matting.media.packet_table import PacketSizes
from matting.media.source_spatial import spatial_of
from matting.media.streams import contents_of
from matting.media.tracks import Contents
from matting.media.video_info import VideoInfo


def probe(path: Path) -> VideoInfo:
    """Return the facts of the video `path`.

    Raises:
        InputError: no such file, or a folder.
        MediaError: it is no video, or cannot be used.
    """
    return index_of(path, IndexPart.HEADER).info


def read_contents(path: Path) -> Contents:
    """Return all that the video `path` holds, without reading its packets.

    Raises:
        InputError, MediaError: as `probe`.
    """
    index = index_of(path, IndexPart.MOOV)
    return contents_of(index.streams, index.moov)


def read_spatial(path: Path) -> Spatial:
    """Return the boxes that say how the picture of `path` is viewed, whatever its container.

    Raises:
        InputError, MediaError: as `probe`.
        MissingError: this build of FFmpeg has no decoder for all of the picture.
    """
    index = index_of(path, IndexPart.MOOV | IndexPart.START)
    return spatial_of(index.info.container, index.streams.picture, index.moov, index.start)


def encryption_error(path: Path) -> MediaError | None:
    """Return the error for a video whose picture is encrypted, which no decoder can show.

    None where it is not, or cannot be read: that shows when it is opened.

    Raises:
        InputError: there is no such file.
    """
    try:
        index = index_of(path, IndexPart.MOOV | IndexPart.START)  # which are needed next
    except MediaError:  # what is encrypted may not even look like a picture
        encrypted = is_encrypted(path)
    else:
        encrypted = is_encrypted(path, index.streams.picture.id, index.moov)
    if not encrypted:
        return None
    return MediaError(
        f"{path} is encrypted (DRM): its picture can be shown only by who has the key.",
        "Use a copy without protection.",
    )


def require_unencrypted(path: Path) -> None:
    """Refuse a video whose picture is encrypted.

    Raises:
        MediaError: it is.
        InputError: there is no such file.
    """
    error = encryption_error(path)
    if error is not None:
        raise error


def orientation_note(path: Path) -> str:
    """Return what of the turning that `path` asks for is not followed, in a sentence, or "".

    Raises:
        InputError, MediaError: as `probe`.
    """
    first = index_of(path, IndexPart.START).start.frame
    return first.orientation_note if first else ""


def upright_size_px(path: Path) -> Size:
    """Return the size of the picture of `path` as it is shown upright.

    Raises:
        InputError, MediaError: as `probe`.
        MissingError: this build of FFmpeg has no decoder for all of the picture.
    """
    return upright_size(index_of(path, IndexPart.START))


def upright_pixel_aspect(path: Path) -> Fraction:
    """Return the width of a pixel by its height, in the picture of `path` as it is shown upright.

    Raises:
        InputError, MediaError: as `probe`.
        MissingError: this build of FFmpeg has no decoder for all of the picture.
    """
    index = index_of(path, IndexPart.START)
    first = index.start.frame
    aspect = index.info.pixel_aspect
    return 1 / aspect if first is not None and first.orientation.is_sideways else aspect


def frame_times(path: Path) -> list[int]:
    """Return the PTS of every frame that a player shows, in the order of the packets.

    Reads the whole file.

    Raises:
        InputError, MediaError: as `probe`.
        MediaError: the file is truncated, damaged, or lacks the times of some frames.
    """
    return index_of(path, IndexPart.PACKETS).packets.frame_times(path)


def packet_sizes(path: Path) -> PacketSizes:
    """Return how large the packets of the picture are; reads the whole file.

    Raises:
        InputError, MediaError: as `probe`.
    """
    return index_of(path, IndexPart.PACKETS).packets.packet_sizes()
