"""What a tolerant decoder, as in players, shows of what a strict one refuses."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise
from pathlib import Path

from matting.cutting.cut_job import CutJob, CutSegment
from matting.cutting.packet_index import SourceIndex
from matting.media.frame_decoding import Decoding, decode_files, pixel_hash
from matting.media.frame_times import rising_times
from matting.progress import Progress, ignore

# What decoders say of messages beside the picture (SEI); the picture is what it is.
OF_NO_PICTURE = re.compile(r"\bSEI\b")


@dataclass(frozen=True)
class Review:
    """What a tolerant decoder shows; everything by the packets' numbers.

    Attributes:
        hashes: of the pixels of every frame that it shows, in the order in which they come.
        doubtful: those of them that a strict decoder refuses, and of which this one complains.
        missing: packets of which both complain, and whose frame does not come; and those before
            the first frame that comes, where a recording begins in the middle.
    """

    hashes: dict[int, bytes]
    doubtful: frozenset[int]
    missing: frozenset[int]


def review_packets(
    path: Path,
    index: SourceIndex,
    suspects: AbstractSet[int],
    only: range | None = None,
    on_frames: Callable[[int], None] = ignore,
) -> Review:
    """Decode packets of a source tolerantly, and listen to what the decoder says.

    Whatever a tolerant decoder shows without a word is whole. Field pictures, messages that are
    cut short, packets that hold no picture: all of that a strict decoder refuses.

    Args:
        suspects: the packets whose frames a strict decoder does not give intact.
        only: the packets to decode; None: all.
        on_frames: told how many more frames have been decoded; of none, for every packet.
    Raises:
        InputError: there is no such file.
        MediaError: it is no video.
    """
    decoding = Decoding()
    hashes: dict[int, bytes] = {}
    corrupt = set()
    decodable = index.decodable(only)
    frames = decode_files(
        [path],
        decoding,
        strict=False,
        threads=1,
        only=decodable,
        listen=True,
        alive=lambda: on_frames(0),
    )
    for _, number, frame in frames:
        if index.packets[number].presented:
            hashes.setdefault(number, pixel_hash(frame))
            if frame.is_corrupt:
                corrupt.add(number)
        on_frames(1)
    complained = {
        number for number, lines in decoding.complaints.items() if _is_of_picture(lines)
    } & suspects
    lost = complained | _before_all(index, suspects, hashes)
    missing = {n for n in lost - set(hashes) if index.packets[n].presented}
    doubtful = (complained | corrupt & suspects) & set(hashes)
    return Review(hashes, frozenset(doubtful), frozenset(missing))


class SegmentPackets:
    """Which of a source's packets each of its segments holds."""

    def __init__(self, index: SourceIndex, segments: Sequence[CutSegment]) -> None:
        """
        Args:
            segments: all of the source's, as they were cut.
        """
        self._pts = [packet.pts if packet.presented else None for packet in index.packets]
        numbers = {pts: number for number, pts in enumerate(self._pts) if pts is not None}
        self._starts = [min(numbers[pts] for pts in segment.times) for segment in segments]

    def pts_of(self, number: int) -> int | None:
        """Return when a packet's frame is presented; None where it is not."""
        return self._pts[number]

    def put_in_order(self, shown: Sequence[int], job: CutJob) -> None:
        """Change times that do not rise from frame to frame as a damaged source shows them.

        Args:
            shown: packets in the order in which their frames come.
        """
        times = [self._pts[number] for number in shown]
        known = [time for time in times if time is not None]
        if known and any(later <= earlier for earlier, later in pairwise(known)):
            step = 1 / (job.info.rate * job.info.time_base)
            for number, time in zip(shown, rising_times(times, step), strict=True):
                self._pts[number] = time

    def segment_of(self, number: int) -> int:
        """Return the number of the segment that holds a packet."""
        return bisect_right(self._starts, number) - 1

    def of(self, segment: int) -> range:
        """Return the packets of a segment, by its number."""
        stops = [*self._starts[1:], len(self._pts)]
        return range(self._starts[segment], stops[segment])

    def with_lead(self, first: int, last: int) -> range:
        """Return the packets of segments that follow each other, and those of the one before."""
        return range(self._starts[first - 1] if first else 0, self.of(last).stop)


def review_segments(
    job: CutJob, segments: Sequence[CutSegment], packets: SegmentPackets, progress: Progress
) -> list[CutSegment]:
    """Return segments as a tolerant decoder shows them.

    Those whose own packets show the same to it have no suspect frames any more. The files of the
    others are not right: they hold other frames than `times` says, or damaged ones.

    Raises:
        StorageError: a segment cannot be read.
    """
    reviewed = list(segments)
    runs = groupby(range(len(segments)), key=lambda number: bool(segments[number].suspect))
    suspects = [list(numbers) for suspect, numbers in runs if suspect]
    total = sum(len(packets.with_lead(run[0], run[-1])) for run in suspects)
    progress.start("Inspecting damage", total, "frame")
    try:
        for run in suspects:
            times = {pts for number in run for pts in segments[number].suspect}
            only = packets.with_lead(run[0], run[-1])
            review = review_packets(
                job.info.path,
                job.index,
                {number for number in only if packets.pts_of(number) in times},
                only,
                progress.advance,
            )
            own = range(packets.of(run[0]).start, only.stop)
            shown = [number for number in review.hashes if number in own]
            packets.put_in_order(shown, job)
            # Damage may bring frames out of order, even out of their segment.
            places = list(accumulate(map(packets.segment_of, shown), max))
            for number in run:
                frames = [n for n, place in zip(shown, places, strict=True) if place == number]
                missing = [n for n in packets.of(number) if n in review.missing]
                reviewed[number] = _reviewed(
                    segments[number], packets, review, frames, missing, alive=progress.alive
                )
    finally:
        progress.finish()
    return reviewed


def _reviewed(
    segment: CutSegment,
    packets: SegmentPackets,
    review: Review,
    shown: Sequence[int],
    missing: Sequence[int],
    *,
    alive: Callable[[], None],
) -> CutSegment:
    def times(numbers: Iterable[int]) -> tuple[int, ...]:
        known = (packets.pts_of(number) for number in numbers)
        return tuple(sorted(pts for pts in known if pts is not None))

    reviewed = replace(
        segment,
        times=times(shown),
        doubtful=times(review.doubtful.intersection(shown)),
        missing=times(missing),
    )
    if reviewed.times != segment.times or reviewed.damaged:
        return reviewed
    copied = decode_files([segment.path], Decoding(), strict=False, threads=1, alive=alive)
    same = [pixel_hash(frame) for _, _, frame in copied] == [review.hashes[n] for n in shown]
    return replace(reviewed, suspect=()) if same else reviewed


def _before_all(index: SourceIndex, numbers: Iterable[int], shown: Collection[int]) -> set[int]:
    """Return the packets that come before the first frame shown, by their numbers or times."""
    packets, first = index.packets, min(shown, default=len(index.packets))
    times = (packets[n].pts for n in shown)
    earliest = min((time for time in times if time is not None), default=None)

    def is_early(pts: int | None) -> bool:
        return pts is not None and earliest is not None and pts < earliest

    return {n for n in numbers if n < first or is_early(packets[n].pts)}


def _is_of_picture(lines: Collection[str]) -> bool:
    return any(not OF_NO_PICTURE.search(line) for line in lines)
