"""Where shots start: at hard cuts, fades and dissolves, told from small copies of the frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from matting.cutting.picture_comparison import contrast, difference
from matting.cutting.shot_signs import (
    DIP_FRAMES,
    FLASH_FRAMES,
    HALF_LENGTHS,
    LEAST_DISSOLVE,
    NEARBY,
    WatchedFrame,
    dissolve_clearness,
    is_end_of_dip,
    is_hard_cut,
    is_near_dip,
)
from matting.cutting.small_pictures import SmallPicture

APART = 10  # frames at least between the middles of two dissolves
REACH = max(HALF_LENGTHS[0], DIP_FRAMES, FLASH_FRAMES) + 1  # after a frame, to see what it is
DELAY = REACH + 2 * DIP_FRAMES  # after a frame, to know whether it starts a shot
KEPT = 2 * DELAY  # frames, for those before one


class ShotDetector:
    """Is shown small copies of a video's frames in order, and says where shots start.

    A shot starts at the first frame after a hard cut; at the first that is seen again after a fade
    through a blank picture; and in the middle of a dissolve, from where there is more of the new
    picture. Flashes, light that is switched on or off, and fast pans start none. The first frame of
    a video is not said to start one.
    """

    def __init__(self) -> None:
        self._frames: list[WatchedFrame] = []
        self._first = 0  # the place in the video of the first of them
        self._count = 0

    def fork(self) -> ShotDetector:
        """Return another that goes on from here by itself."""
        other = ShotDetector()
        other._frames = [replace(frame) for frame in self._frames]
        other._first, other._count = self._first, self._count
        return other

    def feed(self, number: int, picture: SmallPicture) -> list[int]:
        """Take the next frame; return the numbers of frames that are now known to start a shot.

        Args:
            number: by which the caller knows the frame.
        """
        change = difference(picture, self._frames[-1].picture) if self._frames else 0.0
        self._frames.append(WatchedFrame(number, picture, change, contrast(picture)))
        self._count += 1
        found = list(self._decide(self._count - 1))
        surplus = max(0, len(self._frames) - KEPT)
        del self._frames[:surplus]
        self._first += surplus
        return found

    def finish(self) -> list[int]:
        """Return the numbers of the other frames that start a shot, once all have been fed."""
        ends = range(self._count, self._count + DELAY)
        return [number for end in ends for number in self._decide(end)]

    def _decide(self, last: int) -> Iterator[int]:
        """Decide what waited for the frame at the place `last`, or for the video to be over."""
        seen, known = last - REACH, last - DELAY
        if 0 < seen < self._count:
            self._look_for_signs(seen)
        if 0 < known < self._count and self._starts_shot(known):
            yield self._at(known).number

    def _look_for_signs(self, place: int) -> None:
        frame = self._at(place)
        before = self._range(place - FLASH_FRAMES, place)
        after = self._range(place + 1, place + FLASH_FRAMES)
        frame.is_cut = is_hard_cut(before, frame, after)
        frame.is_dip_end = is_end_of_dip(
            self._range(place - DIP_FRAMES, place), self._range(place, place + DIP_FRAMES)
        )
        for half in HALF_LENGTHS:
            frames = self._around(place, half)
            if len(frames) <= 2 * half:
                continue
            if difference(frames[0].picture, frames[-1].picture) < LEAST_DISSOLVE:
                break  # nor do those in between differ more
            clearness = dissolve_clearness(frames)
            if clearness > frame.dissolve:
                frame.dissolve, frame.half_length = clearness, half

    def _starts_shot(self, place: int) -> bool:
        frame = self._at(place)
        if frame.is_cut:
            return True
        if frame.is_dip_end:
            return not any(near.is_cut for near in self._around(place, NEARBY))
        if not frame.dissolve or not self._is_clearest(place):
            return False
        half = frame.half_length
        cuts = (near.is_cut for near in self._range(place - half + 1, place + half + 1))
        near = self._range(place - DIP_FRAMES, place + 2 * DIP_FRAMES)
        return not any(cuts) and not is_near_dip(frame, near)

    def _is_clearest(self, place: int) -> bool:
        """Return whether this is the clearest middle of a dissolve nearby; the first of equals."""
        clearness = self._at(place).dissolve
        before = self._range(place - APART, place)
        after = self._range(place + 1, place + APART + 1)
        earlier = (near.dissolve < clearness for near in before)
        later = (near.dissolve <= clearness for near in after)
        return all(earlier) and all(later)

    def _at(self, place: int) -> WatchedFrame:
        """Return the frame at a place in the video."""
        return self._frames[place - self._first]

    def _around(self, place: int, reach: int) -> list[WatchedFrame]:
        return self._range(place - reach, place + reach + 1)

    def _range(self, start: int, stop: int) -> list[WatchedFrame]:
        """Return the frames of [start, stop) that there are."""
        return self._frames[max(0, start - self._first) : max(0, stop - self._first)]
