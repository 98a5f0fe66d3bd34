"""What all tests share: a stand-in network, recorded progress, and the folder of real material."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from matting.cli.signals import NAMES
from matting.progress import Progress
from matting.system import subprocesses
from model import MattingNetwork
from tests.support.wine.harness import Wine

ROOT = Path(__file__).resolve().parent.parent


# All that any process of the tests or of the fault bench needs.
LOADED = [
    "matting.run",
    "benchmarks.faults.bench",
    "tests.support.faulty_worker",
    "torchvision.models",
]

has_card = torch.cuda.is_available()
on_card = pytest.mark.skipif(not has_card, reason="needs an NVIDIA graphics card")
without_card = pytest.mark.skipif(has_card, reason="is for machines without a graphics card")


def carry_on(_done: int = 0) -> None:
    """What a Recorder does unless told otherwise."""


class Recorder(Progress):
    """Progress that keeps what it is told; what it calls may raise, to interrupt a stage."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.details: list[str] = []
        self.done = 0
        self.titles: list[str] = []
        self.totals: list[int] = []
        self.on_advance: Callable[[int], None] = carry_on
        self.on_part_done: Callable[[], None] = carry_on

    def say(self, text: str) -> None:
        self.said.append(text)

    def detail(self, text: str) -> None:
        self.details.append(text)

    def start(self, title: str, total: int, unit: str, parts: int = 0) -> None:
        self.titles.append(title)
        if total:  # of an unknown length: starting, and the trial
            self.totals.append(total)
        self.done = 0

    def advance(self, units: int) -> None:
        self.done += units
        self.on_advance(self.done)

    def part_done(self) -> None:
        self.on_part_done()

    def heard(self, words: str) -> bool:
        return any(words in line for line in self.said)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """On pictures this small, threads only wait for each other, the more so on a busy machine."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def _loaded_processes() -> None:
    """Where it can be, worker processes come of one that has loaded everything, and so at once.

    Those of whole commands start the long way, as users' do.
    """
    if "forkserver" in multiprocessing.get_all_start_methods():
        multiprocessing.set_forkserver_preload(LOADED)
        subprocesses.START_METHOD = "forkserver"


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    """A command that is run in this process leaves no handler behind."""
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def progress() -> Recorder:
    return Recorder()


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test finds weights by accident, nor reaches the network when it finds none."""
    monkeypatch.delenv("RVM_CHECKPOINT", raising=False)
    monkeypatch.delenv("FFMPEG_PATH", raising=False)
    monkeypatch.setattr("matting.inference.weights.URL", "http://127.0.0.1:9/rvm_mobilenetv3.pth")
    monkeypatch.setattr(
        "matting.inference.weights.default_path", lambda: tmp_path / "rvm_mobilenetv3.pth"
    )


@pytest.fixture(scope="session")
def random_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole network with random weights: every part of it has a say in the result."""
    with torch.random.fork_rng():
        torch.manual_seed(20)
        return _save(MattingNetwork(), tmp_path_factory.mktemp("weights") / "random.pth")


@pytest.fixture(scope="session")
def opaque_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights by which everything is foreground: the composite is the source."""
    return _constant(1.0, tmp_path_factory.mktemp("weights") / "opaque.pth")


@pytest.fixture(scope="session")
def empty_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights by which nothing is foreground: the composite is the background."""
    return _constant(0.0, tmp_path_factory.mktemp("weights") / "empty.pth")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real weights, clips and reference outputs; skips where there is none."""
    path = Path(os.environ.get("RVM_SHARED", ROOT.parent / "shared"))
    if not (path / "reference" / "parity.npz").is_file():
        pytest.skip("no folder of real weights and clips; set RVM_SHARED to have this tested")
    return path


@pytest.fixture(scope="module")
def wine() -> Iterator[Wine]:
    """A Windows to run the batch files in; skips where there is no Wine or no compiler."""
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


def _constant(alpha: float, path: Path) -> Path:
    network = MattingNetwork()
    with torch.no_grad():
        network.project_mat.conv.weight.zero_()
        network.get_parameter("project_mat.conv.bias").copy_(torch.tensor([0.0, 0.0, 0.0, alpha]))
        # The guided filter passes it on: no smoothing, and nothing of the guide.
        network.refiner.box_filter.weight.zero_()[:, :, 1, 1] = 1
        network.get_parameter("refiner.conv.6.weight").zero_()
        network.get_parameter("refiner.conv.6.bias").zero_()
    return _save(network, path)


def _save(network: MattingNetwork, path: Path) -> Path:
    torch.save(network.state_dict(), path)
    return path
