"""What a file holds beside its picture: sound, subtitles, covers, data, tags, chapters."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path

from av.container import InputContainer
from av.stream import Discard, Disposition, Stream

from matting.media.container import is_cover, open_video, reading, unbroken
from matting.media.mp4.boxes import Box, entries, read_moov, track_id

# What describes a file and not its content; and the time code, which is told by itself.
TECHNICAL_TAGS = {"major_brand", "minor_version", "compatible_brands", "encoder", "duration"}
TECHNICAL_TAGS |= {"timecode"}


class TrackKind(Enum):
    """What a stream is; the value is what it is called in messages."""

    PICTURE = "picture"  # the video that is matted
    VIDEO = "video"  # any other
    COVER = "cover"
    AUDIO = "audio"
    SUBTITLE = "subtitle"
    DATA = "data"
    ATTACHMENT = "attachment"
    # Not carried as tracks: the muxer writes its own.
    CHAPTERS = "chapters"
    TIMECODE = "time code"


@dataclass(frozen=True)
class Track:
    """One stream of a file.

    Attributes:
        index: its number in the file, from 0.
        codec: FFmpeg's name of it, or the file's own four characters; "" where nobody knows.
        tags: its own, keys in lower case.
        flags: FFmpeg's names of its dispositions.
    """

    index: int
    kind: TrackKind
    codec: str
    tags: dict[str, str]
    flags: frozenset[str]

    def __str__(self) -> str:
        """As a person counts: from 1."""
        return f"track {self.index + 1} ({self.kind.value}, {self.codec or 'of an unknown kind'})"

    @property
    def language(self) -> str:
        """Three letters; "" where it is not told."""
        language = self.tags.get("language", "")
        return "" if language == "und" else language

    @property
    def title(self) -> str:
        """Its title; mp4 files call it its name."""
        return self.tags.get("title") or self.tags.get("name", "")


@dataclass(frozen=True)
class Contents:
    """All that a file holds.

    Attributes:
        tags: of the whole file, but for those that describe its container, and its time code.
        chapters: when each starts, in seconds.
        timecode: that of the first frame, as 01:00:00:00; "" where there is none.
        timecode_rate: frames a second by which it counts; None where the file does not say.
    """

    tracks: tuple[Track, ...]
    tags: dict[str, str]
    chapters: tuple[Fraction, ...]
    timecode: str
    timecode_rate: Fraction | None

    def of(self, kind: TrackKind) -> list[Track]:
        """Its tracks of one kind."""
        return [track for track in self.tracks if track.kind == kind]


@dataclass(frozen=True)
class Span:
    """When a track's packets are heard or seen, in seconds.

    Attributes:
        packets: their number.
        start: of the first.
        last: when the last one starts.
        end: of the last; that of encoded sound may hold more than is heard.
    """

    packets: int
    start: Fraction
    last: Fraction
    end: Fraction


def contents(path: Path) -> Contents:
    """All that the video `path` holds, without reading its packets.

    Raises:
        InputError: no such file, or a folder.
        MediaError: it is no video, or holds no picture.
    """
    with open_video(path) as (container, picture):
        moov = read_moov(path)
        names = _entry_names(moov)
        chaptered = _chapter_tracks(moov)
        tracks = tuple(_track(s, picture, names, chaptered) for s in container.streams)
        return Contents(
            tracks=tracks,
            tags={k: v for k, v in container.metadata.items() if not _is_technical(k)},
            chapters=tuple(
                c["start"] * (c["time_base"] or Fraction(0)) for c in container.chapters()
            ),
            timecode=_timecode(container, picture),
            timecode_rate=_timecode_rate(moov),
        )


def picture_choice(path: Path) -> str | None:
    """A sentence that says which picture of `path` is used; None where it has only one.

    Raises:
        InputError, MediaError: as `contents`.
    """
    with open_video(path) as (container, picture):
        pictures = [s for s in container.streams.video if not is_cover(s)]
        if len(pictures) < 2:
            return None
        default = [s for s in pictures if s.disposition & Disposition.default]
        why = "the default one" if default == [picture] else "the first one"
        return (
            f"{path.name} holds {len(pictures)} pictures: "
            f"track {picture.index + 1}, {why}, is used."
        )


def spans(path: Path, indexes: list[int]) -> tuple[dict[int, Span], bool]:
    """When the tracks `indexes` of `path` start and end; without those that hold no packets.

    Returns:
        the spans by index, and whether the file could be read to its end.
    Raises:
        InputError, MediaError: as `contents`.
    """
    found: dict[int, Span] = {}
    if not indexes:
        return found, True
    breaks: list[Exception] = []
    with open_video(path) as (container, _), reading(path):
        streams = [container.streams[index] for index in indexes]
        for stream in container.streams:
            if stream not in streams:
                stream.discard = Discard.all  # an mp4 file's picture is then not even read
        for packet in unbroken(container.demux(streams), breaks.append):
            if packet.pts is None:
                continue
            start = packet.pts * packet.time_base
            end = start + (packet.duration or 0) * packet.time_base
            old = found.get(packet.stream_index, Span(0, start, start, end))
            found[packet.stream_index] = Span(
                old.packets + 1, min(old.start, start), max(old.last, start), max(old.end, end)
            )
    return found, not breaks


def cover_bytes(path: Path, index: int) -> bytes:
    """The picture file that a cover is.

    Raises:
        InputError, MediaError: as `contents`.
    """
    with open_video(path) as (container, _), reading(path):
        for packet in container.demux(container.streams[index]):
            if packet.size:
                return bytes(packet)
    return b""


def _track(stream: Stream, picture: Stream, names: dict[int, str], chaptered: set[int]) -> Track:
    context = stream.codec_context
    own_name = names.get(stream.id, "")
    if context is not None:
        codec = context.codec.canonical_name
    elif stream.type == "attachment":
        codec = stream.metadata.get("mimetype") or str(stream.name or "")
    else:
        codec = own_name or str(stream.name or "")
    kind = _kind(stream, picture)
    if stream.id in chaptered and stream.type != "video":
        kind = TrackKind.CHAPTERS
    elif own_name == "tmcd":
        kind = TrackKind.TIMECODE
    tags = {key.lower(): value for key, value in stream.metadata.items()}
    flags = Disposition(stream.disposition)
    return Track(
        index=stream.index,
        kind=kind,
        codec="" if codec.lower() in {"none", "unknown"} else codec,
        tags=tags,
        flags=frozenset(flag.name for flag in Disposition if flag & flags and flag.name),
    )


def _kind(stream: Stream, picture: Stream) -> TrackKind:
    if stream.type == "video":
        if stream is picture or stream.index == picture.index:
            return TrackKind.PICTURE
        if stream.disposition & Disposition.timed_thumbnails:
            return TrackKind.DATA  # the pictures of chapters
        return TrackKind.COVER if is_cover(stream) else TrackKind.VIDEO
    if stream.type in {"audio", "subtitle", "attachment"}:
        return TrackKind(stream.type)
    return TrackKind.DATA


def _is_technical(key: str) -> bool:
    # An mp4 location comes twice, once with its language.
    return key.lower() in TECHNICAL_TAGS or key.startswith("_STATISTICS") or key == "location-eng"


def _timecode(container: InputContainer, picture: Stream) -> str:
    for tags in (picture.metadata, *(s.metadata for s in container.streams), container.metadata):
        for key, value in tags.items():
            if key.lower() == "timecode":
                return value
    return ""


def _entry_names(moov: Box | None) -> dict[int, str]:
    """The four characters by which an MP4 or QuickTime file calls the kind of each track."""
    if moov is None:
        return {}
    return {
        track_id(trak): entries(trak)[0].kind.decode("latin-1").strip()
        for trak in moov.all(b"trak")
        if entries(trak)
    }


def _chapter_tracks(moov: Box | None) -> set[int]:
    """The numbers of the tracks that hold the chapters' names or pictures."""
    found: set[int] = set()
    for trak in moov.all(b"trak") if moov else []:
        reference = trak.child(b"tref", b"chap")
        if reference:
            ids = reference.head
            found |= {int.from_bytes(ids[at : at + 4], "big") for at in range(0, len(ids), 4)}
    return found


def _timecode_rate(moov: Box | None) -> Fraction | None:
    for trak in moov.all(b"trak") if moov else []:
        for entry in entries(trak):
            if entry.kind == b"tmcd" and len(entry.head) >= 25:
                scale = int.from_bytes(entry.head[16:20], "big")
                duration = int.from_bytes(entry.head[20:24], "big")
                return Fraction(scale, duration) if scale and duration else None
    return None
