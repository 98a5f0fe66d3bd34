"""The bench of doubt: its ranks against figures made by hand, and its disturbed clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.doubt.__main__ import report
from benchmarks.doubt.disturbed_clips import DISTURBANCES, disturbed
from benchmarks.doubt.ranking import SeenClip, most_hits, ranks_of, shown_moments, weighed
from benchmarks.quality.clips import Clip
from benchmarks.quality.made_clips import write_video
from matting.imaging.frame_signs import SIGNS

FRAMES = 48


def seen(person: str, seed: int, *, told_by: str = "clouds") -> SeenClip:
    """Return a clip whose errors go with one sign, and nothing with the others."""
    rng = np.random.default_rng(seed)
    signs = rng.uniform(0.01, 0.1, (FRAMES, len(SIGNS)))
    return SeenClip(person, "kind", signs[:, SIGNS.index(told_by)] * 300 - 0.3, signs)


def test_clips_can_be_ranked_well_and_their_frames_badly() -> None:
    clips = [seen("a", 1), seen("b", 2)]
    doubts = [np.linspace(0, 1, FRAMES) + 10 * clip.errors.mean() for clip in clips]
    ranks = ranks_of(clips, doubts)
    assert ranks.clips == pytest.approx(1)
    assert abs(ranks.within) < 0.5


def test_weights_find_the_sign_that_tells_on_people_they_were_not_fitted_on() -> None:
    clips = [seen(person, seed) for seed, person in enumerate("aabbcc")]
    assert ranks_of(clips, weighed(clips, SIGNS)).within > 0.95
    others = [seen("c", 9, told_by="area"), *clips[:4]]  # alone with what holds of it
    assert ranks_of(others[:1], weighed(others, ["clouds", "area"])[:1]).within < 0.5


def test_moments_are_compared_with_the_worst_frames() -> None:
    clip = seen("a", 1)
    order = clip.errors.argsort().tolist()
    most, doubts = 2, clip.doubt

    def shown(order: Sequence[int]) -> list[tuple[int, bool]]:
        moments = shown_moments([clip], [doubts], most, lambda _: order)
        assert [own.error for own in moments] == [clip.errors[own.frame] for own in moments]
        return [(own.frame, own.is_bad) for own in moments]

    assert shown(order[:3]) == [(order[2], False), (order[1], False)]  # the most doubtful first
    assert shown([*order[:3], order[-1]]) == [(order[-1], True), (order[2], False)]
    text, found = report([replace(clip, person="b"), clip])
    assert found >= 2  # at least the worst frame of each
    assert all(f"| {name} |" in text for name in SIGNS)


def test_no_doubt_finds_more_of_the_worst_frames_than_are_far_enough_apart() -> None:
    calm = replace(seen("a", 1), errors=np.zeros(FRAMES))
    errors = np.zeros(FRAMES)
    errors[[0, 5, 9, 10, 11, 20, 21, 22]] = 9
    assert most_hits([calm, calm, replace(calm, errors=errors)], 20, 10) == 3
    assert most_hits([calm, calm, replace(calm, errors=errors)], 2, 10) == 2


@pytest.mark.parametrize("kind", DISTURBANCES)
def test_a_disturbed_clip_keeps_an_exact_truth(kind: str, tmp_path: Path) -> None:
    rgb = torch.full((FRAMES, 3, 32, 64), 40, dtype=torch.uint8)
    alpha = torch.zeros(FRAMES, 32, 64, dtype=torch.uint8)
    rgb[:, :, 8:24, 16:32], alpha[:, 8:24, 16:32] = 220, 255
    clip = Clip("a", write_video(tmp_path / "a.mp4", rgb), alpha)
    harder = disturbed(tmp_path, clip, kind, 5)
    shown = harder.rgb()
    assert (shown.int() - clip.rgb().int()).abs().max() > 20
    inside = harder.alpha_codes == 255
    assert inside.any(2).any(1).sum() > FRAMES / 2  # somebody is still to be seen
    if kind == "shaken":  # who is bright is where the truth says
        assert shown.float().mean(1)[inside].min() > 150
        assert not torch.equal(harder.alpha_codes[20], harder.alpha_codes[0])
    same = disturbed(tmp_path, clip, kind, 5)
    assert torch.equal(same.alpha_codes, harder.alpha_codes)
