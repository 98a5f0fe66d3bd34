"""Jobs whose results say how they were made."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from matting.options import CuttingOptions
from matting.segment import segment
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.scripted_job import COUNT, ScriptedJob


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clip = make_clip(tmp_path_factory.mktemp("cut") / "clip.mp4", 2 * COUNT, gop=2)
    return segment(clip, CuttingOptions(seconds=Fraction(2, 30)), None, Recorder())


@pytest.fixture
def matted_job(cut: Path, tmp_path: Path) -> ScriptedJob:
    """A job whose segments are matted."""
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"of no use here")
    shutil.copy2(cut.parent / "clip.mp4", tmp_path)
    job = ScriptedJob(Path(shutil.copytree(cut, tmp_path / "clip_segments")), weights)
    job.run()
    return job
