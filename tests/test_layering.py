"""What import-linter cannot see: one importer a package, short files, and imports that do nothing.

.importlinter holds the direction of imports.
"""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repository import ROOT

PROGRAM = sorted([*ROOT.glob("matting/**/*.py"), *ROOT.glob("model/*.py")])
INSTALLATION = sorted(ROOT.glob("installation/*.py"))
FILES = [
    *PROGRAM,
    *INSTALLATION,
    ROOT / "inference_custom.py",
    *(
        path
        for name in ("rvm_segments", "demo", "benchmarks", "tools")
        for path in sorted(ROOT.glob(f"{name}/**/*.py"))
    ),
]
# The only place in the program that imports each package.
IMPORTERS = {
    "demo": "matting/demo",  # demo.py and demo_cards.py
    "cryptography": "matting/workers/cluster/",
    "distributed": "matting/workers/cluster/",
    "OpenImageIO": "matting/media/images/",
    "PIL": "matting/media/images/pillow.py",
    "imageio_ffmpeg": "matting/media/ffmpeg.py",
    "jinja2": "matting/report/page.py",
    "filelock": "matting/system/file_lock.py",
    "packaging": "matting/system/packages.py",
    "tqdm": "matting/cli/progress_display.py",
    "triton": "matting/imaging/triton_kernel.py",
    "argparse": "matting/cli/",
    "urllib": "matting/system/download.py",
}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imported_packages(path: Path) -> set[str]:
    """Return the top-level packages that a file imports, at its top or later."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
    return {module.split(".", maxsplit=1)[0] for module in modules}


def test_each_package_is_imported_in_one_place() -> None:
    importers = {package: set[str]() for package in IMPORTERS}
    for path in PROGRAM:
        for package in imported_packages(path) & IMPORTERS.keys():
            importers[package].add(path.relative_to(ROOT).as_posix())
    for package, importer in IMPORTERS.items():
        assert importers[package], f"nothing imports {package}: its line here can go"
        assert all(path.startswith(importer) for path in importers[package]), package


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_files_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 300


@pytest.mark.parametrize("path", INSTALLATION, ids=module_name)
def test_installation_needs_the_standard_library_alone(path: Path) -> None:
    assert imported_packages(path) <= {*sys.stdlib_module_names, "installation"}


def test_nothing_happens_at_import() -> None:
    """Importing everything makes no file, process, thread or output.

    And neither that nor a network loads torch's compiler, which takes as long as torch.
    """
    needs_triton = {"triton_kernel.py", "triton_compositor.py"}
    without = set() if importlib.util.find_spec("triton") else needs_triton
    modules = ", ".join(module_name(p) for p in PROGRAM if p.name not in {"__init__.py", *without})
    program = (
        f"import threading, os, sys; before = set(os.listdir('.')); import {modules}; "
        "assert threading.active_count() == 1; assert set(os.listdir('.')) == before; "
        "model.network.MattingNetwork(); assert 'torch._dynamo' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-B", "-c", program],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b""
