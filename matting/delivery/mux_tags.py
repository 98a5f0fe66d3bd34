"""The tags of a final file: which of the source's are written, and where."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from matting.media.codecs import ALPHA_DECODERS
from matting.media.mp4.spatial import Spatial
from matting.media.probe import upright_pixel_aspect
from matting.media.tracks import Contents, Track, TrackKind
from matting.media.video_info import VideoInfo
from matting.project.paths import Container

# FFmpeg looks through all tags for each that is added, and players read them before the picture.
MOST_TAGS, MOST_TAG_BYTES = 4096, 1 << 24
MOST_CHAPTERS = 10_000
SPHERICAL_V1_BYTES = 24  # of the box before the XML in it
# By programs that counted a file's packets: true of that file only.
COUNTED = ("bps", "duration", "number_of_frames", "number_of_bytes", "_statistics")


def bounded_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that are taken along: the first, up to bounds that no real file reaches."""
    kept: dict[str, str] = {}
    room_bytes = MOST_TAG_BYTES
    for key, value in tags.items():
        size_bytes = len(key.encode("utf-8", "replace")) + len(value.encode("utf-8", "replace"))
        if size_bytes <= room_bytes and len(kept) < MOST_TAGS:
            kept[key] = value
            room_bytes -= size_bytes
    return kept


def missing_tags(written: Mapping[str, str], original: Mapping[str, str]) -> dict[str, str]:
    """Return the original tags that were not written, whatever the case of their keys."""
    values = {key.lower(): value for key, value in written.items()}
    return {
        key: value
        for key, value in original.items()
        if key.lower() not in values or not _is_same(key, values[key.lower()], value)
    }


def file_tags(contents: Contents, container: Container) -> dict[str, str]:
    """Return the tags of the whole file."""
    tags = bounded_tags(contents.tags)
    if container.is_matroska and contents.timecode:
        tags["timecode"] = contents.timecode
    return tags


def shape_arguments(source: Path, combined: VideoInfo) -> list[str]:
    """Return what gives a Matroska file the shape of its source's pixels.

    PyAV writes none into the parts, where these are Matroska files, too.

    Args:
        combined: the matted picture.
    Raises:
        InputError, MediaError: the source cannot be read.
    """
    aspect = combined.pixel_aspect
    if "matroska" in combined.container:
        aspect = upright_pixel_aspect(source)
    if aspect == 1:
        return []
    shape = Fraction(combined.width_px, combined.height_px) * aspect
    return ["-aspect:v:0", f"{shape.numerator}:{shape.denominator}"]


def picture_tags(
    contents: Contents, spatial: Spatial, combined: VideoInfo, container: Container
) -> dict[str, str]:
    """Return the tags of the picture: those of the source's, and whether its packets have alpha."""
    picture = contents.of(TrackKind.PICTURE)[0]
    tags = {"language": picture.language, "title": picture.title}
    tags["handler_name"] = picture.tags.get("handler_name", "")
    if container.is_matroska:
        tags["stereo_mode"] = spatial.stereo_mode
        if combined.has_alpha and combined.codec in ALPHA_DECODERS:
            tags["alpha_mode"] = "1"
        for box in spatial.track:
            tags["SPHERICAL-VIDEO"] = box[SPHERICAL_V1_BYTES:].decode("utf-8", "replace")
    elif contents.timecode:
        tags["timecode"] = contents.timecode
    return tags


def track_tags(track: Track) -> dict[str, str]:
    """Return the tags of any other track."""
    tags = {key: value for key, value in track.tags.items() if not key.startswith(COUNTED)}
    return bounded_tags({**tags, "title": track.title})


def _is_same(key: str, written: str, original: str) -> bool:
    if key.lower() == "creation_time":  # with or without the microseconds
        return written[:19] == original[:19]
    return written == original
