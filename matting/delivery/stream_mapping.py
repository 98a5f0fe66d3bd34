"""Which tracks of a source go into the final file, in which container, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from matting.delivery.container_codecs import (
    CONVERTED_TEXT,
    COPIED_AUDIO,
    COPIED_SUBTITLES,
    COPY,
    GOPRO,
    MOV_PICTURE,
    OPUS,
    TEXT,
    converted_audio,
)
from matting.media.mp4.metadata import COVER_TYPES
from matting.media.tracks import Contents, Track, TrackKind
from matting.project.paths import COMPOSITE_CONTAINERS, Container


@dataclass(frozen=True)
class MappedStream:
    """A track that goes into the final file.

    Attributes:
        codec: COPY, or FFmpeg's name of what it is converted to.
        charset: in which its text is encoded; "": in UTF-8, or it is no text.
    """

    track: Track
    codec: str = COPY
    charset: str = ""

    @property
    def is_copied(self) -> bool:
        return self.codec == COPY


class Fallback(Enum):
    """What is done with a track at least, because ffmpeg has refused it as it is."""

    NONE = "none"
    CONVERT = "convert"
    LEAVE_OUT = "leave out"


@dataclass(frozen=True)
class Fallbacks:
    """What trials have shown of single tracks, by their numbers.

    Attributes:
        charsets: of text that is not in UTF-8.
    """

    tracks: Mapping[int, Fallback] = field(default_factory=dict)
    charsets: Mapping[int, str] = field(default_factory=dict)

    def of(self, track: Track) -> Fallback:
        return self.tracks.get(track.index, Fallback.NONE)

    def with_track(self, track: Track, fallback: Fallback) -> Fallbacks:
        return replace(self, tracks={**self.tracks, track.index: fallback})

    def with_charset(self, track: Track, charset: str) -> Fallbacks:
        return replace(self, charsets={**self.charsets, track.index: charset})


NO_FALLBACKS = Fallbacks()


@dataclass(frozen=True)
class StreamMapping:
    """What goes into the final file beside the picture.

    Attributes:
        tracks: in the order in which they follow the picture.
        covers: pictures that the container holds outside its tracks.
        left_out: tracks that it does not hold.
        preferred: the container, if that held all audio.
    """

    container: Container
    tracks: tuple[MappedStream, ...]
    covers: tuple[Track, ...]
    left_out: tuple[Track, ...]
    preferred: Container = Container.MP4

    def container_note(self, name: str) -> str:
        """Return a sentence on why the container is not the preferred one; "" where it is.

        Args:
            name: of the final file.
        """
        if self.container is self.preferred:
            return ""
        audio = [own for own in self.tracks if own.track.kind == TrackKind.AUDIO]
        preferred = COPIED_AUDIO[self.preferred]
        codecs = {own.track.codec for own in audio if not own.is_copied}
        codecs |= {own.track.codec for own in audio if own.track.codec not in preferred}
        return (
            f"The result is {name}: {self.preferred.suffix[1:]} is no place for audio of this kind "
            f"({', '.join(sorted(codecs))})."
        )

    def notes(self) -> list[str]:
        """Return a sentence for each track that does not go along as it was."""
        notes = [_why_left_out(track, self.container) for track in self.left_out]
        return notes + [_conversion(mapped) for mapped in self.tracks if not mapped.is_copied]


def map_streams(
    contents: Contents,
    picture_codec: str,
    fallbacks: Fallbacks = NO_FALLBACKS,
    containers: Sequence[Container] = COMPOSITE_CONTAINERS,
) -> StreamMapping:
    """Decide what of `contents` goes along with a picture encoded in `picture_codec`.

    Args:
        containers: those that there is a choice of. The first is preferred, the last holds most.
    """
    container = _choose_container(contents, picture_codec, fallbacks, containers)
    tracks: list[MappedStream] = []
    covers: list[Track] = []
    left_out: list[Track] = []
    for kind in (TrackKind.AUDIO, TrackKind.SUBTITLE, TrackKind.DATA, TrackKind.ATTACHMENT):
        for track in contents.of(kind):
            codec = _codec_in(container, track, fallbacks.of(track))
            if codec is None:
                left_out.append(track)
            else:
                charset = fallbacks.charsets.get(track.index, "")
                tracks.append(MappedStream(track, codec, charset))
    for track in contents.of(TrackKind.COVER):
        has_place = track.codec in COVER_TYPES and container is not Container.WEBM
        (covers if has_place else left_out).append(track)
    left_out += contents.of(TrackKind.VIDEO)
    return StreamMapping(
        container, tuple(tracks), tuple(covers), tuple(left_out), preferred=containers[0]
    )


def _choose_container(
    contents: Contents, picture_codec: str, fallbacks: Fallbacks, containers: Sequence[Container]
) -> Container:
    """Return the first container that holds all audio with as little converting as there can be."""
    possible = [c for c in containers if c is not Container.MOV or picture_codec in MOV_PICTURE]
    for track in contents.of(TrackKind.AUDIO):
        homes = _homes(track, fallbacks.of(track), containers)
        if homes:
            # Where the tracks ask for different ones, the last holds most kinds.
            possible = [own for own in possible if own in homes] or [containers[-1]]
    return possible[0]


def _homes(track: Track, fallback: Fallback, containers: Sequence[Container]) -> set[Container]:
    """Return the containers for an audio track; none where it can be carried in no container."""
    copied = {container for container in containers if track.codec in COPIED_AUDIO[container]}
    if fallback is Fallback.NONE and copied:
        return copied
    if fallback is Fallback.LEAVE_OUT:
        return set()
    return {container for container in containers if converted_audio(container, track)}


def _codec_in(container: Container, track: Track, fallback: Fallback) -> str | None:
    """Return what `track` becomes; None where the container cannot hold it."""
    if fallback is Fallback.LEAVE_OUT:
        return None
    if track.kind == TrackKind.AUDIO:
        return _audio_codec_in(container, track, fallback)
    if track.kind == TrackKind.SUBTITLE:
        converted = CONVERTED_TEXT[container] if track.codec in TEXT else None
        return COPY if track.codec in COPIED_SUBTITLES[container] else converted
    if track.kind == TrackKind.DATA:
        return COPY if track.codec == GOPRO and not container.is_matroska else None
    return COPY if container is Container.MATROSKA else None


def _audio_codec_in(container: Container, track: Track, fallback: Fallback) -> str | None:
    if track.codec in COPIED_AUDIO[container] and fallback is Fallback.NONE:
        return COPY
    return converted_audio(container, track)


def _why_left_out(track: Track, container: Container) -> str:
    if track.kind == TrackKind.VIDEO:
        return f"{_capitalised(track)} is left out: only one picture is matted."
    return f"{_capitalised(track)} cannot be carried in {container.suffix[1:]}."


def _conversion(mapped: MappedStream) -> str:
    """Return what becomes of a track that is converted."""
    becomes = f"{_capitalised(mapped.track)} becomes {mapped.codec}"
    if mapped.codec == OPUS:
        return f"{_capitalised(mapped.track)} becomes Opus, encoded anew: WebM takes no other."
    if mapped.track.kind == TrackKind.SUBTITLE:
        charset = f", read as {mapped.charset}, for it is not in UTF-8" if mapped.charset else ""
        return f"{becomes}: its text is kept{charset}."
    if mapped.track.codec.startswith(("pcm_", "s302m")):
        return f"{becomes}, without loss."
    return f"{becomes}: it sounds the same, and players take that."


def _capitalised(track: Track) -> str:
    text = str(track)
    return text[0].upper() + text[1:]
