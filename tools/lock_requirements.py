"""Write requirements.lock, which setup installs: python -m tools.lock_requirements

It needs uv (pip install uv), and PyPI. Afterwards, run all tests with that set: that is what the
lock promises. What is in it fits requirements_inference.txt, which stays for those who install by
hand.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RANGES, LOCK = ROOT / "requirements_inference.txt", ROOT / "requirements.lock"
OLDEST_PYTHON = "3.10"
HEAD = """\
# The packages that the program is tested with, and that setup installs: for Windows, Linux and
# macOS, each with the SHA-256 of its files on PyPI. Of torch's other builds, setup takes the same
# version from PyTorch's own index.
# Written by `python -m tools.lock_requirements`; not to be edited.
"""
# The variables that name another place than PyPI, which uv asks by itself.
OTHER_PLACE = re.compile(r"UV_(\w*INDEX|FIND_LINKS)", re.IGNORECASE)
TORCH = re.compile(r"^torch==(\S+)", re.MULTILINE)


def lock(torch: str) -> str:
    """Return the newest packages that go together, with this version of torch.

    Raises:
        CalledProcessError: uv has said why there are none.
        OSError: uv is not there.
    """
    uv = shutil.which("uv")
    if uv is None:
        raise FileNotFoundError("uv is not on the PATH: python -m pip install uv")
    with tempfile.TemporaryDirectory() as folder:
        pin, locked = Path(folder, "torch.txt"), Path(folder, "locked.txt")
        pin.write_text(f"torch=={torch}\n", encoding="utf-8")
        options = ["--universal", "--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
        index = ["--no-config", "--no-emit-index-url"]
        subprocess.run(
            [
                *(uv, "pip", "compile", str(RANGES), "--constraints", str(pin), *options, *index),
                *("--python-version", OLDEST_PYTHON, "--output-file", str(locked)),
            ],
            check=True,
            env={name: value for name, value in os.environ.items() if not OTHER_PLACE.match(name)},
        )
        return HEAD + locked.read_text(encoding="utf-8")


def main() -> int:
    """Write the file; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.lock_requirements", description=__doc__)
    present = TORCH.search(LOCK.read_text(encoding="utf-8")) if LOCK.is_file() else None
    parser.add_argument(
        "--torch",
        default=present[1] if present else None,
        required=present is None,
        help="the version of torch, which all builds in installation/torch_builds.py should have",
    )
    try:
        LOCK.write_text(lock(parser.parse_args().torch), encoding="utf-8", newline="\n")
    except (OSError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
