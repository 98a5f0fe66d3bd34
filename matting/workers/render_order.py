"""The order of a run's steps in which no result is overwritten before its next one is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from matting.options import OutputKind
from matting.project.ledger import Ledger
from matting.project.taken_names import safe_order

if TYPE_CHECKING:
    from matting.workers.schedule import Step


def in_safe_order(
    steps: Sequence[Step], ledger: Ledger, paths: Mapping[str, Mapping[OutputKind, Path]]
) -> list[Step]:
    """Return the steps; those that make outputs of stored mattes change their places.

    Args:
        paths: where each segment's results of each kind would go now.
    """
    rendered = {step.item.name: step for step in steps if step.kinds is not None}
    targets = {
        name: [path for kind, path in paths[name].items() if kind in (step.kinds or ())]
        for name, step in rendered.items()
    }
    in_order = iter(safe_order(ledger, targets))
    return [step if step.kinds is None else rendered[next(in_order)] for step in steps]
