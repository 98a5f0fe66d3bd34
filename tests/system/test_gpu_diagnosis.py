"""A card that torch cannot use: nvidia-smi's words, torch's build, why, and the loud warning."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from matting.cli.main import main
from matting.errors import MissingError
from matting.system import fixes, nvidia_smi
from matting.system.device import choose_device
from matting.system.gpu_diagnosis import CARD, DRIVER, TORCH, warn_of_unused_gpu, why_unused
from matting.system.nvidia_smi import Card, Driver, places, query_nvidia_smi
from matting.system.torch_build import TorchBuild, TorchState, ask_torch, installed_build
from tests.support.clips import make_clip
from tests.support.markers import without_gpu
from tests.support.recorder import Recorder

GIB = 1 << 30
RTX = Card("NVIDIA GeForce RTX 3060", 12 * GIB, (8, 6))
GTX = Card("NVIDIA GeForce GTX 1080", 8 * GIB, (6, 1))
NEW = Driver((RTX,), "581.29", "13.0")
CPU_BUILD, CUDA_BUILD = TorchBuild("2.11.0+cpu"), TorchBuild("2.11.0+cu130", "13.0")
CPU_ONLY = TorchState(CPU_BUILD)
NO_CUDA = TorchState(CUDA_BUILD)
WORKING = TorchState(CUDA_BUILD, True, card=RTX, oldest=(7, 5))
ROWS = "NVIDIA GeForce RTX 3060, 12288 MiB, 551.23, 8.6\n"
posix_only = pytest.mark.skipif(os.name == "nt", reason="stands a shell script in for nvidia-smi")


def stand_in(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program named nvidia-smi on the PATH, instead of any that is there."""
    folder.mkdir(exist_ok=True)
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def answering(rows: str, cuda: str = "12.4") -> str:
    table = f"| NVIDIA-SMI 551.23   Driver Version: 551.23   CUDA Version: {cuda}  |"
    return f"case \"$1\" in --query*) printf '{rows}';; *) echo '{table}';; esac"


@posix_only
@pytest.mark.parametrize(
    ("rows", "cards"),
    [
        (ROWS, (RTX,)),
        (
            ROWS + "NVIDIA GeForce GTX 1080, 8192 MiB, 551.23, 6.1\n",
            (RTX, GTX),
        ),
        ("NVIDIA GB10, [N/A], 551.23, 12.1\n", (Card("NVIDIA GB10", None, (12, 1)),)),
    ],
)
def test_cards_as_nvidia_smi_tells(
    rows: str, cards: tuple[Card, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path / "bin", answering(rows), monkeypatch)
    assert query_nvidia_smi() == Driver(cards, "551.23", "12.4")


@posix_only
def test_an_older_nvidia_smi_knows_no_generations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        'case "$1" in *compute_cap*) echo \'Field "compute_cap" is not a valid field to query.\'; '
        "exit 2;; --query*) echo 'Tesla K80, 11441 MiB, 450.80';; esac"
    )
    stand_in(tmp_path / "bin", script, monkeypatch)
    assert query_nvidia_smi() == Driver((Card("Tesla K80", 11441 << 20),), "450.80")


@posix_only
@pytest.mark.parametrize(
    ("script", "trouble"),
    [
        ("echo 'No devices were found'; exit 6", ""),
        ("echo 'No devices were found'", ""),
        ("echo 'NVIDIA-SMI has failed.'; echo more; exit 9", "NVIDIA-SMI has failed"),
        ("exit 3", "it ended with code 3"),
        ("exec sleep 60", "it did not answer within 0.2 seconds"),
    ],
)
def test_a_driver_that_does_not_answer(
    script: str, trouble: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path / "bin", script, monkeypatch)
    if "sleep" in script:
        monkeypatch.setattr(nvidia_smi, "LIMIT_SECONDS", 0.2)
    told = query_nvidia_smi()
    assert (told.cards, told.trouble) == ((), trouble)
    assert told.seems_there == bool(trouble)


def test_windows_has_its_own_places_for_it() -> None:
    environment = {"SYSTEMROOT": "D:\\Win", "PATH": ".;C:\\tools;relative"}
    assert places("win32", environment) == [
        "D:\\Win\\System32\\nvidia-smi.exe",
        "C:\\Program Files\\NVIDIA Corporation\\NVSMI\\nvidia-smi.exe",
        "C:\\tools\\nvidia-smi.exe",
    ]


def test_never_one_of_the_current_folder() -> None:
    assert places("linux", {"PATH": ":.:bin:/opt/bin"})[0] == "/opt/bin/nvidia-smi"


@pytest.mark.parametrize(
    ("text", "build"),
    [
        ("__version__ = '2.11.0+cpu'\ncuda: Optional[str] = None\nhip = None\n", CPU_BUILD),
        ("__version__ = '2.11.0+cu130'\ncuda: Optional[str] = '13.0'\n", CUDA_BUILD),
        ("__version__ = '2.9'\ncuda = None\nhip = '6.4'\n", TorchBuild("2.9", hip="6.4")),
        ("from elsewhere import *\n", None),
        (None, None),
    ],
)
def test_the_build_is_told_without_loading_it(
    text: str | None, build: TorchBuild | None, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / "version.py").write_text(text, encoding="utf-8")
    assert installed_build(tmp_path) == build


def test_torch_itself_tells_the_same() -> None:
    assert installed_build() == ask_torch().build


@without_gpu
def test_torch_without_a_card() -> None:
    state = ask_torch()
    assert not state.usable
    assert state.card is None


@pytest.mark.parametrize(
    ("state", "told", "about", "words"),
    [
        (CPU_ONLY, NEW, TORCH, "built without CUDA"),
        (NO_CUDA, replace(NEW, cuda="12.4"), DRIVER, "knows CUDA up to 12.4"),
        (
            replace(NO_CUDA, words="The NVIDIA driver on your system is too old (found 9)."),
            replace(NEW, cuda=""),
            DRIVER,
            "too old: torch is built for CUDA 13.0",
        ),
        (NO_CUDA, Driver(trouble="it failed"), DRIVER, "does not work (it failed)"),
        (
            TorchState(CUDA_BUILD, True, card=GTX, oldest=(7, 5)),
            NEW,
            CARD,
            "compute capability 6.1; this torch takes 7.5 and newer",
        ),
        (
            replace(NO_CUDA, words="CUDA initialization: CUDA unknown error - x. More. (Triggered"),
            NEW,
            CARD,
            "torch says: CUDA unknown error - x",
        ),
        (NO_CUDA, NEW, CARD, "torch does not say why"),
    ],
)
def test_why(state: TorchState, told: Driver, about: str, words: str) -> None:
    reason = why_unused(state, told, {})
    assert reason.about == about
    assert words in reason.what
    assert not reason.what.endswith(".")


def test_a_variable_may_hide_it() -> None:
    reason = why_unused(NO_CUDA, NEW, {"CUDA_VISIBLE_DEVICES": ""}, "win32")
    assert "CUDA_VISIBLE_DEVICES" in reason.what
    assert reason.remedy == "set CUDA_VISIBLE_DEVICES="


@pytest.mark.parametrize(
    ("platform", "remedy"), [("win32", "double-click setup.bat"), ("linux", "sh setup.sh")]
)
def test_a_torch_without_cuda_is_mended_by_setup(platform: str, remedy: str) -> None:
    assert why_unused(CPU_ONLY, NEW, {}, platform).remedy == remedy


def test_a_driver_of_the_same_major_version_is_not_too_old() -> None:
    """NVIDIA's drivers run what is built for a newer minor version."""
    newer = replace(NO_CUDA, build=TorchBuild("2.15", "13.2"))
    assert why_unused(newer, NEW, {}).about == CARD


def warned(
    progress: Recorder,
    build: TorchBuild | None,
    state: TorchState | None,
    told: Driver | None,
    device: str = "auto",
) -> str:
    """What is said; None: must not be asked."""

    def never() -> object:
        raise AssertionError("asked for nothing")

    warn_of_unused_gpu(
        device,
        progress,
        build=lambda: build,
        state=(lambda: state) if state else never,  # type: ignore[arg-type]
        driver=(lambda: told) if told else never,  # type: ignore[arg-type]
    )
    return "\n".join(progress.said)


def test_a_cpu_build_beside_a_card_is_told_without_loading_torch(progress: Recorder) -> None:
    text = warned(progress, CPU_BUILD, None, NEW)
    assert "THE GRAPHICS CARD IS NOT USED" in text
    assert "an NVIDIA GeForce RTX 3060" in text
    assert "2.11.0+cpu" in text
    assert fixes.setup() in text
    assert "many times slower" in text
    assert "goes on by itself" in text
    assert {len(line) for line in text.splitlines()} == {78}


def test_a_cuda_build_that_cannot_is_told(progress: Recorder) -> None:
    text = warned(progress, CUDA_BUILD, NO_CUDA, replace(NEW, cuda="12.4"))
    assert "CUDA up to 12.4" in text
    assert "newest driver" in text


def test_a_card_that_seems_to_be_there_is_told(progress: Recorder) -> None:
    text = warned(progress, CUDA_BUILD, NO_CUDA, Driver(trouble="it failed"))
    assert "a graphics card of NVIDIA's, it seems" in text


def test_a_command_stays_in_one_line(progress: Recorder) -> None:
    old = TorchState(CUDA_BUILD, True, card=GTX, oldest=(7, 5))
    text = warned(progress, CUDA_BUILD, old, NEW)
    assert fixes.for_old_cards() in text


@pytest.mark.parametrize(
    ("build", "state", "told", "device"),
    [
        (CPU_BUILD, None, None, "cpu"),
        (CUDA_BUILD, None, None, "cuda"),
        (CUDA_BUILD, WORKING, None, "auto"),
        (CPU_BUILD, None, Driver(), "auto"),
        (CUDA_BUILD, NO_CUDA, Driver(), "auto"),
        (None, None, None, "auto"),
    ],
)
def test_otherwise_nothing_is_said_nor_asked(
    build: TorchBuild | None,
    state: TorchState | None,
    told: Driver | None,
    device: str,
    progress: Recorder,
) -> None:
    assert warned(progress, build, state, told, device) == ""


@posix_only
@without_gpu
@pytest.mark.parametrize("command", ["infer", "run"])
def test_the_command_warns_before_anything_else(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stand_in(tmp_path / "bin", answering(ROWS), monkeypatch)
    gone = str(tmp_path / "gone")
    assert main([command, gone]) == 2
    first = capsys.readouterr().out.splitlines()
    assert first[0] == "*" * 78
    assert "NOT USED" in first[2]
    assert main([command, gone, "--device", "cpu"]) == 2
    assert "NOT USED" not in capsys.readouterr().out


@posix_only
@without_gpu
def test_a_card_asked_for_by_name_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    stand_in(tmp_path / "bin", answering(ROWS, cuda="1.0"), monkeypatch)
    with pytest.raises(MissingError, match="torch cannot use the graphics card: ") as refused:
        choose_device("cuda")
    assert refused.value.hint.startswith("To mend it: ")
    assert "--device cpu" in refused.value.hint
    assert "README" not in str(refused.value)


@without_gpu
def test_a_card_asked_for_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matting.system.device.query_nvidia_smi", Driver)
    with pytest.raises(MissingError, match="nvidia-smi shows none"):
        choose_device("cuda:0")


def test_auto_passes_over_a_card_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    old = TorchState(CUDA_BUILD, True, card=GTX, oldest=(7, 5))
    monkeypatch.setattr("matting.system.device.ask_torch", lambda: old)
    assert choose_device("auto").type == "cpu"


@posix_only
@without_gpu
def test_the_work_goes_on_after_the_warning(
    tmp_path: Path,
    random_checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stand_in(tmp_path / "bin", answering(ROWS), monkeypatch)
    clips = tmp_path / "clips"
    clips.mkdir()
    make_clip(clips / "a.mp4", 2)
    assert main(["infer", str(clips), "--checkpoint", str(random_checkpoint)]) == 0
    out = capsys.readouterr().out
    assert out.index("NOT USED") < out.index("Matting on the CPU")


def test_remedies_are_quoted_for_their_system() -> None:
    path = Path("a folder", "x.pth")
    assert fixes.without_file(path, "linux") == f"rm '{path}'"
    assert fixes.without_file(path, "win32") == f'del "{path}"'
    assert fixes.without_variable("A", "linux") == "unset A"
    assert fixes.for_old_cards("linux").startswith(sys.executable)
