"""What a file holds beside its picture: audio, subtitles, covers, data, tags, chapters."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction


class TrackKind(Enum):
    """What a stream is; the value is its name in messages."""

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
        codec: FFmpeg's name of it, or the file's own four characters; "" where it is unknown.
        tags: its own, keys in lower case.
        flags: FFmpeg's names of its dispositions.
        decodable: whether this build of FFmpeg has a decoder for it.
        sample_format: FFmpeg's name of an audio decoder's samples; "" where it is not known yet.
        boxes: an MP4 or QuickTime file's own on how audio surrounds the listener.
    """

    index: int
    kind: TrackKind
    codec: str
    tags: dict[str, str]
    flags: frozenset[str]
    decodable: bool = True
    sample_format: str = ""
    boxes: tuple[bytes, ...] = ()

    def __str__(self) -> str:
        """Name the track as a person counts: from 1."""
        return f"track {self.index + 1} ({self.kind.value}, {self.codec or 'of an unknown kind'})"

    @property
    def language(self) -> str:
        """Three letters; "" where it is not known."""
        language = self.tags.get("language", "")
        return "" if language == "und" else language

    @property
    def title(self) -> str:
        """Its title, which mp4 files call its name."""
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
        """Return its tracks of one kind."""
        return [track for track in self.tracks if track.kind == kind]

    def picture_choice(self, name: str) -> str | None:
        """Return a sentence that says which picture is used; None where there is only one.

        Args:
            name: of the file.
        """
        (picture,) = self.of(TrackKind.PICTURE)
        pictures = [picture, *self.of(TrackKind.VIDEO)]
        if len(pictures) < 2:
            return None
        default = [track for track in pictures if "default" in track.flags]
        why = "the default one" if default == [picture] else "the first one"
        return f"{name} holds {len(pictures)} pictures: track {picture.index + 1}, {why}, is used."
