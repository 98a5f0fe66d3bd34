"""What setting up goes by: builds, graphics cards, pip's words, Pythons."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from installation import this_python
from installation.builds import BUILDS, Version, fitting
from installation.cards import find_nvidia_smi, look
from installation.pip_words import explain
from installation.programs import Answer
from tests.support.installing import PYTORCH, RTX_4090, Machine, machine
from tests.support.repository import ROOT

# ---- Which build


@pytest.mark.parametrize(
    ("platform", "driver", "capability", "tag"),
    [
        ("win32", (596, 21), (8, 9), "cu132"),
        ("win32", (595,), (12, 0), "cu132"),
        ("win32", (591, 44), (8, 6), "cu130"),
        ("win32", (580, 88), (7, 5), "cu130"),
        ("win32", (579, 99), (8, 9), "cu126"),
        ("win32", (576, 2), (12, 0), "cu128"),  # the RTX 50 series with a driver of its first year
        ("win32", (596, 21), (7, 0), "cu126"),  # Volta
        ("win32", (581, 29), (6, 1), "cu126"),  # Pascal
        ("win32", (581, 29), (5, 2), "cu126"),  # Maxwell
        ("win32", (528, 33), (8, 6), "cu126"),
        ("win32", (528, 32), (8, 6), None),
        ("win32", (596, 21), (3, 5), None),  # Kepler
        ("win32", (560, 94), (12, 0), None),
        ("win32", (581, 29), None, "cu130"),
        ("linux", (595, 45, 4), (8, 9), "cu132"),
        ("linux", (595, 45, 3), (8, 9), "cu130"),
        ("linux", (580, 65, 6), (9, 0), "cu130"),
        ("linux", (580, 65, 5), (9, 0), "cu126"),
        ("linux", (525, 60, 13), (8, 0), "cu126"),
        ("linux", (525, 60, 12), (8, 0), None),
    ],
)
def test_the_best_build_that_driver_and_card_allow(
    platform: str, driver: Version, capability: Version | None, tag: str | None
) -> None:
    found = fitting(driver, [capability], platform)
    assert (found[0].tag if found else None) == tag


def test_of_several_cards_all_are_served_where_one_build_can() -> None:
    def tags(*capabilities: Version) -> list[str]:
        return [build.tag for build in fitting((596, 21), capabilities, "win32")]

    assert tags((8, 9), (6, 1)) == ["cu126"]
    assert tags((12, 0), (6, 1))[0] == "cu132"  # none serves both


def test_the_table_is_in_order_and_of_one_kind() -> None:
    tags = [build.tag for build in BUILDS]
    assert len(set(tags)) == len(tags)
    for build in BUILDS:
        assert build.tag[:2] == "cu"
        assert build.index("win32") == PYTORCH + build.tag
        assert (build.index("linux") is None) == build.on_pypi == (build.tag >= "cu130")


# ---- Which card


def test_nvidia_smi_is_found_off_the_path_and_not_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [
        tmp_path / "on path" / "nvidia-smi.exe",
        tmp_path / "windows" / "System32" / "nvidia-smi.exe",
        tmp_path / "files" / "NVIDIA Corporation" / "NVSMI" / "nvidia-smi.exe",
    ]
    variables = {
        "PATH": os.pathsep.join([".", "", str(tmp_path / "on path")]),
        "SYSTEMROOT": str(tmp_path / "windows"),
        "PROGRAMFILES": str(tmp_path / "files"),
    }
    for place in places:
        place.parent.mkdir(parents=True)
        place.touch()
    (tmp_path / "nvidia-smi.exe").touch()
    monkeypatch.chdir(tmp_path)
    for place in places:
        assert find_nvidia_smi("win32", variables) == place
        place.unlink()
    assert find_nvidia_smi("win32", variables) is None


def test_what_nvidia_smi_says_is_read(tmp_path: Path) -> None:
    two = machine(tmp_path, "win32", RTX_4090, "581.29, [N/A], NVIDIA T4, special")
    found = look(two, "win32", two.variables)
    assert (found.driver, found.trouble) == ((581, 29), "")
    assert [(card.name, card.capability) for card in found.cards] == [
        ("NVIDIA GeForce RTX 4090", (8, 9)),
        ("NVIDIA T4, special", None),
    ]
    assert found.describe() == "NVIDIA GeForce RTX 4090, NVIDIA T4, special, driver 581.29"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(9, "NVIDIA-SMI has failed because it couldn't\ncommunicate with the driver."),
        Answer(6, "No devices were found"),
        Answer(0, "No devices were found"),
        Answer(0, ""),
        Answer(127, "[WinError 193] not a program"),
    ],
)
def test_a_driver_that_does_not_answer_is_told(tmp_path: Path, answer: Answer) -> None:
    silent = machine(tmp_path, "win32", "")
    silent.smi = answer
    found = look(silent, "win32", silent.variables)
    assert (found.cards, found.driver) == ((), ())
    assert " ".join(answer.output.split()) in found.trouble


def test_an_old_driver_that_knows_no_compute_capability_still_says_its_version(
    tmp_path: Path,
) -> None:
    class Old(Machine):
        def ask(self, command: Sequence[str]) -> Answer:
            if "compute_cap" in command[1]:
                return Answer(2, 'Field "compute_cap" is not a valid field to query.')
            return Answer(0, "461.40, GeForce GTX 1060 6GB\n")

    old = Old(tmp_path, "win32", "")
    found = look(old, "win32", old.variables)
    assert found.driver == (461, 40)
    assert [(c.name, c.capability) for c in found.cards] == [("GeForce GTX 1060 6GB", None)]


# ---- What pip says


@pytest.mark.parametrize(
    ("log", "words", "code"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space", "full", 4),
        ("[WinError 112] There is not enough space on the disk", "The disk is full", 4),
        ("[WinError 5] Access is denied: 'C:\\\\rvm\\\\.venv\\\\x.pyd'", "in use or protected", 4),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY", "is not trusted", 3),
        ("IncompleteRead(1 bytes read, 9 more expected)", "broke off", 3),
        ("Failed to establish a new connection: [Errno 11001] getaddrinfo failed", "offline", 3),
        ("ProxyError('Cannot connect to proxy.')", "cannot be reached", 3),
        ("ERROR: No matching distribution found for torch>=2.10", "has no build of torch", 3),
        ("something new", "pip's own words above", 3),
    ],
)
def test_pip_is_translated(log: str, words: str, code: int) -> None:
    error = explain(log, "torch", "PyPI")
    assert words in str(error)
    assert error.exit_code == code
    assert len(str(error).splitlines()) == 2


def test_a_disk_that_fills_up_during_a_download_counts_as_full() -> None:
    log = "Connection broken: OSError(28, 'No space left on device')\nNo matching distribution"
    assert explain(log, "torch", "PyPI").exit_code == 4


# ---- Which Python


@pytest.mark.parametrize(
    ("version", "bits", "words"),
    [
        ((3, 10), 64, ""),
        ((3, 13), 64, ""),
        ((3, 9), 64, "3.10 is the oldest"),
        ((2, 7), 32, "3.10 is the oldest"),
        ((3, 14), 64, "newer than what this program has been tried with"),
        ((3, 12), 32, "32 bits"),
    ],
)
def test_which_python_makes_a_venv(version: tuple[int, int], bits: int, words: str) -> None:
    why = this_python.trouble_as_base(version, bits)
    assert words in why
    assert bool(why) == bool(words)


def test_which_python_runs_the_program() -> None:
    assert this_python.trouble_as_ready((3, 14), "# note\nnumpy>=2\nimageio-ffmpeg\n") == ""
    assert "package nonesuch-x is" in this_python.trouble_as_ready((3, 12), "nonesuch-x==1 # why")
    assert "oldest" in this_python.trouble_as_ready((3, 8), "")


def test_the_packages_of_this_program_are_looked_for() -> None:
    names = this_python.package_names(this_python.read_requirements())
    assert {"torch", "torchvision", "av", "imageio-ffmpeg"} <= set(names)


@pytest.mark.parametrize(("wanted", "code"), [("base", 0), ("ready", 0)])
def test_it_is_asked_from_any_folder(wanted: str, code: int, tmp_path: Path) -> None:
    file = ROOT / "installation" / "this_python.py"
    done = subprocess.run([sys.executable, str(file), wanted], cwd=tmp_path, check=False)
    assert done.returncode == code


def test_an_older_python_can_read_the_question_and_answer_it() -> None:
    """No syntax that Python 2.7 lacks: it would end with an error, and nobody would hear why."""
    tree = ast.parse((ROOT / "installation" / "this_python.py").read_text(encoding="ascii"))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.JoinedStr | ast.AnnAssign | ast.NamedExpr | ast.Starred)
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None
            assert all(argument.annotation is None for argument in node.args.args)
