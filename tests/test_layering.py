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
DEMO, BENCHMARKS = sorted(ROOT.glob("demo/*.py")), sorted(ROOT.glob("benchmarks/**/*.py"))
INSTALLATION, DOCS = sorted(ROOT.glob("installation/*.py")), sorted(ROOT.glob("docs/*.py"))
EVERYTHING = [*SOURCES, ROOT / "inference_custom.py", *DEMO, *BENCHMARKS, *INSTALLATION, *DOCS]

# From the console down; a module imports only from its own floor's rights below.
FLOORS: list[set[str]] = [
    {"matting.cli"},
    {"matting.console", "matting.arguments", "matting.ending"},
    {"matting.demo", "matting.doctor"},
    {"matting.findings"},
    {"matting.machine"},
    {"matting.run"},
    {"matting.segment", "matting.infer", "matting.combine", "matting.add_audio"},
    {"matting.acceleration", "matting.preflight"},
    {"matting.infer_options"},
    {"matting.combined_note", "matting.settings", "matting.kept", "matting.delivered"},
    {"matting.muxing"},
    {"matting.carrying"},
    {"matting.cutting", "matting.supervisor"},
    {"matting.mending", "matting.worker_process"},
    {"matting.worker"},
    {"matting.network_stage"},
    {"matting.passage"},
    {"matting.matte", "matting.inputs", "matting.state_file"},
    {"matting.results", "matting.session", "matting.weights", "matting.ledger"},
    {"matting.precision_trial"},
    {"matting.full_size", "matting.transfer", "matting.steps"},
    {"matting.fused"},
    {
        "matting.plan",
        "matting.composite",
        "matting.device",
        "matting.memory",
        "matting.lock",
        "matting.power",
        "matting.media.sizes",
        "matting.media.hardware",
    },
    {"matting.kernel", "matting.unused_card"},
    {"matting.media.reader", "matting.media.trial"},
    {
        "matting.ffmpeg",
        "matting.media.join",
        "matting.media.writer",
        "matting.media.sound",
        "matting.media.cut",
        "matting.media.repair",
        "matting.media.header",
        "matting.media.treatment",
        "matting.media.beginning",
        "matting.media.image_writer",
    },
    {
        "matting.media.images",
        "matting.media.check",
        "matting.media.tracks",
        "matting.media.spatial",
    },
    {
        "matting.media.index",
        "matting.media.fill",
        "matting.media.support",
        "matting.media.picture",
        "matting.look",
    },
    {"matting.media.image_files"},
    {
        "matting.media.source",
        "matting.media.probe",
        "matting.media.encoders",
        "matting.media.nvdec",
        "matting.media.surfaces",
    },
    {"matting.media.frames"},
    {"matting.media.formats", "matting.media.alpha"},
    {"matting.media.holding"},
    {"matting.media.hdr"},
    {"matting.media.colour", "matting.media.door", "matting.media.stream_header"},
    {"matting.drawing", "matting.enlarging"},
    {"matting.yuv", "matting.sdr_view", "matting.tiles"},
    {"matting.resampling"},
    {"matting.planes", "matting.torch_state"},
    {
        "matting.coding",
        "matting.precision",
        "matting.driver",
        "matting.packages",
    },
    {"matting.apart"},
    {
        "matting.argument_values",
        "matting.remedies",
        "matting.durable",
        "matting.forecast",
        "matting.interrupts",
        "matting.meter",
        "matting.sample",
        "matting.workspace",
        "matting.pipeline",
        "matting.progress",
        "matting.choices",
        "matting.media.timing",
        "matting.media.boxes",
        "matting.media.card",
        "matting.media.containers",
    },
    {"matting.errors"},
]
DOORS = {
    "av": "matting/media/",
    "demo": "matting/demo.py",
    "pims": "matting/media/picture.py",
    "imageio": "matting/media/picture.py",
    "tifffile": "matting/media/picture.py",
    "imageio_ffmpeg": "matting/ffmpeg.py",
    "tqdm": "matting/console.py",
    "triton": "matting/kernel.py",
    "torchvision": "model/encoder.py",
    "argparse": "matting/",
    "urllib": "matting/weights.py",
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


def floor_of(module: str) -> int | None:
    return next((index for index, names in enumerate(FLOORS) if module in names), None)


def test_every_module_has_a_floor() -> None:
    homeless = {
        module_name(p)
        for p in ROOT.glob("matting/**/*.py")
        if p.name != "__init__.py" and floor_of(module_name(p)) is None
    }
    assert homeless == set()


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_point_down(path: Path) -> None:
    own = floor_of(module_name(path))
    for target in imports(path):
        theirs = floor_of(target)
        if own is not None and theirs is not None:
            assert theirs > own, f"{module_name(path)} imports {target}"
        if path.is_relative_to(ROOT / "model"):
            assert not target.startswith("matting"), f"model reaches {target}"
    if any(t.startswith("model") for t in imports(path)) and not path.is_relative_to(
        ROOT / "model"
    ):
        assert module_name(path) in {
            "matting.session",
            "matting.precision_trial",
            "matting.steps",
            "matting.weights",
            "matting.passage",
            "matting.state_file",
        }


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_each_outside_thing_has_one_door(path: Path) -> None:
    inside = path.relative_to(ROOT).as_posix()
    for target in imports(path):
        door = DOORS.get(target.split(".", maxsplit=1)[0])
        assert door is None or inside.startswith(door), f"{inside} imports {target}"


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda p: p.name)
def test_files_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 300


@pytest.mark.parametrize("path", [*SOURCES, *DEMO], ids=module_name)
def test_nothing_needs_the_benchmarks_the_pages_or_the_tests(path: Path) -> None:
    needed = {target.split(".", maxsplit=1)[0] for target in imports(path)}
    assert needed.isdisjoint({"benchmarks", "docs", "tests"})


@pytest.mark.parametrize("path", INSTALLATION, ids=module_name)
def test_setting_up_needs_python_alone(path: Path) -> None:
    roots = {target.split(".", maxsplit=1)[0] for target in imports(path)}
    assert roots <= {*sys.stdlib_module_names, "installation"}


@pytest.mark.parametrize("path", [*SOURCES, *DEMO], ids=module_name)
def test_the_program_needs_nothing_of_setting_up(path: Path) -> None:
    assert "installation" not in {t.split(".", maxsplit=1)[0] for t in imports(path)}


@pytest.mark.parametrize("path", [*BENCHMARKS, *DOCS], ids=module_name)
def test_benchmarks_and_pages_need_no_tests(path: Path) -> None:
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
