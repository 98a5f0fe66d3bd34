"""Record what setup.bat shows, in docs/setup_under_wine.md: python -m tests.support.wine.record"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

from installation.errors import SetupError
from tests.support.repository import ROOT
from tests.support.simulated_computer import RTX_4090, SimulatedComputer
from tests.support.wine.harness import BARE_HOME, KEY, WINDOWS_PATH, Run, Wine, explorer

HEAD = """# setup.bat under Wine

Written by `python -m tests.support.wine.record`; Wine: {wine}.

Wine has no Python for Windows, no graphics driver and no Explorer. So this has two parts: the batch
files, run by Wine's own cmd.exe with a stand-in for Python; and the Python part, run by the
system's own Python as if on Windows, with stand-ins for nvidia-smi, pip and doctor, whose own
output is missing below. Whether all of it works together on a real Windows, with real downloads and
a real graphics card, has not been tried: [windows_checklist.md](windows_checklist.md) is for that.
"""


def batch_part(wine: Wine) -> list[tuple[str, str]]:
    """Return what the window shows, by what was done."""
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
        "the same, and setup ends with exit code 4": Run(
            setup, variables={**launcher, "RVM_EXIT": "4"}
        ),
        "a folder dropped on 3_combine.bat before setup; answered n": Run(
            drop, ("n\n", KEY), launcher
        ),
        "the same; answered y": Run(drop, ("y\n", KEY), {**launcher, "RVM_MAKES": python}),
    }
    screens = []
    for title, outcome in zip(runs, wine.run(*runs.values()), strict=True):
        started = "".join(f"\n[started: {' '.join(o.arguments)}]" for o in outcome.calls)
        text = f"{outcome.printed.strip()}\n{started}\n[exit code {outcome.exit_code}]"
        screens.append((title, text.replace("\r\n", "\n")))
    return screens


def python_part() -> list[tuple[str, str]]:
    """Return what `python installation` shows, by what the computer has."""
    offline = "Failed to establish a new connection: getaddrinfo failed"
    return [
        ("with a graphics card", output_of_setup(RTX_4090)),
        ("without a graphics card", output_of_setup(None)),
        ("with a graphics card, offline", output_of_setup(RTX_4090, pip_log=offline)),
        (
            "with a graphics card whose driver is too old",
            output_of_setup(RTX_4090.replace("581", "472")),
        ),
    ]


def output_of_setup(smi_output: str | None, pip_log: str = "") -> str:
    """Return what one run shows, without what pip and doctor would."""
    output = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(output):
        computer = SimulatedComputer(Path(folder), "win32", smi_output)
        computer.pip_log = pip_log
        try:
            computer.set_up()
        except SetupError as error:
            output.write(f"\n{error}\n")
        return output.getvalue().replace(folder, r"C:\rvm").strip()


def main() -> None:
    """Write the document."""
    program = shutil.which("wine") or ""
    server = shutil.which("wineserver") or "/usr/lib/wine/wineserver64"
    compiler = shutil.which("x86_64-w64-mingw32-gcc") or ""
    version = subprocess.run(["wine", "--version"], capture_output=True, check=True, text=True)
    text = HEAD.format(wine=version.stdout.split("(")[0].strip())
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        wine = Wine(Path(folder), program, server, compiler)
        try:
            parts = {"The batch files": batch_part(wine), "The Python part": python_part()}
        finally:
            wine.end()
    for part, screens in parts.items():
        text += f"\n## {part}\n"
        text += "".join(f"\n### {title}\n\n```\n{screen}\n```\n" for title, screen in screens)
    document = ROOT / "docs" / "setup_under_wine.md"
    document.parent.mkdir(exist_ok=True)
    document.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
