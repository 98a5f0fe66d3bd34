"""Programs that stand in for those of the system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

posix_only = pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for a program")
RTX_3060 = "NVIDIA GeForce RTX 3060, 12288 MiB, 551.23, 8.6\n"


def stand_in_nvidia_smi(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program named nvidia-smi on the PATH, before any that is there."""
    folder.mkdir(exist_ok=True)
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def listing(rows: str, cuda: str = "12.4") -> str:
    """Return a script that lists GPUs, in CSV, under a driver for that CUDA."""
    table = f"| NVIDIA-SMI 551.23   Driver Version: 551.23   CUDA Version: {cuda}  |"
    return f"case \"$1\" in --query*) printf '{rows}';; *) echo '{table}';; esac"
