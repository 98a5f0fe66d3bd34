"""A folder that was cut before: whether it is this video's, and what is missing in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from matting.errors import InputError
from matting.options import CuttingOptions, OnDamage
from matting.progress import Progress, quantity
from matting.project.ledger import Ledger
from matting.project.paths import UNFINISHED, MattedFolder
from matting.project.plan import Plan, read_plan
from matting.project.source_watch import SourceWatch
from matting.system.humanize import about

OVERWRITE_OR_KEEP = "To cut it anew, add --overwrite; to keep both, choose a place with --output."


def read_existing_cut(folder: Path, source: SourceWatch) -> Plan | None:
    """Return the plan by which `folder` was cut from `source`; None if it was not cut yet.

    It may have been cut from a damaged or unfinished copy.

    Raises:
        InputError: it holds something else.
    """
    plan = read_plan(folder)
    if plan is None:
        if any(folder.glob("*.mp4")) and not (folder / UNFINISHED).exists():
            raise InputError(
                f"{folder} holds videos that were not cut by this program.",
                "Move them away, or choose a place with --output.",
                option="--output",
            )
        return None
    conflict = ""
    is_better = plan.is_of_damaged and source.is_better_copy(plan.source)
    if not is_better and not source.is_still(plan.source):
        conflict = f"{folder} was cut from another video ({plan.source.name})."
        if plan.source.begins(source.video):
            conflict = f"{source.video} has changed since {folder} was cut from it."
    if conflict:
        raise InputError(conflict, OVERWRITE_OR_KEEP, option="--overwrite")
    return plan


def ask_for_other_options(
    folder: Path, plan: Plan, options: CuttingOptions, matted: MattedFolder, progress: Progress
) -> bool:
    """Return whether a video is to be cut anew, for it was cut by other options.

    Args:
        matted: where its segments are matted.
    Raises:
        InputError: it is not to be, or there is nobody to ask.
    """
    if options.seconds is not None and plan.seconds != options.seconds:
        number = f"{float(plan.seconds):g}"
        seconds = "1 second" if number == "1" else f"{number} seconds"
        conflict = f"{folder} was cut into segments of {seconds}."
    elif options.reencode and not plan.reencoded:
        conflict = f"{folder} was cut without re-encoding."
    else:
        return False
    answer = progress.confirm(f"{conflict}{_cost(matted)} Cut it anew?")
    if answer is None:
        raise InputError(conflict, OVERWRITE_OR_KEEP, option="--overwrite")
    if not answer:
        raise InputError("Nothing was changed.", "To go on, leave the other options away.")
    return True


def _cost(matted: MattedFolder) -> str:
    """Return what cutting anew costs, as a sentence; "" where nothing is matted."""
    try:
        ledger = Ledger(matted)
    except InputError:  # damaged: none of it can be kept in any case
        return ""
    done = [name for name in ledger.names if ledger.says_done(name)]
    if not done:
        return ""
    frames, speed = sum(ledger.entry(name).frames for name in done), ledger.frames_per_second
    takes = f", which takes {about(frames / speed)}" if speed else ""
    return f" {quantity(len(done), 'matted segment')} would have to be matted again{takes}."


def reason_to_cut_again(folder: Path, plan: Plan, source: SourceWatch) -> str | None:
    """Return a sentence on why what `read_existing_cut` found does not do; None if it does."""
    if not source.is_still(plan.source):
        return f"Cutting anew: {folder} was cut from a damaged copy of this video."
    names = (segment.name for segment in plan.segments)
    missing = next((name for name in names if not (folder / name).is_file()), None)
    return missing and f"Cutting again as before: {missing} is missing in {folder}"


def options_of(plan: Plan, options: CuttingOptions) -> CuttingOptions:
    """Return `options` with all that shaped the plan as it was then."""
    repeats = any(segment.repeated for segment in plan.segments)
    return replace(
        options,
        seconds=plan.seconds,
        reencode=plan.reencoded,
        damaged=OnDamage.REPEAT if repeats else options.damaged,
        view=plan.view if options.view is None else options.view,
    )
