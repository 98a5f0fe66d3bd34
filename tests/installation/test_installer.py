"""Setup's steps, with stand-ins for nvidia-smi and pip: no network, nothing installed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from installation.arguments import SetupOptions, parse_arguments
from installation.commands import LIMIT_SECONDS, CommandResult, SubprocessRunner
from installation.errors import SetupError
from installation.installer import main
from installation.long_paths import LONGEST_ROOT, check_root_length
from installation.pip_errors import NoBuildError
from installation.torch_builds import BUILDS
from installation.virtual_environment import ISOLATED
from tests.support.simulated_computer import (
    BASE_PYTHON,
    GTX_1080,
    PYTORCH,
    RTX_4090,
    TESTED,
    SimulatedComputer,
    computer_with,
)


def index_of(options: list[str]) -> str | None:
    return options[options.index("--index-url") + 1] if "--index-url" in options else None


# ---- The steps


def test_windows_with_a_gpu_gets_torch_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    windows = computer_with(tmp_path, "win32", RTX_4090)
    assert windows.set_up() == 0
    packages, torch = windows.installs
    assert torch == ["--index-url", PYTORCH + "cu130", f"torch=={TESTED}+cu130"]
    assert {"--require-hashes", "--no-deps", "-r"} <= set(packages)
    assert windows.commands[0] == [BASE_PYTHON, *ISOLATED, "-m", "venv", str(tmp_path / ".venv")]
    assert windows.commands[-1][2] == "doctor"
    output = capsys.readouterr().out
    assert "NVIDIA GeForce RTX 4090, driver 581.29" in output
    assert "about 3 GB to download, which takes minutes" in output
    assert "WARNING" not in output
    assert "Setup is done." in output


def test_windows_without_a_gpu_is_warned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    windows = computer_with(tmp_path, "win32")
    assert windows.set_up() == 0
    assert index_of(windows.torch_installs[0]) is None
    output = capsys.readouterr().out
    assert "WARNING: the CPU will do all the work, many times slower." in output
    assert "https://www.nvidia.com/drivers and start setup.bat again" in output


@pytest.mark.parametrize(
    ("gpus", "index"),
    [
        ([], PYTORCH + "cpu"),
        (["580.95.05, 8.9, NVIDIA L4"], None),
        (["550.54.14, 8.9, NVIDIA L4"], PYTORCH + "cu126"),
        (["580.95.05, 6.1, Tesla P40"], PYTORCH + "cu126"),
        (["470.82.01, 7.5, Tesla T4"], PYTORCH + "cpu"),
    ],
)
def test_linux_uses_pypi_only_if_its_build_is_suitable(
    tmp_path: Path, gpus: list[str], index: str | None
) -> None:
    linux = computer_with(tmp_path, "linux", *gpus)
    assert linux.set_up() == 0
    assert index_of(linux.torch_installs[0]) == index
    assert len(linux.torch_installs) == 1


def test_linux_without_a_gpu_needs_no_cuda(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And where PyTorch's index has no such build for this Python, PyPI's does."""
    linux = computer_with(tmp_path, "linux")
    linux.empty_indexes = {PYTORCH + "cpu"}
    assert linux.set_up() == 0
    assert [index_of(install) for install in linux.torch_installs] == [PYTORCH + "cpu", None]
    output = capsys.readouterr().out
    assert "about 200 MB to download" in output
    assert "\n  .venv/bin/python inference_custom.py run VIDEO.mp4 " in output


def test_a_driver_that_fails_stops_setup_before_anything_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else the CPU would do for nights what the graphics card does in an hour."""
    windows = computer_with(tmp_path, "win32", RTX_4090)
    windows.smi = CommandResult(9, "NVIDIA-SMI has failed")
    with pytest.raises(
        SetupError, match=r"fails: .+has failed\nRestart.+setup\.bat --cpu"
    ) as error:
        windows.set_up()
    assert (error.value.exit_code, windows.commands, windows.installs) == (3, [], [])
    assert windows.set_up(SetupOptions(cpu=True)) == 0
    assert index_of(windows.torch_installs[0]) is None
    assert "as --cpu asks for.\n        WARNING: the CPU" in capsys.readouterr().out


def test_options_are_taken_as_typed_after_either_script() -> None:
    """launch.bat passes them in a variable, a path as it was between quotation marks."""
    expected = SetupOptions(cpu=True, older=Path(r"C:\a & b (1)"))
    for typed in (r"|--cpu| |--from| |C:\a & b (1)|", r"--cpu  |--from| |C:\a & b (1)|"):
        assert parse_arguments([], {"RVM_SETUP_OPTIONS": typed}) == expected
    assert parse_arguments(["--from", r"C:\a & b (1)", "--cpu"], {}) == expected
    assert parse_arguments([], {}) == SetupOptions()
    with pytest.raises(SystemExit, match="2"):
        parse_arguments(["--gpu"], {})


def test_macos_uses_pypi(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mac = computer_with(tmp_path, "darwin")
    assert mac.set_up() == 0
    assert index_of(mac.torch_installs[0]) is None
    assert "nvidia.com" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "gpu", ["461.40, 6.1, GeForce GTX 1060", "581.29, 3.5, NVIDIA GeForce GT 710"]
)
def test_a_gpu_that_no_build_supports_is_reported(
    tmp_path: Path, gpu: str, capsys: pytest.CaptureFixture[str]
) -> None:
    windows = computer_with(tmp_path, "win32", gpu)
    assert windows.set_up() == 0
    assert index_of(windows.torch_installs[0]) is None
    output = capsys.readouterr().out
    assert "WARNING: no build of PyTorch runs on this graphics card with this driver" in output
    assert "Install the newest driver" in output


def test_a_second_run_installs_nothing_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    windows = computer_with(tmp_path, "win32", RTX_4090)
    windows.set_up()
    windows.commands.clear()
    windows.installs.clear()
    capsys.readouterr()
    assert windows.set_up() == 0
    assert windows.installs == []
    assert [command[-1] for command in windows.commands] == ["doctor"]
    assert f"torch {TESTED}+cu130 is there" in capsys.readouterr().out


def test_a_torch_for_the_cpu_is_replaced_if_there_is_a_gpu(tmp_path: Path) -> None:
    windows = computer_with(tmp_path, "win32", RTX_4090)
    windows.venv_usable, windows.torch, windows.others_installed = True, "2.15.0+cpu", True
    assert windows.set_up() == 0
    torch, libraries = windows.installs
    assert index_of(torch) == index_of(libraries) == PYTORCH + "cu130"
    assert {"--force-reinstall", "--no-deps"} <= set(torch)
    assert "--force-reinstall" not in libraries  # what was compared with its hashes stays
    assert windows.torch == f"{TESTED}+cu130"


def test_a_build_that_does_not_support_the_gpu_is_replaced(tmp_path: Path) -> None:
    """As after the GPU was replaced by an older one."""
    windows = computer_with(tmp_path, "win32", GTX_1080)
    windows.venv_usable, windows.torch, windows.gpu_works = True, "2.14.1+cu130", False
    assert windows.set_up() == 0
    assert index_of(windows.torch_installs[0]) == PYTORCH + "cu126"


def test_another_build_stays_if_it_computes_on_the_gpu(tmp_path: Path) -> None:
    windows = computer_with(tmp_path, "win32", "596.21, 8.9, NVIDIA GeForce RTX 4090")
    windows.venv_usable, windows.torch = True, "2.11.0+cu128"
    assert windows.set_up() == 0
    assert windows.torch_installs == []
    assert windows.torch == "2.11.0+cu128"


def test_the_right_build_is_not_installed_again_if_the_gpu_does_not_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for platform, torch in (("win32", "2.14.1+cu130"), ("linux", "2.15.0+cu132")):
        (tmp_path / platform).mkdir()
        computer = computer_with(tmp_path / platform, platform, RTX_4090)
        computer.venv_usable, computer.torch, computer.gpu_works = True, torch, False
        assert computer.set_up() == 0
        assert computer.torch_installs == []
        assert "does not compute on the graphics card" in capsys.readouterr().out


def test_the_next_build_is_tried_if_an_index_has_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    windows = computer_with(tmp_path, "win32", "596.21, 8.9, NVIDIA GeForce RTX 4090")
    windows.empty_indexes = {PYTORCH + "cu132", PYTORCH + "cu130"}
    assert windows.set_up() == 0
    assert [index_of(install) for install in windows.torch_installs] == [
        PYTORCH + tag for tag in ("cu132", "cu130", "cu126")
    ]
    assert "Trying the next one" in capsys.readouterr().out

    windows.torch = ""
    windows.empty_indexes = {PYTORCH + build.tag for build in BUILDS}
    with pytest.raises(NoBuildError, match=r"no build of torch[^\n]+\nInstall .*3\.13") as error:
        windows.set_up()
    assert error.value.exit_code == 3


def test_where_the_tested_versions_have_no_builds_others_will_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    linux = computer_with(tmp_path, "linux", "550.54.14, 8.9, NVIDIA L4")
    linux.lacks_tested = True
    assert linux.set_up() == 0
    locked, ranges = (x for x in linux.installs if x not in linux.torch_installs)
    assert "-r" in locked and "av>=17.1,<19" in ranges
    assert [index_of(install) for install in linux.torch_installs] == [PYTORCH + "cu126"] * 2
    assert linux.torch_installs[-1][-1] == "torch>=2.10"
    assert "Taking others that will do." in capsys.readouterr().out


def test_a_download_without_its_lock_is_incomplete(tmp_path: Path) -> None:
    linux = computer_with(tmp_path, "linux")
    (tmp_path / "requirements.lock").unlink()
    with pytest.raises(SetupError, match=r"packages is missing.+\nUnpack the whole download"):
        linux.set_up()
    assert linux.commands == []


def test_an_offline_computer_stops_at_the_first_index(tmp_path: Path) -> None:
    windows = computer_with(tmp_path, "win32", "596.21, 8.9, NVIDIA GeForce RTX 4090")
    windows.others_installed = windows.venv_usable = True
    windows.pip_log = "getaddrinfo failed\nERROR: No matching distribution found for torch"
    with pytest.raises(SetupError, match=r"^download.pytorch.org cannot be reached"):
        windows.set_up()
    assert len(windows.torch_installs) == 1
    assert (tmp_path / "pip.log").is_file()
    windows.pip_log = ""
    assert windows.set_up() == 0
    assert not (tmp_path / "pip.log").exists()


def test_a_torch_from_another_index_than_asked_for_is_an_error(tmp_path: Path) -> None:
    windows = computer_with(tmp_path, "win32", RTX_4090)
    windows.ignores_index = True
    with pytest.raises(SetupError, match="from another index"):
        windows.set_up()


def test_a_torch_that_does_not_load_is_an_error(tmp_path: Path) -> None:
    windows = computer_with(tmp_path, "win32", RTX_4090)
    windows.torch_loads = False
    with pytest.raises(SetupError, match=r"does not load: OSError.+\nInstall Microsoft's Visual"):
        windows.set_up()


def test_the_exit_code_is_doctors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    linux = computer_with(tmp_path, "linux")
    for code, words in ((0, "Nothing is missing"), (3, "doctor lists above"), (70, "code 70")):
        linux.doctor_exit_code = code
        assert linux.set_up() == code
        assert words in capsys.readouterr().out


# ---- .venv


def test_a_broken_venv_is_created_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    linux = computer_with(tmp_path, "linux")
    (tmp_path / ".venv" / "lib").mkdir(parents=True)
    (tmp_path / ".venv" / "lib" / "old").touch()
    assert linux.set_up() == 0
    assert not (tmp_path / ".venv" / "lib").exists()
    assert "because it is broken" in capsys.readouterr().out


def test_a_venv_that_cannot_be_created_is_an_error(tmp_path: Path) -> None:
    class WithoutVenv(SimulatedComputer):
        def run(self, command: Sequence[str]) -> int:
            return 1

    with pytest.raises(SetupError, match=r"could not be created.\n.+python3-venv") as error:
        WithoutVenv(tmp_path, "linux").set_up()
    assert error.value.exit_code == 4


# ---- How it ends


def test_a_path_too_long_for_windows_is_refused() -> None:
    check_root_length(Path("C" * LONGEST_ROOT))
    with pytest.raises(SetupError, match=r"too long: .+115 characters.+\nMove the folder") as error:
        check_root_length(Path("C" * (LONGEST_ROOT + 1)))
    assert error.value.exit_code == 2


def test_ctrl_c_ends_setup_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    class Interrupted(SubprocessRunner):
        def capture(
            self, command: Sequence[str], limit_seconds: float = LIMIT_SECONDS
        ) -> CommandResult:
            raise KeyboardInterrupt

    assert main(Interrupted()) == 130
    assert "what is installed stays" in capsys.readouterr().out


def test_an_error_is_printed_as_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    class Failing(SubprocessRunner):
        def capture(
            self, command: Sequence[str], limit_seconds: float = LIMIT_SECONDS
        ) -> CommandResult:
            raise SetupError("What failed.", "What to do.", 4)

    assert main(Failing()) == 4
    assert capsys.readouterr().out.endswith("\nWhat failed.\nWhat to do.\n")
