"""Whether the Python that runs this file serves: `this_python.py base` or `this_python.py ready`.

base: to make `.venv` from. ready: to run the program, with every package it needs.
Exit code 0 where it serves; else PASSED_OVER, and a sentence says why. Any other exit code means
that this is no Python that starts. What is written here, Python 2.7 can read too.
"""

import re
import struct
import sys

OLDEST, NEWEST = (3, 10), (3, 13)
PASSED_OVER = 90
MODULES = {"pillow": "PIL"}  # packages that are imported by another name


def trouble_as_base(version, bits):
    # type: (tuple[int, int], int) -> str
    """Why `.venv` cannot be made from this Python; an empty string where it can."""
    name = "it is Python %d.%d, " % (version[0], version[1])  # noqa: UP031
    if version < OLDEST:
        return name + "and 3.10 is the oldest that serves."
    if version > NEWEST:
        return name + "newer than what this program has been tried with (3.10 to 3.13)."
    if bits != 64:
        return "it is a Python of " + str(bits) + " bits, for which there is no PyTorch."
    for module in ("venv", "ensurepip", "ssl"):
        try:
            __import__(module)
        except ImportError:
            return "its module " + module + " is missing."
    return ""


def trouble_as_ready(version, requirements):
    # type: (tuple[int, int], str) -> str
    """Why the program cannot run in this Python; an empty string where it can.

    A package is looked for, not loaded: torch takes seconds.
    """
    if version < OLDEST:
        return trouble_as_base(version, 64)
    from importlib.util import find_spec  # noqa: PLC0415 - Python 2 has none

    for name in package_names(requirements):
        if find_spec(MODULES.get(name, name.replace("-", "_"))) is None:
            return "its package " + name + " is missing."
    return ""


def package_names(requirements):
    # type: (str) -> list[str]
    """The packages' names in the text of a requirements file."""
    lines = (line.split("#")[0].strip() for line in requirements.splitlines())
    return [re.split(r"[^A-Za-z0-9._-]", line)[0] for line in lines if line]


def read_requirements():
    # type: () -> str
    """The text of requirements_inference.txt, which lies beside this file's folder."""
    folder = re.sub(r"[^/\\]*$", "", __file__) or "./"
    with open(folder + "../requirements_inference.txt") as file:  # noqa: PTH123
        return file.read()


if __name__ == "__main__":
    if sys.argv[1:] == ["ready"]:
        why = trouble_as_ready(sys.version_info[:2], read_requirements())
    else:
        why = trouble_as_base(sys.version_info[:2], 8 * struct.calcsize("P"))
    if why:
        print('Passed over: "' + sys.executable + '": ' + why)
    sys.exit(PASSED_OVER if why else 0)
