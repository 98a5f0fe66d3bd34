"""Where the program keeps what it downloads and what it learns of this computer.

Unpacked, it has a folder of its own, and keeps both there. Installed by pip, it lies among other
packages, where often nothing may be written and an update removes what is not its own: then both
are in the user's cache, which may be deleted at any time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from matting.errors import InputError
from matting.system.invocation import IS_INSTALLED, ROOT, SCRIPT

VARIABLE = "RVM_CACHE"  # names another folder


def cache_folder(
    *,
    is_installed: bool = IS_INSTALLED,
    environment: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
) -> Path:
    """Return the folder, which need not be there yet.

    Raises:
        InputError: this user has no folder of their own.
    """
    named = environment.get(VARIABLE)
    if named:
        return Path(named).absolute()
    if not is_installed:
        return ROOT
    return _user_cache(environment, platform) / SCRIPT


def _user_cache(environment: Mapping[str, str], platform: str) -> Path:
    """Return the folder of the user's caches, by the rules of the system."""
    if platform == "win32":
        local = environment.get("LOCALAPPDATA")
        return Path(local) if local else _home() / "AppData" / "Local"
    if platform == "darwin":
        return _home() / "Library" / "Caches"
    named = Path(environment.get("XDG_CACHE_HOME", ""))
    return named if named.is_absolute() else _home() / ".cache"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:  # as in a container that knows nobody of this number
        raise InputError(
            "This user has no home folder, in which the network's weights could be kept.",
            f"Set the variable {VARIABLE} to a folder that may be written.",
        ) from error
