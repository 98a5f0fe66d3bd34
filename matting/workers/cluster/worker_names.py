"""What users know workers by; no two that take part in a run have the same name."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Sequence

from matting.system.device_kinds import DEVICE_PATTERN

# The computer in such a name, which may stand in any text: render-pc (cuda:0, process 4711).
HOST = re.compile(rf"(?<![\w.-])[\w.-]{{1,255}}(?= \((?:{DEVICE_PATTERN}), process \d+\))")


def name_here(device: str) -> str:
    """Return the name of a worker that this process is, for its own window and those of jobs.

    It has the process's number, and not one that a run gives: the worker's window can show it
    before there is a run, it stays when the worker joins again, and the system shows it, too.
    """
    return f"{socket.gethostname()} ({device}, process {os.getpid()})"


def local_names(devices: Sequence[str]) -> list[str]:
    """Return a name for each device of this computer; those of the same one are numbered."""
    names = []
    for index, device in enumerate(devices):
        same = devices.count(device) > 1
        names.append(f"{device} ({devices[: index + 1].count(device)})" if same else device)
    return names
