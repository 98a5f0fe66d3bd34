"""Little memory: limited for this process, or measured, as Linux does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

if sys.platform != "win32":
    import resource

USED = Path("/proc/self/statm")
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@contextmanager
def more_memory(size_bytes: int) -> Iterator[None]:
    """Let this process take no more than so much in addition to what it has, in the block."""
    if not USED.exists():
        pytest.skip("limits memory as Linux does")
    pages = int(USED.read_text(encoding="ascii").split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@contextmanager
def at_most_memory(size_bytes: int) -> Iterator[None]:
    """Fail if this process takes more than so much in addition to what it has, in the block."""
    if not RESET.exists():
        pytest.skip("measures memory as Linux does")
    RESET.write_text("5", encoding="ascii")  # the peak is what is in use
    before = _peak_bytes()
    yield
    assert _peak_bytes() - before <= size_bytes


def _peak_bytes() -> int:
    [line] = [
        line
        for line in STATUS.read_text(encoding="ascii").splitlines()
        if line.startswith("VmHWM:")
    ]
    return int(line.split()[1]) << 10
