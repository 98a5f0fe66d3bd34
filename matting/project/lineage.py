"""What a network's state descends from: every frame it has seen since the start of the shot.

A state is identified by what made it, not by its bits: the segments that the network went through
and the settings that shape the matte. So results from other computers, whose arithmetic differs in
the last bits, and states that have to be computed once more stay comparable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec import UNSET, UnsetType, json, to_builtins
from msgspec.structs import replace

from matting.project.entry import Entry, InitialState, Lineage, RecordedSettings
from matting.project.ledger import Ledger
from matting.project.recorded_settings import MATTE_SETTINGS
from matting.system.fingerprint import Fingerprint

FIRST = ("checkpoint", "ratio", "precision")  # what shaped a matte in the first version


def state_after(
    start: str | None,
    source: Fingerprint | None,
    settings: RecordedSettings,
    ahead: str | None = None,
) -> str:
    """Return the identity of the state at a segment's end.

    Args:
        start: that of the state at its first frame; None: a shot starts there, or later in it.
        source: the segment's content; None: it is not there.
        ahead: the identity of the frames after it that its last shot's run-up takes.
    """
    parts = [start, _sha256(source), _matte(settings)]
    return _identity(parts if ahead is None else [*parts, ahead])


def frames_identity(
    parts: Sequence[tuple[Fingerprint | None, int]], *, unread: bool = False
) -> str:
    """Return the identity of the first frames of some segments.

    Args:
        parts: the content of each, None where it is not there, and how many of its frames.
        unread: whether they could not be read, and so were left out.
    """
    listed: list[object] = [[_sha256(source), frames] for source, frames in parts]
    return _identity([*listed, "unread"] if unread else listed)


def same_matte(settings: RecordedSettings, others: RecordedSettings) -> bool:
    """Return whether both settings give the same mattes, in whatever outputs."""
    return all(getattr(settings, name) == getattr(others, name) for name in MATTE_SETTINGS)


def same_matte_options(settings: RecordedSettings, others: RecordedSettings) -> bool:
    """Return whether both come of the same options for the matte, in whatever segments."""
    return same_matte(_of_any_segment(settings), _of_any_segment(others))


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


@lru_cache(maxsize=16)  # those of one segment are mostly those of the next
def _matte(settings: RecordedSettings) -> tuple[object, ...]:
    """Return what shapes a matte; what is newer than recorded identities only where it is set."""
    values = {name: getattr(settings, name) for name in MATTE_SETTINGS}
    known = {n: to_builtins(v) for n, v in values.items() if not isinstance(v, UnsetType)}
    newer = ([name, known[name]] for name in MATTE_SETTINGS if name in known.keys() - FIRST)
    return *(known.get(name) for name in FIRST), *newer


def _of_any_segment(settings: RecordedSettings) -> RecordedSettings:
    return settings if settings.shots is UNSET else replace(settings, shots=())


def _sha256(source: Fingerprint | None) -> str | None:
    return None if source is None else source.sha256


def _identity(parts: object) -> str:
    return hashlib.sha256(json.encode(parts)).hexdigest()
