"""Setting up, with stand-ins for nvidia-smi and pip: no network, nothing installed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from installation.builds import BUILDS
from installation.environment import Environment
from installation.errors import SetupError
from installation.pip_words import NoBuildError
from installation.programs import Answer, RealPrograms
from installation.setting_up import LONGEST_ROOT, main, refuse_long_root
from tests.support.installing import BASE, GTX_1080, PYTORCH, RTX_4090, Machine, machine


def index_of(options: list[str]) -> str | None:
    return options[options.index("--index-url") + 1] if "--index-url" in options else None


# ---- The steps


def test_windows_with_a_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    windows = machine(tmp_path, "win32", RTX_4090)
    assert windows.set_up() == 0
    torch, rest = windows.installs
    assert torch[:4] == ["--index-url", PYTORCH + "cu130", "torch>=2.10", "torchvision>=0.25"]
    assert "--force-reinstall" not in torch
    assert rest == ["-r", str(tmp_path / "requirements_inference.txt")]
    assert windows.shown[0] == [BASE, "-m", "venv", str(tmp_path / ".venv")]
    assert windows.shown[-1][2] == "doctor"
    told = capsys.readouterr().out
    assert "NVIDIA GeForce RTX 4090, driver 581.29" in told
    assert "about 3 GB to download, which takes minutes" in told
    assert "WARNING" not in told
    assert "Setup is done." in told


def test_windows_without_a_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    windows = machine(tmp_path, "win32")
    assert windows.set_up() == 0
    assert index_of(windows.installs[0]) is None
    told = capsys.readouterr().out
    assert "WARNING: the CPU will do all the work, many times slower." in told
    assert "https://www.nvidia.com/drivers and start setup.bat again" in told


@pytest.mark.parametrize(
    ("cards", "index"),
    [
        ([], None),
        (["580.95.05, 8.9, NVIDIA L4"], None),
        (["550.54.14, 8.9, NVIDIA L4"], PYTORCH + "cu126"),
        (["580.95.05, 6.1, Tesla P40"], PYTORCH + "cu126"),
        (["470.82.01, 7.5, Tesla T4"], None),
    ],
)
def test_linux_takes_pypi_where_its_build_serves(
    tmp_path: Path, cards: list[str], index: str | None
) -> None:
    linux = machine(tmp_path, "linux", *cards)
    assert linux.set_up() == 0
    assert index_of(linux.installs[0]) == index
    assert len(linux.installs) == 2


def test_macos_takes_pypi(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mac = machine(tmp_path, "darwin")
    assert mac.set_up() == 0
    assert index_of(mac.installs[0]) is None
    assert "nvidia.com" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "card", ["461.40, 6.1, GeForce GTX 1060", "581.29, 3.5, NVIDIA GeForce GT 710"]
)
def test_a_card_that_no_build_serves_is_told(
    tmp_path: Path, card: str, capsys: pytest.CaptureFixture[str]
) -> None:
    windows = machine(tmp_path, "win32", card)
    assert windows.set_up() == 0
    assert index_of(windows.installs[0]) is None
    told = capsys.readouterr().out
    assert "WARNING: no build of PyTorch runs on this card with this driver" in told
    assert "Install the newest driver" in told


def test_a_second_start_does_nothing_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    windows = machine(tmp_path, "win32", RTX_4090)
    windows.set_up()
    windows.shown.clear()
    windows.installs.clear()
    capsys.readouterr()
    assert windows.set_up() == 0
    assert windows.installs == []
    assert [command[-1] for command in windows.shown] == ["doctor"]
    assert "torch 2.14.1+cu130 is there." in capsys.readouterr().out


def test_a_torch_for_the_cpu_beside_a_card_is_replaced(tmp_path: Path) -> None:
    windows = machine(tmp_path, "win32", RTX_4090)
    windows.whole, windows.torch, windows.rest = True, "2.15.0+cpu", True
    assert windows.set_up() == 0
    [install] = windows.installs
    assert index_of(install) == PYTORCH + "cu130"
    assert "--force-reinstall" in install
    assert windows.torch == "2.14.1+cu130"


def test_a_build_that_cannot_compute_on_the_card_is_replaced(tmp_path: Path) -> None:
    """As after a card was changed for an older one."""
    windows = machine(tmp_path, "win32", GTX_1080)
    windows.whole, windows.torch, windows.card_works = True, "2.14.1+cu130", False
    assert windows.set_up() == 0
    assert index_of(windows.installs[0]) == PYTORCH + "cu126"


def test_another_build_that_does_compute_on_the_card_stays(tmp_path: Path) -> None:
    windows = machine(tmp_path, "win32", "596.21, 8.9, NVIDIA GeForce RTX 4090")
    windows.whole, windows.torch = True, "2.11.0+cu128"
    assert windows.set_up() == 0
    assert [index_of(install) for install in windows.installs] == [None]  # all else
    assert windows.torch == "2.11.0+cu128"


def test_the_right_build_is_not_installed_again_where_the_card_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for platform, torch in (("win32", "2.14.1+cu130"), ("linux", "2.15.0+cu132")):
        (tmp_path / platform).mkdir()
        refusing = machine(tmp_path / platform, platform, RTX_4090)
        refusing.whole, refusing.torch, refusing.card_works = True, torch, False
        assert refusing.set_up() == 0
        assert len(refusing.installs) == 1
        assert "does not compute on the graphics card" in capsys.readouterr().out


def test_a_torch_that_pip_leaves_beside_a_missing_torchvision_is_replaced(tmp_path: Path) -> None:
    class Half(Machine):
        def ask(self, command: Sequence[str]) -> Answer:
            missing = "--no-index" in command and "-r" not in command and not self.installs
            return Answer(1, "") if missing else super().ask(command)

    half = Half(tmp_path, "win32", RTX_4090)
    half.whole, half.torch = True, "2.15.0+cpu"
    assert half.set_up() == 0
    assert ["--force-reinstall" in install for install in half.installs] == [False, True, False]
    assert half.torch == "2.14.1+cu130"


def test_the_next_build_is_tried_where_an_index_has_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    windows = machine(tmp_path, "win32", "596.21, 8.9, NVIDIA GeForce RTX 4090")
    windows.empty_indexes = {PYTORCH + "cu132", PYTORCH + "cu130"}
    assert windows.set_up() == 0
    assert [index_of(install) for install in windows.installs[:3]] == [
        PYTORCH + tag for tag in ("cu132", "cu130", "cu126")
    ]
    assert "The next one is tried" in capsys.readouterr().out

    windows.torch = ""
    windows.empty_indexes = {PYTORCH + build.tag for build in BUILDS}
    with pytest.raises(
        NoBuildError, match=r"no build of torch[^\n]+\nInstall Python 3.13"
    ) as error:
        windows.set_up()
    assert error.value.exit_code == 3


def test_offline_stops_at_the_first_index(tmp_path: Path) -> None:
    windows = machine(tmp_path, "win32", "596.21, 8.9, NVIDIA GeForce RTX 4090")
    windows.pip_fails_with = "getaddrinfo failed\nERROR: No matching distribution found for torch"
    with pytest.raises(SetupError, match=r"^download.pytorch.org cannot be reached"):
        windows.set_up()
    assert len(windows.installs) == 1
    windows.pip_fails_with = ""
    assert windows.set_up() == 0


def test_an_index_that_is_not_the_one_asked_for_is_told(tmp_path: Path) -> None:
    windows = machine(tmp_path, "win32", RTX_4090)
    windows.ignores_index = True
    with pytest.raises(SetupError, match="from another index than it was told"):
        windows.set_up()


def test_a_torch_that_does_not_load_is_told(tmp_path: Path) -> None:
    windows = machine(tmp_path, "win32", RTX_4090)
    windows.torch_loads = False
    with pytest.raises(SetupError, match=r"does not load: OSError.+\nInstall Microsoft's Visual"):
        windows.set_up()


def test_what_doctor_says_is_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    linux = machine(tmp_path, "linux")
    for code, words in ((0, "Nothing is missing"), (3, "doctor names above"), (70, "code 70")):
        linux.doctor = code
        assert linux.set_up() == code
        assert words in capsys.readouterr().out


# ---- .venv


def test_a_half_made_venv_is_made_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    linux = machine(tmp_path, "linux")
    (tmp_path / ".venv" / "lib").mkdir(parents=True)
    (tmp_path / ".venv" / "lib" / "old").touch()
    assert linux.set_up() == 0
    assert not (tmp_path / ".venv" / "lib").exists()
    assert "not whole, and is made anew" in capsys.readouterr().out


def test_a_venv_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    class Broken(Machine):
        def show(self, command: Sequence[str]) -> int:
            return 1

    with pytest.raises(SetupError, match=r"could not be made.\n.+python3-venv") as error:
        Broken(tmp_path, "linux").set_up()
    assert error.value.exit_code == 4


def test_real_venvs_are_judged(tmp_path: Path) -> None:
    """Made, without pip, and with its Python gone."""
    environment = Environment(tmp_path, sys.platform, RealPrograms())
    assert not environment.is_there()
    assert not environment.is_whole()
    environment.make(sys.executable)
    assert environment.is_whole()
    assert not environment.has(["no-such-package-rvm>=1"])
    assert environment.has(["pip>=1"])
    assert not environment.try_torch().torch
    assert "No module named 'torch'" in environment.try_torch().trouble
    [pip] = (tmp_path / ".venv").glob("[Ll]ib/**/site-packages/pip")
    shutil.rmtree(pip)
    assert not environment.is_whole()
    environment.make(sys.executable)
    assert environment.is_whole()
    Path(environment.python).unlink()
    assert environment.is_there()
    assert not environment.is_whole()


# ---- The rest


def test_a_folder_too_deep_for_windows_is_refused() -> None:
    refuse_long_root(Path("C" * LONGEST_ROOT))
    with pytest.raises(SetupError, match=r"too long: 115 characters.+\nMove the folder") as error:
        refuse_long_root(Path("C" * (LONGEST_ROOT + 1)))
    assert error.value.exit_code == 2


def test_ctrl_c_is_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    class Interrupted(RealPrograms):
        def ask(self, command: Sequence[str]) -> Answer:
            raise KeyboardInterrupt

    assert main(Interrupted()) == 130
    assert "what is installed stays" in capsys.readouterr().out


def test_an_error_is_two_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    class Failing(RealPrograms):
        def ask(self, command: Sequence[str]) -> Answer:
            raise SetupError("What failed.", "What to do.", 4)

    assert main(Failing()) == 4
    assert capsys.readouterr().out.endswith("\nWhat failed.\nWhat to do.\n")
