"""How long the names and paths of files may be on a disk, in the units in which it counts."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

USUAL_NAME_UNITS = 255
LONGEST_WINDOWS_PATH = 32_766
SHORT_WINDOWS_PATH = 259


class NameLimits(NamedTuple):
    """What a place allows.

    Attributes:
        name_units, path_units: the longest name of a file or folder, and the longest path.
        utf_16: whether they count UTF-16 code units, as Windows does, and not bytes.
    """

    name_units: int
    path_units: int
    utf_16: bool = False

    def units(self, text: str) -> int:
        """Return the length of a name or path."""
        if self.utf_16:
            return len(text.encode("utf-16-le", "surrogatepass")) // 2
        return len(text.encode("utf-8", "surrogateescape"))

    def excess(self, path: Path, spare_units: int = 0) -> int:
        """Return by how many units `path`, or a name in it, is too long; 0: it fits.

        Args:
            spare_units: what has to be left of the whole path, for a temporary name.
        """
        names = (self.units(part) - self.name_units for part in path.parts[1:])
        return max(0, self.units(str(path)) + spare_units - self.path_units, *names)


def limits_at(folder: Path) -> NameLimits:
    """Return what is allowed below a folder, which need not be there yet."""
    if sys.platform == "win32":
        long = _windows_takes_long_paths()
        path_units = LONGEST_WINDOWS_PATH if long else SHORT_WINDOWS_PATH
        return NameLimits(USUAL_NAME_UNITS, path_units, utf_16=True)
    for place in (folder, *folder.parents):
        try:
            longest_path = os.pathconf(place, "PC_PATH_MAX") - 1  # its end counts, too
            return NameLimits(os.pathconf(place, "PC_NAME_MAX"), longest_path)
        except (OSError, ValueError):
            continue  # it is not there, or its name is too long itself
    return NameLimits(USUAL_NAME_UNITS, 1023)


def _windows_takes_long_paths() -> bool:
    """Return whether Windows takes paths of more than 259 characters from this process."""
    if sys.platform != "win32":
        return False
    import ctypes  # noqa: PLC0415 - only needed on Windows

    try:
        return bool(ctypes.windll.ntdll.RtlAreLongPathsEnabled())
    except (AttributeError, OSError):  # before Windows 10
        return False
