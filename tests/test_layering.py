"""The house: imports point down, each outside thing has one door, files stay readable."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted([*ROOT.glob("matting/**/*.py"), *ROOT.glob("model/*.py")])
DEMO, BENCHMARKS = sorted(ROOT.glob("demo/**/*.py")), sorted(ROOT.glob("benchmarks/**/*.py"))
INSTALLATION, TOOLS = sorted(ROOT.glob("installation/*.py")), sorted(ROOT.glob("tools/*.py"))
EVERYTHING = [*SOURCES, ROOT / "inference_custom.py", *DEMO, *BENCHMARKS, *INSTALLATION, *TOOLS]

DOORS: dict[str, str | tuple[str, ...]] = {
    "av": ("matting/media/", "matting/cutting/"),
    "demo": "matting/demo.py",
    "OpenImageIO": "matting/media/images/tiff.py",
    "PIL": ("matting/media/images/pillow.py", "tools/"),
    "imageio_ffmpeg": "matting/media/ffmpeg.py",
    "tqdm": "matting/cli/console.py",
    "triton": "matting/imaging/triton_kernel.py",
    "torchvision": "model/encoder.py",
    "argparse": "matting/",
    "urllib": "matting/inference/weights.py",
}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports(path: Path) -> set[str]:
    """The modules a file imports, at its top or later."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_each_outside_thing_has_one_door(path: Path) -> None:
    inside = path.relative_to(ROOT).as_posix()
    for target in imports(path):
        door = DOORS.get(target.split(".", maxsplit=1)[0])
        assert door is None or inside.startswith(door), f"{inside} imports {target}"


@pytest.mark.parametrize("path", EVERYTHING, ids=module_name)
def test_only_training_needs_the_training(path: Path) -> None:
    """The demo command and the benchmarks use the film and the checkpoint that came of it."""
    if not path.is_relative_to(ROOT / "demo" / "training"):
        assert not any(target.startswith("demo.training") for target in imports(path))


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda p: p.name)
def test_files_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 300


@pytest.mark.parametrize("path", [*SOURCES, *DEMO], ids=module_name)
def test_nothing_needs_the_benchmarks_the_tools_or_the_tests(path: Path) -> None:
    needed = {target.split(".", maxsplit=1)[0] for target in imports(path)}
    assert needed.isdisjoint({"benchmarks", "tools", "tests"})


@pytest.mark.parametrize("path", INSTALLATION, ids=module_name)
def test_setting_up_needs_python_alone(path: Path) -> None:
    roots = {target.split(".", maxsplit=1)[0] for target in imports(path)}
    assert roots <= {*sys.stdlib_module_names, "installation"}


@pytest.mark.parametrize("path", [*SOURCES, *DEMO], ids=module_name)
def test_the_program_needs_nothing_of_setting_up(path: Path) -> None:
    assert "installation" not in {t.split(".", maxsplit=1)[0] for t in imports(path)}


@pytest.mark.parametrize("path", [*BENCHMARKS, *TOOLS], ids=module_name)
def test_benchmarks_and_tools_need_no_tests(path: Path) -> None:
    assert "tests" not in {target.split(".", maxsplit=1)[0] for target in imports(path)}


def test_nothing_happens_at_import() -> None:
    """No file, process, thread or output comes of importing everything."""
    without = set() if importlib.util.find_spec("triton") else {"kernel.py", "fused.py"}
    modules = ", ".join(module_name(p) for p in SOURCES if p.name not in {"__init__.py", *without})
    program = (
        f"import threading, os; before = set(os.listdir('.')); import {modules}; "
        "assert threading.active_count() == 1; assert set(os.listdir('.')) == before"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-B", "-c", program],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b""
