"""Record what setup.bat shows, in docs/setup_under_wine.md: python -m tests.support.wine.record"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

from installation.errors import SetupError
from tests.support.installing import Machine
from tests.support.repository import ROOT
from tests.support.wine.harness import BARE_HOME, KEY, WINDOWS_PATH, Run, Wine, explorer

HEAD = """# setup.bat under Wine

Written by `python -m tests.support.wine.record`; Wine: {wine}.

Wine has no Python for Windows, no graphics driver and no Explorer. So this is in two halves: the
batch files, run by Wine's own cmd.exe with a stand-in for Python; and the Python part, run by the
system's own Python as if on Windows, with stand-ins for nvidia-smi, pip and doctor, whose own words
are missing below. That all of it fits together on a real Windows, with real downloads and a real
card, is unmeasured: [windows_checklist.md](windows_checklist.md) is for that.
"""
CARD = "581.29, 8.9, NVIDIA GeForce RTX 4090"


def batch_part(wine: Wine) -> list[tuple[str, str]]:
    """What is seen in the window, by what was done."""
    wine.stand_in(r"C:\launcher\py.exe")
    for name in ("py.exe.bare", "py.exe.versions", "py.exe-3.12"):
        wine.path(rf"C:\launcher\{name}").touch()
    python = rf"{BARE_HOME}\.venv\Scripts\python.exe"
    wine.path(python)
    launcher = {"PATH": rf"C:\launcher;{WINDOWS_PATH}"}
    setup, drop = (
        explorer(rf"{BARE_HOME}\{name}", *paths)
        for name, paths in (("setup.bat", ()), ("3_combine.bat", (r"C:\a & b\clip_matted",)))
    )
    runs = {
        "setup.bat double-clicked, no Python anywhere": Run(setup),
        "setup.bat double-clicked, Python 3.12 is there, all goes well": Run(
            setup, variables=launcher
        ),
        "the same, and setting up ends with exit code 4": Run(
            setup, variables={**launcher, "RVM_EXIT": "4"}
        ),
        "a folder dropped on 3_combine.bat before setting up; answered n": Run(
            drop, ("n\n", KEY), launcher
        ),
        "the same; answered y": Run(drop, ("y\n", KEY), {**launcher, "RVM_MAKES": python}),
    }
    shown = []
    for title, outcome in zip(runs, wine.run(*runs.values()), strict=True):
        started = "".join(f"\n[started: {' '.join(o.arguments)}]" for o in outcome.calls)
        text = f"{outcome.printed.strip()}\n{started}\n[exit code {outcome.exit_code}]"
        shown.append((title, text.replace("\r\n", "\n")))
    return shown


def python_part() -> list[tuple[str, str]]:
    """The same of `python installation`."""
    return [
        ("with a card", python_shows(Machine, CARD)),
        ("without a card", python_shows(Machine, None)),
        ("with a card, offline", python_shows(Offline, CARD)),
        ("with a card whose driver is too old", python_shows(Machine, CARD.replace("581", "472"))),
    ]


class Offline(Machine):
    """Without a network."""

    def _pip(self, log: str, options: list[str]) -> int:
        self.pip_fails_with = "Failed to establish a new connection: getaddrinfo failed"
        return super()._pip(log, options)


def python_shows(kind: type[Machine], smi: str | None) -> str:
    """What one start shows, between what pip and doctor would."""
    printed = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(printed):
        machine = kind(Path(folder), "win32", smi)
        try:
            machine.set_up()
        except SetupError as error:
            printed.write(f"\n{error}\n")
        return printed.getvalue().replace(folder, r"C:\rvm").strip()


def main() -> None:
    """Writes the document."""
    found = {name: shutil.which(name) or "" for name in ("wine", "wineserver")}
    server = found["wineserver"] or "/usr/lib/wine/wineserver64"
    compiler = shutil.which("x86_64-w64-mingw32-gcc") or ""
    version = subprocess.run(["wine", "--version"], capture_output=True, check=True, text=True)
    parts = [HEAD.format(wine=version.stdout.split("(")[0].strip())]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        wine = Wine(Path(folder), found["wine"], server, compiler)
        try:
            halves = {"The batch files": batch_part(wine), "The Python part": python_part()}
        finally:
            wine.end()
    for half, shown in halves.items():
        parts.append(f"\n## {half}\n")
        parts += [f"\n### {title}\n\n```\n{text}\n```\n" for title, text in shown]
    document = ROOT / "docs" / "setup_under_wine.md"
    document.parent.mkdir(exist_ok=True)
    document.write_text("".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
