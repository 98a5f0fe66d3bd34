"""Who is small in the picture, and in which windows they are followed from frame to frame.

All of it is whole numbers, and depends on nothing but the frames since a shot's start, one by one.
Windows keep the order in which they were opened, so that what comes later is blended over it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from msgspec import Meta

from matting.imaging.sample_format import Size
from matting.inference.crop_window import CELL_SIDE, Box, CropWindow, window_around

FADE_FRAMES = 8  # in which a window comes to count, or ceases to
LOST_FRAMES = 12  # for so long a window stays where nobody is seen any more
MOST_WINDOWS = 4  # at once; besides, so many may cease
LEAST_GAIN = 1.1  # times as large as in the first pass a window has to show its people
TOO_WIDE = 1.4  # times as large as now people could be shown: then a window is worth another
LEAST_SHARE = 12  # of the frame's short side: of less is mostly no person, but a speck
NEAR = 0.2  # of their size: people so near each other are in one window

Few = Annotated[int, Meta(ge=0, le=255)]
Keys = Annotated[int, Meta(ge=0, le=1 << 40)]


@dataclass(frozen=True)
class Follower:
    """A window that follows people.

    Attributes:
        key: no other window of the shot has it.
        share: how far it counts already, of FADE_FRAMES.
        unseen: for how many frames nobody has been seen in it.
        leaving: for how many more frames it is there; 0: it stays.
        trust: how far it is believed to show people better, of FADE_FRAMES.
    """

    key: Keys
    window: CropWindow
    share: Few = FADE_FRAMES
    unseen: Few = 0
    leaving: Few = 0
    trust: Few = FADE_FRAMES  # of one that an earlier version left

    @property
    def weight(self) -> int:
        """How much it counts in the present frame, of FADE_FRAMES."""
        present = min(self.share, self.leaving) if self.leaving else self.share
        return min(present, self.trust)


@dataclass(frozen=True)
class People:
    """What is known of the people in a shot after some of its frames.

    Attributes:
        frame: the size of its frames.
        opened: how many windows there have been.
        followers: those that there are, the oldest first.
        noticed: who was seen in the last frame outside of them, and would be worth one.
    """

    width: Annotated[int, Meta(ge=1, le=1 << 20)]
    height: Annotated[int, Meta(ge=1, le=1 << 20)]
    opened: Keys = 0
    followers: Annotated[tuple[Follower, ...], Meta(max_length=64)] = ()
    noticed: Annotated[tuple[Box, ...], Meta(max_length=1024)] = ()

    @property
    def frame(self) -> Size:
        return Size(self.width, self.height)

    def follower(self, key: int) -> Follower | None:
        """Return the one of that key; None: there is none."""
        return next((f for f in self.followers if f.key == key), None)

    def trusting(self, trust: Mapping[int, int]) -> People:
        """Return the same with followers trusted so far, by their keys."""
        return replace(
            self, followers=tuple(replace(f, trust=trust[f.key]) for f in self.followers)
        )

    def settled(self) -> People:
        """Return the same with all windows at their full weight, or at none where that is nearer.

        It is for where nobody watches yet.
        """
        return replace(
            self,
            followers=tuple(
                replace(f, share=FADE_FRAMES, trust=FADE_FRAMES if 2 * f.trust > FADE_FRAMES else 0)
                for f in self.followers
                if not f.leaving
            ),
        )


def trust_after(before: int | None, is_sharper: bool | None) -> int:
    """Return how far a window is trusted after one more frame, of FADE_FRAMES.

    Args:
        before: None: the frame is its first.
        is_sharper: whether it shows people better there; None: that cannot be told.
    """
    if before is None:
        return FADE_FRAMES if is_sharper else 0
    if is_sharper is None:
        return before
    return min(FADE_FRAMES, before + 1) if is_sharper else max(0, before - 1)


def follow(
    before: People | None, seen: Sequence[Box], frame: Size, ratio: float, unit: int
) -> People:
    """Return what is known after one more frame.

    Args:
        before: None: the frame is the first.
        seen: the boxes of what the first pass found in it.
        ratio: the first pass's.
        unit: as for `window_around`.
    """
    least_side = min(frame) / LEAST_SHARE
    people = [box for box in seen if max(box.width, box.height) >= least_side]
    followers, free = _followed(before.followers if before else (), people, frame, unit)
    leaving = [follower for follower in followers if follower.leaving]
    for follower in leaving[:-MOST_WINDOWS]:
        followers.remove(follower)
    wanted = _worth_a_window(free, frame, ratio, unit)
    opened = before.opened if before else 0
    room = MOST_WINDOWS - sum(not follower.leaving for follower in followers)
    replaced = [f for f in followers if f.leaving == 2 * FADE_FRAMES]
    for group in wanted:
        known = before is None or any(group.common(b).area for b in before.noticed)
        known = known or any(group.common(f.window.box).area for f in replaced)
        if known and room > 0:
            window = window_around(group, frame, unit)
            share = FADE_FRAMES if before is None else 1
            followers.append(Follower(opened, window, share))
            opened, room = opened + 1, room - 1
    return People(*frame, opened, tuple(followers), tuple(wanted[:MOST_WINDOWS]))


def _followed(
    followers: Sequence[Follower], people: Sequence[Box], frame: Size, unit: int
) -> tuple[list[Follower], list[Box]]:
    """Return the windows as they are in the next frame, and the people who are in none of them."""
    inside, free = _in_windows([f for f in followers if not f.leaving], people)
    after = []
    for follower in followers:
        if follower.leaving:
            if follower.leaving > 1:
                after.append(replace(follower, leaving=follower.leaving - 1))
            continue
        share = min(FADE_FRAMES, follower.share + 1)
        own = inside.get(follower.key)
        if own is None:
            unseen = follower.unseen + 1
            leaving = share if unseen > LOST_FRAMES else 0
            after.append(replace(follower, share=share, unseen=unseen, leaving=leaving))
            continue
        target = joined(own)
        window = follower.window.following(target, frame)
        if window is None or window.cell_px > TOO_WIDE * window_around(target, frame, unit).cell_px:
            # It stays at its full weight while another comes over it.
            after.append(replace(follower, share=share, leaving=2 * FADE_FRAMES))
            free += own
        else:
            after.append(replace(follower, window=window, share=share, unseen=0))
    return after, free


def _in_windows(
    followers: Sequence[Follower], people: Sequence[Box]
) -> tuple[dict[int, list[Box]], list[Box]]:
    """Return who is in each window, by its key, and who is in none."""
    inside: dict[int, list[Box]] = {}
    outside: list[Box] = []
    free: list[Box] = []
    for box in people:
        areas = {f.key: f.window.box.common(box).area for f in followers}
        best = max(areas, key=areas.__getitem__, default=None)
        if best is None or 2 * areas[best] < box.area:
            outside.append(box)
        else:
            inside.setdefault(best, []).append(box)
    for box in outside:  # a hand that reaches out of a window belongs to who is in it
        near = [
            own
            for own in inside.values()
            if box.area < joined(own).area and len(near_groups([joined(own), box])) == 1
        ]
        (near[0] if near else free).append(box)
    return inside, free


def _worth_a_window(people: Sequence[Box], frame: Size, ratio: float, unit: int) -> list[Box]:
    """Return who is small enough to be shown larger, in groups, the largest first."""

    def is_small(box: Box) -> bool:
        return CELL_SIDE / window_around(box, frame, unit).cell_px >= LEAST_GAIN * ratio

    chosen = []
    for group in near_groups(people):
        whole = joined(group)
        if is_small(whole):
            chosen.append(whole)
        elif all(map(is_small, group)):  # else they are parts of somebody large
            chosen += group
    return sorted(chosen, key=lambda box: box.area, reverse=True)


def near_groups(people: Sequence[Box]) -> list[list[Box]]:
    """Return those who are near each other, directly or through others, together."""
    groups: list[list[Box]] = []
    for box in people:
        around = _with_room(box)
        near = [g for g in groups if any(around.common(_with_room(other)).area for other in g)]
        groups = [g for g in groups if g not in near]
        groups.append([other for g in near for other in g] + [box])
    return groups


def joined(boxes: Sequence[Box]) -> Box:
    """Return the least box that holds them all."""
    whole = boxes[0]
    for box in boxes[1:]:
        whole = whole.joined(box)
    return whole


def _with_room(box: Box) -> Box:
    room = round(NEAR * max(box.width, box.height))
    return Box(box.left - room, box.top - room, box.right + room, box.bottom + room)
