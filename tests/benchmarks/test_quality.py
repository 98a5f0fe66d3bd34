"""The bench of mattes: its measures on arrays made by hand, and clips whose truth is exact."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.quality import made_clips
from benchmarks.quality.__main__ import part_names, run_part
from benchmarks.quality.bench import Bench
from benchmarks.quality.clips import Clip
from benchmarks.quality.components import largest_component
from benchmarks.quality.matting import matte_clip
from benchmarks.quality.metrics import (
    alpha_errors,
    composite_error,
    connectivity_error,
    foreground_mse,
    gradient_error,
    sad_by_area,
    soft,
)
from benchmarks.quality.part_foreground import measure, with_true_foreground
from demo.film import Film
from matting.imaging.sample_format import Size
from matting.options import MatteOptions, MattingOptions


def square(side: int, frames: int = 2, size: int = 32, at: int = 8) -> Tensor:
    alpha = torch.zeros(frames, size, size)
    alpha[:, at : at + side, at : at + side] = 1
    return alpha


def test_a_perfect_matte_has_no_error() -> None:
    truth = square(10)
    errors = alpha_errors(truth, truth)
    assert errors.cells() == ["0.00"] * 5
    assert sad_by_area(truth, truth) == 0


def test_differences_are_counted_in_the_units_of_the_field() -> None:
    truth = square(16)
    alpha = truth * 0.5
    errors = alpha_errors(alpha, truth)
    assert errors.mad == pytest.approx(0.25 * 0.5 * 1e3)
    assert errors.mse == pytest.approx(0.25 * 0.25 * 1e3)
    assert errors.dtssd == 0  # wrong, but steady
    assert sad_by_area(alpha, truth) == pytest.approx(0.5)


def test_flicker_is_seen_by_the_temporal_measure_alone() -> None:
    truth = square(16, frames=3)
    alpha = truth.clone()
    alpha[1] *= 0.5
    assert alpha_errors(alpha, truth).dtssd == pytest.approx(0.5 * math.sqrt(0.25) * 1e2)
    assert math.isnan(alpha_errors(truth[:1], truth[:1]).dtssd)


def test_a_step_is_as_strong_as_the_filter_says() -> None:
    step = torch.zeros(32, 32)
    step[:, 16:] = 1
    x = np.arange(-4, 5)
    gaussian = np.exp(-(x**2) / (2 * 1.4**2))
    derivative = x * gaussian
    norm = math.sqrt((gaussian**2).sum() * (derivative**2).sum())
    # What the derivative finds at each distance from the step, along all rows.
    found = [derivative[x >= distance].sum() * gaussian.sum() / norm for distance in range(-3, 5)]
    assert gradient_error(step, torch.zeros(32, 32)) == pytest.approx(
        32 * sum(value**2 for value in found) / 1e3, rel=1e-4
    )


def test_connectivity_asks_what_hangs_together() -> None:
    truth = np.zeros((20, 20), np.float32)
    truth[5:15, 5:15] = 1
    island = truth.copy()
    island[18, 18] = 1
    grown = truth.copy()
    grown[4, 5:15] = 1
    assert connectivity_error(truth, truth) == 0
    assert connectivity_error(island, truth) == pytest.approx(1 / 1e3)
    assert connectivity_error(grown, truth) == pytest.approx(10 / 1e3)


@pytest.mark.parametrize("seed", range(4))
def test_the_largest_component_is_that_of_a_flood(seed: int) -> None:
    mask = np.random.default_rng(seed).random((24, 30)) < 0.55
    left = mask.copy()
    best = np.zeros_like(mask)
    while left.any():
        part = np.zeros_like(mask)
        part[np.unravel_index(left.argmax(), left.shape)] = True
        while True:
            grown = part.copy()
            grown[1:] |= part[:-1]
            grown[:-1] |= part[1:]
            grown[:, 1:] |= part[:, :-1]
            grown[:, :-1] |= part[:, 1:]
            grown &= mask
            if (grown == part).all():
                break
            part = grown
        left &= ~part
        best = part if part.sum() > best.sum() else best
    found = largest_component(mask)
    assert found.sum() == best.sum()
    assert largest_component(found).sum() == found.sum()
    assert not (found & ~mask).any()


def test_no_component_in_an_empty_mask() -> None:
    assert not largest_component(np.zeros((3, 4), bool)).any()


def test_colours_are_compared_where_it_is_asked() -> None:
    truth = torch.full((1, 3, 4, 4), 100, dtype=torch.uint8)
    own = truth.clone()
    own[..., 0] = 151
    alpha = torch.full((1, 4, 4), 0.5)
    everywhere, edge = torch.ones(1, 4, 4, dtype=torch.bool), torch.zeros(1, 4, 4, dtype=torch.bool)
    edge[..., 0] = True
    assert foreground_mse(own, truth, everywhere) == pytest.approx(0.2**2 / 4 * 1e3)
    assert foreground_mse(own, truth, edge) == pytest.approx(0.2**2 * 1e3)
    assert math.isnan(foreground_mse(own, truth, ~everywhere))
    for background in ((0, 0, 0), (0, 255, 0)):
        error = composite_error((alpha, own), (alpha, truth), background, edge)
        assert error == pytest.approx((0.2 * 0.5) ** 2 * 1e3)
    assert soft(torch.tensor([0.0, 0.5, 1.0])).tolist() == [False, True, False]


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """A clip of somebody red, who stands on the left of a grey wall."""
    alpha = torch.zeros(3, 48, 96, dtype=torch.uint8)
    alpha[:, 8:40, 4:12] = 255
    alpha[:, 8:40, 12] = 128
    colour = torch.zeros(3, 3, 48, 96, dtype=torch.uint8)
    colour[:, 0] = 200
    share = alpha[:, None].float() / 255
    rgb = (colour.float() * share + 90 * (1 - share) + 0.5).to(torch.uint8)
    folder = tmp_path_factory.mktemp("walker")
    video = made_clips.write_video(folder / "walker.mp4", rgb)
    return Clip("walker", video, alpha, colour)


def test_a_person_placed_small_has_that_height_and_an_exact_alpha(
    walker: Clip, tmp_path: Path
) -> None:
    size = Size(128, 72)
    small = made_clips.placed_small(tmp_path, walker, 16, size)
    assert (small.size, len(small)) == (size, len(walker))
    for alpha in small.alpha_codes:
        rows = (alpha > 127).any(1).nonzero()
        assert int(rows[-1]) - int(rows[0]) + 1 == pytest.approx(16, abs=1)
    assert small.foreground is not None
    alpha = small.alpha[:, None]
    wanted = small.foreground.float() * alpha + 90 * (1 - alpha)
    difference = (small.rgb().float() - wanted).abs()
    assert float(difference.mean()) < 1.5  # the encoder's
    assert soft(small.alpha).any()


def test_clips_are_joined_by_hard_cuts(walker: Clip, tmp_path: Path) -> None:
    both = made_clips.joined(tmp_path, [walker, walker])
    assert both.cuts == (3,)
    assert len(both) == len(both.rgb()) == 6
    assert torch.equal(both.alpha_codes, torch.cat([walker.alpha_codes] * 2))


def test_a_drawn_film_is_its_layers(tmp_path: Path) -> None:
    film = made_clips.drawn(tmp_path, 3, Size(64, 36), 4, cuts=(2,))
    assert (film.size, len(film), film.cuts) == (Size(64, 36), 4, (2,))
    assert film.foreground is not None
    assert float(film.alpha.max()) == 1
    drawn = Film(3, 64, 36, 4, 30, cuts=(2,), flashes=())[3]
    difference = film.rgb()[3].short() - torch.from_numpy(drawn.rgb).short()
    assert float(difference.abs().float().mean()) < 4  # the encoder's, of chroma most
    assert np.allclose(film.alpha[3], drawn.alpha[0], atol=0.5 / 255 + 1e-6)


def test_a_clip_is_matted_by_the_program(walker: Clip, opaque_checkpoint: Path) -> None:
    options = MattingOptions(MatteOptions(opaque_checkpoint))
    matted = matte_clip(walker, options)
    assert matted.alpha.shape == walker.alpha.shape
    assert float(matted.alpha.min()) == 1
    assert torch.equal(matted.foreground, walker.rgb())


def test_parts_are_found_and_say_what_they_measured(
    walker: Clip, opaque_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "clips" in part_names()
    monkeypatch.setattr("benchmarks.quality.part_clips._groups", lambda _: [("One", [walker])])
    bench = Bench(tmp_path, MattingOptions(MatteOptions(opaque_checkpoint)))
    title, text = run_part("clips", bench)
    mad = float((1 - walker.alpha).mean()) * 1e3
    assert title == "Quality: Every clip"
    assert f"| walker | 3 | {mad:.2f} |" in text


def test_both_qualities_of_a_matte_are_compared(
    walker: Clip, opaque_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.quality.part_best._clips", lambda _: [walker])
    _, text = run_part("best", Bench(tmp_path, MattingOptions(MatteOptions(opaque_checkpoint))))
    mad = f"{float((1 - walker.alpha).mean()) * 1e3:.2f}"
    assert f"| walker | 3 | {mad} | {mad} |" in text
    assert "changes by +0.00 in MAD" in text


def test_people_seen_once_and_twice_are_compared(
    walker: Clip, opaque_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = "benchmarks.quality.part_small_people._groups"
    monkeypatch.setattr(groups, lambda _: [[walker, walker]])
    bench = Bench(tmp_path, MattingOptions(MatteOptions(opaque_checkpoint)))
    _, text = run_part("small_people", bench)
    error = f"{float((1 - walker.alpha).sum() / walker.alpha.sum()):.3f}"
    mad = f"{float((1 - walker.alpha).mean()) * 1e3:.2f}"
    assert text.count(f"| walker | {error} | {error} | {mad} | {mad} |") == 2
    assert f"| **mean** | **{error}** | **{error}** | **{mad}** | **{mad}** |" in text


def test_the_true_foreground_is_as_near_as_the_stored_matte_comes(
    walker: Clip, opaque_checkpoint: Path
) -> None:
    matted = matte_clip(walker, MattingOptions(MatteOptions(opaque_checkpoint)))
    found = replace(matted, alpha=walker.alpha)
    before, after = (
        measure(walker, one)[0] for one in (found, with_true_foreground(walker, found))
    )
    assert after < before / 10
    everywhere_opaque = with_true_foreground(walker, matted)
    assert torch.equal(everywhere_opaque.foreground, matted.foreground)
