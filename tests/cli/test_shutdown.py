"""Runs that are interrupted, and computers that are shut down once the work has ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from matting.cli import shutdown
from matting.cli.main import main
from matting.errors import (
    BusyError,
    EncodeError,
    InputError,
    MachineError,
    MissingError,
    SegmentsFailedError,
    StorageError,
    UnforeseenError,
)
from tests.support.clips import make_clip
from tests.support.commands import running_infer


def test_a_request_to_end_counts_as_ctrl_c(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("matting.segment.segment", lambda *_: signal.raise_signal(signal.SIGTERM))
    assert main(["segment", "a.mp4"]) == 130
    assert "Run the same command again" in capsys.readouterr().err


@pytest.fixture
def shutdown_commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Return the commands that would have shut the computer down."""
    commands: list[tuple[str, ...]] = []

    def record(announce: Callable[[str], None]) -> None:
        commands.append(shutdown.shutdown_command().command)
        announce("announced")

    monkeypatch.setattr("matting.cli.main.shut_down", record)
    return commands


@pytest.mark.parametrize(
    ("failure", "code", "off"),
    [
        (None, 0, True),
        (SegmentsFailedError("x"), 1, True),
        (StorageError("x"), 4, True),
        (MachineError("x"), 70, True),
        (EncodeError("x"), 70, True),
        (InputError("x"), 2, False),
        (MissingError("x"), 3, False),
        (BusyError("x"), 5, False),
        (UnforeseenError("x"), 70, False),
        (ValueError("x"), 70, False),
        (KeyboardInterrupt(), 130, False),
    ],
)
def test_the_computer_shuts_down_only_when_the_work_has_ended(
    failure: BaseException | None,
    code: int,
    *,
    off: bool,
    shutdown_commands: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work(*_: object) -> None:
        if failure is not None:
            raise failure

    monkeypatch.setattr("matting.infer_and_deliver.infer_and_deliver", work)
    assert main(["infer", "somewhere", "--shutdown"]) == code
    assert bool(shutdown_commands) is off
    assert main(["infer", "somewhere"]) == code
    assert len(shutdown_commands) <= 1
    capsys.readouterr()


@pytest.mark.parametrize("platform", ["win32", "linux", "darwin"])
def test_every_shutdown_leaves_two_minutes_and_a_way_out(platform: str) -> None:
    command = shutdown.shutdown_command(platform)
    text = " ".join(command.command)
    assert "120" in text or "+2" in text
    assert {"win32": "/a", "linux": "-c", "darwin": "Ctrl-C"}[platform] in command.cancel
    if platform == "win32":
        assert command.command[0].endswith("\\System32\\shutdown.exe")


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_interrupted_for_real(tmp_path: Path, light_checkpoint: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    make_clip(clips / "a.mp4", 2)
    make_clip(clips / "b.mp4", 800)
    with running_infer(clips, light_checkpoint, at="b.mp4", after="a.mp4") as infer:
        infer.process.send_signal(signal.SIGINT)
        error = infer.wait_for_end()
    assert infer.process.returncode == 130
    assert "Run the same command again" in error
    assert "Traceback" not in error
    assert [p.name for p in infer.composites.iterdir()] == ["a.mp4"]
