"""The generated film is exact and repeatable."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from demo.audio import beep_samples, flash_frames, make_audio
from demo.film import DEMO_SEED, EVALUATION_SEEDS, TRAINING_SEEDS, Film, Frame
from demo.training.train import VALIDATION_SEEDS

SMALL = (320, 180, 60)  # width and height in px, frames


def small_film(seed: int = 5) -> Film:
    return Film(seed, *SMALL)


def assert_same(first: Frame, second: Frame) -> None:
    assert np.array_equal(first.rgb, second.rgb)
    assert np.array_equal(first.alpha, second.alpha)
    assert np.array_equal(first.foreground, second.foreground)


def test_the_same_seed_gives_the_same_frames_in_any_order() -> None:
    first, second = small_film(), small_film()
    expected = [frame for frame, _ in zip(first, range(6), strict=False)]
    for index in (5, 0, 3):
        assert_same(second[index], expected[index])
    ahead = [frame for frame, _ in zip(first.draw_ahead(), range(6), strict=False)]
    for one, other in zip(ahead, expected, strict=True):
        assert_same(one, other)
    assert not np.array_equal(small_film(6)[0].rgb, expected[0].rgb)


@pytest.mark.parametrize("index", [0, 30, 59])
def test_the_picture_is_the_composite_of_its_parts(index: int) -> None:
    frame = small_film()[index]
    assert frame.rgb.dtype == np.uint8
    assert frame.rgb.shape == (3, 180, 320)
    assert frame.alpha.shape == (1, 180, 320)
    for part in (frame.alpha, frame.foreground, frame.background):
        assert part.dtype == np.float32
        assert part.min() >= 0
        assert part.max() <= 1 + 1e-6
    assert frame.alpha.max() == pytest.approx(1, abs=1e-5)
    assert ((frame.alpha > 0.05) & (frame.alpha < 0.95)).any()  # soft edges
    exact = frame.foreground * frame.alpha + frame.background * (1 - frame.alpha)
    assert np.abs(frame.rgb - exact * 255).max() <= 0.51


def test_a_window_is_a_part_of_the_whole_picture() -> None:
    whole = small_film()[7]
    part = Film(5, *SMALL, window=(100, 40, 96, 80))[7]
    assert np.array_equal(part.alpha, whole.alpha[:, 40:120, 100:196])
    assert np.array_equal(part.rgb, whole.rgb[:, 40:120, 100:196])


def test_the_drawing_does_not_depend_on_the_resolution() -> None:
    large = torch.from_numpy(Film(5, 640, 360, 60)[7].alpha)
    halved = torch.nn.functional.avg_pool2d(large, 2)
    assert (halved - torch.from_numpy(small_film()[7].alpha)).abs().mean() < 0.004


def test_flashes_brighten_their_own_frames_alone_and_leave_alpha_as_it_is() -> None:
    film, dark = Film(5, 160, 90, 70, cuts=()), Film(5, 160, 90, 70, cuts=(), flashes=())
    assert film.flashes == (30, 60)
    for index in (29, 30, 31, 60):
        lit, unlit = film[index], dark[index]
        assert np.array_equal(lit.alpha, unlit.alpha)
        brighter = float(lit.rgb.mean()) - float(unlit.rgb.mean())
        assert brighter > 30 if index in film.flashes else brighter == 0


def test_each_beep_begins_with_the_sample_of_its_flash() -> None:
    frames, fps = 360, 30
    assert flash_frames(frames, fps) == [30 * second for second in range(1, 12)]
    track = make_audio(DEMO_SEED, frames, fps)
    assert track.dtype == np.int16
    assert track.shape == (12 * 48000, 2)
    level = np.abs(track.astype(np.int32)).max(axis=1)
    starts = beep_samples(frames, fps)
    assert starts == [48000 * second for second in range(1, 12)]
    for start in starts:
        assert level[start - 2000 : start].max() < 600
        assert level[start] > 12000
    quiet = np.ones(len(level), bool)
    for start in starts:
        quiet[start : start + 4800] = False
    assert level[quiet].max() < 600
    assert np.array_equal(track, make_audio(DEMO_SEED, frames, fps))


def test_the_scene_changes_in_the_middle() -> None:
    film = Film(5, 160, 90, 60, flashes=())
    pictures = [film[index].background for index in (28, 29, 30, 31)]
    steps = [float(np.abs(b - a).mean()) for a, b in pairwise(pictures)]
    assert steps[1] > 5 * max(steps[0], steps[2])


def test_no_seed_serves_two_purposes() -> None:
    kinds = (range(DEMO_SEED, DEMO_SEED + 1), EVALUATION_SEEDS, VALIDATION_SEEDS, TRAINING_SEEDS)
    spans = sorted((seeds.start, seeds.stop) for seeds in kinds)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
