"""A whole job where the network is on a device that the program was not tried on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from matting.infer import infer
from matting.inference.device_record import DeviceTrial, PrecisionOutcome
from matting.options import AUTO_DEVICE, MattingOptions, Precision
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.project.segment_signs import read_segment_signs
from matting.segment import segment
from matting.system.device import choose_device
from matting.workers.pipeline import Stages
from tests.support.clips import decode, make_clip
from tests.support.dressed_device import DRESSED, DressedDevice, put_on
from tests.support.recorder import Recorder
from tests.support.signs import sign_files
from tests.support.stages import SECOND, composites, matting_options

FRAMES = 2


def trial(distance: float) -> DeviceTrial:
    exact = PrecisionOutcome(distance=distance, seconds=1.0)
    return DeviceTrial(machine="here", weights="", outcomes={Precision.FP32: exact})


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> list[DressedDevice]:
    """Have every thread of the pipeline see the device, which `auto` is; return it as each does."""
    put_on(monkeypatch)
    seen: list[DressedDevice] = []
    start = Stages.start

    def start_dressed(stages: Stages, name: str, work: Callable[[], None]) -> None:
        def run() -> None:
            with DressedDevice() as device:
                seen.append(device)
                work()

        start(stages, name, run)

    def choose(name: str) -> torch.device:
        return DRESSED if name in {AUTO_DEVICE, str(DRESSED)} else choose_device(name)

    monkeypatch.setattr(Stages, "start", start_dressed)
    for module in ("run_device", "worker"):
        monkeypatch.setattr(f"matting.workers.{module}.choose_device", choose)
    return seen


def matted(folder: Path, options: MattingOptions, progress: Recorder) -> MattedFolder:
    """Return what is made of a clip."""
    folder.mkdir()
    segments = segment(make_clip(folder / "clip.mp4", FRAMES), SECOND, None, Recorder())
    with DressedDevice():
        return infer(segments, options, None, progress)


def options_for(checkpoint: Path) -> MattingOptions:
    """Return options with a guided filter, and the device left open."""
    options = matting_options(checkpoint, ratio=0.5)
    return replace(options, compute=replace(options.compute, device=AUTO_DEVICE))


def test_a_job_goes_through_and_says_what_made_it(
    devices: list[DressedDevice],
    tmp_path: Path,
    random_checkpoint: Path,
    progress: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("matting.workers.run_device.trial_of_checkpoint", lambda *_: trial(0.001))
    monkeypatch.setattr("matting.inference.ready_network.trial_of", lambda *_: trial(0.001))
    options = options_for(random_checkpoint)
    there = matted(tmp_path / "there", options, progress)
    assert progress.mentions("Apple M0")
    assert progress.mentions("untried on hardware")
    operations = set().union(*(device.operations for device in devices))
    assert "aten::conv2d" in operations
    (signs,) = sign_files(there)
    made_by = read_segment_signs(there.signs / signs, FRAMES).made_by
    assert "Apple M0, Apple GPU (mps), " in made_by

    monkeypatch.setattr("matting.workers.run_device.choose_device", choose_device)
    on_cpu = replace(options, compute=replace(options.compute, device="cpu"))
    here = matted(tmp_path / "here", on_cpu, Recorder())
    for one, other in zip(composites(there), composites(here), strict=True):
        for (time, rgb), (other_time, other_rgb) in zip(decode(one), decode(other), strict=True):
            assert time == other_time
            assert np.abs(rgb.astype(int) - other_rgb).mean() < 0.5
    assert Ledger(there).precisions == {}  # what a trial chose is not for the processor


def test_where_auto_finds_one_that_fails_the_processor_does_the_job(
    devices: list[DressedDevice],
    tmp_path: Path,
    random_checkpoint: Path,
    progress: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("matting.workers.run_device.trial_of_checkpoint", lambda *_: trial(9.0))
    options = options_for(random_checkpoint)
    options = replace(options, matte=replace(options.matte, precision=Precision.FP32))
    folder = matted(tmp_path / "job", options, progress)
    assert progress.mentions("does not compute right")
    assert progress.mentions("Matting on the CPU")
    assert len(composites(folder)) == 1
    assert not set().union(*(device.operations for device in devices))
