"""The moments that are shown: some everywhere, those that are hard, and none twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from matting.report.moments import (
    MOMENTS,
    SeenFrame,
    Signs,
    choose_moments,
    cuts_by_key_frames,
    middle,
    packet_motion,
)

FRAMES, RATE = 6000, 25.0


def signs(
    *,
    frames: int = FRAMES,
    fastest: int | None = None,
    cuts: Sequence[int] = (),
    seen: Sequence[SeenFrame] = (),
) -> Signs:
    motion = np.full(frames, np.nan)
    if fastest is not None:
        motion[fastest] = 5.0
    return Signs(frames, RATE, motion, cuts, seen)


def reasons(found: Signs) -> dict[str, int]:
    return {moment.reason: moment.frame for moment in choose_moments(found)}


def test_each_kind_of_hard_moment_is_among_them() -> None:
    seen = [
        SeenFrame(500, brightness=0.5, area=0.1, people=1, smallest=0.1),
        SeenFrame(1500, brightness=0.5, area=0.6, people=1, smallest=0.9),
        SeenFrame(2500, brightness=0.5, area=0.3, people=4, smallest=0.4),
        SeenFrame(3500, brightness=0.05, area=0.2, people=1, smallest=0.5),
        SeenFrame(4500, brightness=0.01, area=0.0, people=0, smallest=0.0),
    ]
    found = reasons(signs(seen=seen, fastest=5500, cuts=[4000]))
    assert found["the smallest people"] == 500
    assert found["the largest people"] == 1500
    assert found["the most people"] == 2500
    assert found["the darkest"] == 3500  # with people: an empty picture shows nothing
    assert found["the fastest motion"] == 5500
    assert 4000 <= found["after a cut"] < 4000 + RATE


def test_what_is_asked_for_comes_first_and_beside_the_others() -> None:
    moments = choose_moments(signs(), asked=[123, 124])
    assert [(moment.frame, moment.reason) for moment in moments[:2]] == [
        (123, "asked for"),
        (124, "asked for"),
    ]
    assert len(moments) == 2 + MOMENTS


def test_none_is_near_another() -> None:
    frames = sorted(moment.frame for moment in choose_moments(signs(fastest=3000, cuts=[2999])))
    assert len(frames) == MOMENTS
    assert min(np.diff(frames)) >= RATE


@pytest.mark.parametrize("frames", [1, 2, 30])
def test_a_short_video_has_fewer(frames: int) -> None:
    found = choose_moments(signs(frames=frames))
    assert 1 <= len(found) < MOMENTS
    assert all(0 <= moment.first <= moment.frame < frames for moment in found)


def test_a_run_up_takes_half_a_second_and_nothing_from_before_a_cut() -> None:
    assert middle(signs()).first == FRAMES // 2 - round(RATE / 2)
    assert middle(signs(cuts=[FRAMES // 2 - 3])).first == FRAMES // 2 - 3


def test_motion_is_where_other_than_key_frames_are_large() -> None:
    sizes = np.full(200, 10.0)
    sizes[::50] = np.nan
    sizes[120:140] = 40.0
    motion = packet_motion(sizes, rate=20)
    assert 120 <= int(np.nanargmax(motion)) < 140
    assert np.isnan(packet_motion(np.full(20, np.nan), rate=20)).all()


def test_a_key_frame_that_comes_too_soon_is_taken_for_a_cut() -> None:
    assert cuts_by_key_frames([0, 100, 200, 230, 330, 430]) == [230]
    assert cuts_by_key_frames([0]) == []
