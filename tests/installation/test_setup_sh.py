"""setup.sh: which Python it uses. What setup itself does is tested in test_installer.py."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.repository import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has setup.bat")

# It answers whether it serves by an exit code beside it, and writes down all else.
STAND_IN = """#!/bin/sh
if [ "$2" = base ]; then exit "$(cat "$0.serves")"; fi
printf '%s\\n' "$0" "$@" > "$RECORD"
exit 7
"""


def put_python(folder: Path, name: str, serves: int) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(STAND_IN, encoding="utf-8")
    (folder / name).chmod(0o755)
    (folder / f"{name}.serves").write_text(str(serves), encoding="utf-8")


def start(tmp_path: Path, home: Path) -> tuple[int, str, list[str]]:
    """Its exit code, what it printed, and what the stand-in was started as and with."""
    for tool in ("dirname", "cat"):  # the PATH holds no Python but the stand-ins
        found = shutil.which(tool)
        assert found
        (tmp_path / tool).unlink(missing_ok=True)
        (tmp_path / tool).symlink_to(found)
    record = tmp_path / "record"
    done = subprocess.run(
        ["/bin/sh", str(home / "setup.sh")],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path / 'pythons'}:{tmp_path}", "RECORD": str(record)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    words = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return done.returncode, done.stdout + done.stderr, words


def download(home: Path) -> Path:
    for name in ("setup.sh", "inference_custom.py", "installation/python_check.py"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, home / name)
    return home


def test_it_can_be_started_by_itself() -> None:
    assert os.access(ROOT / "setup.sh", os.X_OK)
    content = (ROOT / "setup.sh").read_bytes()
    assert content.startswith(b"#!/bin/sh\n")
    assert b"\r" not in content


@pytest.mark.parametrize("name", ["plain", "it's a & b; $HOME (1)", "休暇 %PATH% !"])
def test_the_newest_python_that_serves_is_taken(tmp_path: Path, name: str) -> None:
    home = download(tmp_path / name)
    for python, serves in (("python3.13", 1), ("python3.12", 90), ("python3.11", 0), ("python", 0)):
        put_python(tmp_path / "pythons", python, serves)
    code, _, words = start(tmp_path, home)
    assert code == 7  # its own exit code
    assert words == [str(tmp_path / "pythons" / "python3.11"), str(home / "installation")]


def test_without_a_python_it_says_how_to_get_one(tmp_path: Path) -> None:
    put_python(tmp_path / "pythons", "python3", 90)
    code, printed, words = start(tmp_path, download(tmp_path / "home"))
    assert (code, words) == (3, [])
    assert "No Python 3.10 to 3.13 was found" in printed
    assert "apt install python3 python3-venv" in printed


def test_half_a_download_is_told(tmp_path: Path) -> None:
    put_python(tmp_path / "pythons", "python3", 0)
    home = download(tmp_path / "home")
    (home / "installation" / "python_check.py").unlink()
    code, printed, words = start(tmp_path, home)
    assert (code, words) == (3, [])
    assert "Unpack the whole download" in printed
