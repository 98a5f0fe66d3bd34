"""A folder that was cut before: whether it is this video's, and what is missing in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from matting.errors import InputError
from matting.options import CuttingOptions, OnDamage
from matting.project.paths import UNFINISHED
from matting.project.plan import Plan, read_plan
from matting.project.source_watch import SourceWatch


def read_existing_cut(folder: Path, source: SourceWatch, options: CuttingOptions) -> Plan | None:
    """Return the plan by which `folder` was cut from `source`; None if it was not cut yet.

    It may have been cut from a damaged or unfinished copy.

    Raises:
        InputError: it holds something else, or was cut with other options.
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
    elif options.seconds is not None and plan.seconds != options.seconds:
        conflict = f"{folder} was cut into segments of {plan.seconds} seconds."
    elif options.reencode and not plan.reencoded:
        conflict = f"{folder} was cut without re-encoding."
    if conflict:
        raise InputError(
            conflict,
            "To cut it anew, add --overwrite; to keep both, choose a place with --output.",
            option="--overwrite",
        )
    return plan


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
    )
