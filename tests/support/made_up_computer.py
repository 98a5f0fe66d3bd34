"""Computers that are made up, for the doctor to examine, and what it says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matting.cli.doctor import doctor
from matting.cli.doctor_probes import CodecTrials, Machine, TorchProbe, WeightsProbe
from matting.errors import InputError, MissingError
from matting.inference.device_record import DeviceTrial
from matting.inference.published import DEFAULT_MODEL, PUBLISHED
from matting.network_choice import Model
from matting.options import VideoCodec
from matting.system.nvidia_smi import Driver, Gpu
from matting.system.packages import Package
from matting.system.torch_build import TorchBuild, TorchState
from tests.support.recorder import Recorder

RTX = Gpu("NVIDIA GeForce RTX 3060", 12 << 30, (8, 6))
DRIVER = Driver((RTX,), "581.29", "13.0")
BUILD = TorchBuild("2.11.0+cu130", "13.0")
WORKING = TorchState(BUILD, True, gpu=RTX, oldest_capability=(7, 5), matrix_units=False)
CPU_ONLY = TorchState(TorchBuild("2.11.0+cpu"), matrix_units=True)
LISTED = [
    Package("torch", ">=2.10", "2.11.0"),
    Package("numpy", ">=2.0", "2.4.1"),
    Package("av", ">=17.1,<19", "18.1.0"),
]
WORKING_CODECS = dict.fromkeys(VideoCodec, "")
MINE = "1" * 64


@dataclass
class Computer(Machine):
    """One that has everything, unless told otherwise."""

    on: str = "linux"
    version: tuple[int, int, int] = (3, 12, 3)
    bits: int = 64
    other: Path | None = None
    gpu_driver: Driver = DRIVER
    torch_probe: TorchProbe = field(default_factory=lambda: TorchProbe(WORKING))
    decoding: CodecTrials = field(default_factory=lambda: dict(WORKING_CODECS))
    encoding: CodecTrials = field(default_factory=lambda: dict(WORKING_CODECS))
    listed: list[Package] = field(default_factory=lambda: list(LISTED))
    sharing: list[Package] = field(
        default_factory=lambda: [Package("distributed", ">=2026.1", "2026.8.0")]
    )
    unlisted: bool = False
    troubles: dict[str, str] = field(default_factory=dict)
    no_ffmpeg: str = ""
    file: WeightsProbe | None = field(
        default_factory=lambda: WeightsProbe(Path("a.pth"), PUBLISHED[DEFAULT_MODEL].sha256)
    )
    no_file: str = ""
    larger: WeightsProbe | None = None
    free: int | None = 10**11
    tried: str | None = ""
    adapters: str = ""
    device_tried: DeviceTrial | str = "not tried"

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
        return self.gpu_driver

    def other_adapters(self) -> str:
        return self.adapters

    def torch(self) -> TorchProbe:
        return self.torch_probe

    def decoders(self) -> CodecTrials:
        return self.decoding

    def encoders(self) -> CodecTrials:
        return self.encoding

    def packages(self) -> list[Package]:
        if self.unlisted:
            raise MissingError("requirements_inference.txt is missing.", "unpack it")
        return self.listed

    def sharing_packages(self) -> list[Package]:
        return self.sharing

    def load(self, names: Sequence[str]) -> dict[str, str]:
        return {name: self.troubles.get(name, "") for name in names}

    def ffmpeg(self) -> tuple[str, Path]:
        if self.no_ffmpeg:
            raise MissingError(self.no_ffmpeg)
        return "7.1", Path("/x/ffmpeg-linux")

    def weights(self, *, load: bool, model: Model | None = None) -> WeightsProbe | None:
        if model is Model.RESNET50:
            return self.larger
        if self.no_file:
            raise InputError(self.no_file)
        return self.file

    def device_trial(self, device: str) -> DeviceTrial | str:
        return self.device_tried

    def precision(self) -> str | None:
        return self.tried

    def free_bytes(self, folder: Path) -> int | None:
        return self.free


@dataclass
class Report:
    """What the doctor says.

    Attributes:
        rows: state and text of each part.
        fixes: the lines after the table.
        end: the error, if there is one.
    """

    rows: dict[str, tuple[str, str]]
    fixes: str
    end: str


def ask(computer: Machine, path: Path, progress: Recorder, *, updates: bool = False) -> Report:
    """Return what the doctor says of a computer, and of a path on it."""
    end = ""
    try:
        doctor(path, progress, computer, updates=updates)
    except MissingError as error:
        end = str(error)
    rows: dict[str, tuple[str, str]] = {}
    table_end = progress.said.index("")
    name = ""
    for line in progress.said[:table_end]:
        assert len(line) <= 80 or " " not in line[24:].strip()  # a path, which is copied
        if line[:24].isspace():
            state, text = rows[name]
            rows[name] = state, f"{text} {line.strip()}"
        else:
            name = line[:15].strip()
            rows[name] = line[15:24].strip(), line[24:].strip()
    return Report(rows, "\n".join(progress.said[table_end:]), end)
