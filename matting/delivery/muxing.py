"""The tracks of a source put beside its matted picture, by the ffmpeg program."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from matting.delivery.stream_mapping import COPY, StreamMapping, map_streams
from matting.errors import writing
from matting.media import ffmpeg
from matting.media.media_index import forget_index
from matting.media.mp4.metadata import Additions, add_to_header
from matting.media.mp4.spatial import Spatial
from matting.media.probe import frame_times, probe, read_contents, read_spatial
from matting.media.streams import Contents, TrackKind, cover_bytes
from matting.media.video_info import VideoInfo
from matting.progress import Progress
from matting.project.paths import Container

COVER_FILES = {
    "mjpeg": ("cover.jpg", "image/jpeg"),
    "png": ("cover.png", "image/png"),
    "bmp": ("cover.bmp", "image/bmp"),
}
USUAL_SAMPLE_RATE = 48_000
LARGEST_TICKS = 2**31 - 1
SPHERICAL_V1_BYTES = 24  # of the box before the XML in it


@dataclass(frozen=True)
class MuxRequest:
    """What goes into a final file.

    Attributes:
        source: the source.
        combined: its matted picture.
        contents: what the source holds.
        mapping: what of that goes along.
        spatial: how the source's picture is to be viewed.
    """

    source: VideoInfo
    combined: VideoInfo
    contents: Contents
    mapping: StreamMapping
    spatial: Spatial

    @classmethod
    def of(cls, video: Path, combined: Path) -> MuxRequest:
        """Request all of `video` that a container can hold beside the picture of `combined`.

        Raises:
            InputError, MediaError: one of them cannot be read.
        """
        spatial, contents, source = read_spatial(video), read_contents(video), probe(video)
        frame_times(combined)  # the mux check needs them: read now, they take no second opening
        picture = probe(combined)
        return cls(source, picture, contents, map_streams(contents, picture.codec), spatial)

    @property
    def source_start_seconds(self) -> float:
        """When the source's container starts."""
        return float(self.source.start_pts * self.source.time_base)


def mux(request: MuxRequest, target: Path, progress: Progress) -> None:
    """Write `target`.

    Raises:
        MediaError: ffmpeg refused a track.
        StorageError, MissingError.
    """
    container = request.mapping.container
    with tempfile.TemporaryDirectory() as folder:  # of cover pictures
        arguments = _input_arguments(request) + _track_arguments(request.mapping)
        arguments += _picture_tags(request) + _file_tags(request)
        if container is Container.MATROSKA:
            arguments += _attach_covers(request, Path(folder))
        else:
            arguments += ["-movie_timescale", str(_movie_ticks(request.combined))]
        arguments += ["-f", container.value, f"./{target.name}"]
        ffmpeg.run(
            arguments,
            folder=target.parent,
            subject=request.source.path,
            hint="Check that its audio plays; the matted picture without audio is whole.",
            on_frames=progress.advance,
        )
    if container is not Container.MATROSKA:
        with writing(target):
            add_to_header(target, _additions(request, target))
            forget_index(target)


def missing_tags(written: Mapping[str, str], original: Mapping[str, str]) -> dict[str, str]:
    """Return the original tags that were not written, whatever the case of their keys."""
    values = {key.lower(): value for key, value in written.items()}
    return {
        key: value
        for key, value in original.items()
        if key.lower() not in values or not _is_same(key, values[key.lower()], value)
    }


def _is_same(key: str, written: str, original: str) -> bool:
    if key.lower() == "creation_time":  # with or without the microseconds
        return written[:19] == original[:19]
    return written == original


def _input_arguments(request: MuxRequest) -> list[str]:
    """Open both files so that the combined file's times count from where the source starts.

    So will the result's, unless the source is MP4 or QuickTime: there a late start of everything
    is part of what a player shows, in other containers it is how they count.
    """
    start = request.source_start_seconds
    later, earlier = (start, 0.0) if "mov" in request.source.container else (0.0, start)
    # Without -copyts ffmpeg would count from what it believes the start to be, and close gaps
    # in transport streams.
    inputs = ["-copyts", "-itsoffset", f"{later:.6f}", *ffmpeg.input_file(request.combined.path)]
    return [*inputs, "-itsoffset", f"{-earlier:.6f}", *ffmpeg.input_file(request.source.path)]


def _movie_ticks(combined: VideoInfo) -> int:
    """Return the ticks a second in which tracks' starts are noted; by default a thousand."""
    picture_ticks = combined.time_base.denominator
    common = math.lcm(picture_ticks, USUAL_SAMPLE_RATE)
    return common if common <= LARGEST_TICKS else picture_ticks


def _track_arguments(mapping: StreamMapping) -> list[str]:
    arguments = ["-map", "0:v:0", "-map_chapters", "1", "-c", "copy"]
    for number, mapped in enumerate(mapping.tracks, 1):
        track = mapped.track
        arguments += ["-map", f"1:{track.index}"]
        if mapped.codec != COPY:
            arguments += [f"-c:{number}", mapped.codec]
        if track.kind != TrackKind.ATTACHMENT:
            arguments += _tag_arguments({"title": track.title}, f":s:{number}")
            # Set for every track: otherwise ffmpeg makes the first of each type a default.
            arguments += [f"-disposition:{number}", "+".join(sorted(track.flags)) or "0"]
    return arguments


def _picture_tags(request: MuxRequest) -> list[str]:
    """Give the picture the tags of the source's picture, not those of the combined file's."""
    contents, spatial = request.contents, request.spatial
    picture = contents.of(TrackKind.PICTURE)[0]
    tags = {"language": picture.language, "title": picture.title}
    tags["handler_name"] = picture.tags.get("handler_name", "")
    if request.mapping.container is Container.MATROSKA:
        tags["stereo_mode"] = spatial.stereo_mode
        for box in spatial.track:
            tags["SPHERICAL-VIDEO"] = box[SPHERICAL_V1_BYTES:].decode("utf-8", "replace")
    elif contents.timecode:
        tags["timecode"] = contents.timecode
    arguments = _tag_arguments(tags, ":s:v:0")
    rate = contents.timecode_rate
    if "timecode" in tags and rate and round(rate) != round(request.combined.rate):
        # By which the time code counts where frames come unevenly; their times stay.
        arguments += ["-r:v:0", str(rate)]
    return arguments


def _file_tags(request: MuxRequest) -> list[str]:
    contents = request.contents
    tags = {key: value for key, value in contents.tags.items() if "=" not in key}
    if request.mapping.container is Container.MATROSKA and contents.timecode:
        tags["timecode"] = contents.timecode
    return ["-map_metadata:g", "-1", *_tag_arguments(tags, "")]


def _tag_arguments(tags: Mapping[str, str], where: str) -> list[str]:
    pairs = [[f"-metadata{where}", f"{key}={value}"] for key, value in tags.items() if value]
    return [argument for pair in pairs for argument in pair]


def _attach_covers(request: MuxRequest, folder: Path) -> list[str]:
    """Write the covers to files, which Matroska holds as attachments."""
    arguments: list[str] = []
    mapping = request.mapping
    attachments = sum(other.track.kind == TrackKind.ATTACHMENT for other in mapping.tracks)
    for number, cover in enumerate(mapping.covers):
        name, mime_type = COVER_FILES[cover.codec]
        path = folder / f"{number}_{name}"
        content = cover_bytes(request.source.path, cover.index)
        with writing(path):
            path.write_bytes(content)
        tags = {"mimetype": mime_type, "filename": name}
        arguments += ["-attach", str(path), *_tag_arguments(tags, f":s:t:{attachments + number}")]
    return arguments


def _additions(request: MuxRequest, target: Path) -> Additions:
    mapping = request.mapping
    numbered = list(enumerate((mapped.track for mapped in mapping.tracks), 1))
    languages = {number: track.language for number, track in numbered if track.language}
    return Additions(
        spatial=request.spatial,
        tags=missing_tags(read_contents(target).tags, request.contents.tags),
        # mp4 files by ffmpeg have them already; QuickTime's only where on its own short list.
        languages={} if mapping.container is Container.MP4 else languages,
        # Its mp4 writer enables the first of a kind whatever was said.
        enabled={
            number: "default" in track.flags
            for number, track in numbered
            if track.kind == TrackKind.SUBTITLE
        },
        covers=[
            (cover.codec, cover_bytes(request.source.path, cover.index)) for cover in mapping.covers
        ],
    )
