"""Where Python looks for modules, and Windows for programs: never in the current folder.

That is often a folder of other people's files, beside a video; a `signal.py` or an `ffmpeg.exe`
among them would be run. Imports nothing that is not loaded already, or it would be too late.
"""

import os
import sys

# Installed by pip, the program is part of a package, and this module's name is longer by that.
IS_INSTALLED = not __name__.startswith("matting.")
ROOT = os.path.realpath(__file__)
for _ in __name__.split("."):
    ROOT = os.path.dirname(ROOT)  # in the end, where the first of its packages is found


def leave_out_current_folder() -> None:
    """Keep the current folder out of what this process, and all that it starts, look through.

    Paths in PYTHONPATH that are empty or relative mean the current folder, too: they are often
    left there by `PYTHONPATH=$PYTHONPATH:/some/folder`.
    """
    listed = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    named = [path for path in listed if os.path.isabs(path)]
    os.environ["PYTHONPATH"] = os.pathsep.join(named)  # Python ignores an empty one
    os.environ["PYTHONSAFEPATH"] = "1"  # for `python -c` and `python -m`, since Python 3.11
    os.environ["NODEFAULTCURRENTDIRECTORYINEXEPATH"] = "1"  # for programs without a path
    sys.path[:] = _safe(sys.path, named)


def _safe(paths: list[str], named: list[str]) -> list[str]:
    """Return the paths without the current folder, unless it is the program's or was named.

    The program's comes first, so that no other package named `matting` or `model` is loaded. Where
    pip has put the program, its packages have names of their own, and other people's are there,
    too: that folder stays where it is.
    """
    first = [] if IS_INSTALLED else [ROOT]
    try:
        current = os.path.realpath(os.getcwd())
    except OSError:  # it has been deleted
        return [path for path in paths if os.path.isabs(path)]
    left_out = {current} - {ROOT} if IS_INSTALLED else {current, ROOT}
    safe = [
        path
        for path in paths
        if os.path.isabs(path) and (path in named or os.path.realpath(path) not in left_out)
    ]
    return [*first, *safe]
