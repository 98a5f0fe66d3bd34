"""RESULTS.md: what was measured, when and on which machine. A section for each benchmark."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path

import av
import torch

from matting.system.torch_build import cpu_has_matrix_units

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
TITLE = "# What was measured\n\nWritten by the programs of this folder; each says how.\n"
CPU_INFO = Path("/proc/cpuinfo")


def today() -> str:
    """The day in UTC, as 2026-01-31."""
    return datetime.now(timezone.utc).date().isoformat()


def measured_on() -> str:
    """A sentence: the day, the machine and the versions that a result holds for."""
    return (
        f"Measured on {today()}: {_processor()}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}, PyTorch {torch.__version__}, PyAV {av.__version__}."
    )


def kind_of(device: str) -> str:
    """The kinds of machines whose results stand beside each other."""
    if device != "cpu":
        return "graphics card"
    return f"processor {'with' if cpu_has_matrix_units() else 'without'} matrix units"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def section(title: str) -> str:
    """The text under the heading `title`; empty where there is none."""
    found = _pattern(title).search(_read())
    return found["body"].strip() if found else ""


def write_section(title: str, body: str) -> None:
    """Replaces what stands under the heading `title`, or adds it at the end."""
    text = _read()
    written = f"## {title}\n\n{body.strip()}\n"
    found = _pattern(title).search(text)
    if found:
        rest = text[found.end() :]
        text = text[: found.start()] + written + ("\n" + rest if rest else "")
    else:
        text = f"{text.rstrip()}\n\n{written}"
    RESULTS.write_text(text, encoding="utf-8")


def _read() -> str:
    return RESULTS.read_text(encoding="utf-8") if RESULTS.is_file() else TITLE


def _pattern(title: str) -> re.Pattern[str]:
    return re.compile(
        rf"^## {re.escape(title)}\n(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL
    )


def _processor() -> str:
    if CPU_INFO.is_file():
        found = re.search(r"^model name\s*:\s*(.+)$", CPU_INFO.read_text(), re.MULTILINE)
        if found:
            return found[1].strip()
    return platform.processor() or platform.machine()
