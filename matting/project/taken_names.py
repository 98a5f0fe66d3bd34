"""Results that are made anew under the names that others' earlier results still have.

Inputs that are added to a folder, or removed from it, change what the results of others are called.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from matting.options import OutputKind
from matting.project.ledger import Ledger
from matting.project.result_names import places

_Place = tuple[Path, str]


def with_names_freed(
    ledger: Ledger,
    rendered: Mapping[str, frozenset[OutputKind]],
    paths: Mapping[str, Mapping[OutputKind, Path]],
) -> dict[str, frozenset[OutputKind]]:
    """Return what is made of which segments, and besides what others take the names of.

    Args:
        rendered: what is made of them anyway.
        paths: where each segment's results of each kind would go now.
    """
    recorded = {
        name: {
            kind: places(ledger.folder.output_folder(kind) / output.file)
            for kind, output in ledger.entry(name).outputs.items()
            if kind in paths[name]
        }
        for name in rendered
    }
    made = dict(rendered)
    while True:
        takers = {p: n for n, kinds in made.items() for k in kinds for p in places(paths[n][k])}
        grown = {
            name: made[name]
            | {k for k, own in recorded[name].items() if _others(takers, own, name)}
            for name in made
        }
        if grown == made:
            return made
        made = grown


def _others(takers: Mapping[_Place, str], own: Set[_Place], name: str) -> bool:
    return any(takers.get(place, name) != name for place in own)


def safe_order(ledger: Ledger, paths: Mapping[str, Collection[Path]]) -> list[str]:
    """Return segments in an order in which none takes the name of another's result too early.

    That is, before that other one has its new result, under a name of its own.

    Args:
        paths: where the new results of each of them go.
    """
    owners = {
        place: name
        for name in paths
        for kind, output in ledger.entry(name).outputs.items()
        for place in places(ledger.folder.output_folder(kind) / output.file)
    }
    before = {
        name: {owners[place] for path in own for place in places(path) if place in owners} - {name}
        for name, own in paths.items()
    }
    if not any(before.values()):
        return list(paths)
    try:
        return list(TopologicalSorter(before).static_order())
    except CycleError:
        return list(paths)  # `named_by_another` keeps them from each other


def named_by_another(ledger: Ledger, name: str, paths: Iterable[Path]) -> str | None:
    """Return another segment that is done, and has a result at one of these paths; None if none.

    Args:
        name: the segment whose results are to go there.
    """
    entry = ledger.entry(name)
    own = {ledger.folder.output_folder(k) / output.file for k, output in entry.files.items()}
    taken = {p for path in paths if path not in own and path.exists() for p in places(path)}
    if not taken:  # as good as always
        return None
    for other in ledger.names:
        if other == name or not ledger.says_done(other):
            continue
        outputs = ledger.entry(other).outputs
        there = {
            kind
            for kind, output in outputs.items()
            if taken & places(ledger.folder.output_folder(kind) / output.file)
        }
        if there and ledger.intact_outputs(other, there):
            return other
    return None
