"""What is missing for sharing work is named, with the command that installs it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from matting.errors import MissingError
from matting.workers.cluster.installed import REQUIREMENTS, require_dask
from tests.support.repository import ROOT

DASK = {"distributed", "dask", "bokeh", "cryptography"}
CLUSTER = "matting.workers.cluster."


def test_nothing_is_said_where_all_is_there() -> None:
    require_dask()


def test_what_is_missing_or_too_old_is_named(tmp_path: Path) -> None:
    path = tmp_path / "requirements_cluster.txt"
    path.write_text("# all\nnot-there-at-all>=1\nnumpy>=99\ncryptography>=1\n")
    with pytest.raises(MissingError) as info:
        require_dask(path)
    assert "not-there-at-all (not installed)" in info.value.what
    assert "numpy (" in info.value.what
    assert "cryptography" not in info.value.what
    assert "pip install -r" in info.value.hint
    assert str(path) in info.value.hint


def test_nothing_of_dask_is_loaded_unless_it_is_asked_for() -> None:
    """What a file outside imports with itself, of this folder, imports none of it in turn."""
    for path in ROOT.glob("matting/**/*.py"):
        if path.parent.name != "cluster" and CLUSTER[:-1] in path.read_text(encoding="utf-8"):
            assert not loaded_with(path) & DASK, path


def loaded_with(path: Path) -> set[str]:
    """Return what a file imports with itself, and what the files of this folder do in turn."""
    loaded: set[str] = set()
    left = [path]
    while left:
        for module in imported_at_once(left.pop()) - loaded:
            loaded.add(module)
            if module.startswith(CLUSTER):
                left.append(ROOT / f"{module.replace('.', '/')}.py")
    return loaded


@cache
def imported_at_once(path: Path) -> set[str]:
    """Return the modules that a file imports when it is imported itself."""
    modules: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            modules |= inner if f"{node.module}." == CLUSTER else {node.module}
    return {m if m.startswith(CLUSTER) else m.partition(".")[0] for m in modules}


def test_that_would_be_seen() -> None:
    assert loaded_with(ROOT / "matting/workers/cluster/reachability.py") >= DASK - {"dask", "bokeh"}


def test_developers_have_it_too() -> None:
    text = (ROOT / "requirements_dev.txt").read_text(encoding="utf-8")
    assert f"-r {REQUIREMENTS.name}" in text.splitlines()
