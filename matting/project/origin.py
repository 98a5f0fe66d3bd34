"""Whose results a matted folder holds: two folders of one name may be given one --output."""

from __future__ import annotations

from pathlib import Path

from matting.errors import InputError
from matting.project.inputs import InputFolder
from matting.project.ledger import Ledger


def origin_of(folder: Path) -> str:
    """Return what a folder of inputs is known again by, as long as it stays where it is."""
    return str(folder.resolve())


def require_same_origin(inputs: InputFolder, ledger: Ledger) -> None:
    """Refuse to replace the results of other inputs that lie in another folder of the same name.

    Beside their inputs they can be those of no others. A folder that was moved, or copied, holds
    the same inputs; then it is taken as the same.

    Raises:
        InputError: the results are of others; names both folders.
    """
    results = {name: ledger.entry(name) for name in ledger.names if ledger.entry(name).outputs}
    if not results or ledger.origin == origin_of(inputs.path):
        return
    if ledger.folder.root.resolve().parent == inputs.path.resolve().parent:
        return
    now = {item.name: item for item in inputs.inputs}
    same = (
        entry.source is not None
        and name in now
        and now[name].path.exists()
        and entry.source.matches(now[name].path)
        for name, entry in results.items()
    )
    # Earlier versions did not record where the inputs were, and some of them may have changed.
    if all(same) if ledger.origin is not None else any(same):
        return
    whose = ledger.origin or (ledger.plan.source.name if ledger.plan else "other videos")
    raise InputError(
        f"{ledger.folder.root} holds the results of {whose}, not of {inputs.path}.",
        "To keep both, choose another place with --output, or give one of them another name.",
        option="--output",
    )
