"""A folder that was cut before: whether it is this video's, and what is missing in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from matting.errors import InputError
from matting.options import CuttingOptions, OnDamage
from matting.project.paths import UNFINISHED
from matting.project.plan import Plan, SourceFingerprint, read_plan


def read_existing_cut(
    folder: Path, source: SourceFingerprint, options: CuttingOptions
) -> Plan | None:
    """Return the plan by which `folder` was cut from `source`; None if it was not cut yet.

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
    if plan.source != source:
        conflict = f"{folder} was cut from another video ({plan.source.name})."
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


def missing_segment(folder: Path, plan: Plan) -> str | None:
    """Return the name of the first segment that is not there; None if all are."""
    names = (segment.name for segment in plan.segments)
    return next((name for name in names if not (folder / name).is_file()), None)


def options_of(plan: Plan, options: CuttingOptions) -> CuttingOptions:
    """Return `options` with all that shaped the plan as it was then."""
    repeats = any(segment.repeated for segment in plan.segments)
    return replace(
        options,
        seconds=plan.seconds,
        reencode=plan.reencoded,
        damaged=OnDamage.REPEAT if repeats else options.damaged,
    )
