"""The program as one package, `rvm_segments`, for an environment that other programs share.

Unpacked, the program's packages have short names, which its batch files and its tests know. Among
other people's, `matting`, `model` and `demo` would stand in the way of packages, or of a user's own
`model.py`. Installed, they are therefore inside of `rvm_segments._program`, and whatever imports
them does so by these names. That is done here, when the package is built, and checked: nothing is
left that would look for the short names. No line moves, so that tracebacks name the same lines.
"""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

LIBRARY, INSIDE = "rvm_segments", "_program"
PREFIX = f"{LIBRARY}.{INSIDE}."
PACKAGES = ("matting", "model", "demo")
NOT_FOR_USE = ("demo/training",)
# Source code, and what it reads: a picture, weights, the parts of pages.
SUFFIXES = {".py", ".jpg", ".pth", ".j2", ".css", ".js"}
# What is read beside the packages.
OTHERS = ("requirements_inference.txt", "requirements_cluster.txt", "docs/headset_checklist.md")
INSIDE_DOCSTRING = '"""The program, which the library and the command `rvm-segments` run."""\n'


class ShortNameError(Exception):
    """A module names another one of the program in a way that cannot be made right."""


def write_library(root: Path, target: Path) -> None:
    """Write the package, as it is installed.

    Args:
        root: of the unpacked program.
        target: the folder for it, which must not be there yet.
    Raises:
        ShortNameError: a module would look for another one by its short name.
    """
    for path in sorted((root / LIBRARY).iterdir()):
        if path.suffix in SUFFIXES or path.name == "py.typed":
            _write(path, target / path.name, root)
    inside = target / INSIDE
    for name in program_files(root):
        _write(root / name, inside / name, root)
    (inside / "__init__.py").write_text(INSIDE_DOCSTRING, encoding="utf-8", newline="\n")


def program_files(root: Path) -> Iterator[str]:
    """Yield what of the unpacked program is needed at run time, relative to it."""
    yield from OTHERS
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix in SUFFIXES and not name.startswith(NOT_FOR_USE):
                yield name


def _write(path: Path, target: Path, root: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix != ".py":
        shutil.copyfile(path, target)
        return
    try:
        text = with_long_names(path.read_text(encoding="utf-8"), root)
    except ShortNameError as error:
        raise ShortNameError(f"{path.relative_to(root)}, {error}") from None
    target.write_text(text, encoding="utf-8", newline="\n")


def with_long_names(source: str, root: Path) -> str:
    """Return a module's source that imports the program's packages from where they are installed.

    Raises:
        ShortNameError: it names a module in another way.
    """
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and _is_own(node.module or ""):
            _lengthen(lines, node.lineno, node.col_offset, f"from {node.module} import")
        elif isinstance(node, ast.Import):
            for alias in filter(lambda alias: _is_own(alias.name), node.names):
                if alias.asname is None:  # it would bind the first of the long name's parts
                    raise ShortNameError(f"line {node.lineno}: import {alias.name} without a name")
                _lengthen(lines, alias.lineno, alias.col_offset, alias.name)
        elif isinstance(node, ast.Constant) and _names_module(node.value, root):
            raise ShortNameError(f"line {node.lineno}: {node.value!r} names a module")
    return "".join(lines)


def _is_own(module: str) -> bool:
    return module.partition(".")[0] in PACKAGES


def _lengthen(lines: list[str], number: int, column: int, expected: str) -> None:
    """Put the prefix before the module that an import begins with."""
    line = lines[number - 1]
    if not line.startswith(expected, column):
        raise ShortNameError(f"line {number}: an import is not written as {expected!r}")
    column += len("from ") if expected.startswith("from ") else 0
    lines[number - 1] = line[:column] + PREFIX + line[column:]


def _names_module(value: object, root: Path) -> bool:
    if not isinstance(value, str) or "." not in value or not _is_own(value):
        return False
    if not all(part.isidentifier() for part in value.split(".")):
        return False
    path = root.joinpath(*value.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()
