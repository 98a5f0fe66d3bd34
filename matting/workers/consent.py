"""Whether what is done may be done again, for other options are asked for."""

from __future__ import annotations

from matting.errors import InputError
from matting.progress import Progress, quantity
from matting.project.ledger import Ledger
from matting.system.humanize import about
from matting.workers.schedule import Schedule

STAY = "To go on as before, leave the other options away."


def ask_before_redoing(schedule: Schedule, ledger: Ledger, frames: int, progress: Progress) -> None:
    """Ask whether what is done by other options may be done again.

    Args:
        frames: of those segments, all together.
    Raises:
        InputError: it may not, or there is nobody to ask.
    """
    others = schedule.of_other_options
    if not others:
        return
    takes = "how long that takes is not known"
    if ledger.frames_per_second is not None:
        takes = f"that takes {about(frames / ledger.frames_per_second)}"
    changes = "; ".join(schedule.changes)
    what = (
        f"{quantity(len(others), 'segment')} {'is' if len(others) == 1 else 'are'} done by other "
        f"options ({changes}). To matte them again: {takes}."
    )
    answer = progress.confirm(f"{what} Matte them again?")
    if answer is None:
        raise InputError(what, f"To do so, add --again. {STAY}", option="--again")
    if not answer:
        raise InputError("Nothing was changed.", STAY)
