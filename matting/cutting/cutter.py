"""The pieces of one source: cut, and proven by decoding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from matting.cutting.packet_cutter import (
    PacketSpan,
    choose_cuts,
    edit_list_can_hide,
    spans,
    write_segments,
)
from matting.cutting.packet_index import SourceIndex
from matting.cutting.reencode import decode_frames, encode_segments
from matting.cutting.repair import CutSegment, rewrite_segment, time_in_source
from matting.media.decode_check import Decoding, decode_all, first_frame_hashes
from matting.media.frame_filters import FrameFilters
from matting.media.probe import VideoInfo
from matting.media.validation import require_whole_pictures
from matting.progress import Progress, ignore
from matting.project.paths import segment_name

COMPARED_FRAMES = 16
KEYS_BACK = (1, 2, 4, 8, 16)
CHAIN = 3  # how many pieces before one stand for the whole source before it


class Cutter:
    """Cuts one source into a folder.

    Args:
        info, index: what the source is, and its packets.
        seconds: the length of a piece to aim at.
        work: the folder for the pieces; it must be there.
        treatment: what the frames need when they are encoded anew, as far as it is known.
    """

    def __init__(
        self,
        info: VideoInfo,
        index: SourceIndex,
        seconds: Fraction,
        work: Path,
        progress: Progress,
        *,
        treatment: FrameFilters,
    ) -> None:
        self._info = info
        self._index = index
        self._ticks = seconds / info.time_base
        self._work = work
        self._progress = progress
        self.treatment = treatment
        # Whether pieces of the source's own packets turned out to hold interlaced frames.
        self.met_interlaced = False
        # The frames of which the container itself says that parts are missing.
        self._corrupt = {
            p.pts for p in index.packets if p.corrupt and p.shown and p.pts is not None
        }

    def copy(self) -> list[CutSegment]:
        """Pieces of the source's own packets, each decoded through; none of interlaced frames.

        Where even an earlier lead-in gives other pixels than the source decoded in one go, the
        piece is encoded anew, without loss.

        Raises:
            MediaError: the source cannot be read.
            StorageError: a piece cannot be written.
        """
        starts = choose_cuts(self._index.packets, self._ticks)
        planned = spans(self._index.packets, starts, KEYS_BACK[0])
        paths = [self._work / segment_name(number) for number in range(len(planned))]
        self._write(dict(zip(paths, planned, strict=True)))
        self._progress.start("Checking", len(self._index.times()), "frame")
        try:
            segments = list(self._checked(starts, planned, paths))
            return [] if self.met_interlaced else segments
        finally:
            self._progress.finish()

    def encode(self, crf: int | None, *, repeat: bool) -> list[CutSegment]:
        """Pieces that are encoded anew.

        Args:
            crf: the encoder's constant rate factor; None: without loss.
            repeat: put the last good frame in place of a damaged one.
        Returns:
            The pieces. Of a source that is damaged or breaks off, unless `repeat`, one piece
            that is the source itself.
        Raises:
            MediaError: the source cannot be read, or not decoded at all.
            StorageError: a piece cannot be written.
        """
        source = self._info.path
        self._progress.start("Checking", len(self._index.times()), "frame")
        try:
            decoding = decode_all(source, self._progress.advance)
        finally:
            self._progress.finish()
        for number, packet in enumerate(self._index.packets):
            if not packet.shown:
                decoding.pts.pop(number, None)
        treatment = self.treatment
        if decoding.interlaced:
            require_whole_pictures(self._info)
            treatment = replace(treatment, deinterlace=True)
        for sentence in treatment.words():
            self._progress.say(sentence)
        times = self._times(decoding)
        damaged = {times[number] for number in decoding.damaged} | (
            self._corrupt & set(times.values())
        )
        listed = sorted(times.values())
        if not repeat and (damaged or self._index.truncated_at is not None):
            return [CutSegment(source, tuple(listed), tuple(sorted(damaged)), copied=False)]
        sound = {number: time for number, time in times.items() if time not in damaged}
        threads = 1 if damaged else 0
        frames = decode_frames(
            [source], lambda number, _: sound.get(number), strict=not damaged, threads=threads
        )
        treated = treatment.applied(self._info, frames)
        groups = self._groups(listed)
        self._progress.start("Encoding", len(listed), "frame")
        try:
            encode_segments(
                self._info,
                groups,
                treated,
                damaged=damaged,
                crf=crf,
                on_frames=self._progress.advance,
            )
        finally:
            self._progress.finish()
        return [
            CutSegment(
                path,
                tuple(group),
                repeated=tuple(time for time in group if time in damaged),
                copied=False,
            )
            for path, group in groups.items()
        ]

    def _write(self, segments: dict[Path, PacketSpan]) -> None:
        self._progress.start("Cutting", len(self._index.packets), "frame")
        try:
            write_segments(self._info, self._index, segments, self._progress.advance)
        finally:
            self._progress.finish()

    def _checked(
        self, starts: Sequence[int], planned: list[PacketSpan], paths: Sequence[Path]
    ) -> Iterator[CutSegment]:
        """The pieces after decoding each, and the next one's first frames as its continuation.

        What these look like then is what they look like when the source is decoded in one go.
        """
        levels = iter(KEYS_BACK[1:])
        expected: list[bytes] = []
        for number, path in enumerate(paths):
            doubtful = number > 0 and self._is_doubtful(starts[number])
            following = number + 1 < len(paths) and self._is_doubtful(starts[number + 1])
            on_frames: Callable[[int], None] = self._progress.advance
            while True:
                decoding = decode_all(
                    path,
                    on_frames,
                    head=COMPARED_FRAMES if doubtful else 0,
                    following=paths[number + 1] if following else None,
                    next_head=COMPARED_FRAMES,
                )
                equal = not doubtful or decoding.head == expected
                if decoding.interlaced:
                    self.met_interlaced = True
                    return
                level = None if equal else next(levels, None)
                if level is None:
                    break
                planned[number:] = spans(self._index.packets, starts, level)[number:]
                self._write(dict(zip(paths[number:], planned[number:], strict=True)))
                on_frames = ignore
            segment = self._segment(path, planned[number], decoding)
            target = path.with_name(f"exact_{number:03d}.mp4")
            # Under another name: the next piece is decoded as this one's continuation.
            if not equal:
                segment = self._continued(
                    paths[max(0, number - CHAIN) : number + 1], segment, target
                )
            elif not segment.damaged and not self._is_exact(planned[number], decoding):
                segment = rewrite_segment(self._info, [path], segment, target)
            expected = decoding.next_head
            if not equal and following:
                # This one is no measure for the next: those before it have to be, too.
                chain = paths[max(0, number + 1 - CHAIN) : number + 2]
                expected = first_frame_hashes(chain, COMPARED_FRAMES)
            yield segment

    def _continued(self, files: Sequence[Path], segment: CutSegment, target: Path) -> CutSegment:
        """The piece that no lead-in makes right, encoded anew; as it is where that is no better."""
        in_source = time_in_source(self._info, files[-1], segment.times[0])
        found = {time for time, _ in decode_frames(files, in_source, strict=True)}
        if not found.issuperset(segment.times):
            return segment
        return rewrite_segment(self._info, files, replace(segment, damaged=()), target)

    def _is_doubtful(self, start: int) -> bool:
        return self._index.packets[start].closed_gop is not True

    def _is_exact(self, span: PacketSpan, decoding: Decoding) -> bool:
        """Whether the piece shows no more than it should, and in the right order."""
        times = [decoding.pts[number] for number in decoding.shown if number in decoding.pts]
        return edit_list_can_hide(self._index, span) and times == sorted(
            times, key=lambda t: t or 0
        )

    def _segment(self, path: Path, span: PacketSpan, decoding: Decoding) -> CutSegment:
        """What the piece holds of what it should hold."""
        wanted = sorted(self._index.times(span.start, span.stop))
        time_of = time_in_source(self._info, path, wanted[0])
        sound = set(decoding.shown) - decoding.damaged
        found = {time_of(number, decoding.pts[number]) for number in sound & set(decoding.pts)}
        damaged = [time for time in wanted if time not in found or time in self._corrupt]
        return CutSegment(path, tuple(wanted), tuple(damaged))

    def _times(self, decoding: Decoding) -> dict[int, int]:
        """When each frame is shown, by its packet's number, also where the container is silent."""
        if is_timed(self._info, self._index):
            return {number: pts for number, pts in decoding.pts.items() if pts is not None}
        order = [number for number in decoding.shown if number in decoding.pts]
        for number in sorted(set(decoding.pts) - set(order)):
            place = next((i for i, other in enumerate(order) if other > number), len(order))
            order.insert(place, number)
        decoded_at = [self._index.packets[number].dts for number in decoding.pts]
        known = [time for time in decoded_at if time is not None]
        if len(set(known)) < len(order):
            step = 1 / (self._info.rate * self._info.time_base)
            known = [self._info.start_pts + round(place * step) for place in range(len(order))]
        return dict(zip(order, sorted(known), strict=True))

    def _groups(self, times: Sequence[int]) -> dict[Path, list[int]]:
        """The pieces and their frames' times; a piece begins in each `seconds` from the start."""
        groups: dict[int, list[int]] = {}
        for time in times:
            groups.setdefault(int((time - times[0]) // self._ticks), []).append(time)
        return {
            self._work / segment_name(number): group for number, group in enumerate(groups.values())
        }


def is_timed(info: VideoInfo, index: SourceIndex) -> bool:
    """Whether the container says when each frame is shown; AVI says only when it is decoded."""
    return index.is_timed and not (info.container == "avi" and info.reorders)
