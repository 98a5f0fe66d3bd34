"""Shutting the computer down when a long job has ended, announced and with time to cancel."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PureWindowsPath

from matting.errors import MachineError

DELAY_SECONDS = 120
REASON = "RVM on Segments has finished"


@dataclass(frozen=True)
class Shutdown:
    """The operating system's command, and how to cancel it, as a clause."""

    command: tuple[str, ...]
    cancel: str


def shutdown_command(platform: str = sys.platform) -> Shutdown:
    """Return how to shut down in two minutes on `platform` (as in `sys.platform`)."""
    if platform == "win32":
        # By its full path: Windows looks in the current folder first.
        program = PureWindowsPath(os.environ.get("SYSTEMROOT", "C:\\Windows"), "System32")
        return Shutdown(
            (str(program / "shutdown.exe"), "/s", "/t", str(DELAY_SECONDS), "/c", REASON),
            "open a command window and type: shutdown /a",
        )
    if platform == "darwin":
        script = 'tell application "System Events" to shut down'
        return Shutdown(
            ("osascript", "-e", f"delay {DELAY_SECONDS}", "-e", script), "press Ctrl-C here"
        )
    return Shutdown(("shutdown", "-h", f"+{DELAY_SECONDS // 60}", REASON), "type: shutdown -c")


def shut_down(announce: Callable[[str], None]) -> None:
    """Announce the shutdown and order it.

    Raises:
        MachineError: the operating system refused.
    """
    shutdown = shutdown_command()
    announce(f"The computer shuts down in two minutes. To keep it on, {shutdown.cancel}")
    try:
        subprocess.run(shutdown.command, check=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise MachineError(
            f"The computer could not be shut down ({error}).",
            "Shut it down by hand.",
            retry=False,
        ) from error
