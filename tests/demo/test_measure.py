"""What the demo's result is held against finds errors, flashes and beeps where they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from demo.audio import beep_samples, make_audio
from demo.film import DEMO_SEED
from demo.measure import alpha_errors, beep_times, flash_indices


def test_alpha_errors_are_what_they_say() -> None:
    true = torch.zeros(3, 60, 60, dtype=torch.uint8)
    true[:, 20:40, 20:40] = 255
    alpha = true.clone()
    alpha[:, 25:35, 25:35] = 0  # a hole inside
    alpha[2, :10, :10] = 255  # a false patch far outside
    errors = alpha_errors(alpha, true, cuts=[2], others=[1])
    assert errors.inside == pytest.approx(100 / 400)
    assert errors.everywhere == pytest.approx((100 / 3600) * 3 / 3 + (100 / 3600) / 3)
    assert errors.at_cuts == pytest.approx(100 / 3600)
    assert errors.elsewhere == 0


def test_flashes_and_beeps_are_found_where_they_are() -> None:
    level = [50 + index % 3 for index in range(120)]
    for flash in (30, 60, 90):
        level[flash] += 40
    assert flash_indices(level, 30) == [30, 60, 90]
    samples = make_audio(DEMO_SEED, 120, 30).mean(axis=1).astype(np.float32) / 32768
    starts = [round(at * 48_000) for at in beep_times(samples, 48_000)]
    assert starts == pytest.approx(beep_samples(120, 30), abs=2)
