"""What all tests share: a stand-in network, recorded progress, and the folder of real material."""

from __future__ import annotations

import gc
import multiprocessing
import os
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

import hypothesis
import pytest
import torch

from benchmarks.checkpoints import write_constant_checkpoint, write_random_checkpoint
from matting.cli.signals import NAMES
from matting.inference.precision_record import PrecisionTrial, remember_trial, this_machine
from matting.inference.published import DEFAULT_MODEL, PUBLISHED
from tests.support.browser import Browser, running_browser
from tests.support.chromium import MISSING, PROGRAM
from tests.support.loaded_networks import use_loaded_networks
from tests.support.loaded_processes import use_loaded_processes
from tests.support.markers import require_gpu
from tests.support.opens import OpenCounter, counted_opens
from tests.support.partial_networks import LIGHT_SEED, write_light_checkpoint
from tests.support.recorder import Recorder
from tests.support.repository import ROOT
from tests.support.wine.harness import Wine

MEMORY = Path("/dev/shm")  # a file system in memory, on Linux
ROOM_BYTES = 6 << 30  # more than all temporary files at once, with a Windows for each worker

# The same examples every time; a busy machine may take its time; nothing is left in the folder.
hypothesis.settings.register_profile("rvm", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("rvm")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run three tests for every two cores: many wait, for processes, files and clocks."""
    return (os.cpu_count() or 1) * 3 // 2


@pytest.hookimpl(tryfirst=True)  # before pytest looks at skipif, which may skip what must fail
def pytest_runtest_setup(item: pytest.Item) -> None:
    require_gpu(item)


@pytest.hookimpl(tryfirst=True)  # before pytest's own folder is made there
def pytest_configure() -> None:
    """Keep temporary files in memory: tests make and delete more of them than a disk likes."""
    usable = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    if "TMPDIR" not in os.environ and usable and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # it is asked for anew


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Search for no garbage while all that is loaded stays: it takes 3 s of 10, in each worker."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Leave what is loaded by now, which stays, out of all further searches for garbage."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Let Python tidy up at its end as it would."""
    gc.unfreeze()


@pytest.fixture(autouse=True, scope="session")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what is found out about this computer from the program's own folder.

    In bf16 or float32, whichever a trial on a busy computer would choose, jobs that are compared
    might compute in different ones: all compute in float32.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RVM_CACHE", str(tmp_path_factory.mktemp("cache")))
        remember_trial(PrecisionTrial(machine=this_machine(), times_as_long=9.0))
        yield


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Compute in one thread: on pictures this small, threads only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def _loaded_processes(_cache: None) -> Iterator[None]:
    """Where it can be, worker processes come of one that has loaded everything.

    Those of whole commands start the long way, as users' do.
    """
    with pytest.MonkeyPatch.context() as patch:
        if "forkserver" in multiprocessing.get_all_start_methods():
            use_loaded_processes(patch)
        yield


@pytest.fixture(autouse=True, scope="session")
def _loaded_networks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        use_loaded_networks(patch)
        yield


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    """Restore the signal handlers that a command run in this process replaces."""
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def progress() -> Recorder:
    return Recorder()


@pytest.fixture
def open_counter(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenCounter]:
    """Count how often this process opens files for reading, from here on."""
    with counted_opens(monkeypatch) as counter:
        yield counter


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep tests from finding weights by accident, and from the network where they find none."""
    monkeypatch.delenv("RVM_CHECKPOINT", raising=False)
    monkeypatch.delenv("FFMPEG_PATH", raising=False)
    for model, file in PUBLISHED.items():
        nowhere = replace(file, url=f"http://127.0.0.1:9/{file.name}", mirrors=())
        monkeypatch.setitem(PUBLISHED, model, nowhere)
    monkeypatch.setattr(
        "matting.inference.weights.default_path",
        lambda model=DEFAULT_MODEL: tmp_path / PUBLISHED[model].name,
    )


@pytest.fixture(scope="session")
def random_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write random weights of the whole network: every part of it affects the result."""
    return write_random_checkpoint(tmp_path_factory.mktemp("weights") / "random.pth", seed=20)


@pytest.fixture(scope="session")
def light_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write random weights for jobs, which a light network computes with in the tests' processes.

    What comes of a frame depends on its pixels, on those before it, and on the weights.
    """
    return write_light_checkpoint(tmp_path_factory.mktemp("weights") / "light.pth", LIGHT_SEED)


@pytest.fixture(scope="session")
def opaque_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write weights by which everything is foreground: the composite is the source."""
    return write_constant_checkpoint(tmp_path_factory.mktemp("weights") / "opaque.pth", 1.0)


@pytest.fixture(scope="session")
def empty_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write weights by which nothing is foreground: the composite is the background."""
    return write_constant_checkpoint(tmp_path_factory.mktemp("weights") / "empty.pth", 0.0)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real weights, clips and reference outputs; skip where there is none."""
    path = Path(os.environ.get("RVM_SHARED", ROOT.parent / "shared"))
    if not (path / "reference" / "parity.npz").is_file():
        pytest.skip("no folder of real weights and clips; set RVM_SHARED to have this tested")
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Provide Chromium, one for all tests of a worker: Playwright can be there only once."""
    if PROGRAM is None:
        pytest.skip(MISSING)
    with running_browser(PROGRAM) as browser:
        yield browser


@pytest.fixture(scope="session")
def wine() -> Iterator[Wine]:
    """Provide a Windows to run the batch files in; skip where there is no Wine or no compiler."""
    found = shutil.which("wine64") or shutil.which("wine") or shutil.which("/usr/lib/wine/wine64")
    server = shutil.which("wineserver") or shutil.which("/usr/lib/wine/wineserver64")
    compiler = shutil.which("x86_64-w64-mingw32-gcc")
    if not found or not server:
        pytest.skip("running the batch files needs Wine (Debian: wine, wine64)")
    if not compiler:
        pytest.skip("the stand-in for Python needs x86_64-w64-mingw32-gcc (gcc-mingw-w64-x86-64)")
    # Not tmp_path: pytest keeps three sessions of it, and a Windows takes half a gigabyte.
    with tempfile.TemporaryDirectory(prefix="rvm-wine-", ignore_cleanup_errors=True) as folder:
        windows = Wine(Path(folder), found, server, compiler)
        try:
            yield windows
        finally:
            windows.end()
