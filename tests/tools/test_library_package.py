"""What pip installs: one package, with all that is needed in it, and nothing else."""

from __future__ import annotations

import importlib
import re
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from matting.system.invocation import VERSION
from tests.support.repository import ROOT
from tools.library_package import ShortNameError, with_long_names, write_library

DEMO = "_program/demo/demo_checkpoint.pth"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed") / "rvm_segments"
    write_library(ROOT, folder)
    return folder


def test_it_holds_what_is_needed_and_nothing_else(library: Path) -> None:
    names = {path.relative_to(library).as_posix() for path in library.rglob("*") if path.is_file()}
    assert names >= {
        DEMO,
        "__init__.py",
        "py.typed",
        "_program/matting/cli/main.py",
        "_program/matting/inference/portrait.jpg",
        "_program/matting/report/page/preview.html.j2",
        "_program/model/network.py",
        "_program/demo/film.py",
        "_program/docs/headset_checklist.md",
        "_program/requirements_inference.txt",
    }
    assert not [name for name in names if re.search(r"test|training|benchmark|pycache|png$", name)]
    own = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("matting/**/*.*")}
    left_out = {name for name in own if f"_program/{name}" not in names}
    assert all("__pycache__" in name for name in left_out)


def test_it_works_where_the_short_names_are_other_peoples(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("matting", "model", "demo", "rvm_segments")
    for module in [name for name in sys.modules if name.partition(".")[0] in names]:
        monkeypatch.delitem(sys.modules, module)
    for name in names[:3]:
        monkeypatch.setitem(sys.modules, name, None)  # to import it is an error
    monkeypatch.syspath_prepend(library.parent)
    rvm = importlib.import_module("rvm_segments")
    try:
        options = rvm.MatteOptions(library / DEMO, precision=rvm.Precision.FP32)
        session = rvm.MattingSession(options, device="cpu")
        mattes = session.matte(np.zeros((1, 48, 64, 3), np.uint8))
        command = importlib.import_module("rvm_segments._program.matting.cli.main")
    finally:
        for module in [name for name in sys.modules if name.startswith("rvm_segments")]:
            del sys.modules[module]
    assert rvm.__file__ == str(library / "__init__.py")
    assert mattes.alpha.shape == (1, 48, 64)
    assert command.main(["--version"]) == 0


def test_only_the_names_of_imports_change() -> None:
    source = (
        "from __future__ import annotations\n"
        "from matting.errors import (  # all of them\n    MattingError,\n)\n"
        "if TYPE_CHECKING:\n    import numpy as np, model.network as network\n"
        "from model import State; from .model import x\nfrom models import y\n"
        'text = "matting.errors is in demo.mp4"\n'
    )
    long = with_long_names(source, ROOT)
    assert long.replace("rvm_segments._program.", "") == source
    assert "from rvm_segments._program.matting.errors import (  # all" in long
    assert "import numpy as np, rvm_segments._program.model.network as network" in long
    assert "from rvm_segments._program.model import State; from .model import x" in long
    assert "from models import y" in long


@pytest.mark.parametrize(
    "line", ["import matting.errors", "from  model import State", 'x = "matting.workers.worker"']
)
def test_what_cannot_be_made_right_stops_the_build(line: str) -> None:
    with pytest.raises(ShortNameError, match="line 2"):
        with_long_names(f"\n{line}\n", ROOT)


def test_the_wheel_is_that_package_with_its_metadata(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = pytest.importorskip("hatchling.build", reason="hatchling builds it")
    monkeypatch.chdir(ROOT)
    with zipfile.ZipFile(tmp_path / build.build_wheel(str(tmp_path))) as wheel:
        info = f"rvm_on_segments-{VERSION}.dist-info"
        written = {path for path in library.rglob("*") if path.is_file()}
        written -= set(library.rglob("__pycache__/*"))  # of a test that imports it
        installed = {f"rvm_segments/{path.relative_to(library).as_posix()}" for path in written}
        files = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
        assert set(wheel.namelist()) == installed | {f"{info}/{name}" for name in files}
        metadata = wheel.read(f"{info}/METADATA").decode()
        commands = wheel.read(f"{info}/entry_points.txt").decode()
    assert "rvm-segments = rvm_segments.__main__:main" in commands
    assert f"\nVersion: {VERSION}\n" in metadata
    assert "\nRequires-Dist: torch>=2.10\n" in metadata
    assert re.search(r"\nRequires-Dist: distributed>=\S+; extra == 'cluster'\n", metadata)
