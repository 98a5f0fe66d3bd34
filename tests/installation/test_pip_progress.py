"""What is shown while pip works: a line, not its hundreds."""

from __future__ import annotations

import io
import sys

import pytest

from installation.commands import NOT_STARTED, SubprocessRunner
from installation.pip_progress import WIDTH, PipProgress

PIP = """Collecting torch>=2.10
  Downloading https://host/whl/cpu/torch-2.14.1%2Bcpu-cp313-linux_x86_64.whl.metadata (29 kB)
Downloading https://host/whl/cpu/torch-2.14.1%2Bcpu-cp313-linux_x86_64.whl (190.1 MB)
Downloading filelock-3.20.0-py3-none-any.whl (16 kB)
Installing collected packages: filelock, torch
Successfully installed filelock-3.20.0 torch-2.14.1+cpu"""


class Window(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, seconds_a_line: float) -> str:
    now = [0.0]
    progress = PipProgress(stream, lambda: now[0])
    for line in [*PIP.splitlines(), None]:
        now[0] += seconds_a_line
        progress(line)
    progress.finish()
    return stream.getvalue()


def test_in_a_window_one_line_says_what_it_is_at() -> None:
    text = shown(Window(), 5)
    states = [state.strip() for state in text.split("\r")]
    assert states[1] == "Looking for the packages ... 0:05"
    assert states[3] == "Downloading torch (190.1 MB) ... 0:15"
    assert states[4] == "Downloading filelock (16 kB) ... 0:20"
    assert states[5].startswith("Unpacking")
    assert states[-1] == "Installed: 2 packages, in 0:35."
    assert all(len(state) <= WIDTH for state in text.split("\r"))
    assert text.count("\n") == 1


def test_in_a_log_there_is_little() -> None:
    assert shown(io.StringIO(), 5).splitlines() == [" " * 8 + "Installed: 2 packages, in 0:35."]
    assert len(shown(io.StringIO(), 30).splitlines()) == 4


def test_a_command_is_followed_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("installation.commands.TICK_SECONDS", 0.02)
    program = (
        "import sys, time; print('one', flush=True); time.sleep(0.3); print('two'); sys.exit(5)"
    )
    lines: list[str | None] = []
    commands = SubprocessRunner()
    assert commands.follow([sys.executable, "-c", program], lines.append) == 5
    assert [line for line in lines if line] == ["one", "two"]
    assert None in lines  # nothing came for a while

    assert commands.follow(["no-such-program-rvm"], lines.append) == NOT_STARTED

    def interrupt(_: str | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        commands.follow([sys.executable, "-c", "import time; time.sleep(60)"], interrupt)
