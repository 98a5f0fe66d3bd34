"""Films for measuring where shots are found: what is known of them is true."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.joined_films import SIZE, Change, JoinedFilm, join
from benchmarks.quality.part_shots import Score


def of_level(level: int, frames: int = 30) -> np.typing.NDArray[np.uint8]:
    return np.full((frames, SIZE.height, SIZE.width, 3), level, np.uint8)


def levels(film: JoinedFilm) -> list[int]:
    return [int(frame[0, 0, 0]) for frame in film.frames]


def test_each_kind_of_change_is_where_it_is_said_to_be() -> None:
    film = JoinedFilm()
    film.cut_to(of_level(50), "hard cut")
    film.cut_to(of_level(200), "hard cut")
    film.dissolve_to(of_level(90), 10)
    film.fade_to(of_level(140), 5, 3)
    cut, dissolve, fade = film.changes
    shown = levels(film)
    assert (cut.first, cut.last) == (30, 30)
    assert shown[29:31] == [50, 200]
    assert shown[dissolve.first - 1] == 200 and shown[dissolve.last] == 90
    assert all(90 < level < 200 for level in shown[dissolve.first : dissolve.last])
    assert shown[fade.first - 1] == 90 and shown[fade.last] == 140
    assert min(shown[fade.first : fade.last]) == 0
    assert len(shown) == 30 + 30 + (30 - 10) + (30 + 3)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_seed_makes_one_film(seed: int) -> None:
    rng = np.random.default_rng(0)
    clips = {
        name: rng.integers(0, 255, (30, SIZE.height, SIZE.width, 3)).astype(np.uint8)
        for name in ("people a", "people b", "true a", "drawn a")
    }
    film = join(clips, seed, shots=4)
    assert len(film.changes) == 3
    assert all(change.first <= change.last < len(film.frames) for change in film.changes)
    assert (film.frames == join(clips, seed, shots=4).frames).all()


def test_what_is_found_counts_once() -> None:
    score = Score()
    changes = [Change("hard cut", 30, 30), Change("dissolve", 50, 60), Change("hard cut", 90, 90)]
    score.add([31, 55, 57, 93], changes, seconds=1)
    row = score.row(frames=100)
    assert row[:2] == ["0.67 (2 of 3)", "0.50"]
    assert row[2:] == ["1 of 2", "0 of 0", "1 of 1", "0 of 0", "10.00"]
