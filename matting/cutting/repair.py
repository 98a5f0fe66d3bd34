"""Pieces written anew without loss, with the last good frame where the source is damaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from matting.cutting.reencode import Frame, encode_files, first_frame, frames_of, last_frame
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


def repair(info: VideoInfo, pieces: Sequence[CutSegment], progress: Progress) -> list[CutSegment]:
    """The pieces, the damaged ones written anew with the last good frame where one is missing.

    Raises:
        DecodeError: the source has not one good frame.
        StorageError: a piece cannot be written.
    """
    mended = list(pieces)
    total = sum(len(piece.times) for piece in pieces if piece.damaged)
    progress.start("Mending", total, "frame")
    try:
        for number, piece in enumerate(pieces):
            if piece.damaged:
                before = last_frame(mended[number - 1].path) if number else None
                if before is None and len(piece.damaged) == len(piece.times):
                    before = _first_good(pieces)
                target = piece.path.with_name(f"mended_{number:03d}.mp4")
                mended[number] = rewrite(
                    info, [piece.path], piece, target, before=before, on_frames=progress.advance
                )
    finally:
        progress.finish()
    return mended


def rewrite(
    info: VideoInfo,
    files: Sequence[Path],
    piece: CutSegment,
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
    good = set(piece.times) - set(piece.damaged)
    in_source = time_in_source(info, files[-1], piece.times[0])

    def time_of(number: int, pts: int | None) -> int | None:
        time = in_source(number, pts)
        return time if time in good else None

    frames = frames_of(files, time_of, strict=not piece.damaged)
    groups = {target: piece.times}
    encode_files(
        info,
        groups,
        frames,
        damaged=piece.damaged,
        before=before,
        crf=None,
        on_frames=on_frames,
    )
    return CutSegment(target, piece.times, repeated=piece.damaged, copied=False)


def time_in_source(
    info: VideoInfo, piece: Path, first: int
) -> Callable[[int, int | None], int | None]:
    """What gives a frame's PTS in the source for its packet's number and PTS in a piece.

    Args:
        first: the source's PTS of the piece's time 0.
    """
    scale = probe(piece).time_base / info.time_base
    return lambda _, pts: None if pts is None else first + round(pts * scale)


def _first_good(pieces: Sequence[CutSegment]) -> Frame | None:
    """The source's first good frame: it stands in for all that is damaged before it."""
    for piece in pieces:
        if len(piece.damaged) < len(piece.times):
            damaged = decode_all(piece.path).damaged
            return first_frame(piece.path, damaged)
    return None


def damage_report(info: VideoInfo, damaged: Sequence[int], ends: Fraction | None) -> str:
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
    if ends is not None:
        end = exact_clock(ends - info.start_pts * info.time_base)
        words.append(f"is cut off: it ends at {end}")
    return f"{info.path} {', and '.join(words)}."
