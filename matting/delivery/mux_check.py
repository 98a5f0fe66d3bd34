"""Whether a final file holds what went into it, each at its time."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matting.delivery.mux_tags import missing_tags
from matting.delivery.muxing import MuxRequest
from matting.errors import EncodeError
from matting.media.media_index import IndexPart, index_of
from matting.media.mp4.boxes import Box, ends_in_no_time, entries, read_moov
from matting.media.mp4.spatial import Spatial
from matting.media.packet_table import PacketTable
from matting.media.probe import frame_times, probe, read_contents
from matting.media.stream_times import NO_TIME
from matting.media.tracks import Contents, Track, TrackKind

TOLERANCE_SECONDS = Fraction(1, 1000)
# What a decoder needs before it gives samples.
RUN_UP_PACKETS, RUN_UP_SECONDS = 3, Fraction(1, 4)
# Not asked for as tracks: the picture, and what the muxer makes by itself.
UNMAPPED = {TrackKind.PICTURE, TrackKind.CHAPTERS, TrackKind.TIMECODE, TrackKind.COVER}
# Set by the muxer after rules of its own.
OWN_FLAGS = {"default"}
# Opus begins with what only prepares the decoder, and its last packet is as long as the others.
# Source: RFC 7845, 4.2; FFmpeg's libopus encoder.
OPUS_PRE_SKIP_SECONDS, OPUS_PACKET_SECONDS = Fraction(312, 48_000), Fraction(1, 50)
NAMED_TAGS = 8  # how many lost tags a message names
# ISO 639-2 has two names for some languages; QuickTime's own list turns one into the other.
SYNONYMS = {"deu": "ger", "fra": "fre", "zho": "chi", "nld": "dut", "ell": "gre", "ces": "cze"}


def check_mux(request: MuxRequest, final: Path) -> list[str]:
    """Refuse a file that lacks what it should hold.

    Returns:
        sentences for the user on what its container cannot hold.
    Raises:
        EncodeError: frames or tracks are missing, or at other times.
    """
    offset = _check_picture(request, final) - request.packets.timeline.start
    tracks = require_all_tracks(request, final)
    pairs = zip((own.track for own in request.mapping.tracks), tracks, strict=True)
    audio = [pair for pair in pairs if pair[0].kind == TrackKind.AUDIO]
    _check_audio(request, final, audio, offset)
    return losses(request, final, offset)


def losses(request: MuxRequest, final: Path, offset: Fraction) -> list[str]:
    """Return sentences on what the container of `final` does not keep of what went in.

    Args:
        offset: how much later everything is in `final`, in seconds.
    Raises:
        EncodeError: tracks are missing, or what must be there in any case.
    """
    mapping, written = request.mapping, read_contents(final)
    tracks = require_all_tracks(request, final)
    pairs = zip((own.track for own in mapping.tracks), tracks, strict=True)
    suffix = mapping.container.suffix[1:]
    lost = [_lost_of_track(before, after) for before, after in pairs]
    notes = [f"{loss} cannot be kept in {suffix}." for loss in lost if loss]
    if not mapping.container.is_matroska:
        _check_spatial(final, request.spatial)
    elif request.spatial.projected:
        notes.append(f"The projection of this picture cannot be kept in {suffix}.")
    return notes + _lost_of_file(request, written, offset)


def require_all_tracks(request: MuxRequest, final: Path) -> list[Track]:
    """Return the tracks of `final` beside its picture, one for each that went in.

    Raises:
        EncodeError: tracks are missing.
    """
    tracks = [track for track in read_contents(final).tracks if track.kind not in UNMAPPED]
    mapped = [stream.track for stream in request.mapping.tracks]
    if [track.kind for track in tracks] != [track.kind for track in mapped]:
        raise EncodeError(
            f"{final}: {_names(mapped)} went in beside the picture, {_names(tracks)} came out."
        )
    return tracks


def require_last_packets(request: MuxRequest, final: Path) -> None:
    """Refuse an mp4 or mov file that keeps back the last packet of copied audio.

    ffmpeg does not know how long it lasts where the source does not say it of its packets.

    Raises:
        EncodeError: there is such audio.
    """
    moov = None if request.mapping.container.is_matroska else read_moov(final)
    traks = moov.all(b"trak")[1:] if moov else []
    for own, trak in zip(request.mapping.tracks, traks, strict=False):
        if own.is_copied and own.track.kind == TrackKind.AUDIO and ends_in_no_time(trak):
            raise EncodeError(f"{final}: the end of {own.track} is lost.")


def _check_picture(request: MuxRequest, final: Path) -> Fraction:
    """Return the time in `final` at which the source starts: that from which its times count."""
    after, before = _presentation_times(final), _presentation_times(request.combined.path)
    moved = [a - b for a, b in zip(after, before, strict=False)]
    # Each is rounded to the file's ticks, the first one too.
    offset = (min(moved) + max(moved)) / 2
    half_tick = probe(final).time_base / 2
    if len(after) != len(before) or max(moved) - offset > half_tick:
        raise EncodeError(
            f"{final}: {len(before)} frames went in, {len(after)} came out, or at other times."
        )
    return offset


def _presentation_times(path: Path) -> list[Fraction]:
    """Return when the frames are presented, in seconds, rising."""
    times = sorted(frame_times(path))
    time_base = probe(path).time_base
    return [pts * time_base for pts in times]


def _check_audio(
    request: MuxRequest, final: Path, pairs: Sequence[tuple[Track, Track]], offset: Fraction
) -> None:
    """Require every packet of every audio track to be where it was beside the picture.

    Args:
        pairs: each track in the source and in `final`.
        offset: how much later everything is in `final`, in seconds.
    """
    source, written = request.packets, index_of(final, IndexPart.PACKETS).packets
    converted = {own.track.index for own in request.mapping.tracks if not own.is_copied}
    for track, other in pairs:
        before, after = _HeardTrack.of(source, track), _HeardTrack.of(written, other)
        if before is None or after is None:
            matches = before is after
        elif track.index in converted:
            opus = other.codec == "opus"
            matches = _is_decoded_whole(request, before, after, offset, opus=opus)
        elif track.codec.startswith("pcm_"):  # divided anew into packets by every reader
            matches = abs(after.start - before.start - offset) <= TOLERANCE_SECONDS
            late = abs(after.end - before.end - offset)
            matches &= bool(source.stopped) or late <= 1 / request.source.rate / 2
        else:
            matches = _are_same(before, after, float(offset), whole=not source.stopped)
        if not matches:
            raise EncodeError(f"{final}: {track} is not whole, or at another time.")


@dataclass(frozen=True, eq=False)
class _HeardTrack:
    """When the packets of an audio track are heard, on its file's line of time, in seconds.

    Attributes:
        times: [N] of the packets. Where some overlap, as those of joined files do, the muxer lets
            each begin after the one before.
        end: of the last; it may hold more than is heard.
        tick: how exactly the file says it.
    """

    times: NDArray[np.float64]
    start: Fraction
    last: Fraction
    end: Fraction
    tick: Fraction

    @classmethod
    def of(cls, packets: PacketTable, track: Track) -> _HeardTrack | None:
        """Return a track of a file; None where none of its packets has a time."""
        own = packets.stream_times.get(track.index)
        if own is None or track.index not in packets.spans:
            return None
        ticks = own.on(packets.timeline, track.index)
        ticks = ticks[ticks != NO_TIME]
        ticks = np.maximum.accumulate(ticks)
        last = int(ticks[-1]) * own.time_base
        span = packets.spans[track.index]
        seconds = ticks.astype(np.float64) * float(own.time_base)
        start = int(ticks[0]) * own.time_base
        return cls(seconds, start, last, last + span.end - span.last, own.time_base)


def _are_same(before: _HeardTrack, after: _HeardTrack, offset: float, *, whole: bool) -> bool:
    expected, found = before.times, after.times
    if not whole:  # ffmpeg may have read a little further, or less
        common = min(len(expected), len(found))
        expected, found = expected[:common], found[:common]
    latest = float(TOLERANCE_SECONDS + max(before.tick, after.tick))
    return len(expected) == len(found) and bool(np.all(np.abs(found - expected - offset) <= latest))


def _is_decoded_whole(
    request: MuxRequest, before: _HeardTrack, after: _HeardTrack, offset: Fraction, *, opus: bool
) -> bool:
    """Return whether samples begin where the packets do, and end within the last one.

    A decoder may give nothing for what comes before the start, and for the first packets; not
    every container says how long the last one is.
    """
    packet = (before.last - before.start) / max(1, len(before.times) - 1)
    rounding = max(TOLERANCE_SECONDS, after.tick)
    early = OPUS_PRE_SKIP_SECONDS if opus else Fraction(0)
    heard = max(before.start, request.packets.timeline.start)
    later = after.start - heard - offset
    matches = (
        -rounding - early
        <= later
        <= TOLERANCE_SECONDS + min(RUN_UP_PACKETS * packet, RUN_UP_SECONDS)
    )
    if not request.packets.stopped:
        tolerance = 1 / request.source.rate / 2
        longest = max(before.end, before.last + packet) + tolerance
        longest += OPUS_PACKET_SECONDS if opus else 0
        matches &= before.last - tolerance <= after.end - offset <= longest
    return matches


def _check_spatial(final: Path, spatial: Spatial) -> None:
    """Require the boxes to be there, byte for byte."""
    moov = index_of(final, IndexPart.MOOV).moov
    trak = moov.child(b"trak") if moov else None
    entry = entries(trak)[0].head if trak else b""
    if not all(box in entry for box in spatial.entry) or not all(
        box in bytes(trak or Box(b"")) for box in spatial.track
    ):
        raise EncodeError(f"{final} came out without what says how its picture is to be viewed.")


def _lost_of_track(before: Track, after: Track) -> str:
    """Return what of a track's own tags is lost; "" where nothing is."""
    lost = []
    if _common_name(before.language) != _common_name(after.language):
        lost.append(f"its language ({before.language})")
    if before.boxes != after.boxes:
        lost.append("how it surrounds the listener (ambisonics)")
    if before.kind != TrackKind.ATTACHMENT:
        if before.title != after.title:
            lost.append(f"its title ({before.title})")
        flags = sorted(before.flags - after.flags - OWN_FLAGS)
        lost += [f"the mark '{flag}'" for flag in flags]
    return f"Of {before}, {' and '.join(lost)}" if lost else ""


def _common_name(language: str) -> str:
    return SYNONYMS.get(language, language)


def _lost_of_file(request: MuxRequest, written: Contents, offset: Fraction) -> list[str]:
    contents, mapping = request.contents, request.mapping
    suffix = mapping.container.suffix[1:]
    notes = []
    lost = list(missing_tags(written.tags, contents.tags))
    if lost:
        more = f" and {len(lost) - NAMED_TAGS} more" if len(lost) > NAMED_TAGS else ""
        notes.append(
            f"These tags cannot be kept in {suffix}: {', '.join(lost[:NAMED_TAGS])}{more}."
        )
    starts = [start + offset for start in contents.chapters]
    kept = _count_near(starts, sorted(written.chapters))
    if kept < len(starts):
        notes.append(
            f"{len(starts) - kept} of {len(starts)} chapters cannot be kept in {suffix}, "
            "or not at their time."
        )
    if _timecode_fields(written.timecode) != _timecode_fields(contents.timecode):
        notes.append(f"The time code {contents.timecode} cannot be kept in {suffix}.")
    if len(written.of(TrackKind.COVER)) != len(mapping.covers):
        notes.append(f"Not all cover pictures can be kept in {suffix}.")
    return notes


def _count_near(times: Sequence[Fraction], others: Sequence[Fraction]) -> int:
    """Return how many of the times lie near one of the others, which rise."""
    places = ((time, bisect_left(others, time - TOLERANCE_SECONDS)) for time in times)
    return sum(
        place < len(others) and others[place] <= time + TOLERANCE_SECONDS for time, place in places
    )


def _timecode_fields(timecode: str) -> list[int]:
    """Return hours, minutes, seconds, frames; and whether frames are dropped."""
    return [int(part) for part in re.findall(r"\d+", timecode)] + [";" in timecode]


def _names(tracks: Sequence[Track]) -> str:
    return ", ".join(map(str, tracks)) or "nothing"
