"""What is seen of the mattes while they are made: of each as it is, and of nothing else."""

from __future__ import annotations

import shutil
import socket
from fractions import Fraction
from html import escape
from pathlib import Path

import numpy as np
import pytest

from matting.infer import infer
from matting.options import MattingOptions
from matting.project.job_signs import JobSigns
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.report.job_report import report_page
from matting.segment import segment
from matting.system.processor import processor_name
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.signs import assert_signs_of_mattes, sign_files
from tests.support.stages import SECOND, interrupt_after, matting_options, with_output

RATE = 4
FRAMES = 10  # in segments of 4, 4 and 2
BLUE = (0, 71, 187)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, light_checkpoint: Path) -> MattedFolder:
    """A clip whose matting was interrupted, and went on."""
    clip = make_clip(
        tmp_path_factory.mktemp("signs") / "clip.mp4", FRAMES, rate=Fraction(RATE), gop=RATE
    )
    segments = segment(clip, SECOND, None, Recorder())
    progress, options = Recorder(), matting_options(light_checkpoint)
    folder = MattedFolder.of(segments)
    interrupt_after(progress, folder, "output_000.mp4")
    with pytest.raises(KeyboardInterrupt):
        infer(segments, options, None, progress)
    return infer(segments, options, None, Recorder())


@pytest.fixture
def job(original: MattedFolder, tmp_path: Path) -> MattedFolder:
    """The same, to be changed."""
    return MattedFolder(shutil.copytree(original.root.parent, tmp_path / "j") / original.root.name)


@pytest.fixture
def options(light_checkpoint: Path) -> MattingOptions:
    return matting_options(light_checkpoint)


def again(job: MattedFolder, options: MattingOptions) -> Recorder:
    progress = Recorder()
    infer(job.root.parent / "clip_segments", options, None, progress)
    return progress


def stamps(job: MattedFolder) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in job.signs.iterdir()}


def known(job: MattedFolder) -> list[bool]:
    """Return of which frames signs are known."""
    values: list[bool] = np.isfinite(JobSigns.read(Ledger(job)).values[:, 0]).tolist()
    return values


def test_signs_are_those_of_the_mattes_over_all_segments(original: MattedFolder) -> None:
    assert_signs_of_mattes(original)
    flicker = JobSigns.read(Ledger(original)).values[:, -1]
    assert flicker[RATE] > 0  # from one segment to the next, in another run
    assert sign_files(original) == [f"output_00{n}.mp4.npz" for n in range(3)]


def test_a_segment_tells_what_made_it_and_so_does_the_report(original: MattedFolder) -> None:
    signs = JobSigns.read(Ledger(original)).segments
    by = {own.signs.made_by for own in signs if own.signs is not None}
    device = f"{processor_name()}, the network in fp32"
    assert by == {f"{socket.gethostname()}, {device}"}
    assert f"By {escape(device)}." in report_page(Ledger(original)).text


def test_a_short_video_is_pictured_several_times(original: MattedFolder) -> None:
    assert len(JobSigns.read(Ledger(original)).moments()) > 3  # once a second


def test_what_is_known_is_not_seen_again_and_what_is_lost_is(
    job: MattedFolder, options: MattingOptions
) -> None:
    before = stamps(job)
    job.segment_signs("output_001.mp4").unlink()
    again(job, with_output(options, background=BLUE))
    after = stamps(job)
    assert_signs_of_mattes(job)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"output_001.mp4.npz"}


def test_a_result_whose_signs_are_lost_or_damaged_is_none_the_worse(
    job: MattedFolder, options: MattingOptions
) -> None:
    job.segment_signs("output_000.mp4").unlink()
    job.segment_signs("output_001.mp4").write_bytes(b"none")
    assert known(job) == [False] * 8 + [True] * 2
    assert again(job, options).mentions("3 of 3 are done already")


def test_what_is_no_file_of_signs_is_not_overwritten(
    job: MattedFolder, options: MattingOptions
) -> None:
    path = job.segment_signs("output_002.mp4")
    path.write_text("somebody's own")
    job.processed.write_text(job.processed.read_text().replace('2.mp4": true', '2.mp4": false'))
    assert again(job, options).mentions("was not made here")
    assert_signs_of_mattes(job)
    assert b"somebody's own" in [own.read_bytes() for own in job.signs.iterdir()]
