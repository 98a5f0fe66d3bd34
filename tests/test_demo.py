"""The demo: the whole program on its own film, by its own measure; and that measure itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from demo.film import DEMO_SEED
from demo.measure import alpha_errors, beep_times, flash_indices
from demo.sound import beep_samples, sound
from matting.cli.main import main
from matting.demo import CHECKPOINT, DemoReport, demo
from matting.errors import MissingError
from matting.inference.weights import find_checkpoint, load_checkpoint
from tests.support.clips import decode
from tests.support.recorder import Recorder

SECONDS = 5


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> DemoReport:
    """A demo of smaller pictures and fewer of them, with the same small copy for the network."""
    torch.set_num_threads(2)
    progress = Recorder()
    made = demo(
        tmp_path_factory.mktemp("demo"), progress, device="cpu", size_px=(640, 360), seconds=SECONDS
    )
    torch.set_num_threads(1)
    assert progress.heard("useless on real people")
    return made


def test_every_frame_comes_out(report: DemoReport) -> None:
    assert report.frames_in == report.frames_out == 30 * SECONDS
    assert report.segments == 2


def test_the_figure_is_found(report: DemoReport) -> None:
    assert report.alpha.everywhere < 0.01
    assert report.alpha.edge < 0.12
    assert report.alpha.inside < 0.12


def test_the_cuts_cannot_be_seen(report: DemoReport) -> None:
    assert report.alpha.at_cuts < 1.5 * report.alpha.elsewhere


def test_the_sound_is_in_time(report: DemoReport) -> None:
    assert len(report.sound_offset_seconds) == SECONDS - 1
    assert max(map(abs, report.sound_offset_seconds)) < 0.001


def test_the_files_are_there(report: DemoReport) -> None:
    for path in (report.film, report.result, report.sheet):
        assert path.is_file()
        assert str(path) in report.table()
    (_, sheet), *_ = decode(report.sheet)
    assert sheet.shape == (360, 640, 3)
    green = np.abs(sheet[-90:].astype(int) - (120, 255, 155)).max(axis=2) < 8
    assert 0.5 < green.mean() < 0.98
    assert not list(report.film.parent.rglob("*.partial*"))


def test_the_command_prints_the_table(
    report: DemoReport, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("matting.demo.demo", lambda *_, **__: report)
    assert main(["demo"]) == 0
    assert report.table() in capsys.readouterr().out


def test_the_demo_network_is_never_found_by_itself(tmp_path: Path, progress: Recorder) -> None:
    with pytest.raises(MissingError):
        find_checkpoint(None, progress)
    assert not list(tmp_path.iterdir())


def test_the_demo_network_is_a_whole_one() -> None:
    assert load_checkpoint(CHECKPOINT).network is not None
    assert CHECKPOINT.stat().st_size < 9_000_000


def test_alpha_errors_are_what_they_say() -> None:
    true = torch.zeros(3, 60, 60, dtype=torch.uint8)
    true[:, 20:40, 20:40] = 255
    found = true.clone()
    found[:, 25:35, 25:35] = 0  # a hole inside
    found[2, :10, :10] = 255  # a false patch far outside
    errors = alpha_errors(found, true, cuts=[2], others=[1])
    assert errors.inside == pytest.approx(100 / 400)
    assert errors.everywhere == pytest.approx((100 / 3600) * 3 / 3 + (100 / 3600) / 3)
    assert errors.at_cuts == pytest.approx(100 / 3600)
    assert errors.elsewhere == 0


def test_flashes_and_beeps_are_found_where_they_are() -> None:
    level = [50 + index % 3 for index in range(120)]
    for flash in (30, 60, 90):
        level[flash] += 40
    assert flash_indices(level, 30) == [30, 60, 90]
    samples = sound(DEMO_SEED, 120, 30).mean(axis=1).astype(np.float32) / 32768
    found = [round(at * 48_000) for at in beep_times(samples, 48_000)]
    assert found == pytest.approx(beep_samples(120, 30), abs=2)
