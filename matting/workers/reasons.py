"""Why segments that were done are done again, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from matting.progress import quantity
from matting.project.entry import Entry, InitialState
from matting.project.ledger import Ledger
from matting.workers.schedule import Action, Schedule


def reasons(schedule: Schedule, ledger: Ledger) -> Iterator[str]:
    """Yield sentences on why segments that were done are done again.

    Args:
        ledger: as the run finds it.
    """
    for changes, count in schedule.changes.items():
        are = "is" if count == 1 else "are"
        yield f"{quantity(count, 'segment')} {are} done again, for these have changed: {changes}."
    for changes, count in schedule.changed_outputs.items():
        made = "gets other outputs of its" if count == 1 else "get other outputs of their"
        yield (
            f"{quantity(count, 'segment')} {made} stored matte{'s' if count > 1 else ''}, without "
            f"the network, for these have changed: {changes}."
        )
    place = {name: index for index, name in enumerate(ledger.names)}
    for name in sorted(schedule.overwritten & place.keys()):
        yield f"{name} is done again: another result has its name now."
    # Steps that do the same with segments in a row have this in common.
    numbered = enumerate(schedule.steps)
    for _, group in groupby(
        numbered, lambda one: (one[1].action, place[one[1].item.name] - one[0])
    ):
        first, *others = [step for _, step in group]
        names = first.item.name + (f" and the {len(others)} after it" if others else "")
        if first.action is Action.REDO:
            name = first.item.name
            if schedule.is_run_up_otherwise(name):
                again = "the frames after it, where its last shot goes on, have changed"
            else:
                again = _why_redone(ledger.entry(name))
            yield f"{names} {'are' if others else 'is'} done again: {again}."
        elif first.action is Action.RESTORE_STATE:
            yield (
                f"{names}: only the network's state at the end is computed again, for it is not "
                "kept and the next segment needs it."
            )


def _why_redone(entry: Entry) -> str:
    if entry.start_state in {InitialState.FRESH, InitialState.WARMED_UP}:
        return "it had to begin without the segment before it"
    if entry.lineage is not None and entry.lineage.exact:
        return "what it continues has changed"
    return "what it continues was not exact"
