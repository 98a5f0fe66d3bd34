"""What the groups of a command's options have in common."""

from __future__ import annotations

import argparse

from matting.cli import arg_types
from matting.job_option import Choice, JobOption

Group = argparse._ArgumentGroup


def add_choice(
    group: Group,
    option: str,
    default: Choice,
    description: str,
    aliases: dict[str, str] | None = None,
) -> None:
    """Add an option whose values are those of an enum, the default's."""
    values = [choice.value for choice in type(default)]
    group.add_argument(
        option,
        default=argparse.SUPPRESS if option in list(JobOption) else default.value,
        type=arg_types.choice(values, aliases or {}),
        metavar=f"{{{','.join(values)}}}",
        help=f"{description} (default: {default})",
    )
