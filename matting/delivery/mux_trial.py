"""What ffmpeg takes of a source, found out by trying: no table knows all that files hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from matting.delivery.charsets import charset_of
from matting.delivery.container_codecs import TEXT
from matting.delivery.mux_check import require_all_tracks, require_last_packets
from matting.delivery.muxing import MuxRequest, mux
from matting.delivery.stream_mapping import (
    Fallback,
    Fallbacks,
    MappedStream,
)
from matting.errors import EncodeError, MattingError, MediaError
from matting.media.streams import packet_bytes
from matting.media.tracks import TrackKind
from matting.progress import Progress

# A track is carried as it is, converted, or left out; text in another character set, too.
MOST_ROUNDS = 4
TEXT_BYTES = 1 << 24  # more than any film's subtitles

Attempt = Callable[[MuxRequest], None]


def fitting_request(request: MuxRequest, moment: Path) -> MuxRequest:
    """Return the request without what ffmpeg refuses of it, and write a moment of that.

    Where all goes well this takes a tenth of a second, whatever the source's size.

    Args:
        moment: the file to write.
    Raises:
        MediaError, EncodeError: ffmpeg refuses more than single tracks.
        StorageError, MissingError.
    """

    def attempt(part: MuxRequest) -> None:
        mux(part, moment, Progress(), only_a_moment=True)
        require_all_tracks(part, moment)
        require_last_packets(part, moment)

    return reduced_request(request, attempt, audio_may_go=True)


def reduced_request(
    request: MuxRequest, attempt: Attempt, *, audio_may_go: bool = False
) -> MuxRequest:
    """Return the request that succeeds, with as little of it given up as possible.

    Args:
        attempt: muxes what is requested, and raises MediaError or EncodeError where that fails.
        audio_may_go: whether audio is left out that can be neither copied nor converted.
    Raises:
        MediaError, EncodeError: the attempt fails because of more than single tracks, or of audio.
    """
    for _ in range(MOST_ROUNDS):
        error = _failure(request, attempt)
        if error is None:
            return request
        if _failure(_without_tracks(request), attempt) is not None:
            raise error
        refused = [own for own in request.mapping.tracks if _failure(_only(request, own), attempt)]
        fallbacks = request.fallbacks
        for mapped in refused:
            fallbacks = _after_refusal(request, mapped, fallbacks)
        lost = [own.track for own in refused if fallbacks.of(own.track) is Fallback.LEAVE_OUT]
        if not refused or (
            any(track.kind == TrackKind.AUDIO for track in lost) and not audio_may_go
        ):
            raise error
        request = request.adapted(fallbacks)
    attempt(request)
    return request


def _failure(request: MuxRequest, attempt: Attempt) -> MattingError | None:
    try:
        attempt(request)
    except (MediaError, EncodeError) as error:
        return error
    return None


def _without_tracks(request: MuxRequest) -> MuxRequest:
    return replace(request, mapping=replace(request.mapping, tracks=(), covers=()))


def _only(request: MuxRequest, mapped: MappedStream) -> MuxRequest:
    mapping = replace(request.mapping, tracks=(mapped,), covers=())
    return replace(request, mapping=mapping)


def _after_refusal(request: MuxRequest, mapped: MappedStream, fallbacks: Fallbacks) -> Fallbacks:
    """Return the fallbacks with the next one of a track that was refused."""
    track = mapped.track
    if track.codec in TEXT and not mapped.is_copied and not mapped.charset:
        content = packet_bytes(request.source.path, track.index, TEXT_BYTES)
        charset = charset_of(content, track.language)
        if charset:
            return fallbacks.with_charset(track, charset)
    convertible = track.kind == TrackKind.AUDIO and mapped.is_copied and track.decodable
    return fallbacks.with_track(track, Fallback.CONVERT if convertible else Fallback.LEAVE_OUT)
