"""Damaged segments rewritten without loss, with the last good frame in place of a damaged one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame

from matting.cutting.cut_job import CutSegment
from matting.cutting.reencode import encode_segments
from matting.cutting.source_frames import SourceTime, decode_frames, first_frame, last_frame
from matting.media.decode_check import decode_all
from matting.media.probe import probe
from matting.media.video_info import VideoInfo
from matting.progress import Progress, ignore


def repair(info: VideoInfo, segments: Sequence[CutSegment], progress: Progress) -> list[CutSegment]:
    """Rewrite the damaged segments; return them all.

    Raises:
        DecodeError: the source has not one good frame.
        StorageError: a segment cannot be written.
    """
    repaired = list(segments)
    total = sum(len(segment.times) for segment in segments if segment.damaged)
    progress.start("Repairing", total, "frame")
    try:
        for number, segment in enumerate(segments):
            if segment.damaged:
                before = last_frame(repaired[number - 1].path) if number else None
                if before is None and len(segment.damaged) == len(segment.times):
                    before = _first_good_frame(segments)
                target = segment.path.with_name(f"repaired_{number:03d}.mp4")
                repaired[number] = rewrite_segment(
                    info, [segment.path], segment, target, before=before, on_frames=progress.advance
                )
    finally:
        progress.finish()
    return repaired


def rewrite_segment(
    info: VideoInfo,
    files: Sequence[Path],
    segment: CutSegment,
    target: Path,
    *,
    before: VideoFrame | None = None,
    on_frames: Callable[[int], None] = ignore,
) -> CutSegment:
    """Re-encode a segment to `target`, without loss, with all its times.

    Args:
        files: the last one holds the segment's frames, as the continuation of the others.
        before: what to show where there is no good frame yet.
        on_frames: told how many more frames have been written.
    Raises:
        DecodeError: there is not one good frame, and none before.
        EncodeError: the new file does not hold the same pixels.
        StorageError: it cannot be written.
    """
    good = set(segment.times) - set(segment.damaged)
    source_time = source_time_of(info, probe(files[-1]).time_base, segment.times[0])

    def good_time(number: int, pts: int | None) -> int | None:
        time = source_time(number, pts)
        return time if time in good else None

    encode_segments(
        info,
        {target: segment.times},
        decode_frames(files, good_time, strict=not segment.damaged),
        damaged=segment.damaged,
        before=before,
        crf=None,
        on_frames=on_frames,
    )
    return CutSegment(target, segment.times, repeated=segment.damaged, copied=False)


def source_time_of(info: VideoInfo, time_base: Fraction, first: int) -> SourceTime:
    """Return a function from a packet's number and PTS in a segment to its PTS in the source.

    Args:
        time_base: the segment's.
        first: the source's PTS of the segment's time 0.
    """
    scale = time_base / info.time_base
    return lambda _, pts: None if pts is None else first + round(pts * scale)


def _first_good_frame(segments: Sequence[CutSegment]) -> VideoFrame | None:
    """Return the source's first good frame, which stands in for all that is damaged before it."""
    for segment in segments:
        if len(segment.damaged) < len(segment.times):
            damaged = decode_all(segment.path).damaged
            return first_frame(segment.path, damaged)
    return None
