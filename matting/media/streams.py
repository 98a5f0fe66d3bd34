"""Listing what a file holds beside its picture: audio, subtitles, covers, data, tags, chapters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from av.audio.codeccontext import AudioCodecContext
from av.codec.context import CodecContext
from av.container import InputContainer
from av.stream import Discard, Disposition, Stream

from matting.media.container import is_cover, open_video, reading, until_break
from matting.media.foreign_files import read_guarded
from matting.media.mp4.boxes import Box, entries, track_id
from matting.media.mp4.spatial_audio import spatial_audio_boxes
from matting.media.tracks import Contents, Track, TrackKind
from matting.progress import Progress

# What describes a file and not its content; and the time code, which has a field of its own.
TECHNICAL_TAGS = {"major_brand", "minor_version", "compatible_brands", "encoder", "duration"}
TECHNICAL_TAGS |= {"timecode"}


@dataclass(frozen=True)
class ListedStream:
    """A stream as FFmpeg lists it.

    Attributes:
        id: its number in an MP4 or QuickTime file.
        is_video: whether its type is video, whatever its kind.
        codec: FFmpeg's name of it; None: FFmpeg does not know it.
        fallback: its name where FFmpeg does not know it and the file has none.
        tags, flags, sample_format: as Track has them.
    """

    index: int
    id: int
    kind: TrackKind
    is_video: bool
    codec: str | None
    fallback: str
    tags: dict[str, str]
    flags: frozenset[str]
    sample_format: str = ""


@dataclass(frozen=True)
class StreamList:
    """What FFmpeg lists of an opened file; `contents_of` adds what only MP4's boxes say."""

    streams: tuple[ListedStream, ...]
    tags: dict[str, str]
    chapters: tuple[Fraction, ...]
    timecode: str

    @classmethod
    def of(cls, container: InputContainer, picture: Stream) -> StreamList:
        """Return what an opened file holds beside `picture`, without reading its packets."""
        return cls(
            streams=tuple(_list_stream(stream, picture) for stream in container.streams),
            tags={k: v for k, v in container.metadata.items() if not _is_technical(k)},
            chapters=tuple(
                c["start"] * (c["time_base"] or Fraction(0)) for c in container.chapters()
            ),
            timecode=_timecode(container, picture),
        )

    @property
    def picture(self) -> ListedStream:
        return next(s for s in self.streams if s.kind == TrackKind.PICTURE)


def contents_of(listed: StreamList, moov: Box | None) -> Contents:
    """Return all that a file holds.

    Args:
        moov: its header, where it is an MP4 or QuickTime file.
    """
    names = _entry_names(moov)
    chapter_tracks = _chapter_tracks(moov)
    boxes = spatial_audio_boxes(moov) if moov else {}
    tracks = (_track(stream, names, chapter_tracks) for stream in listed.streams)
    return Contents(
        tracks=tuple(
            replace(track, boxes=boxes.get(stream.id, ()))
            for track, stream in zip(tracks, listed.streams, strict=True)
        ),
        tags=listed.tags,
        chapters=listed.chapters,
        timecode=listed.timecode,
        timecode_rate=_timecode_rate(moov),
    )


def cover_bytes(path: Path, index: int) -> bytes:
    """Return the picture file that a cover is.

    Raises:
        InputError: no such file, or a folder.
        MediaError: it is no video, or holds no picture.
    """
    return read_guarded(path, partial(_cover_bytes, path, index))


def _cover_bytes(path: Path, index: int, progress: Progress) -> bytes:
    with open_video(path) as (container, _), reading(path):
        for packet in container.demux(container.streams[index]):
            progress.alive()
            if packet.size:
                return bytes(packet)
    return b""


def packet_bytes(path: Path, index: int, most_bytes: int) -> list[bytes]:
    """Return a stream's first packets, which hold no more than so many bytes.

    Raises:
        InputError, MediaError: as `cover_bytes`.
    """
    return read_guarded(path, partial(_packet_bytes, path, index, most_bytes))


def _packet_bytes(path: Path, index: int, most_bytes: int, progress: Progress) -> list[bytes]:
    packets: list[bytes] = []
    room_bytes = most_bytes
    with open_video(path) as (container, _), reading(path):
        for stream in container.streams:
            if stream.index != index:
                stream.discard = Discard.all
        for packet in until_break(container.demux(container.streams[index])):
            progress.alive()
            room_bytes -= packet.size
            if room_bytes < 0:
                break
            packets.append(bytes(packet))
    return packets


def _list_stream(stream: Stream, picture: Stream) -> ListedStream:
    context = stream.codec_context
    fallback = str(getattr(stream, "name", None) or "")
    if stream.type == "attachment":
        fallback = stream.metadata.get("mimetype") or fallback
    flags = Disposition(stream.disposition)
    return ListedStream(
        index=stream.index,
        id=stream.id,
        kind=_kind(stream, picture),
        is_video=stream.type == "video",
        codec=None if context is None else context.codec.canonical_name,
        fallback=fallback,
        tags={key.lower(): value for key, value in stream.metadata.items()},
        flags=frozenset(flag.name for flag in Disposition if flag & flags and flag.name),
        sample_format=_sample_format(context),
    )


def _track(stream: ListedStream, names: dict[int, str], chapter_tracks: set[int]) -> Track:
    own_name = names.get(stream.id, "")
    kind, codec = stream.kind, stream.codec
    if codec is None:
        codec = stream.fallback if kind == TrackKind.ATTACHMENT else own_name or stream.fallback
    if stream.id in chapter_tracks and not stream.is_video:
        kind = TrackKind.CHAPTERS
    elif own_name == "tmcd":
        kind = TrackKind.TIMECODE
    known = codec.lower() not in {"none", "unknown"}
    return Track(
        index=stream.index,
        kind=kind,
        codec=codec if known else "",
        tags=stream.tags,
        flags=stream.flags,
        decodable=stream.codec is not None,
        sample_format=stream.sample_format,
    )


def _sample_format(context: CodecContext | None) -> str:
    known = isinstance(context, AudioCodecContext) and context.format
    return known.name if known else ""


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
    """Return the four characters by which an MP4 or QuickTime file names each track's codec."""
    if moov is None:
        return {}
    return {
        track_id(trak): entries(trak)[0].kind.decode("latin-1").strip()
        for trak in moov.all(b"trak")
        if entries(trak)
    }


def _chapter_tracks(moov: Box | None) -> set[int]:
    """Return the numbers of the tracks that hold the chapters' names or pictures."""
    tracks: set[int] = set()
    for trak in moov.all(b"trak") if moov else []:
        reference = trak.child(b"tref", b"chap")
        if reference:
            ids = reference.head
            tracks |= {int.from_bytes(ids[at : at + 4], "big") for at in range(0, len(ids), 4)}
    return tracks


def _timecode_rate(moov: Box | None) -> Fraction | None:
    for trak in moov.all(b"trak") if moov else []:
        for entry in entries(trak):
            if entry.kind == b"tmcd" and len(entry.head) >= 25:
                scale = int.from_bytes(entry.head[16:20], "big")
                duration = int.from_bytes(entry.head[20:24], "big")
                return Fraction(scale, duration) if scale and duration else None
    return None
