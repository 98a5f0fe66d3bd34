"""Shots start at cuts, fades and dissolves; not at flashes, fast pans or a change of the light."""

from __future__ import annotations

from collections.abc import Sequence

import av
import numpy as np
import pytest

from matting.cutting.shots import DELAY, KEPT, ShotDetector
from matting.cutting.small_pictures import SmallPicture, small_picture
from tests.support.shot_films import Picture, dissolve, fade, flash, mixed, shot


def small(film: Sequence[Picture]) -> list[SmallPicture]:
    """Return small copies of a film's frames."""
    frames = (av.VideoFrame.from_ndarray(picture, format="rgb24") for picture in film)
    return [small_picture(frame, colour_range=2) for frame in frames]


def shots_of(film: Sequence[Picture]) -> list[int]:
    """Return at which frames of a film shots start."""
    detector = ShotDetector()
    found = [start for index, p in enumerate(small(film)) for start in detector.feed(index, p)]
    return found + detector.finish()


def test_hard_cuts_are_found_at_their_frames() -> None:
    film = shot(1, 30) + shot(2, 9) + shot(3, KEPT) + shot(4, 25) + shot(5, 6)
    assert shots_of(film) == [30, 39, 39 + KEPT, 64 + KEPT]


def test_one_shot_has_no_cut() -> None:
    assert shots_of(shot(1, 2 * KEPT)) == []
    assert shots_of([np.zeros_like(shot(1, 1)[0])] * 40) == []
    assert shots_of(shot(1, 1)) == []


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_a_flash_is_no_cut(frames: int) -> None:
    assert shots_of(flash(shot(1, 60), 30, frames)) == []
    assert shots_of(flash(shot(1, 30) + shot(2, 30), 45, frames)) == [30]


@pytest.mark.parametrize("at", [27, 29, 30, 32])
def test_a_cut_is_found_beside_a_flash(at: int) -> None:
    assert shots_of(flash(shot(1, 30) + shot(2, 30), at, 1)) == [30]


def test_a_fast_pan_is_no_cut() -> None:
    slow, fast = shot(1, 100, speed_px=0.5), shot(1, 100, speed_px=20)
    assert shots_of(slow[:20] + fast[:12] + [fast[12]] * 20) == []


def test_light_that_is_switched_on_is_no_cut() -> None:
    lit = shot(1, 60)
    dark = [mixed(np.zeros_like(p), p, 0.5) for p in lit]
    assert shots_of(dark[:30] + lit[30:]) == []
    assert shots_of(lit[:30] + dark[30:]) == []


@pytest.mark.parametrize("repeats", [2, 3])
def test_frames_that_are_shown_several_times_are_no_cuts(repeats: int) -> None:
    film = [p for p in shot(1, 30, speed_px=5) for _ in range(repeats)]
    assert shots_of(film) == []


@pytest.mark.parametrize("frames", [6, 12, 24])
def test_a_dissolve_starts_a_shot_in_its_middle(frames: int) -> None:
    found = shots_of(dissolve(shot(1, 60), shot(2, 60), frames))
    assert len(found) == 1
    middle = 60 - frames / 2
    assert abs(found[0] - middle) <= max(2, frames / 4)


@pytest.mark.parametrize(("frames", "blank"), [(4, 0), (6, 3), (10, 8), (8, 40)])
def test_after_a_fade_a_shot_starts_once_it_is_seen(frames: int, blank: int) -> None:
    found = shots_of(fade(shot(1, 60), shot(2, 60), frames, blank))
    assert len(found) == 1
    assert 60 + blank <= found[0] <= 60 + blank + frames / 2


def test_a_picture_that_fades_and_comes_back_is_one_shot() -> None:
    film = shot(1, 60, speed_px=0)
    assert shots_of(fade(film, film, 4, 2)) == []


def test_a_video_that_starts_black_starts_anew_with_its_picture() -> None:
    black = np.zeros_like(shot(1, 1)[0])
    assert shots_of([black] * 20 + shot(1, 40)) == [20]


def test_what_is_found_does_not_depend_on_when_the_detector_is_forked() -> None:
    film = small(dissolve(shot(1, 40), shot(2, 40), 10) + shot(3, 40) + shot(4, 3))
    whole = ShotDetector()
    expected = [start for index, picture in enumerate(film) for start in whole.feed(index, picture)]
    expected += whole.finish()
    assert len(expected) >= 2
    detector, found = ShotDetector(), []
    for index, picture in enumerate(film):
        detector = detector.fork()
        stray = detector.fork()
        stray.feed(index, film[0])  # what it sees is nothing to the one it comes from
        found += detector.feed(index, picture)
    assert found + detector.finish() == expected


def test_starts_are_known_soon() -> None:
    detector = ShotDetector()
    film = small(shot(1, 30) + shot(2, DELAY + 1))
    assert [start for i, picture in enumerate(film) for start in detector.feed(i, picture)] == [30]
