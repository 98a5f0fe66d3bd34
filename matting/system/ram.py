"""How much of the computer's memory a process can still have, and whether it ran out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

ROOM = "Close other programs, allow this one more memory, or use a computer that has more."
PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
# The files of a control group: its limit, what it uses, what of that can be taken back, and how
# often the kernel ended a process of it. Source: cgroup-v1/memory and cgroup-v2 of Linux' manual.
V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file", "memory.oom_control")
V2 = ("memory.max", "memory.current", "inactive_file", "memory.events")


def available_bytes(proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """Return how much more memory this process can have; None where that cannot be told.

    That is what the computer has left, or less where a limit is set, as for a container.
    """
    if sys.platform == "win32":
        return _available_on_windows()
    rooms = [room for group, files in _groups(proc, cgroups) if (room := _room(group, files))]
    with suppress(OSError, ValueError):
        rooms.append(_number_of("MemAvailable:", proc / "meminfo") * 1024)
    return min(rooms, default=None)


def killed_for_memory(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Return how many processes Linux has ended for lack of memory, where this process is."""
    counts = [0]
    for group, files in _groups(proc, cgroups):
        with suppress(OSError, ValueError):
            counts.append(_number_of("oom_kill", group / files[3]))
    return max(counts)


def let_give_way(pid: int | None, proc: Path = PROC) -> None:
    """Have Linux end that process first when memory runs out, for it can be replaced."""
    with suppress(OSError):
        (proc / str(pid) / "oom_score_adj").write_text("1000", encoding="ascii")


def _groups(proc: Path, cgroups: Path) -> Iterator[tuple[Path, tuple[str, str, str, str]]]:
    """Yield the control groups that limit this process's memory: its own, and those around it."""
    try:
        lines = (proc / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        _, controllers, own = (*line.split(":", 2), "", "")[:3]
        if controllers and "memory" not in controllers.split(","):
            continue
        root, files = (cgroups / "memory", V1) if controllers else (cgroups, V2)
        # A container sees its own group as the root, whatever it is called outside.
        inner = PurePosixPath(own.lstrip("/"))
        for path in (inner, *inner.parents):
            if ".." not in path.parts and (root / path / files[0]).is_file():
                yield root / path, files


def _room(group: Path, files: tuple[str, str, str, str]) -> int | None:
    limit, usage, inactive, _ = files
    try:
        most = int((group / limit).read_text(encoding="ascii"))  # "max": no limit
        used = int((group / usage).read_text(encoding="ascii"))
        return max(0, most - used + _number_of(inactive, group / "memory.stat"))
    except (OSError, ValueError):
        return None


def _number_of(name: str, path: Path) -> int:
    """Return the number after a name in a file of names and numbers.

    Raises:
        OSError, ValueError: it is not there.
    """
    for line in path.read_text(encoding="ascii").splitlines():
        key, *values = line.split()
        if key == name and values:
            return int(values[0])
    raise ValueError(f"{path} has no {name}")


def _available_on_windows() -> int | None:
    if sys.platform != "win32":
        return None
    import ctypes  # noqa: PLC0415 - only needed on Windows

    class Status(ctypes.Structure):
        """MEMORYSTATUSEX."""

        _fields_ = (
            ("length", ctypes.c_uint32),
            ("load", ctypes.c_uint32),
            ("total_physical", ctypes.c_uint64),
            ("available_physical", ctypes.c_uint64),
            ("others", ctypes.c_uint64 * 5),
        )

    status = Status(length=ctypes.sizeof(Status))
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status.available_physical)
