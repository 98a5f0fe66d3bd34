"""Pieces written anew without loss, with the last good frame where the source is damaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from matting.cutting.reencode import Frame, decode_frames, encode_segments, first_frame, last_frame
from matting.media.decode_check import decode_all
from matting.media.probe import VideoInfo, probe
from matting.progress import Progress, counted, ignore
from matting.system.humanize import exact_clock

NAMED_TIMES = 3  # how many damaged frames a message names


@dataclass(frozen=True)
class CutSegment:
    """A piece as it was made and decoded through.

    Attributes:
        path: its file.
        times: the source's PTS of its frames, rising.
        damaged: those of `times` at which the source has no sound frame.
        repeated: those at which another frame was put.
        copied: whether it holds the source's own packets.
    """

    path: Path
    times: tuple[int, ...]
    damaged: tuple[int, ...] = ()
    repeated: tuple[int, ...] = ()
    copied: bool = True


def repair(info: VideoInfo, segments: Sequence[CutSegment], progress: Progress) -> list[CutSegment]:
    """The pieces, the damaged ones written anew with the last good frame where one is missing.

    Raises:
        DecodeError: the source has not one good frame.
        StorageError: a piece cannot be written.
    """
    mended = list(segments)
    total = sum(len(segment.times) for segment in segments if segment.damaged)
    progress.start("Mending", total, "frame")
    try:
        for number, segment in enumerate(segments):
            if segment.damaged:
                before = last_frame(mended[number - 1].path) if number else None
                if before is None and len(segment.damaged) == len(segment.times):
                    before = _first_good(segments)
                target = segment.path.with_name(f"mended_{number:03d}.mp4")
                mended[number] = rewrite_segment(
                    info, [segment.path], segment, target, before=before, on_frames=progress.advance
                )
    finally:
        progress.finish()
    return mended


def rewrite_segment(
    info: VideoInfo,
    files: Sequence[Path],
    segment: CutSegment,
    target: Path,
    *,
    before: Frame | None = None,
    on_frames: Callable[[int], None] = ignore,
) -> CutSegment:
    """The piece encoded anew to `target`, without loss, with all its times.

    Args:
        files: the last one holds the piece's frames, as the continuation of the others.
        before: what to show where there is no good frame yet.
        on_frames: told how many more frames are written.
    Raises:
        DecodeError: there is not one good frame, and none before.
        EncodeError: the new file does not hold the same pixels.
        StorageError: it cannot be written.
    """
    good = set(segment.times) - set(segment.damaged)
    in_source = time_in_source(info, files[-1], segment.times[0])

    def time_of(number: int, pts: int | None) -> int | None:
        time = in_source(number, pts)
        return time if time in good else None

    frames = decode_frames(files, time_of, strict=not segment.damaged)
    groups = {target: segment.times}
    encode_segments(
        info,
        groups,
        frames,
        damaged=segment.damaged,
        before=before,
        crf=None,
        on_frames=on_frames,
    )
    return CutSegment(target, segment.times, repeated=segment.damaged, copied=False)


def time_in_source(
    info: VideoInfo, segment: Path, first: int
) -> Callable[[int, int | None], int | None]:
    """What gives a frame's PTS in the source for its packet's number and PTS in a piece.

    Args:
        first: the source's PTS of the piece's time 0.
    """
    scale = probe(segment).time_base / info.time_base
    return lambda _, pts: None if pts is None else first + round(pts * scale)


def _first_good(segments: Sequence[CutSegment]) -> Frame | None:
    """The source's first good frame: it stands in for all that is damaged before it."""
    for segment in segments:
        if len(segment.damaged) < len(segment.times):
            damaged = decode_all(segment.path).damaged
            return first_frame(segment.path, damaged)
    return None


def damage_report(info: VideoInfo, damaged: Sequence[int], truncated_at: Fraction | None) -> str:
    """Where a source is damaged, by the clock of a player."""
    words = []
    if damaged:
        clocks = [
            exact_clock((pts - info.start_pts) * info.time_base) for pts in damaged[:NAMED_TIMES]
        ]
        more = len(damaged) - len(clocks)
        others = f" and {more} more" if more else ""
        frames = counted(len(damaged), "frame")
        words.append(f"is damaged: {frames} cannot be decoded, at {', '.join(clocks)}{others}")
    if truncated_at is not None:
        end = exact_clock(truncated_at - info.start_pts * info.time_base)
        words.append(f"is cut off: it ends at {end}")
    return f"{info.path} {', and '.join(words)}."
