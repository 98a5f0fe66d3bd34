"""The doctor's table with and without each part, on computers that are made up."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from matting.cli import doctor_probes
from matting.cli.doctor import doctor
from matting.cli.doctor_probes import Machine, Torch, Tried, Weights
from matting.cli.main import main
from matting.errors import InputError, MachineError, MissingError
from matting.inference import weights
from matting.media import ffmpeg
from matting.media.encoders import CODECS, NVENC
from matting.media.hardware_probe import try_decoders, try_encoders
from matting.system import fixes
from matting.system.nvidia_smi import Card, Driver
from matting.system.packages import Package
from matting.system.subprocesses import run_isolated
from matting.system.torch_build import TorchBuild, TorchState
from tests.media.test_cuda import FAKE, Fake
from tests.support.markers import without_gpu
from tests.support.recorder import Recorder
from tests.support.repository import ROOT

RTX = Card("NVIDIA GeForce RTX 3060", 12 << 30, (8, 6))
DRIVER = Driver((RTX,), "581.29", "13.0")
BUILD = TorchBuild("2.11.0+cu130", "13.0")
WORKING = TorchState(BUILD, True, card=RTX, oldest=(7, 5), matrix_units=False)
CPU_ONLY = TorchState(TorchBuild("2.11.0+cpu"), matrix_units=True)
LISTED = [
    Package("torch", ">=2.10", "2.11.0"),
    Package("torchvision", ">=0.25", "0.26"),
    Package("av", ">=17.1,<19", "18.1.0"),
]
WELL = {"hevc": "", "h264": "", "av1": ""}
MINE = "1" * 64


@dataclass
class Computer(Machine):
    """One that has everything, unless told otherwise."""

    on: str = "linux"
    version: tuple[int, int, int] = (3, 12, 3)
    bits: int = 64
    other: Path | None = None
    told: Driver = DRIVER
    loaded: Torch = field(default_factory=lambda: Torch(WORKING))
    decoding: Tried = field(default_factory=lambda: dict(WELL))
    encoding: Tried = field(default_factory=lambda: dict(WELL))
    listed: list[Package] = field(default_factory=lambda: list(LISTED))
    unlisted: bool = False
    troubles: dict[str, str] = field(default_factory=dict)
    no_ffmpeg: str = ""
    file: Weights | None = field(default_factory=lambda: Weights(Path("a.pth"), weights.SHA256))
    no_file: str = ""
    free: int | None = 10**11

    @property
    def system(self) -> str:
        return self.on

    def python(self) -> tuple[tuple[int, int, int], int]:
        return self.version, self.bits

    def other_python(self) -> Path | None:
        return self.other

    def processor(self) -> tuple[str, int]:
        return "x86_64", 8

    def driver(self) -> Driver:
        return self.told

    def torch(self) -> Torch:
        return self.loaded

    def decoders(self) -> Tried:
        return self.decoding

    def encoders(self) -> Tried:
        return self.encoding

    def packages(self) -> list[Package]:
        if self.unlisted:
            raise MissingError("requirements_inference.txt is missing.", "unpack it")
        return self.listed

    def load(self, names: Sequence[str]) -> dict[str, str]:
        return {name: self.troubles.get(name, "") for name in names}

    def ffmpeg(self) -> tuple[str, Path]:
        if self.no_ffmpeg:
            raise MissingError(self.no_ffmpeg)
        return "7.1", Path("/x/ffmpeg-linux")

    def weights(self, *, loaded: bool) -> Weights | None:
        if self.no_file:
            raise InputError(self.no_file)
        return self.file

    def free_bytes(self, folder: Path) -> int | None:
        return self.free


@dataclass
class Told:
    """What the doctor says.

    Attributes:
        rows: state and text of each part.
        mended: the lines after the table.
    """

    rows: dict[str, tuple[str, str]]
    mended: str
    end: str


def ask(computer: Machine, folder: Path, progress: Recorder) -> Told:
    end = ""
    try:
        doctor(folder, progress, computer)
    except MissingError as error:
        end = str(error)
    rows: dict[str, tuple[str, str]] = {}
    said = list(progress.said)
    mended = said.pop()
    for text in said:
        assert all(len(line) <= 80 for line in text.splitlines())
        assert all(line[:24].isspace() for line in text.splitlines()[1:])
        name, state = text[:15].strip(), text[15:24].strip()
        rows[name] = state, " ".join(text[24:].split())
    return Told(rows, mended, end)


def test_a_computer_that_has_everything(tmp_path: Path, progress: Recorder) -> None:
    told = ask(Computer(), tmp_path, progress)
    assert list(told.rows) == [
        "Python", "torch", "Graphics card", "Driver", "NVDEC", "NVENC", "Processor", "Packages",
        "ffmpeg", "Checkpoint", "Free disk",
    ]  # fmt: skip
    assert {state for state, _ in told.rows.values()} == {"ok"}
    assert told.rows["Python"][1] == "3.12.3, 64 bits"
    assert told.rows["torch"][1] == "2.11.0+cu130, built for CUDA 13.0"
    assert told.rows["Graphics card"][1] == "NVIDIA GeForce RTX 3060, 12 GB"
    assert told.rows["Driver"][1] == "581.29, for CUDA up to 13.0"
    assert told.rows["NVDEC"][1] == "hevc, h264, av1"
    assert told.rows["Processor"][1] == "x86_64, 8 cores, matrix units: no"
    assert told.rows["Packages"][1] == "torchvision 0.26, av 18.1.0"
    assert told.rows["ffmpeg"][1] == "7.1, ffmpeg-linux"
    assert told.rows["Checkpoint"][1] == "a.pth, SHA-256 3c7c1d92033f..., the published one"
    assert told.rows["Free disk"][1].startswith("100 GB in ")
    assert told.mended.strip() == "Ready."
    assert told.end == ""


NO_CARD = Computer(told=Driver(), loaded=Torch(CPU_ONLY))
OLD = TorchState(BUILD, True, card=Card("NVIDIA GeForce GTX 1080", 8 << 30, (6, 1)), oldest=(7, 5))


@pytest.mark.parametrize(
    ("computer", "row", "words"),
    [
        (NO_CARD, "Graphics card", "none by NVIDIA was found"),
        (NO_CARD, "Driver", "needs an NVIDIA graphics card"),
        (NO_CARD, "NVDEC", "needs an NVIDIA graphics card"),
        (NO_CARD, "NVENC", "needs an NVIDIA graphics card"),
        (Computer(told=Driver()), "Driver", "nvidia-smi is not there"),
        (Computer(version=(3, 14, 0)), "Python", "newer than what was tried"),
        (Computer(file=None), "Checkpoint", "the first run downloads it"),
        (Computer(file=Weights(Path("b"), MINE)), "Checkpoint", "not the published one"),
        (Computer(free=None), "Free disk", "does not tell"),
        (Computer(encoding="it broke off."), "NVENC", "it broke off. Software does the encoding"),
        (Computer(decoding=dict.fromkeys(WELL, "no")), "NVDEC", "not hevc, not h264, not av1: no"),
    ],
)
def test_what_is_worth_a_note_is_no_failure(
    computer: Computer, row: str, words: str, tmp_path: Path, progress: Recorder
) -> None:
    told = ask(computer, tmp_path, progress)
    state, text = told.rows[row]
    assert (state, words in text) == ("note", True), text
    assert told.mended.strip() == "Ready."


def test_a_codec_that_a_card_lacks_is_no_matter(tmp_path: Path, progress: Recorder) -> None:
    told = ask(Computer(encoding={**WELL, "av1": "it has none."}), tmp_path, progress)
    assert told.rows["NVENC"] == ("ok", "hevc, h264; not av1: it has none")


@pytest.mark.parametrize(
    ("computer", "row", "words", "remedy"),
    [
        (Computer(version=(3, 9, 1)), "Python", "3.10 to 3.13", fixes.PYTHONS),
        (Computer(bits=32), "Python", "32 bits", "64 bits"),
        (Computer(loaded=Torch(None, "not installed")), "torch", "not installed", "sh setup.sh"),
        (
            Computer(loaded=Torch(None, "does not load (OSError: WinError 126)"), on="win32"),
            "torch",
            "WinError 126",
            fixes.LIBRARIES,
        ),
        (
            Computer(listed=[Package("torch", ">=2.10", "2.9.1")]),
            "torch",
            "2.9.1, and >=2.10 is needed",
            "sh setup.sh",
        ),
        (Computer(loaded=Torch(CPU_ONLY)), "torch", "built without CUDA", "sh setup.sh"),
        (
            Computer(loaded=Torch(CPU_ONLY), on="win32"),
            "torch",
            "it cannot use the card",
            "double-click setup.bat",
        ),
        (
            Computer(told=Driver((RTX,), "551.23", "12.4"), loaded=Torch(TorchState(BUILD))),
            "Driver",
            "551.23, is too old: it knows CUDA up to 12.4",
            fixes.NEW_DRIVER,
        ),
        (
            Computer(told=Driver(trouble="it failed"), loaded=Torch(TorchState(BUILD))),
            "Driver",
            "does not work (it failed)",
            fixes.RESTART,
        ),
        (
            Computer(loaded=Torch(OLD)),
            "Graphics card",
            "compute capability 6.1",
            fixes.for_old_cards("linux"),
        ),
        (
            Computer(
                encoding={
                    **dict.fromkeys(WELL, ""),
                    "hevc": "The minimum required Nvidia driver for nvenc is 570.0 or newer",
                }
            ),
            "NVENC",
            "570.0",
            fixes.NEW_DRIVER,
        ),
        (
            Computer(troubles={"av": "not installed"}),
            "Packages",
            "av: not installed",
            "sh setup.sh",
        ),
        (
            Computer(loaded=Torch(WORKING, vision_trouble="does not load (x)")),
            "Packages",
            "torchvision: does not load (x)",
            "sh setup.sh",
        ),
        (
            Computer(listed=[Package("av", ">=17.1,<19", "16.0")]),
            "Packages",
            "av: 16.0, and >=17.1,<19 is needed",
            "sh setup.sh",
        ),
        (
            Computer(troubles={"av": "not installed"}, other=Path(".venv/bin/python")),
            "Packages",
            "av",
            f"{Path('.venv/bin/python')} inference_custom.py doctor",
        ),
        (Computer(unlisted=True), "Packages", "is missing", "unpack it"),
        (Computer(no_ffmpeg="There is none."), "ffmpeg", "There is none.", "sh setup.sh"),
        (Computer(no_file="It is gone."), "Checkpoint", "It is gone.", "unset RVM_CHECKPOINT"),
        (
            Computer(file=Weights(Path("b.pth"), MINE, "it is no checkpoint.")),
            "Checkpoint",
            "it is no checkpoint.",
            "unset RVM_CHECKPOINT",
        ),
    ],
)
def test_what_must_be_mended_is_told_with_its_command(
    computer: Computer, row: str, words: str, remedy: str, *, tmp_path: Path, progress: Recorder
) -> None:
    told = ask(computer, tmp_path, progress)
    state, text = told.rows[row]
    assert (state, words in text) == ("problem", True), text
    assert remedy in told.mended
    assert str(ROOT) in told.mended
    assert told.end == "1 thing to mend, above."
    assert [name for name, (state, _) in told.rows.items() if state == "problem"] == [row]


def test_a_broken_download_is_deleted_to_be_loaded_anew(tmp_path: Path, progress: Recorder) -> None:
    broken = Weights(weights.default_path(), MINE, "it cannot be read.")
    told = ask(Computer(file=broken), tmp_path, progress)
    assert f"rm {broken.path}" in told.mended


def test_a_variable_that_names_no_ffmpeg_is_taken_away(
    tmp_path: Path, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FFMPEG_PATH", "nowhere")
    told = ask(Computer(no_ffmpeg="FFMPEG_PATH is nowhere.", on="win32"), tmp_path, progress)
    assert "    set FFMPEG_PATH=" in told.mended


def test_what_one_command_mends_stands_together(tmp_path: Path, progress: Recorder) -> None:
    computer = Computer(
        loaded=Torch(None, "not installed"),
        troubles={"av": "not installed"},
        no_ffmpeg="There is none.",
    )
    told = ask(computer, tmp_path, progress)
    assert told.mended.count("sh setup.sh") == 1
    assert told.end == "3 things to mend, above."
    assert told.rows["Graphics card"] == (
        "note",
        "NVIDIA GeForce RTX 3060, 12 GB. Not used until the rest is mended",
    )


def test_a_folder_that_is_not_there(tmp_path: Path, progress: Recorder) -> None:
    with pytest.raises(InputError, match="not there"):
        doctor(tmp_path / "gone", progress, Computer())


def test_this_computer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Really: whatever there is, each part has its row, and the end fits the code."""
    code = main(["doctor", str(tmp_path)])
    told = capsys.readouterr()
    assert len([line for line in told.out.splitlines() if line[15:24].strip()]) >= 11
    assert code == (3 if " problem " in told.out else 0)
    assert ("Ready." in told.out) == (code == 0)
    assert "Traceback" not in told.out + told.err


def test_where_no_package_is_installed(tmp_path: Path) -> None:
    """With Python's own library alone, as -S leaves it."""
    command = [sys.executable, "-S", str(ROOT / "inference_custom.py"), "doctor", str(tmp_path)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
    )
    assert done.returncode == 3
    assert "torch          problem  not installed" in done.stdout
    assert "Packages       problem  torchvision, av, numpy" in done.stdout
    assert "ffmpeg         problem  There is no ffmpeg program." in done.stdout
    assert "Checkpoint     " in done.stdout
    assert "Free disk      ok" in done.stdout
    assert "to mend, above." in done.stderr
    assert "Traceback" not in done.stderr


def test_ffmpeg_tells_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ffmpeg.version()
    for path in (tmp_path / "gone", Path(sys.executable)):
        monkeypatch.setenv("FFMPEG_PATH", str(path))
        with pytest.raises(MissingError):
            ffmpeg.version()


def test_weights_of_ones_own_are_loaded(random_checkpoint: Path) -> None:
    own = Machine()
    assert own.weights(loaded=True) is None
    path = weights.default_path()
    path.write_bytes(random_checkpoint.read_bytes())
    found = own.weights(loaded=True)
    assert found is not None and found.trouble == ""
    path.write_bytes(b"cut off")
    found = own.weights(loaded=True)
    assert found is not None and "cannot be read" in found.trouble
    untried = own.weights(loaded=False)
    assert untried is not None and untried.trouble == ""


def test_another_python_is_made_ready(tmp_path: Path) -> None:
    assert fixes.own_python("linux", tmp_path) is None
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert fixes.own_python("linux", tmp_path) == Path(".venv/bin/python")


@pytest.mark.parametrize(
    ("nvdec", "words"), [(FAKE, ""), (Fake(torch.device("cpu"), wrong=1), "other pictures")]
)
def test_each_codec_is_decoded(nvdec: Fake, words: str) -> None:
    tried = try_decoders(nvdec)
    assert set(tried) == set(CODECS)
    assert all(bool(why) == bool(words) and words in why for why in tried.values())


@without_gpu
def test_each_codec_is_encoded() -> None:
    tried = try_encoders("cpu")
    assert set(tried) == set(NVENC)
    assert all(tried.values())


def test_what_crashes_takes_nothing_along(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MachineError, match="code 5"):
        run_isolated(_crash, 60)
    monkeypatch.setattr(doctor_probes, "load_torch", _crash)
    assert Machine().torch() == Torch(
        None, "does not load (the process that tried it broke off (code 5))"
    )


def _crash() -> None:
    os._exit(5)
