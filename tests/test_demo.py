"""The demo: the whole program on its own film, by its own measure."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from demo.report import DemoReport
from matting.cli.main import main
from matting.demo import CHECKPOINT, demo
from matting.errors import MissingError
from matting.imaging.sample_format import Size
from matting.inference.weights import find_checkpoint, load_checkpoint
from tests.support.clips import decode
from tests.support.recorder import Recorder

SECONDS, SEGMENT_SECONDS = 3, Fraction(1)


pytestmark = pytest.mark.timeout(300)  # seconds; the whole way of a film, on a busy machine


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> DemoReport:
    """Run a demo of fewer and smaller pictures, with the same small copy for the network."""
    progress = Recorder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matting.demo.SEGMENT_SECONDS", SEGMENT_SECONDS)
        result = demo(
            tmp_path_factory.mktemp("demo"),
            progress,
            device="cpu",
            size_px=Size(640, 360),
            seconds=SECONDS,
        )
    assert progress.mentions("useless on real people")
    return result


def test_every_frame_comes_out(report: DemoReport) -> None:
    assert report.frames_in == report.frames_out == 30 * SECONDS
    assert report.segments == 2


def test_the_figure_is_found(report: DemoReport) -> None:
    assert report.alpha.everywhere < 0.01
    assert report.alpha.edge < 0.12
    assert report.alpha.inside < 0.12


def test_the_cuts_cannot_be_seen(report: DemoReport) -> None:
    assert report.alpha.at_cuts < 1.5 * report.alpha.elsewhere


def test_the_audio_is_in_time(report: DemoReport) -> None:
    assert len(report.audio_offset_seconds) == SECONDS - 1
    assert max(map(abs, report.audio_offset_seconds)) < 0.001


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


def test_what_was_done_before_has_no_speed(report: DemoReport) -> None:
    assert report.matting_fps is not None
    assert "frames a second" in report.table()
    assert "frames a second" not in replace(report, matting_fps=None).table()


def test_the_demo_network_is_never_found_by_itself(tmp_path: Path, progress: Recorder) -> None:
    with pytest.raises(MissingError):
        find_checkpoint(None, progress)
    assert not list(tmp_path.iterdir())


def test_the_demo_network_is_a_whole_one() -> None:
    assert load_checkpoint(CHECKPOINT).network is not None
    assert CHECKPOINT.stat().st_size < 9_000_000
