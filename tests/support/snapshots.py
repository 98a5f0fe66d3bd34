"""Files as they are at one time, for the comparison with a later one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def snapshot(paths: Iterable[Path]) -> dict[str, tuple[int, bytes]]:
    """Return the time in ns at which each file was changed last, and its content, by name."""
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in paths}
