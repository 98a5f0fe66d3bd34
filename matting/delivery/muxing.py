"""Putting the tracks of a source beside its matted picture, by the ffmpeg program."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

from matting.delivery.stream_mapping import MATROSKA, MP4, StreamMapping, map_streams
from matting.errors import writing
from matting.media import ffmpeg
from matting.media.mp4.metadata import Additions, add_to_header
from matting.media.mp4.spatial import Spatial, read_spatial
from matting.media.probe import probe
from matting.media.streams import Contents, TrackKind, contents, cover_bytes
from matting.progress import Progress

COVER_FILES = {"mjpeg": ("cover.jpg", "image/jpeg"), "png": ("cover.png", "image/png")}
COVER_FILES["bmp"] = ("cover.bmp", "image/bmp")
USUAL_SAMPLE_RATE = 48_000
LARGEST_TICKS = 2**31 - 1
SPHERICAL_V1_BYTES = 24  # of the box before the XML in it


@dataclass(frozen=True)
class Delivery:
    """What goes into a final file.

    Attributes:
        video: the source.
        combined: its matted picture.
        holds: what the source holds.
        carriage: what of that goes along.
        spatial: how the source's picture is to be seen.
    """

    video: Path
    combined: Path
    holds: Contents
    mapping: StreamMapping
    spatial: Spatial

    @classmethod
    def of(cls, video: Path, combined: Path) -> Delivery:
        """All that can be carried of `video`.

        Raises:
            InputError, MediaError: one of them cannot be read.
        """
        holds = contents(video)
        mapping = map_streams(holds, probe(combined).codec)
        return cls(video, combined, holds, mapping, read_spatial(video))


def mux(delivery: Delivery, target: Path, progress: Progress) -> None:
    """Writes `target`.

    Raises:
        MediaError: ffmpeg refused a track.
        StorageError, MissingError.
    """
    video, container = delivery.video, delivery.mapping.container
    with tempfile.TemporaryDirectory() as folder:  # of cover pictures
        arguments = _inputs(video, delivery.combined) + _tracks(delivery.mapping)
        arguments += _picture_tags(delivery) + _file_tags(delivery)
        if container == MATROSKA:
            arguments += _attached_covers(delivery, Path(folder))
        else:
            arguments += ["-movie_timescale", str(_movie_ticks(delivery.combined))]
        arguments += ["-f", container, f"./{target.name}"]
        ffmpeg.run(
            arguments,
            folder=target.parent,
            subject=video,
            hint="Check that its sound plays; the matted picture without sound is whole.",
            on_frames=progress.advance,
        )
    if container != MATROSKA:
        with writing(target):
            add_to_header(target, _additions(delivery, target))


def missing_tags(have: dict[str, str], want: dict[str, str]) -> dict[str, str]:
    """What of the tags `want` is not among `have`, whatever the case of its key."""
    told = {key.lower(): value for key, value in have.items()}
    return {
        key: value
        for key, value in want.items()
        if key.lower() not in told or not _is_same(key, told[key.lower()], value)
    }


def _is_same(key: str, have: str, want: str) -> bool:
    if key.lower() == "creation_time":  # with or without the microseconds
        return have[:19] == want[:19]
    return have == want


def _inputs(video: Path, combined: Path) -> list[str]:
    """The combined file's times count from where the source starts.

    So will the result's, unless the source is MP4 or QuickTime: there a late start of everything
    is part of what a player shows, in other containers it is how they count.
    """
    source = probe(video)
    start = float(source.start_pts * source.time_base)
    later, earlier = (start, 0.0) if "mov" in source.container else (0.0, start)
    # Without -copyts ffmpeg would count from what it believes the start to be, and close gaps
    # in transport streams.
    inputs = ["-copyts", "-itsoffset", f"{later:.6f}", *ffmpeg.input_file(combined)]
    return [*inputs, "-itsoffset", f"{-earlier:.6f}", *ffmpeg.input_file(video)]


def _movie_ticks(combined: Path) -> int:
    """In these, by default milliseconds, the file notes when each track starts."""
    own = probe(combined).time_base.denominator
    common = math.lcm(own, USUAL_SAMPLE_RATE)
    return common if common <= LARGEST_TICKS else own


def _tracks(mapping: StreamMapping) -> list[str]:
    arguments = ["-map", "0:v:0", "-map_chapters", "1", "-c", "copy"]
    for number, mapped in enumerate(mapping.tracks, 1):
        track = mapped.track
        arguments += ["-map", f"1:{track.index}"]
        if mapped.codec != "copy":
            arguments += [f"-c:{number}", mapped.codec]
        if track.kind != TrackKind.ATTACHMENT:
            arguments += _tags({"title": track.title}, f":s:{number}")
            # Said of each, for else ffmpeg has the first of a kind shown unasked.
            arguments += [f"-disposition:{number}", "+".join(sorted(track.flags)) or "0"]
    return arguments


def _picture_tags(delivery: Delivery) -> list[str]:
    """The picture's own tags are those of the source's, not the combined file's."""
    holds, spatial = delivery.holds, delivery.spatial
    picture = holds.of(TrackKind.PICTURE)[0]
    tags = {"language": picture.language, "title": picture.title}
    tags["handler_name"] = picture.tags.get("handler_name", "")
    if delivery.mapping.container == MATROSKA:
        tags["stereo_mode"] = spatial.stereo_mode
        for box in spatial.track:
            tags["SPHERICAL-VIDEO"] = box[SPHERICAL_V1_BYTES:].decode("utf-8", "replace")
    elif holds.timecode:
        tags["timecode"] = holds.timecode
    arguments = _tags(tags, ":s:v:0")
    rate = holds.timecode_rate
    if "timecode" in tags and rate and round(rate) != round(probe(delivery.combined).rate):
        # By which the time code counts where frames come unevenly; their times stay.
        arguments += ["-r:v:0", str(rate)]
    return arguments


def _file_tags(delivery: Delivery) -> list[str]:
    holds = delivery.holds
    tags = {key: value for key, value in holds.tags.items() if "=" not in key}
    if delivery.mapping.container == MATROSKA and holds.timecode:
        tags["timecode"] = holds.timecode
    return ["-map_metadata:g", "-1", *_tags(tags, "")]


def _tags(tags: dict[str, str], where: str) -> list[str]:
    pairs = [[f"-metadata{where}", f"{key}={value}"] for key, value in tags.items() if value]
    return [argument for pair in pairs for argument in pair]


def _attached_covers(delivery: Delivery, folder: Path) -> list[str]:
    """Matroska holds a cover as an attached file."""
    arguments: list[str] = []
    mapped = delivery.mapping
    attachments = sum(other.track.kind == TrackKind.ATTACHMENT for other in mapped.tracks)
    for number, cover in enumerate(mapped.covers):
        name, kind = COVER_FILES[cover.codec]
        path = folder / f"{number}_{name}"
        content = cover_bytes(delivery.video, cover.index)
        with writing(path):
            path.write_bytes(content)
        own = {"mimetype": kind, "filename": name}
        arguments += ["-attach", str(path), *_tags(own, f":s:t:{attachments + number}")]
    return arguments


def _additions(delivery: Delivery, target: Path) -> Additions:
    mapped = delivery.mapping
    written = contents(target)
    numbered = list(enumerate((other.track for other in mapped.tracks), 1))
    languages = {number: track.language for number, track in numbered}
    return Additions(
        spatial=delivery.spatial,
        tags=missing_tags(written.tags, delivery.holds.tags),
        # mp4 files by ffmpeg have them already; QuickTime's only where on its own short list.
        languages={} if mapped.container == MP4 else {n: c for n, c in languages.items() if c},
        # Its mp4 writer enables the first of a kind whatever was said.
        enabled={
            number: "default" in track.flags
            for number, track in numbered
            if track.kind == TrackKind.SUBTITLE
        },
        covers=[(cover.codec, cover_bytes(delivery.video, cover.index)) for cover in mapped.covers],
    )
