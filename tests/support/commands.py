"""The command line, started as users start it: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.hostile_folder import HostileFolder
from matting.options import OutputKind
from matting.system.temporary_files import is_temporary
from tests.support.repository import ROOT

# For tiny pictures, which the network else sees a second time: who is in them is small.
TINY = ("--device", "cpu", "--codec", "h264", "--small-people", "off")
START_SECONDS = 60.0  # on a busy machine: Python and torch start twice


@dataclass(frozen=True)
class RunningInfer:
    """An `infer` that is at work.

    Attributes:
        composites: the folder of its results.
    """

    process: subprocess.Popen[bytes]
    command: list[str]
    composites: Path

    def wait_for_end(self) -> str:
        """Return what it wrote to its standard error."""
        _, error = self.process.communicate(timeout=30)
        return error.decode()


def begun(result: Path) -> bool:
    """Return whether a result is being written."""
    return any(is_temporary(path, result) for path in result.parent.iterdir())


@contextmanager
def running_infer(
    clips: Path, checkpoint: Path, at: str, after: str = ""
) -> Iterator[RunningInfer]:
    """Start `infer` on a folder, the leader of a session; yield once it writes the result `at`.

    It is started in a folder of hostile files, none of which is executed.
    """
    hostile = HostileFolder(clips.with_name("hostile"))
    command = [sys.executable, str(ROOT / "inference_custom.py"), "infer", str(clips)]
    command += ["--checkpoint", str(checkpoint), "--device", "cpu", "--small-people", "off"]
    composites = clips.with_name(f"{clips.name}_matted") / OutputKind.COMPOSITE
    with subprocess.Popen(
        command,
        cwd=hostile.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    ) as process:
        try:
            deadline = time.monotonic() + START_SECONDS
            while not (
                composites.is_dir() and begun(composites / at) and (composites / after).exists()
            ):
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)
            yield RunningInfer(process, command, composites)
        finally:
            process.kill()
            assert not hostile.executed
