"""What a process has started ends with it, even when it is killed and what it started hangs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from matting.system.lifetimes import TIED_PROCESS
from matting.system.tied_process import NOT_STARTED
from tests.support.repository import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows' job objects do this there")

# Says its process ID, and goes on for a minute.
PROGRAM = [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)"]
PARENT = f"""
import subprocess, sys, time
sys.path.insert(0, {str(ROOT)!r})
from matting.system.lifetimes import tied
command = tied({PROGRAM!r})
if sys.argv[1:] == ["watch"]:
    script = "import sys; sys.path.insert(0, {str(TIED_PROCESS.parent)!r}); import tied_process; "
    script += "sys.exit(tied_process.main(0, sys.argv[1:], 'darwin'))"
    command = [sys.executable, "-c", script, *command[5:]]
subprocess.Popen(command, stdin=subprocess.PIPE)
time.sleep(60)
"""


@pytest.mark.parametrize("way", ["usual", "watch"])
def test_a_program_ends_with_its_parent_even_while_it_is_stopped(way: str) -> None:
    command = [sys.executable, "-c", PARENT, way]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.kill(child, signal.SIGSTOP)
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 20
        while is_running(child):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Return whether a process is there and no zombie, which waits for a parent to ask for it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2][1] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_exit_codes_come_through(platform: str, tmp_path: Path) -> None:
    for command, code in (
        ([sys.executable, "-c", "import sys; sys.exit(7)"], 7),
        ([str(tmp_path / "missing")], NOT_STARTED),
    ):
        script = "import os, sys; from matting.system.tied_process import main; "
        script += f"sys.exit(main(os.getppid(), {command!r}, {platform!r}))"
        with subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            error = process.stderr.read()
            assert process.wait() == code
        assert ("No such file" in error) == (code == NOT_STARTED)
