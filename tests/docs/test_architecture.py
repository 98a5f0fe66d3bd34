"""The page on the architecture knows every folder with code and every package that is needed."""

from __future__ import annotations

import re
from pathlib import Path

from installation.python_check import package_names
from tests.docs.documentation import PAGES, page
from tests.support.repository import ROOT


def test_every_folder_with_code_is_in_the_architecture() -> None:
    architecture = page("architecture")
    files = [path.relative_to(ROOT) for path in ROOT.glob("*/**/*.py")]
    folders = {path.parent for path in files if not path.parts[0].startswith(".")}
    inner = {Path("matting/media/mp4"), Path("matting/media/images")}
    for folder in folders - inner:
        if folder.parts[0] == "matting" or len(folder.parts) == 1:
            assert f"| `{folder.as_posix()}/` |" in architecture


def test_every_required_package_has_its_reason() -> None:
    table = page("architecture").split("| package | why |")[1].split("\n\n")[0]
    rows = [line.split(" | ", maxsplit=1) for line in table.splitlines() if line.startswith("| ")]
    assert all(reason.strip(" |") for _, reason in rows)
    packages = [re.sub(r" \(.*\)", "", name) for names, _ in rows for name in names.split(",")]
    requirements = (ROOT / "requirements_inference.txt").read_text(encoding="utf-8")
    assert sorted(name.strip(" |") for name in packages) == sorted(package_names(requirements))


def test_the_requirements_files_that_are_named_exist() -> None:
    names = {
        name
        for path in PAGES
        for name in re.findall(r"-r (\S+\.txt)", path.read_text(encoding="utf-8"))
    }
    assert names >= {"requirements_inference.txt", "requirements_dev.txt", "requirements_docs.txt"}
    for name in names:
        assert (ROOT / name).is_file()
