"""A job whose runs are killed: what they leave is a copy of the folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from matting.options import OutputKind
from matting.project.entry import Entry, OutputFile, ProvenFile
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.system.fingerprint import Fingerprint
from matting.system.temporary_files import create_temporary

NAMES = [f"output_{number:03d}.mp4" for number in range(40)]
KIND = OutputKind.COMPOSITE


def begun(folder: MattedFolder) -> Ledger:
    ledger = Ledger(folder)
    ledger.begin(NAMES, None)
    ledger.save()
    return ledger


def record(ledger: Ledger, name: str, content: str = "matted") -> None:
    path = ledger.folder.output_folder(KIND) / name
    file = ProvenFile(KIND, create_temporary(path), path)
    file.temporary.write_text(f"{content} {name}", encoding="utf-8")
    output = OutputFile.of(path, Fingerprint.of(file.temporary))
    ledger.record(name, Entry(frames=1, outputs={KIND: output}), [file])


def kill_after(folder: MattedFolder, work: Callable[[Ledger], None]) -> Path:
    """Do work as a run does, and return a copy of the folder as a kill then leaves it."""
    ledger = begun(folder)
    left = folder.root.with_name("left")
    with ledger.journalled():
        work(ledger)
        shutil.copytree(folder.root, left)
    return left


def finish(*names: str) -> Callable[[Ledger], None]:
    """Return the work that records results of some segments."""

    def work(ledger: Ledger) -> None:
        for name in names:
            record(ledger, name)

    return work


def done(root: Path) -> list[str]:
    """Return what the next run would find done; the folder stays as it is."""
    copy = Path(shutil.copytree(root, root.with_name("copy")))
    try:
        ledger = Ledger(MattedFolder(copy))
        ledger.recover()
        return [name for name in NAMES if ledger.is_done(name)]
    finally:
        shutil.rmtree(copy)


def said(root: Path) -> list[str]:
    """Return what processed.json says is done."""
    text = MattedFolder(root).processed.read_text(encoding="utf-8")
    return [name for name, is_done in json.loads(text).items() if is_done]
