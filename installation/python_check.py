"""Whether the Python that runs this file is suitable: `python_check.py base` or `... ready`.

base: to create `.venv` from. ready: to run the program, with every package it needs.
The exit code is 0 if it is, else UNSUITABLE, after a sentence that says why. Any other exit code
means that this Python does not start. All of this file has to be readable by Python 2.7, too.
"""

import re
import struct
import sys

OLDEST, NEWEST = (3, 10), (3, 13)
UNSUITABLE = 90
MODULES = {"pillow": "PIL"}  # packages that are imported by another name


def problem_as_base(version, bits):
    # type: (tuple[int, int], int) -> str
    """Return why `.venv` cannot be created from this Python; an empty string if it can."""
    name = "it is Python %d.%d, " % (version[0], version[1])  # noqa: UP031
    if version < OLDEST:
        return name + "but 3.10 is the oldest that works."
    if version > NEWEST:
        return name + "newer than those this program has been tried with (3.10 to 3.13)."
    if bits != 64:
        return "it is a " + str(bits) + "-bit Python, for which there is no PyTorch."
    for module in ("venv", "ensurepip", "ssl"):
        try:
            __import__(module)
        except ImportError:
            return "its module " + module + " is missing."
    return ""


def problem_as_ready(version, requirements):
    # type: (tuple[int, int], str) -> str
    """Return why the program cannot run in this Python; an empty string if it can.

    Packages are located, not loaded: loading torch takes seconds.
    """
    if version < OLDEST:
        return problem_as_base(version, 64)
    from importlib.util import find_spec  # noqa: PLC0415 - Python 2 does not have it

    for name in package_names(requirements):
        if find_spec(MODULES.get(name, name.replace("-", "_"))) is None:
            return "its package " + name + " is missing."
    return ""


def package_names(requirements):
    # type: (str) -> list[str]
    """Return the packages' names in the text of a requirements file."""
    lines = (line.split("#")[0].strip() for line in requirements.splitlines())
    return [re.split(r"[^A-Za-z0-9._-]", line)[0] for line in lines if line]


def read_requirements():
    # type: () -> str
    """Return the text of requirements_inference.txt, which lies beside this file's folder."""
    folder = re.sub(r"[^/\\]*$", "", __file__) or "./"
    with open(folder + "../requirements_inference.txt") as file:  # noqa: PTH123
        return file.read()


if __name__ == "__main__":
    if sys.argv[1:] == ["ready"]:
        problem = problem_as_ready(sys.version_info[:2], read_requirements())
    else:
        problem = problem_as_base(sys.version_info[:2], 8 * struct.calcsize("P"))
    if problem:
        print('Not used: "' + sys.executable + '": ' + problem)
    sys.exit(UNSUITABLE if problem else 0)
