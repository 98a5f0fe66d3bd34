"""The job that clusters share."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from matting.infer import infer
from matting.network_choice import Shots
from matting.options import CuttingOptions, MattingOptions
from matting.segment import segment
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.repository import ROOT
from tests.support.shared_job import Job, results
from tests.support.stages import matting_options, with_matte, with_shots

SHOTS = (8, 16)


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return six segments of four frames, two to a shot."""
    clip = make_clip(tmp_path_factory.mktemp("cut") / "clip.mp4", 24, gop=4)
    segments = segment(clip, CuttingOptions(seconds=Fraction(4, 30)), None, Recorder())
    return with_shots(segments, SHOTS)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    demo = ROOT / "demo" / "demo_checkpoint.pth"
    return Path(shutil.copy2(demo, tmp_path_factory.mktemp("weights")))


@pytest.fixture(scope="module")
def options(weights: Path) -> MattingOptions:
    return with_matte(matting_options(weights), shots=Shots.AUTO)


@pytest.fixture(scope="module")
def plain(
    cut: Path, options: MattingOptions, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """Return the results of plain `infer`."""
    folder = tmp_path_factory.mktemp("plain") / "clip_segments"
    return results(infer(Path(shutil.copytree(cut, folder)), options, None, Recorder()))


@pytest.fixture
def job(cut: Path, options: MattingOptions, plain: dict[str, bytes], tmp_path: Path) -> Job:
    return Job(Path(shutil.copytree(cut, tmp_path / "clip_segments")), options, plain)
