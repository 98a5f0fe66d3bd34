"""Which moments of a video are worth a look: some spread over it, and those that are hardest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest

import numpy as np
from numpy.typing import NDArray

MOMENTS = 12
SPREAD = 5  # of them lie evenly over the video
FASTEST, AFTER_CUTS = 2, 2
NEAR_SECONDS = 1.0  # of one that is chosen, another shows nothing new
AFTER_CUT_FRAMES = 2  # a moment after a cut is so many frames after it
MOTION_SECONDS = 0.5  # over which motion is taken
SHORT_GAP = 0.9  # of the usual distance between key frames: here an encoder began anew


@dataclass(frozen=True)
class SeenFrame:
    """What a frame shows on a look at a small copy.

    Attributes:
        frame: its number.
        brightness: of the luma, 0 to 1.
        area: how much of the picture is people, 0 to 1.
        people: how many there seem to be.
        smallest: the height of the smallest of them, as a share of the picture's; 0 without any.
    """

    frame: int
    brightness: float
    area: float
    people: int
    smallest: float


@dataclass(frozen=True)
class Signs:
    """What is known of a video without decoding it through.

    Attributes:
        frames: how many it has.
        rate: how many a second.
        motion: [frames], of each how much changes around it, in any unit; NaN: not known.
        cuts: the numbers of frames at which something else is seen, rising.
        seen: some frames.
    """

    frames: int
    rate: float
    motion: NDArray[np.float64]
    cuts: Sequence[int]
    seen: Sequence[SeenFrame] = field(default_factory=tuple)


@dataclass(frozen=True)
class Moment:
    """A frame to look at.

    Attributes:
        first: from which frame on the network is run up to it.
        reason: why it was chosen, as a clause.
    """

    frame: int
    first: int
    reason: str


def middle(signs: Signs) -> Moment:
    """Return the moment in the middle, with which a look can begin before anything is known."""
    return _moment(signs, signs.frames // 2, "in the middle")


def choose_moments(signs: Signs, asked: Sequence[int] = (), count: int = MOMENTS) -> list[Moment]:
    """Return the moments in the order in which they are worth a look.

    Args:
        asked: the numbers of frames that somebody wants to see; they come first, however many.
        count: of the others.
    """
    chosen = [_moment(signs, frame, "asked for") for frame in asked]
    wanted = len(chosen) + count
    spread = ((frame, "in between") for frame in _spread(signs.frames, SPREAD))
    first = [(signs.frames // 2, "in the middle")]
    mixed = chain.from_iterable(zip_longest(_hardest(signs), spread))
    further = ((frame, "in between") for frame in _spread(signs.frames, 3 * count))
    least = NEAR_SECONDS * signs.rate
    for found in chain(first, mixed, further):
        if len(chosen) >= wanted:
            break
        if found is not None and all(abs(found[0] - other.frame) >= least for other in chosen):
            chosen.append(_moment(signs, *found))
    return chosen


def packet_motion(sizes: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """Return how much changes around each frame, by how many bytes an encoder took to say it.

    Args:
        sizes: [N], of each frame's packet, in order of presentation; NaN: of key frames, which
            are whole pictures.
    """
    window = max(1, round(MOTION_SECONDS * rate))
    known = ~np.isnan(sizes)
    kernel = np.ones(min(window, len(sizes)))
    sums = np.convolve(np.where(known, sizes, 0), kernel, "same")
    counts = np.convolve(known.astype(float), kernel, "same")
    return np.where(counts >= len(kernel) / 2, sums / np.maximum(counts, 1), np.nan)


def cuts_by_key_frames(keys: Sequence[int]) -> list[int]:
    """Return at which key frames another scene may begin: those that come too soon.

    Args:
        keys: the numbers of all key frames, rising.
    """
    gaps = np.diff(np.asarray(keys))
    if not len(gaps):
        return []
    usual = float(np.percentile(gaps, 90))
    return [keys[i + 1] for i, gap in enumerate(gaps) if gap < SHORT_GAP * usual]


def _hardest(signs: Signs) -> Iterator[tuple[int, str]]:
    """Yield frames with the reasons why they are hard, one of each kind after another."""
    seen = signs.seen
    with_people = [one for one in seen if one.people]
    kinds: list[list[tuple[int, str]]] = []
    if with_people:
        small = min(with_people, key=lambda one: one.smallest)
        large = max(with_people, key=lambda one: one.area)
        most = max(with_people, key=lambda one: (one.people, one.area))
        kinds += [[(small.frame, "the smallest people")], [(large.frame, "the largest people")]]
        kinds += [[(most.frame, "the most people")]] if most.people > 1 else []
    kinds.append([(frame, "the fastest motion") for frame in _fastest(signs)])
    dark = min(with_people or seen, key=lambda one: one.brightness, default=None)
    kinds += [] if dark is None else [[(dark.frame, "the darkest")]]
    places = [len(signs.cuts) * (2 * i + 1) // (2 * AFTER_CUTS) for i in range(AFTER_CUTS)]
    cuts = [signs.cuts[place] for place in places if place < len(signs.cuts)]
    kinds.append([(_after(cut, signs), "after a cut") for cut in dict.fromkeys(cuts)])
    for row in zip_longest(*kinds):
        yield from (one for one in row if one is not None)


def _fastest(signs: Signs) -> Iterator[int]:
    """Yield the frames with the most motion, far from each other."""
    motion = np.nan_to_num(signs.motion.astype(np.float64), nan=-1.0)
    for _ in range(FASTEST):
        if not len(motion) or motion.max() <= 0:
            return
        frame = int(motion.argmax())
        yield frame
        apart = max(1, round(10 * NEAR_SECONDS * signs.rate))
        motion[max(0, frame - apart) : frame + apart] = -1


def _spread(frames: int, count: int) -> list[int]:
    return [frames * (2 * i + 1) // (2 * count) for i in range(count)]


def _after(cut: int, signs: Signs) -> int:
    return min(signs.frames - 1, cut + AFTER_CUT_FRAMES)


def _moment(signs: Signs, frame: int, reason: str) -> Moment:
    """Return a moment with half a second to run up to it, none of it from before a cut."""
    frame = min(max(0, frame), signs.frames - 1)
    before = max((cut for cut in signs.cuts if cut <= frame), default=0)
    return Moment(frame, max(before, frame - round(signs.rate / 2), 0), reason)
