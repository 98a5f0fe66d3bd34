"""setup.sh: which Python it uses. What setup itself does is tested in test_installer.py."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.repository import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has setup.bat")

# It answers the check with the exit code in a file beside it, and records all other starts.
STAND_IN = """#!/bin/sh
if [ "$2" = base ]; then exit "$(cat "$0.check")"; fi
printf '%s\\n' "$0" "$@" > "$RECORD"
exit 7
"""


def put_python(folder: Path, name: str, check: int) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(STAND_IN, encoding="utf-8")
    (folder / name).chmod(0o755)
    (folder / f"{name}.check").write_text(str(check), encoding="utf-8")


def start(tmp_path: Path, home: Path) -> tuple[int, str, list[str]]:
    """Run setup.sh; return its exit code, its output, and the stand-in's path and arguments."""
    # The PATH holds no Python but the stand-ins, and nothing to download one with.
    for tool in ("dirname", "cat", "sh", "uname", "mkdir", "rm", "grep"):
        program = shutil.which(tool)
        assert program
        (tmp_path / tool).unlink(missing_ok=True)
        (tmp_path / tool).symlink_to(program)
    record = tmp_path / "record"
    process = subprocess.run(
        ["/bin/sh", str(home / "setup.sh")],
        cwd=tmp_path,
        # The current folder, which is in this PATH twice, is not one of Pythons.
        env={"PATH": f".::{tmp_path / 'pythons'}:{tmp_path}", "RECORD": str(record)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    words = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return process.returncode, process.stdout + process.stderr, words


def download(home: Path) -> Path:
    for name in (
        *("setup.sh", "inference_custom.py"),
        *(f"installation/{name}" for name in ("python_check.py", "bring_python.sh", "uv.txt")),
    ):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, home / name)
    return home


def test_it_is_executable_with_unix_line_endings() -> None:
    assert os.access(ROOT / "setup.sh", os.X_OK)
    content = (ROOT / "setup.sh").read_bytes()
    assert content.startswith(b"#!/bin/sh\n")
    assert b"\r" not in content


@pytest.mark.parametrize("name", ["plain", "it's a & b; $HOME (1)", "休暇 %PATH% !"])
def test_the_newest_suitable_python_is_used(tmp_path: Path, name: str) -> None:
    home = download(tmp_path / name)
    put_python(tmp_path, "python3.13", 0)
    for python, check in (("python3.13", 1), ("python3.12", 90), ("python3.11", 0), ("python", 0)):
        put_python(tmp_path / "pythons", python, check)
    code, _, words = start(tmp_path, home)
    assert code == 7  # its own exit code
    assert words == [str(tmp_path / "pythons" / "python3.11"), str(home / "installation")]


def test_without_a_python_it_says_how_to_get_one(tmp_path: Path) -> None:
    put_python(tmp_path / "pythons", "python3", 90)
    put_python(tmp_path, "python3", 0)
    code, printed, words = start(tmp_path, download(tmp_path / "home"))
    assert (code, words) == (3, [])
    assert "Neither curl nor wget is here" in printed
    assert "apt install python3 python3-venv" in printed


def test_an_incomplete_download_is_reported(tmp_path: Path) -> None:
    put_python(tmp_path / "pythons", "python3", 0)
    home = download(tmp_path / "home")
    (home / "installation" / "python_check.py").unlink()
    code, printed, words = start(tmp_path, home)
    assert (code, words) == (3, [])
    assert "Unpack the whole download" in printed
