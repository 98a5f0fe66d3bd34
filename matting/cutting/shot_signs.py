"""What tells that a shot starts: a sudden change that stays, a dip of the contrast, a blend.

The bounds were chosen on films joined from clips of people, drawn films and test pictures;
`python -m benchmarks.quality --part shots` measures them on others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from matting.cutting.picture_comparison import (
    Blend,
    correlation,
    difference,
    difference_in_other_light,
    error_of_mean,
)
from matting.cutting.small_pictures import SmallPicture

# Differences are those of 8-bit samples, on average over a small picture.
LEAST_CHANGE, CLEAR_CHANGE = 4.0, 7.0  # from the frame before: of a hard cut; of one beyond doubt
FAINT_RATIO, CLEAR_RATIO = 3.0, 2.0  # times the largest change nearby, of either
NEARBY = 5  # frames before and after a cut in which less goes on
FLASH_FRAMES = 8  # within so many the picture is back after a flash
BACK_AGAIN = 0.5  # of the change: what differs by less is the same picture again
SAME_SCENE, OTHER_LIGHT = 0.85, 0.5  # correlation; share of the change that is left in other light

DIP_FRAMES = 12  # that are looked at before and after the end of a dip
BLANK, CLEAR = 3.0, 6.0  # contrast of a picture with nothing in it; of one with something
DIP_SHARE = 0.2  # of the contrast on either side, in a dip
MOST_IN_DIP = 128 * DIP_SHARE  # of the highest contrast that there can be
SAME_PICTURE = 0.8  # correlation of what is there again after a dip

HALF_LENGTHS = (12, 8, 5, 3)  # of dissolves that are looked for, in frames
LEAST_DISSOLVE = 10.0  # difference between its ends
OTHER_SCENE = 0.6  # correlation of its ends at most
LEFT_OF_VARIANCE = 0.85  # in between: mixing pictures takes it away, and a moving camera does not
# As shares of that difference: of the middle, of any frame, from each looked at to the next.
MIDWAY_ERROR, BLEND_ERROR, LARGEST_STEP, STEP_BACK = 0.4, 0.25, 0.5, 0.05
OFF_MIDDLE = 0.25  # from one half that the share of the new picture may be in the middle
BLEND_STEPS = 4  # about so many frames are looked at in each half


@dataclass
class WatchedFrame:
    """What is known of a frame.

    Attributes:
        number: by which the caller knows it.
        change: the difference from the frame before; 0 of the first.
        contrast: of its luma.
        is_cut, is_dip_end: whether a shot starts here after a hard cut, or after a dip.
        dissolve: how clearly this is the middle of a dissolve; 0: it is not.
        half_length: of that dissolve, in frames.
    """

    number: int
    picture: SmallPicture
    change: float
    contrast: float
    is_cut: bool = False
    is_dip_end: bool = False
    dissolve: float = 0.0
    half_length: int = 0


Frames = Sequence[WatchedFrame]


def is_hard_cut(before: Frames, frame: WatchedFrame, after: Frames) -> bool:
    """Return whether a frame shows something else than the one before, and that stays.

    After a flash the picture comes back, light that is switched on or off shows the same scene, and
    where the camera moves fast, the frames nearby change as much, not only their light.

    Args:
        before: FLASH_FRAMES, or as many as there are, at least one.
        after: the same.
    """
    if frame.change < LEAST_CHANGE:
        return False
    ratio = CLEAR_RATIO if frame.change > CLEAR_CHANGE else FAINT_RATIO
    nearby = (*before[-NEARBY - 1 :], frame, *after[:NEARBY])
    as_large = [
        (earlier, later)
        for earlier, later in pairwise(nearby)
        if later is not frame and ratio * later.change > frame.change
    ]
    last, same = before[-1], BACK_AGAIN * frame.change
    if as_large and min(last.contrast, frame.contrast) < BLANK:
        return False  # a fade begins or ends
    if not all(_is_other_light(earlier, later) for earlier, later in as_large):
        return False
    earlier = (difference(frame.picture, other.picture) < same for other in before[:-1])
    later = (difference(last.picture, other.picture) < same for other in after)
    if any(earlier) or any(later):
        return False
    return not _is_other_light(last, frame)


def is_end_of_dip(before: Frames, after: Frames) -> bool:
    """Return whether another picture is seen again after a dip of the contrast.

    Args:
        before: DIP_FRAMES, or as many as there are, at least one.
        after: from the frame in question on, as many.
    """
    if before[-1].contrast > MOST_IN_DIP or after[0].contrast <= BLANK:
        return False
    new = _clearest(after)
    limit = max(BLANK, DIP_SHARE * new.contrast)
    if new.contrast < CLEAR or not before[-1].contrast <= limit < after[0].contrast:
        return False
    if any(frame.is_dip_end for frame in before):
        return False
    dark = list(takewhile(lambda frame: frame.contrast <= limit, reversed(before)))
    darkest = min(frame.contrast for frame in dark)
    earlier = before[: -len(dark)]
    if not earlier:
        return darkest <= BLANK
    if darkest > max(BLANK, DIP_SHARE * _clearest(earlier).contrast):
        return False
    return max(correlation(frame.picture, new.picture) for frame in earlier) < SAME_PICTURE


def is_near_dip(frame: WatchedFrame, near: Frames) -> bool:
    """Return whether the contrast dips in frames near one: what fades is a blend, too."""
    return min(other.contrast for other in near) < max(BLANK, DIP_SHARE * frame.contrast)


def dissolve_clearness(frames: Frames) -> float:
    """Return how clearly one picture becomes another in these frames; 0 where none does.

    All of them have to be mixtures of the first and the last one, with ever more of the last.

    Args:
        frames: an odd number, the middle of the dissolve in the middle.
    """
    first, last, half = frames[0], frames[-1], len(frames) // 2
    change = difference(first.picture, last.picture)
    contrasts = sorted((first.contrast, last.contrast))
    least = min(frame.contrast for frame in frames)
    if (
        change < LEAST_DISSOLVE
        or max(frame.change for frame in frames[1:]) > LARGEST_STEP * change
        or contrasts[0] < max(CLEAR, DIP_SHARE * contrasts[1])
        or 2 * least**2 > LEFT_OF_VARIANCE * (contrasts[0] ** 2 + contrasts[1] ** 2)
        or error_of_mean(frames[half].picture, first.picture, last.picture) > MIDWAY_ERROR
        or correlation(first.picture, last.picture) > OTHER_SCENE
    ):
        return 0.0
    stride = max(1, half // BLEND_STEPS)
    blend = Blend.of([frame.picture for frame in frames[::stride]])
    steps = [later - earlier for earlier, later in pairwise(blend.shares)]
    is_even = max(steps) <= LARGEST_STEP and min(steps) >= -STEP_BACK
    is_middle = abs(blend.shares[half // stride] - 0.5) <= OFF_MIDDLE
    is_dissolve = blend.error <= BLEND_ERROR and is_even and is_middle
    return change * (1 - blend.error) if is_dissolve else 0.0


def _is_other_light(before: WatchedFrame, frame: WatchedFrame) -> bool:
    """Return whether a frame shows the same as the one before, in another light."""
    if correlation(before.picture, frame.picture) < SAME_SCENE:
        return False
    left = difference_in_other_light(before.picture, frame.picture)
    return left <= OTHER_LIGHT * frame.change


def _clearest(frames: Frames) -> WatchedFrame:
    return max(frames, key=lambda frame: frame.contrast)
