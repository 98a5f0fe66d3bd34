"""Whether what is done may be done again, for other options are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import UNSET
from msgspec.structs import replace

from matting.errors import InputError
from matting.inference.published import model_of
from matting.network_choice import Shots, SmallPeople
from matting.progress import Progress, quantity
from matting.project.inputs import Input
from matting.project.job_options import JobOptions
from matting.project.ledger import Ledger
from matting.system.humanize import about
from matting.view import AutoView, Eyes, View
from matting.workers.schedule import Schedule

STAY = "To go on as before, leave the other options away."


def ask_before_redoing(
    schedule: Schedule, ledger: Ledger, frames: Callable[[Input], int], progress: Progress
) -> None:
    """Ask whether what is done by other options may be done again.

    Args:
        frames: returns how many a segment has.
    Raises:
        InputError: it may not, or there is nobody to ask.
    """
    others = schedule.of_other_options
    if not others:
        return
    matted = [item for item in others if not schedule.is_rendered(item)]
    counted = sum(map(frames, matted or others))
    takes = "how long that takes is not known"
    if ledger.frames_per_second is not None:
        seconds = counted / ledger.frames_per_second
        takes = f"that takes {'' if matted else 'less than matting did, '}{about(seconds)}"
    changes = "; ".join((schedule.changes if matted else schedule.changed_outputs).keys())
    one = len(others) == 1
    from_stored = "make it from its stored matte" if one else "make them from their stored mattes"
    again = f"matte {'it' if one else 'them'}" if matted else from_stored
    what = (
        f"{quantity(len(others), 'segment')} {'is' if one else 'are'} done by other "
        f"options ({changes}). To {again} again: {takes}."
    )
    answer = progress.confirm(f"{what} {again.capitalize()} again?")
    if answer is None:
        stay = _way_back(ledger, others)
        raise InputError(what, f"To do so, add --again. {stay}", option="--again")
    if not answer:
        raise InputError("Nothing was changed.", _way_back(ledger, others))


def _way_back(ledger: Ledger, others: Sequence[Input]) -> str:
    """Return how to go on without matting again what is done.

    After an interrupted change of options that is done by others than the job remembers.
    """
    entries = [ledger.entry(item.name) for item in others]
    made, own = JobOptions.implied_by(entries), ledger.options
    if made is None or own is None:
        return STAY
    if own.shots is Shots.AUTO and made.shots is UNSET:
        made = replace(made, shots=Shots.OFF)
    if own.small_people is SmallPeople.AUTO and made.small_people is UNSET:
        made = replace(made, small_people=SmallPeople.OFF)
    if isinstance(own.view, View) and made.view is UNSET:
        made = replace(made, view=AutoView.WHOLE)
    if any(item.apart for item in others) and made.eyes is UNSET:
        made = replace(made, eyes=Eyes.TOGETHER)
    # Results do not say where the weights were, only what they were.
    made = replace(made, model=model_of(entries[0].settings.checkpoint))
    model = own.model or (None if own.checkpoint else made.model)
    words = made.in_words(replace(own, checkpoint=None, model=model))
    return f"To keep what is done, type what it was made with: {words}" if words else STAY
