"""What is said of the time ahead is judged by frames in which small people are seen twice."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch

from benchmarks.quality.made_clips import write_video
from matting.imaging.sample_format import Size
from matting.infer import infer
from matting.inference.weights import Checkpoint
from matting.network_choice import SmallPeople
from matting.options import CuttingOptions
from matting.segment import segment
from matting.workers import preflight
from tests.support.brightness_network import BrightnessNetwork, scene
from tests.support.recorder import Recorder
from tests.support.small_people import RATIO, SIZE
from tests.support.stages import matting_options, with_matte

FRAMES, TRIED = 10, 6
WHOLE = Size(int(SIZE.width * RATIO), int(SIZE.height * RATIO))


class Witness(Recorder):
    """Notes what the network has looked at when the forecast is said."""

    def __init__(self, network: BrightnessNetwork) -> None:
        super().__init__()
        self._network = network
        self.looks: list[Size] = []

    def say(self, text: str) -> None:
        super().say(text)
        if text.startswith("A trial with"):
            self.looks = list(self._network.at_work.small_sizes)


@pytest.mark.parametrize("small_people", SmallPeople)
def test_the_frames_of_a_trial_are_seen_as_often_as_they_will_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_people: SmallPeople
) -> None:
    network = BrightnessNetwork()
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"those of a network that is made here")
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    checkpoint = Checkpoint(weights, sha256, network)
    monkeypatch.setattr("matting.workers.worker.load_checkpoint", lambda _: checkpoint)
    monkeypatch.setattr(preflight, "WORTH_PIXELS", 1)
    monkeypatch.setattr(preflight, "FIRST_FRAMES", TRIED)
    frame = scene(SIZE, [(22, 62, 20, 45)]).luma_or_rgb[0]
    write_video(tmp_path / "clip.mp4", [frame.to(torch.uint8)] * FRAMES)
    progress = Witness(network)
    segments = segment(tmp_path / "clip.mp4", CuttingOptions(), None, progress)
    options = with_matte(matting_options(weights, ratio=RATIO), small_people=small_people)
    infer(segments, options, None, progress)

    def counts(looks: list[Size]) -> tuple[int, int]:
        return looks.count(WHOLE), len(looks) - looks.count(WHOLE)

    twice = small_people is SmallPeople.AUTO
    assert counts(progress.looks) == (TRIED, TRIED * twice)
    whole, windows = counts(network.at_work.small_sizes[len(progress.looks) :])
    assert whole == FRAMES
    assert (windows >= FRAMES) == twice  # the run-up sees people twice, too
    assert progress.mentions(f"People are small in {FRAMES} of {FRAMES} frames") == twice
