"""The bench of both eyes: matches made by hand, and a drawn film whose matches are exact."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks.quality.clips import Clip
from benchmarks.quality.eye_matching import Eye, matched, seen_by_both
from benchmarks.quality.made_clips import write_video
from benchmarks.quality.metrics import rank_correlation
from benchmarks.quality.part_stereo import BY_ITSELF, TRUTH, compare, measure, report
from benchmarks.quality.stereo_clips import EyeClip, StereoClip, drawn_in_stereo, person_in_stereo
from benchmarks.quality.stereo_fusion import (
    FUSIONS,
    estimate_disparities,
    estimated_matches,
    fused,
    true_matches,
)
from matting.demo import CHECKPOINT
from matting.imaging.sample_format import Size
from matting.inference.rvm import RvmNetwork
from matting.inference.weights import load_checkpoint

FRAMES = 2


def texture(height: int, width: int, seed: int = 1) -> Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> StereoClip:
    return drawn_in_stereo(tmp_path_factory.mktemp("film"), 1000, Size(320, 180), FRAMES)


def test_what_the_right_eye_sees_is_further_to_the_left() -> None:
    left = torch.arange(8.0).expand(1, 1, 8)
    right = left + 2.5
    disparity = torch.full_like(left, 2.5)
    assert torch.equal(matched(right, disparity, Eye.LEFT)[..., 3:], left[..., 3:])
    assert torch.equal(matched(left, disparity, Eye.RIGHT)[..., :5], right[..., :5])


def test_nearer_things_hide_what_is_behind_them_and_edges_cut() -> None:
    left, right = (torch.ones(1, 1, 10) for _ in range(2))
    left[..., 5:8] = 3  # seen by the right eye in columns 2 to 4
    right[..., 2:5] = 3
    seen = seen_by_both(left, right, Eye.LEFT)[0, 0]
    # 0 lies outside the right eye's picture, and 3 and 4 are behind the near thing there.
    assert seen.tolist() == [False, True, True, False, False, True, True, True, True, True]
    back = seen_by_both(right, left, Eye.RIGHT)[0, 0]
    assert back.tolist() == [True, True, True, True, True, False, False, True, True, False]


def test_blocks_find_a_shift_of_a_pattern() -> None:
    wide = texture(24, 130)
    left, right = wide[..., :120], wide[..., 3:123]
    for found in estimate_disparities(left, right):
        assert (found[..., 12:-12] - 3).abs().max() < 0.2
    with pytest.raises(AssertionError):
        for found in estimate_disparities(right, left):
            assert (found[..., 12:-12] - 3).abs().max() < 0.2


def test_the_truth_has_no_error_and_exchanged_eyes_disagree(film: StereoClip) -> None:
    truth = film.eyes[0].alpha, film.eyes[1].alpha
    matches = true_matches(film)
    figures = compare(truth, film, matches)
    assert figures.mad == figures.mse == figures.dtssd == 0
    assert figures.disagreement < 1.0
    assert figures.areas < 2
    exchanged = compare(truth[::-1], film, matches)
    assert exchanged.disagreement > 30 * figures.disagreement


@pytest.mark.parametrize("name", FUSIONS)
def test_what_only_one_eye_mistakes_is_mended_by_the_other(name: str, film: StereoClip) -> None:
    left, right = film.eyes[0].alpha, film.eyes[1].alpha
    ghost = left.clone()
    ghost[..., 40:60, 20:60] = 0.4  # somebody seen by half in the background
    if name == "mean where both are unsure":
        right = right.clone()
        right[..., 40:60, 20:60] = 0.1
    matches = true_matches(film)
    before = compare((ghost, right), film, matches)
    after = compare(fused((ghost, right), *matches, FUSIONS[name]), film, matches)
    assert after.disagreement < 0.7 * before.disagreement
    assert after.mse < before.mse


def test_the_disparity_of_a_drawn_film_is_found(film: StereoClip) -> None:
    (true, _), (found, _) = true_matches(film)[0], estimated_matches(film, 1)[0]
    inside = film.eyes[0].alpha == 1
    assert (found - true).abs()[inside].median() < 0.5


def test_a_person_is_put_in_depth_the_same_for_both_eyes(tmp_path: Path) -> None:
    alpha = torch.zeros(FRAMES, 48, 128, dtype=torch.uint8)
    alpha[:, 20:40, 30:50] = 255
    colour = (texture(48, 128) * 255).to(torch.uint8).repeat(FRAMES, 1, 1, 1)
    place = (texture(48, 128, 2) * 255).to(torch.uint8)
    video = write_video(tmp_path / "clip.mp4", [place] * FRAMES)
    clip = Clip("walker", video, alpha, colour)
    stereo = person_in_stereo(tmp_path, clip, FRAMES)
    assert stereo.size == Size(112, 48)
    truth = stereo.eyes[0].alpha, stereo.eyes[1].alpha
    assert compare(truth, stereo, true_matches(stereo)).disagreement == 0
    assert not torch.equal(*truth)
    left, right = (eye.rgb.float() for eye in stereo.eyes)
    inside = truth[0][:, 0] == 1
    moved = torch.stack(
        [matched(r, d, Eye.LEFT) for r, d in zip(right, stereo.eyes[0].disparity, strict=True)]
    )
    unmoved = (right - left).abs().mean(1)[inside].mean()
    assert (moved - left).abs().mean(1)[inside].mean() < 0.25 * unmoved


def test_all_ways_are_measured(film: StereoClip) -> None:
    network = load_checkpoint(CHECKPOINT).network
    assert isinstance(network, RvmNetwork)
    left, right = (
        EyeClip(*(values[..., 40:104, 100:196] for values in (eye.rgb, eye.alpha, eye.disparity)))
        for eye in film.eyes
    )
    small = StereoClip(film.name, (left, right))
    measured = measure(small, network, by_demo=False)
    figures = measured.figures
    assert len(figures) == 5 + 2 * len(FUSIONS)
    assert figures[TRUTH].mad == 0
    assert figures[BY_ITSELF].mad > 0
    assert figures["fused, true: mean"].disagreement < 0.5 * figures[BY_ITSELF].disagreement
    text = report({"one film": measured, "another": measured})
    assert text.count("| one film |") == 2
    assert "0 of 2" in text
    assert f"| {BY_ITSELF} | {figures[BY_ITSELF].mad:.2f} |" in text


def test_ranks_are_compared_whatever_the_values() -> None:
    assert rank_correlation((1, 2, 3, 4), (0.1, 0.2, 7, 90)) == pytest.approx(1)
    assert rank_correlation((1, 2, 3, 4), (4, 3, 2, 1)) == pytest.approx(-1)
    assert abs(rank_correlation((1, 2, 3, 4), (2, 4, 1, 3))) < 0.3
    # Equal values share a rank: by hand, 4.5 / sqrt(4.5 * 5).
    assert rank_correlation((1, 1, 2, 3), (1, 2, 3, 4)) == pytest.approx(4.5 / math.sqrt(4.5 * 5))
    assert math.isnan(rank_correlation((1, 1, 1), (1, 2, 3)))
