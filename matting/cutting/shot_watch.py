"""Shots found among the frames that are decoded for another purpose."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import accumulate

from av.video.frame import VideoFrame

from matting.cutting.cut_job import CutSegment
from matting.cutting.shots import ShotDetector
from matting.cutting.small_pictures import small_picture
from matting.media.decode_check import ShowFrame
from matting.media.frame_decoding import Decoding

# Gives the number by which a frame is to be known, from its packet's number; None: it is hidden.
FrameNumber = Callable[[Decoding, int], int | None]


class ShotWatch:
    """Watches files that continue each other being decoded, perhaps several times.

    Only frames that a strict decoder gives whole are looked at: what damage looks like starts no
    shot. Call `accept` once the decoding of a file is the last one, and then go on to the next.
    """

    def __init__(self, colour_range: int) -> None:
        """
        Args:
            colour_range: of the source.
        """
        self._colour_range = colour_range
        self._accepted = self._current = ShotDetector()
        self._found: list[int] = []
        self._just_found: list[int] = []

    def of_file(self, number_of: FrameNumber) -> Callable[[Decoding], ShowFrame]:
        """Return a watch for `decode_all`, over the file that follows those accepted."""

        def begin(decoding: Decoding) -> ShowFrame:
            self._current, self._just_found = self._accepted.fork(), []

            def show(packet: int, frame: VideoFrame) -> None:
                number = number_of(decoding, packet)
                if number is not None:
                    picture = small_picture(frame, self._colour_range)
                    self._just_found += self._current.feed(number, picture)

            return show

        return begin

    def accept(self) -> None:
        """Keep what was seen of a file when it was last decoded."""
        self._accepted = self._current
        self._found += self._just_found
        self._just_found = []

    def shots(self) -> list[int]:
        """Return the numbers of the frames at which shots start, of all files accepted."""
        return self._found + self._accepted.fork().finish()


def with_shots(segments: Sequence[CutSegment], shots: Iterable[int]) -> list[CutSegment]:
    """Return all segments of a source, told at which of their frames shots start.

    Args:
        shots: the source's PTS of all those frames.
    """
    rising = sorted(set(shots))
    starts = [bisect_left(rising, segment.times[0]) for segment in segments]
    stops = [*starts[1:], len(rising)]
    return [
        replace(segment, shots=tuple(rising[start:stop]))
        for segment, start, stop in zip(segments, starts, stops, strict=True)
    ]


def shots_by_frame(segments: Sequence[CutSegment]) -> tuple[int, ...] | None:
    """Return at which frames shots start, counted through all of a source's segments from 0.

    Frame 0 is not among them. A shot whose first frame was left out starts with the next one.

    Returns:
        None where nobody looked for them in one of the segments.
    """
    starts = set()
    before = accumulate((len(segment.times) for segment in segments), initial=0)
    for segment, first in zip(segments, before, strict=False):
        if segment.shots is None:
            return None
        starts |= {first + bisect_left(segment.times, shot) for shot in segment.shots}
    frames = sum(len(segment.times) for segment in segments)
    return tuple(sorted(start for start in starts if 0 < start < frames))
