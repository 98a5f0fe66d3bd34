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

from matting.system.processor import processor_name
from matting.system.torch_build import cpu_has_matrix_units

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
TITLE = "# What was measured\n\nWritten by the programs of this folder; each says how.\n"


def today() -> str:
    """Return the day in UTC, as 2026-01-31."""
    return datetime.now(timezone.utc).date().isoformat()


def measured_on() -> str:
    """Return a sentence with the day, the machine and the versions that a result holds for."""
    return (
        f"Measured on {today()}: {processor_name()}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}, PyTorch {torch.__version__}, PyAV {av.__version__}."
    )


def machine_kind(device: str) -> str:
    """Return the kind of machine, each of which has sections of its own."""
    if device != "cpu":
        return "graphics card"
    if cpu_has_matrix_units():
        return "processor with matrix units"
    if torch.cpu.get_capabilities().get("avx512_bf16"):
        return "processor with bf16 vector units"
    return "processor without matrix units"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def section(title: str) -> str:
    """Return the text under the heading `title`; empty where there is none."""
    match = _section_pattern(title).search(_read())
    return match["body"].strip() if match else ""


def write_section(title: str, body: str) -> None:
    """Replace what stands under the heading `title`, or add it at the end."""
    text = _read()
    new_section = f"## {title}\n\n{body.strip()}\n"
    match = _section_pattern(title).search(text)
    if match:
        rest = text[match.end() :]
        text = text[: match.start()] + new_section + ("\n" + rest if rest else "")
    else:
        text = f"{text.rstrip()}\n\n{new_section}"
    RESULTS.write_text(text, encoding="utf-8")


def _read() -> str:
    return RESULTS.read_text(encoding="utf-8") if RESULTS.is_file() else TITLE


def _section_pattern(title: str) -> re.Pattern[str]:
    return re.compile(
        rf"^## {re.escape(title)}\n(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL
    )
