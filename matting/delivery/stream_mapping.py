"""Which tracks of a source go into the final file, in which container, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from matting.delivery.container_codecs import (
    CONVERTED_TEXT,
    COPIED_AUDIO,
    COPIED_SUBTITLES,
    COPY,
    GOPRO,
    MOV_PICTURE,
    PCM_CONTAINERS,
    TEXT,
    pcm_for,
)
from matting.media.mp4.metadata import COVER_TYPES
from matting.media.tracks import Contents, Track, TrackKind
from matting.project.paths import Container


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
    """

    container: Container
    tracks: tuple[MappedStream, ...]
    covers: tuple[Track, ...]
    left_out: tuple[Track, ...]

    def container_note(self, name: str) -> str:
        """Return a sentence on why the final file is no mp4; "" where it is one.

        Args:
            name: of the final file.
        """
        if self.container is Container.MP4:
            return ""
        audio = [own for own in self.tracks if own.track.kind == TrackKind.AUDIO]
        in_mp4 = COPIED_AUDIO[Container.MP4]
        codecs = {own.track.codec for own in audio if not own.is_copied}
        codecs |= {own.track.codec for own in audio if own.track.codec not in in_mp4}
        return (
            f"The result is {name}: "
            f"mp4 is no place for audio of this kind ({', '.join(sorted(codecs))})."
        )

    def notes(self) -> list[str]:
        """Return a sentence for each track that does not go along as it was."""
        notes = [_why_left_out(track, self.container) for track in self.left_out]
        return notes + [_conversion(mapped) for mapped in self.tracks if not mapped.is_copied]


def map_streams(
    contents: Contents, picture_codec: str, fallbacks: Fallbacks = NO_FALLBACKS
) -> StreamMapping:
    """Decide what of `contents` goes along with a picture encoded in `picture_codec`."""
    container = _choose_container(contents, picture_codec, fallbacks)
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
        (covers if track.codec in COVER_TYPES else left_out).append(track)
    left_out += contents.of(TrackKind.VIDEO)
    return StreamMapping(container, tuple(tracks), tuple(covers), tuple(left_out))


def _choose_container(contents: Contents, picture_codec: str, fallbacks: Fallbacks) -> Container:
    """Return the first container that holds all audio with as little converting as there can be."""
    possible = [Container.MP4, Container.MOV, Container.MATROSKA]
    if picture_codec not in MOV_PICTURE:
        possible.remove(Container.MOV)
    for track in contents.of(TrackKind.AUDIO):
        homes = _homes(track, fallbacks.of(track))
        if homes:
            # Where the tracks ask for different ones, Matroska holds most kinds.
            possible = [own for own in possible if own in homes] or [Container.MATROSKA]
    return possible[0]


def _homes(track: Track, fallback: Fallback) -> set[Container]:
    """Return the containers for an audio track; none where it can be carried in no container."""
    copied = {container for container, codecs in COPIED_AUDIO.items() if track.codec in codecs}
    if fallback is Fallback.NONE and copied:
        return copied
    return PCM_CONTAINERS if track.decodable and fallback is not Fallback.LEAVE_OUT else set()


def _codec_in(container: Container, track: Track, fallback: Fallback) -> str | None:
    """Return what `track` becomes; None where the container cannot hold it."""
    is_matroska = container is Container.MATROSKA
    if fallback is Fallback.LEAVE_OUT:
        return None
    if track.kind == TrackKind.AUDIO:
        return _audio_codec_in(container, track, fallback)
    if track.kind == TrackKind.SUBTITLE:
        converted = CONVERTED_TEXT[container] if track.codec in TEXT else None
        return COPY if track.codec in COPIED_SUBTITLES[container] else converted
    if track.kind == TrackKind.DATA:
        return COPY if track.codec == GOPRO and not is_matroska else None
    return COPY if is_matroska else None


def _audio_codec_in(container: Container, track: Track, fallback: Fallback) -> str | None:
    if track.codec in COPIED_AUDIO[container] and fallback is Fallback.NONE:
        return COPY
    return pcm_for(track) if track.decodable and container in PCM_CONTAINERS else None


def _why_left_out(track: Track, container: Container) -> str:
    if track.kind == TrackKind.VIDEO:
        return f"{_capitalised(track)} is left out: only one picture is matted."
    return f"{_capitalised(track)} cannot be carried in {container.suffix[1:]}."


def _conversion(mapped: MappedStream) -> str:
    """Return what becomes of a track that is converted."""
    becomes = f"{_capitalised(mapped.track)} becomes {mapped.codec}"
    if mapped.track.kind == TrackKind.SUBTITLE:
        charset = f", read as {mapped.charset}, for it is not in UTF-8" if mapped.charset else ""
        return f"{becomes}: its text is kept{charset}."
    if mapped.track.codec.startswith(("pcm_", "s302m")):
        return f"{becomes}, without loss."
    return f"{becomes}: it sounds the same, and players take that."


def _capitalised(track: Track) -> str:
    text = str(track)
    return text[0].upper() + text[1:]
