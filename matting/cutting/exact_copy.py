"""Segments of the source's own packets, each proven by decoding to show the source's pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from matting.cutting import packet_cutter
from matting.cutting.cut_job import CutJob, CutSegment
from matting.cutting.finished_segments import FinishedSegments
from matting.cutting.packet_cutter import (
    NeedsPreRoll,
    PacketSpan,
    choose_cuts,
    edit_list_can_hide,
    plan_spans,
)
from matting.cutting.packet_index import SourceIndex
from matting.cutting.repair import rewrite_segment, source_time_of
from matting.cutting.segments_ahead import SegmentsAhead
from matting.cutting.shot_watch import FrameNumber, ShotWatch, with_shots
from matting.cutting.source_frames import decode_frames
from matting.media.decode_check import decode_all, first_frame_hashes
from matting.media.frame_decoding import Decoding, Shape
from matting.media.probe import probe
from matting.media.video_info import VideoInfo
from matting.progress import Progress
from matting.project.paths import segment_name

COMPARED_FRAMES = 16
KEYS_BACK = (1, 2, 4, 8, 16)
CHAIN = 3  # how many segments before one stand for the whole source before it

WriteSegments = Callable[
    [
        VideoInfo,
        SourceIndex,
        Mapping[Path, PacketSpan],
        Callable[[int], None],
        Callable[[Path], None],
    ],
    None,
]


class ExactCopier:
    """Copies a source's packets into segments.

    Args:
        needs_pre_roll: decides which segments get a pre-roll.
        write: writes the segments' files.
        finished: takes each segment that is final.
    """

    def __init__(
        self,
        job: CutJob,
        progress: Progress,
        *,
        needs_pre_roll: NeedsPreRoll = packet_cutter.needs_pre_roll,
        write: WriteSegments = packet_cutter.write_segments,
        finished: FinishedSegments | None = None,
    ) -> None:
        self._job = job
        self._progress = progress
        self._needs_pre_roll = needs_pre_roll
        self._ahead = SegmentsAhead(partial(write, job.info, job.index))
        self._finished = finished

    def copy(self) -> list[CutSegment] | None:
        """Copy all packets, and decode every segment through.

        Where even a long pre-roll gives other pixels than the source decoded in one go, the
        segment is re-encoded, without loss.

        Returns:
            the segments; None where some of their frames turn out to be interlaced, or of another
            size or pixel format.
        Raises:
            MediaError: the source cannot be read.
            StorageError: a segment cannot be written.
        """
        starts = choose_cuts(self._job.index.packets, self._job.segment_ticks)
        spans = self._plan(starts, KEYS_BACK[0])
        paths = [self._job.work / segment_name(number) for number in range(len(spans))]
        self._progress.start("Cutting", len(self._job.index.times()), "frame")
        try:
            with self._ahead:
                return self._check(starts, spans, paths)
        finally:
            self._progress.finish()

    def _plan(self, starts: Sequence[int], keys_back: int) -> list[PacketSpan]:
        return plan_spans(self._job.index.packets, starts, keys_back, self._needs_pre_roll)

    def _check(
        self, starts: Sequence[int], spans: list[PacketSpan], paths: Sequence[Path]
    ) -> list[CutSegment] | None:
        """Decode each segment, once it is written, and the next one's first frames after it.

        As a continuation they look as they do when the source is decoded in one go; so they have
        to look when the next segment is decoded by itself.
        """
        packets = self._job.index.packets
        in_doubt = [packets[start].closed_gop is not True for start in starts]
        in_doubt = [False, *in_doubt[1:], False]  # the first has nothing before it
        watch = ShotWatch(self._job.info.colour.range)
        longer_pre_rolls = iter(KEYS_BACK[1:])
        expected: list[bytes] = []
        segments: list[CutSegment] = []
        shapes: Counter[Shape] = Counter()
        self._ahead.begin(dict(zip(paths, spans, strict=True)))
        for number, path in enumerate(paths):
            on_frames: Callable[[int], None] = self._progress.advance
            following = paths[number + 1] if in_doubt[number + 1] else None
            while True:
                for needed in filter(None, (path, following)):
                    self._ahead.wait_for(needed, self._progress.alive)
                decoding = decode_all(
                    path,
                    on_frames,
                    hash_first=COMPARED_FRAMES if in_doubt[number] else 0,
                    following=following,
                    hash_next=COMPARED_FRAMES,
                    watch=watch.of_file(self._times_of(spans[number])),
                )
                shapes |= decoding.shapes
                if decoding.interlaced or len(shapes) > 1:
                    return None
                equal = not in_doubt[number] or decoding.first_hashes == expected
                keys_back = None if equal else next(longer_pre_rolls, None)
                if keys_back is None:
                    break
                spans[number:] = self._plan(starts, keys_back)[number:]
                self._ahead.begin(dict(zip(paths[number:], spans[number:], strict=True)))
                on_frames = self._show_life
            watch.accept()
            segment = self._compare(path, spans[number], decoding)
            # Under another name: the next segment is decoded as this one's continuation.
            target = path.with_name(f"exact_{number:03d}.mp4")
            if not equal:
                files = paths[max(0, number - CHAIN) : number + 1]
                segment = self._rewrite_as_continuation(files, segment, target)
            elif not segment.suspect and not self._is_exact(spans[number], segment, decoding):
                segment = rewrite_segment(
                    self._job.info, [path], segment, target, self._progress.alive
                )
            expected = decoding.next_hashes
            if not equal and in_doubt[number + 1]:
                # This file alone gives no reference for the next: decode those before it, too.
                chain = paths[max(0, number + 1 - CHAIN) : number + 2]
                expected = first_frame_hashes(chain, COMPARED_FRAMES, self._progress.alive)
            segments.append(segment)
            if self._finished is not None:
                self._finished.add(segment.path)
        return with_shots(segments, watch.shots())

    def _times_of(self, span: PacketSpan) -> FrameNumber:
        """Return what gives the time in the source of a segment's frame."""
        first = min(self._job.index.times(span.start, span.stop))

        def time_of(decoding: Decoding, number: int) -> int | None:
            source_time = source_time_of(self._job.info, decoding.time_base, first)
            return source_time(number, decoding.indexed[number])

        return time_of

    def _show_life(self, _frames: int) -> None:
        """Note that work goes on at frames that have been counted already."""
        self._progress.alive()

    def _rewrite_as_continuation(
        self, files: Sequence[Path], segment: CutSegment, target: Path
    ) -> CutSegment:
        """Re-encode a segment that no pre-roll makes right; leave it where that is no better."""
        time_base = probe(files[-1]).time_base
        source_time = source_time_of(self._job.info, time_base, segment.times[0])
        alive = self._progress.alive
        frames = decode_frames(files, source_time, strict=True, alive=alive)
        decodable = {time for time, _ in frames}
        if not decodable.issuperset(segment.times):
            return segment
        return rewrite_segment(self._job.info, files, replace(segment, suspect=()), target, alive)

    def _is_exact(self, span: PacketSpan, segment: CutSegment, decoding: Decoding) -> bool:
        """Return whether a segment presents no more than it should, and in the right order.

        Of MPEG-1 in mp4, FFmpeg shows the last frame that the edit list hides.
        """
        times = [
            decoding.indexed[number] for number in decoding.presented if number in decoding.indexed
        ]
        in_order = times == sorted(times, key=lambda time: time or 0)
        no_more = len(times) == len(segment.times) and edit_list_can_hide(self._job.index, span)
        return no_more and in_order

    def _compare(self, path: Path, span: PacketSpan, decoding: Decoding) -> CutSegment:
        """Compare what a segment shows with what it should."""
        times = sorted(self._job.index.times(span.start, span.stop))
        source_time = source_time_of(self._job.info, decoding.time_base, times[0])
        numbers = (set(decoding.presented) - decoding.damaged) & set(decoding.indexed)
        intact = {source_time(number, decoding.indexed[number]) for number in numbers}
        intact -= self._job.corrupt_pts
        return CutSegment(path, tuple(times), tuple(time for time in times if time not in intact))
