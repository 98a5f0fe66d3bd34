"""Windows' limit on the length of paths, which torch's longest ones come near to."""

from __future__ import annotations

import sys
from pathlib import Path

from installation.errors import UNUSABLE_FOLDER, SetupError

# Windows' limit, less the longest name in torch's wheel (119) and \.venv\Lib\site-packages\.
LONGEST_ROOT = 259 - 119 - 26


def check_root_length(root: Path) -> None:
    """Refuse a folder in which torch's longest paths exceed Windows' limit of 260 characters.

    Raises:
        SetupError: its path is too long.
    """
    if len(str(root)) > LONGEST_ROOT:
        raise SetupError(
            f"This folder's path is too long: it has {len(str(root))} characters; torch leaves "
            f"room for {LONGEST_ROOT}.",
            "Move the folder to a shorter path, such as C:\\rvm, and start setup again there.",
            UNUSABLE_FOLDER,
        )


def long_paths_enabled() -> bool:
    """Return whether this Windows accepts paths of more than 260 characters."""
    if sys.platform != "win32":
        return False
    import winreg  # noqa: PLC0415 - only Windows has it

    key_path = r"SYSTEM\CurrentControlSet\Control\FileSystem"
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key_path) as key:
            return bool(winreg.QueryValueEx(key, "LongPathsEnabled")[0])
    except OSError:
        return False
