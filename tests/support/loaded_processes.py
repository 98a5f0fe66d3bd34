"""Worker processes that come of one which has loaded everything, and so at once.

That one, multiprocessing's server, looks for modules in its current folder only, and leaves out
those that it does not find. So it starts in the repository, and without the variable by which the
program keeps what it starts from looking there. All processes have the variables that it started
with: not those of the test that happens to be the first.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver

import pytest

from benchmarks.faults.program import PRELOADED
from matting.system import subprocesses
from tests.support.repository import ROOT

# All that any process of the tests or of the fault bench needs.
MODULES = [
    *PRELOADED,
    "tests.support.faulty_worker",
    "tests.support.networks_of_processes",
]

# What tests set for what they start, and which nothing is to have by accident.
OF_A_TEST = {"RVM_CHECKPOINT", "FFMPEG_PATH", subprocesses.SAFE_PATH}

Connect = Callable[[Sequence[int]], tuple[int, int]]


def use_loaded_processes(patch: pytest.MonkeyPatch) -> None:
    """Have processes come of such a server, which starts when the first is asked for."""
    patch.setattr(subprocesses, "START_METHOD", "forkserver")
    connect: Connect = forkserver.connect_to_new_process
    variables = {name: value for name, value in os.environ.items() if name not in OF_A_TEST}
    is_running = False

    def start_and_connect(fds: Sequence[int]) -> tuple[int, int]:
        nonlocal is_running
        if not is_running:
            is_running = True
            multiprocessing.set_forkserver_preload(MODULES)  # whatever a bench has asked for
            with _modules_found(variables):
                forkserver.ensure_running()
            # The first process waits until all is loaded, which may take longer than a test waits.
            first = multiprocessing.get_context("forkserver").Process(target=int)
            first.start()
            first.join()
        return connect(fds)

    patch.setattr(forkserver, "connect_to_new_process", start_and_connect)


@contextmanager
def _modules_found(variables: Mapping[str, str]) -> Iterator[None]:
    """Let a Python that is started in the block find the repository's modules.

    Args:
        variables: its environment.
    """
    folder, before = os.getcwd(), dict(os.environ)  # noqa: PTH109
    os.chdir(ROOT)
    _replace_environment(variables)
    try:
        yield
    finally:
        os.chdir(folder)
        _replace_environment(before)


def _replace_environment(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)
