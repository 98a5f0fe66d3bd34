"""Who is small in the picture, and how windows follow them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from matting.imaging.sample_format import Size
from matting.inference.components import component_boxes
from matting.inference.crop_window import SHORT_SIDE, Box, window_around
from matting.inference.people_boxes import (
    FADE_FRAMES,
    LOST_FRAMES,
    MOST_WINDOWS,
    People,
    follow,
)

HD = Size(1280, 720)
RATIO = 0.6


def person(left: int, top: int = 300, width: int = 70, height: int = 150) -> Box:
    return Box(left, top, left + width, top + height)


def after(frames: Sequence[Sequence[Box]], ratio: float = RATIO) -> People:
    people = None
    for seen in frames:
        people = follow(people, seen, HD, ratio, 2)
    assert people is not None
    return people


def windows(people: People) -> list[Box]:
    return [follower.window.box for follower in people.followers]


def holds(window: Box, box: Box) -> bool:
    return window.common(box) == box


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["....", "...."], []),
        (["##..", "...#"], [Box(0, 0, 2, 1), Box(3, 1, 4, 2)]),
        (["#...", ".##.", "...#"], [Box(0, 0, 4, 3)]),
        (["#.#", "#.#", "###"], [Box(0, 0, 3, 3)]),
        (["#.#.#", "#####"], [Box(0, 0, 5, 2)]),
        (["####", "....", "####"], [Box(0, 0, 4, 1), Box(0, 2, 4, 3)]),
    ],
)
def test_parts_that_touch_are_one(rows: list[str], expected: list[Box]) -> None:
    mask = np.array([[c == "#" for c in row] for row in rows])
    assert component_boxes(mask) == expected


def test_parts_are_those_of_a_flood_fill() -> None:
    mask = np.random.default_rng(1).random((40, 60)) < 0.4
    remaining, expected = {(int(y), int(x)) for y, x in np.argwhere(mask)}, []
    while remaining:
        stack = [remaining.pop()]
        part = []
        while stack:
            y, x = stack.pop()
            part.append((y, x))
            near = {(y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & remaining
            remaining -= near
            stack += near
        ys, xs = zip(*part, strict=True)
        expected.append(Box(min(xs), min(ys), max(xs) + 1, max(ys) + 1))
    assert sorted(component_boxes(mask)) == sorted(expected)


def test_a_small_person_is_seen_much_larger() -> None:
    (follower,) = after([[person(600)]]).followers
    window = follower.window
    assert holds(window.box, person(600))
    assert window.ratio > 2 * RATIO
    assert min(window.size) * window.ratio <= SHORT_SIDE * 1.1
    assert follower.weight == FADE_FRAMES  # from a shot's first frame on


@pytest.mark.parametrize("height", [540, 600, 720])
def test_a_large_person_is_left_to_the_first_pass(height: int) -> None:
    assert not after([[person(400, 0, height // 2, height)]] * 3).followers


def test_hands_of_a_large_person_are_too() -> None:
    body, hand = Box(400, 100, 700, 700), Box(310, 300, 380, 370)
    assert not after([[body, hand]] * 3).followers


def test_specks_are_nobody() -> None:
    assert not after([[Box(100, 100, 130, 140)]] * 5).followers


def test_the_small_side_of_a_whole_picture_at_its_own_size_gains_too() -> None:
    assert after([[person(600)]], ratio=1.0).followers


def test_whoever_walks_stays_inside_and_the_window_moves_by_whole_cells() -> None:
    boxes = [person(100 + 9 * i, 300 + 2 * i) for i in range(90)]
    people, first = None, None
    for box in boxes:
        people = follow(people, [box], HD, RATIO, 2)
        (follower,) = people.followers
        first = first or follower.window
        window = follower.window
        assert (window.columns, window.rows, window.cell_px) == (
            first.columns,
            first.rows,
            first.cell_px,
        )
        assert (window.left - first.left) % window.cell_px == 0
        assert (window.top - first.top) % window.cell_px == 0
        assert holds(window.box, box)


def test_a_still_person_keeps_the_window_still() -> None:
    boxes = [[person(600 + i % 3, 300 - i % 2)] for i in range(20)]
    assert windows(after(boxes[:1])) == windows(after(boxes))


@pytest.mark.parametrize("left", [-40, 1250])
def test_whoever_walks_out_is_forgotten_by_and_by(left: int) -> None:
    step = (left - 600) // 30
    walk = [person(600 + step * i) for i in range(31)]
    inside = [[b.common(Box(0, 0, *HD))] for b in walk]
    there = after(inside)
    assert there.followers[0].weight == FADE_FRAMES
    lost = after(inside + [[]] * (LOST_FRAMES + 1))
    assert [f.weight for f in lost.followers] == [FADE_FRAMES]
    assert [f.weight for f in follow(lost, [], HD, RATIO, 2).followers] == [FADE_FRAMES - 1]
    assert not after(inside + [[]] * (LOST_FRAMES + 1 + FADE_FRAMES)).followers


def test_whoever_comes_later_fades_in_and_is_no_flicker() -> None:
    assert not after([[], [person(600)]]).followers
    assert not after([[], [person(600)], []]).followers
    coming = [after([[]] + [[person(600)]] * n).followers for n in range(2, 12)]
    assert [f[0].weight for f in coming] == [1, 2, 3, 4, 5, 6, 7, 8, 8, 8]


def test_people_near_each_other_share_a_window_and_others_have_their_own() -> None:
    together = after([[person(600), person(680)]])
    (box,) = windows(together)
    assert holds(box, person(600))
    assert holds(box, person(680))
    apart = after([[person(100), person(1000)]])
    assert len(apart.followers) == 2


def test_a_crowd_has_a_few_windows() -> None:
    crowd = [person(20 + 180 * i, 100 + 300 * (i % 2), 60, 120) for i in range(7)]
    assert len(after([crowd] * 4).followers) == MOST_WINDOWS


def test_whoever_comes_near_is_handed_back_without_a_step() -> None:
    sizes = [150 + 14 * i for i in range(60)]
    frames = [[person(640 - s // 2, 700 - s, s, s)] for s in sizes]
    weights, people = [], None
    for seen in frames:
        people = follow(people, seen, HD, RATIO, 2)
        weights.append({f.key: f.weight for f in people.followers})
    assert not weights[-1]  # as tall as the picture
    for before, now in pairwise(weights):
        for key in before.keys() | now.keys():
            assert abs(before.get(key, 0) - now.get(key, 0)) <= 1


def test_whoever_goes_away_is_shown_larger_again() -> None:
    small, tiny = person(600, 200, 160, 330), person(640, 300, 35, 75)
    people = after([[small]] + [[tiny]] * 30)
    (follower,) = people.followers
    assert follower.window.cell_px < after([[small]]).followers[0].window.cell_px


def test_a_run_up_ends_with_all_windows_there() -> None:
    people = after([[], [person(600)], [person(600)]])
    assert people.followers[0].weight == 1
    assert people.settled().followers[0].weight == FADE_FRAMES


@pytest.mark.parametrize(
    "box", [Box(0, 0, 60, 150), Box(1240, 600, 1280, 720), Box(0, 650, 1280, 720)]
)
def test_a_window_is_inside_the_picture_but_for_a_part_of_a_cell(box: Box) -> None:
    window = window_around(box, HD, 2)
    assert -window.cell_px < window.left
    assert window.box.right < HD.width + window.cell_px
    assert window.box.bottom < HD.height + window.cell_px
    assert holds(window.box, box)
    assert int(window.size.width * window.ratio) == 16 * window.columns
