"""Which torch setup takes for graphics cards that are not NVIDIA's, and that only where asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from installation import other_gpus
from installation.errors import MISSING, SetupError
from tests.support.simulated_computer import PYTORCH, computer_with


@pytest.mark.parametrize(
    ("choice", "platform", "index"),
    [
        ("rocm", "linux", PYTORCH + "rocm7.2"),
        ("XPU", "linux", PYTORCH + "xpu"),
        ("xpu", "win32", PYTORCH + "xpu"),
    ],
)
def test_torch_for_other_cards_is_installed_where_it_is_asked_for_and_stays(
    choice: str, platform: str, index: str, tmp_path: Path
) -> None:
    computer = computer_with(tmp_path, platform)
    computer.variables[other_gpus.VARIABLE] = choice
    assert computer.set_up() == 0
    assert computer.torch_installs[0] == ["--index-url", index, "torch>=2.10"]
    computer.torch_installs.clear()
    assert computer.set_up() == 0
    del computer.variables[other_gpus.VARIABLE]
    assert computer.set_up() == 0
    assert computer.torch_installs == []


def test_torch_for_the_cpu_is_replaced_where_another_is_asked_for(tmp_path: Path) -> None:
    computer = computer_with(tmp_path, "linux")
    computer.venv_usable, computer.torch, computer.others_installed = True, "2.15.0+cpu", True
    computer.variables[other_gpus.VARIABLE] = "rocm"
    assert computer.set_up() == 0
    assert computer.torch == "2.14.1+rocm7.2"


@pytest.mark.parametrize(("choice", "platform"), [("rocm", "win32"), ("mps", "linux")])
def test_what_does_not_exist_is_refused_before_anything_is_installed(
    choice: str, platform: str, tmp_path: Path
) -> None:
    computer = computer_with(tmp_path, platform)
    computer.variables[other_gpus.VARIABLE] = choice
    with pytest.raises(SetupError, match="xpu") as refused:
        computer.set_up()
    assert refused.value.exit_code == MISSING
    assert computer.installs == []


def test_a_card_of_another_maker_is_named_with_what_asks_for_its_torch(tmp_path: Path) -> None:
    for number, vendor in enumerate(["0x1002", "0x10de"]):
        folder = tmp_path / f"card{number}" / "device"
        folder.mkdir(parents=True)
        (folder / "vendor").write_text(f"{vendor}\n")
    hint = other_gpus.hint_at_others("linux", "setup.sh", tmp_path)
    assert "AMD" in hint
    assert "RVM_GPU=rocm sh setup.sh" in hint
    assert "xpu" not in hint
    assert other_gpus.hint_at_others("linux", "setup.sh", tmp_path / "nothing") == ""
    assert "RVM_GPU=xpu" in other_gpus.hint_at_others("win32", "setup.bat", tmp_path)


def test_a_mac_is_told_of_its_gpu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert computer_with(tmp_path, "darwin").set_up() == 0
    output = capsys.readouterr().out
    assert "(mps)" in output
    assert "untried" in output
