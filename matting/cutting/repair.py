"""Segments written anew, without loss, with what players show, or with the last good frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby
from pathlib import Path

from av.video.frame import VideoFrame

from matting.cutting.cut_job import CutJob, CutSegment
from matting.cutting.reencode import encode_segments
from matting.cutting.review import SegmentPackets
from matting.cutting.source_frames import (
    SourceTime,
    decode_frames,
    first_frame,
    last_frame,
    no_good_frame,
)
from matting.imaging.sample_format import Size
from matting.media.decode_check import decode_all
from matting.media.frame_decoding import Shape
from matting.media.frame_filters import FrameFilters
from matting.media.probe import probe
from matting.media.video_info import VideoInfo
from matting.progress import Progress, ignore


def repair(
    job: CutJob,
    segments: Sequence[CutSegment],
    packets: SegmentPackets,
    progress: Progress,
    *,
    repeat: bool,
) -> list[CutSegment]:
    """Rewrite the segments that hold suspect frames; return all that hold frames then.

    Args:
        segments: as they were reviewed.
        packets: of these segments.
        repeat: put the last good frame in place of what is doubtful or missing; else they hold
            what a tolerant decoder shows, and nothing where it shows nothing.
    Raises:
        DecodeError: the source has not one good frame.
        StorageError: a segment cannot be written.
    """
    wanted = [_with_missing(segment) if repeat else segment for segment in segments]
    total = sum(len(segment.times) for segment in wanted if segment.suspect)
    if not any(segment.times for segment in wanted):
        raise no_good_frame(job.info.path)
    progress.start("Repairing", total, "frame")
    repaired: list[CutSegment] = []
    try:
        numbered = groupby(range(len(wanted)), key=lambda number: bool(wanted[number].suspect))
        for suspect, numbers in numbered:
            run = list(numbers)
            if not suspect:
                repaired += [wanted[number] for number in run]
                continue
            previous = repaired[-1].path if repaired and repeat else None
            repaired += _rewrite_run(
                job,
                wanted,
                run,
                packets,
                before=None if previous is None else last_frame(previous, progress.alive),
                repeat=repeat,
                on_frames=progress.advance,
            )
    finally:
        progress.finish()
    if not repeat:  # what is missing of segments that hold nothing now is noted in another
        known = {pts for segment in repaired for pts in segment.missing}
        lost = {pts for segment in segments for pts in segment.missing} - known
        repaired[0] = replace(repaired[0], missing=tuple(sorted({*repaired[0].missing, *lost})))
    return repaired


def _with_missing(segment: CutSegment) -> CutSegment:
    return replace(segment, times=tuple(sorted({*segment.times, *segment.missing})))


def _rewrite_run(
    job: CutJob,
    segments: Sequence[CutSegment],
    run: Sequence[int],
    packets: SegmentPackets,
    *,
    before: VideoFrame | None,
    repeat: bool,
    on_frames: Callable[[int], None],
) -> list[CutSegment]:
    """Rewrite segments that follow each other; those without a frame are left out."""
    held = [(number, segments[number]) for number in run if segments[number].times]
    damaged = {pts for _, s in held for pts in (*s.doubtful, *s.missing)} if repeat else set()
    groups = {
        segment.path.with_name(f"repaired_{number:03d}.mp4"): segment.times
        for number, segment in held
    }
    good = {pts for times in groups.values() for pts in times} - damaged
    if not good and before is None:
        before = _first_good_frame(segments, lambda: on_frames(0))
    frames = decode_frames(
        [job.info.path],
        lambda number, _: pts if (pts := packets.pts_of(number)) in good else None,
        strict=False,
        only=job.index.decodable(packets.with_lead(run[0], run[-1])),
        alive=lambda: on_frames(0),
    )
    # Damage in a header gives frames of other sizes.
    filters = FrameFilters(shape=_usual_shape(job.info, segments))
    encode_segments(
        job.info,
        groups,
        filters.apply(job.info, frames),
        damaged=damaged,
        before=before,
        crf=None,
        on_frames=on_frames,
    )
    return [
        CutSegment(path, segment.times, copied=False, repeated=segment.damaged, shots=segment.shots)
        if repeat
        else replace(segment, path=path, suspect=(), copied=False)
        for path, (_, segment) in zip(groups, held, strict=True)
    ]


def _usual_shape(info: VideoInfo, segments: Sequence[CutSegment]) -> Shape:
    """Return the shape of a source's intact frames; what its header says where it has none."""
    intact = (segment for segment in segments if segment.times and not segment.suspect)
    first = next((first_frame(segment.path, ()) for segment in intact), None)
    if first is not None:
        return Shape.of(first)
    return Shape(Size(info.width_px, info.height_px), info.pixel_format)


def rewrite_segment(
    info: VideoInfo,
    files: Sequence[Path],
    segment: CutSegment,
    target: Path,
    alive: Callable[[], None] = ignore,
) -> CutSegment:
    """Re-encode an intact segment to `target`, without loss, with all its times.

    Args:
        files: the last one holds the segment's frames, as the continuation of the others.
        alive: called for every frame, as a sign of life.
    Raises:
        DecodeError: a frame does not come.
        EncodeError: the new file does not hold the same pixels.
        StorageError: it cannot be written.
    """
    times = set(segment.times)
    source_time = source_time_of(info, probe(files[-1]).time_base, segment.times[0])

    def known_time(number: int, pts: int | None) -> int | None:
        time = source_time(number, pts)
        return time if time in times else None

    encode_segments(
        info,
        {target: segment.times},
        decode_frames(files, known_time, strict=True, alive=alive),
        damaged=(),
        crf=None,
        on_frames=lambda _: alive(),
    )
    return CutSegment(target, segment.times, copied=False)


def source_time_of(info: VideoInfo, time_base: Fraction, first: int) -> SourceTime:
    """Return a function from a packet's number and PTS in a segment to its PTS in the source.

    Args:
        time_base: the segment's.
        first: the source's PTS of the segment's time 0.
    """
    scale = time_base / info.time_base
    return lambda _, pts: None if pts is None else first + round(pts * scale)


def _first_good_frame(
    segments: Sequence[CutSegment], alive: Callable[[], None]
) -> VideoFrame | None:
    """Return the source's first good frame, which stands in for all that is damaged before it."""
    for segment in segments:
        if len(segment.damaged) < len(segment.times):
            decoding = decode_all(segment.path, lambda _: alive())
            return first_frame(segment.path, decoding.damaged)
    return None
