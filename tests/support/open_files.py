"""Which files this process holds open, as Linux lists them."""

from __future__ import annotations

from pathlib import Path


def open_files(folder: Path) -> list[Path]:
    """Return the open files that lie in `folder`, however deep."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = entry.readlink()
        except FileNotFoundError:
            continue  # that of the listing itself
        if target.is_relative_to(folder):
            found.append(target)
    return found
