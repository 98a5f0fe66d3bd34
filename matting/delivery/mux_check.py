"""Whether a final file holds what went into it, each at its time."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

from matting.delivery.muxing import Delivery, missing_tags
from matting.delivery.stream_mapping import MATROSKA, StreamMapping
from matting.errors import EncodeError
from matting.media.mp4.boxes import Box, entries, read_moov
from matting.media.mp4.spatial import Spatial
from matting.media.probe import frame_times, probe
from matting.media.streams import Contents, Track, TrackKind, contents, spans

TOLERANCE_SECONDS = Fraction(1, 1000)
# Set by the muxer after rules of its own.
OWN_FLAGS = {"default"}
NAMED_TAGS = 8  # how many lost tags a message names
# ISO 639-2 has two names for some languages; QuickTime's own list turns one into the other.
TWICE_NAMED = {"deu": "ger", "fra": "fre", "zho": "chi", "nld": "dut", "ell": "gre", "ces": "cze"}


def check_mux(delivery: Delivery, final: Path) -> list[str]:
    """Refuses a `final` that lacks what it should hold; returns what its container cannot tell.

    Returns:
        sentences for the user.
    Raises:
        EncodeError: frames or tracks are missing, or at other times.
    """
    holds, mapping, spatial = delivery.holds, delivery.mapping, delivery.spatial
    info = probe(delivery.video)
    moved = _check_picture(delivery.combined, final) - info.start_pts * info.time_base
    written = contents(final)
    tracks = [
        t
        for t in written.tracks
        if t.kind
        not in {TrackKind.PICTURE, TrackKind.CHAPTERS, TrackKind.TIMECODE, TrackKind.COVER}
    ]
    want = [mapped.track for mapped in mapping.tracks]
    if [t.kind for t in tracks] != [t.kind for t in want]:
        raise EncodeError(
            f"{final}: {_named(want)} went in beside the picture, {_named(tracks)} came out."
        )
    pairs = list(zip(want, tracks, strict=True))
    _check_sound(
        delivery.video, final, [pair for pair in pairs if pair[0].kind == TrackKind.AUDIO], moved
    )
    container = mapping.suffix[1:]
    said = [f"{lost} cannot be kept in {container}." for lost in map(_lost, want, tracks) if lost]
    if mapping.container != MATROSKA:
        _check_spatial(final, spatial)
    elif spatial.projected:
        said.append(f"The projection of this picture cannot be kept in {container}.")
    return said + _lost_of_file(holds, written, mapping, moved)


def _check_picture(combined: Path, final: Path) -> Fraction:
    """The time in `final` at which the source starts: that from which `combined` counts."""
    have, want = _seconds(final), _seconds(combined)
    moved = [a - b for a, b in zip(have, want, strict=False)]
    # Each is rounded to the file's ticks, the first one too.
    zero = (min(moved) + max(moved)) / 2
    ticks = probe(final).time_base / 2
    if len(have) != len(want) or max(moved) - zero > ticks:
        raise EncodeError(
            f"{final}: {len(want)} frames went in, {len(have)} came out, or at other times."
        )
    return zero


def _seconds(path: Path) -> list[Fraction]:
    """When the frames are shown."""
    time_base = probe(path).time_base
    return [pts * time_base for pts in sorted(time.pts for time in frame_times(path))]


def _check_sound(
    video: Path, final: Path, pairs: list[tuple[Track, Track]], moved: Fraction
) -> None:
    """Every sound track stands to the picture as it did, and is as long.

    Args:
        moved: how much later all is in `final`, in seconds.
    """
    half_frame = 1 / probe(video).rate / 2
    source, whole = spans(video, [old.index for old, _ in pairs])
    result, _ = spans(final, [new.index for _, new in pairs])
    for old, new in pairs:
        before, after = source.get(old.index), result.get(new.index)
        if before is None and after is None:
            continue
        fits = before is not None and after is not None
        if before is not None and after is not None:
            fits = abs(after.start - before.start - moved) <= TOLERANCE_SECONDS
            if whole:  # else ffmpeg may have read a little further
                is_pcm = old.codec.startswith("pcm_")  # packed anew by every reader
                ends = after.end - before.end if is_pcm else after.last - before.last
                fits &= abs(ends - moved) <= half_frame
                fits &= is_pcm or after.packets == before.packets
        if not fits:
            raise EncodeError(f"{final}: {old} is not whole, or at another time.")


def _check_spatial(final: Path, spatial: Spatial) -> None:
    """The boxes are there, byte for byte."""
    moov = read_moov(final)
    trak = moov.child(b"trak") if moov else None
    entry = entries(trak)[0].head if trak else b""
    if not all(box in entry for box in spatial.entry) or not all(
        box in bytes(trak or Box(b"")) for box in spatial.track
    ):
        raise EncodeError(f"{final} came out without what tells how its picture is to be seen.")


def _lost(old: Track, new: Track) -> str:
    """What of a track's own tags is not told any more; "" where all is."""
    lost = []
    if _same(old.language) != _same(new.language):
        lost.append(f"its language ({old.language})")
    if old.title != new.title and old.kind != TrackKind.ATTACHMENT:
        lost.append(f"its title ({old.title})")
    if old.kind != TrackKind.ATTACHMENT:
        lost += [f"the mark '{flag}'" for flag in sorted(old.flags - new.flags - OWN_FLAGS)]
    return f"Of {old}, {' and '.join(lost)}" if lost else ""


def _same(language: str) -> str:
    return TWICE_NAMED.get(language, language)


def _lost_of_file(
    holds: Contents, written: Contents, mapping: StreamMapping, moved: Fraction
) -> list[str]:
    container = mapping.suffix[1:]
    said = []
    lost = list(missing_tags(written.tags, holds.tags))
    if lost:
        more = f" and {len(lost) - NAMED_TAGS} more" if len(lost) > NAMED_TAGS else ""
        said.append(
            f"These tags cannot be kept in {container}: {', '.join(lost[:NAMED_TAGS])}{more}."
        )
    starts = [start + moved for start in holds.chapters]
    kept = sum(any(_is_near(start, other) for other in written.chapters) for start in starts)
    if kept < len(starts):
        said.append(
            f"{len(starts) - kept} of {len(starts)} chapters cannot be kept in {container}, "
            "or not at their time."
        )
    if _digits(written.timecode) != _digits(holds.timecode):
        said.append(f"The time code {holds.timecode} cannot be kept in {container}.")
    if len(written.of(TrackKind.COVER)) != len(mapping.covers):
        said.append(f"Not all cover pictures can be kept in {container}.")
    return said


def _is_near(a: Fraction, b: Fraction) -> bool:
    return abs(a - b) <= TOLERANCE_SECONDS


def _digits(timecode: str) -> list[int]:
    """Hours, minutes, seconds, frames; and whether frames are dropped."""
    return [int(part) for part in re.findall(r"\d+", timecode)] + [";" in timecode]


def _named(tracks: list[Track]) -> str:
    return ", ".join(map(str, tracks)) or "nothing"
