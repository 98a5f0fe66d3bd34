"""What a network's state descends from: every frame it has seen since the start of the shot.

A state is identified by what made it, not by its bits: the segments that the network went through
and the settings that shape the matte. So results from other computers, whose arithmetic differs in
the last bits, and states that have to be computed once more stay comparable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from msgspec import UnsetType, json, to_builtins
from msgspec.structs import replace

from matting.project.entry import Entry, InitialState, Lineage, RecordedSettings
from matting.project.ledger import Ledger
from matting.project.recorded_settings import MATTE_SETTINGS
from matting.system.fingerprint import Fingerprint


def state_after(start: str | None, source: Fingerprint | None, settings: RecordedSettings) -> str:
    """Return the identity of the state at a segment's end.

    Args:
        start: that of the state at its first frame; None: the start of a shot.
        source: the segment's content; None: it is not there.
    """
    parts = start, None if source is None else source.sha256, _matte(settings)
    return hashlib.sha256(json.encode(parts)).hexdigest()


def same_matte(settings: RecordedSettings, others: RecordedSettings) -> bool:
    """Return whether both settings give the same mattes, in whatever outputs."""
    return _matte(settings) == _matte(others)


def adopt_lineages(ledger: Ledger, shots: Iterable[Sequence[str]]) -> None:
    """Give results of an earlier version the lineage that their own records imply.

    Args:
        shots: of each shot, its segments in order.
    """
    for names in shots:
        start, before_is_right = None, True
        for name in names:
            entry = ledger.entry(name)
            lineage = entry.lineage
            if lineage is None and entry.outputs:
                lineage = _implied_lineage(entry, start, before_is_right=before_is_right)
                ledger.amend(name, replace(entry, lineage=lineage))
            before_is_right = lineage == Lineage(start, exact=True)
            start = state_after(start, entry.source, entry.settings)


def _implied_lineage(entry: Entry, start: str | None, *, before_is_right: bool) -> Lineage:
    """Return the lineage of a result on whose record it is missing, by the rest of that record.

    Args:
        start: the identity of the state before it.
        before_is_right: whether the result before it is exact.
    """
    if entry.start_state is InitialState.FRESH:
        return Lineage(start, start is None)
    continues = entry.start_state in {InitialState.CARRIED, InitialState.RESET}
    return Lineage(start, continues and before_is_right)


def _matte(settings: RecordedSettings) -> list[object]:
    values = (getattr(settings, name) for name in MATTE_SETTINGS)
    return [None if isinstance(value, UnsetType) else to_builtins(value) for value in values]
