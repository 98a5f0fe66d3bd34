"""Lists from which somebody chooses by a number."""

from __future__ import annotations

from collections.abc import Sequence

from matting.cli.console import Console


def numbered(purposes: Sequence[str]) -> list[str]:
    """Return a line for each, with its number, counted from 1."""
    return [f"{number:>3}  {purpose}" for number, purpose in enumerate(purposes, start=1)]


def ask_number(
    console: Console,
    purposes: Sequence[str],
    *,
    heading: str = "",
    usual: int | None = None,
) -> int | None:
    """Show a list, and return which of it is chosen, counted from 0.

    Args:
        heading: a line above the list.
        usual: which an empty answer chooses, counted from 0; None: it chooses nothing.
    Returns:
        None: there is nobody to ask.
    Raises:
        InputError: nothing was chosen.
    """
    question = "Which of these?" if usual is None else f"Which of these? Enter: {usual + 1}"
    lines = [*([heading] if heading else []), *numbered(purposes), question]
    return console.ask_until(
        "\n".join(lines),
        {str(index + 1): index for index in range(len(purposes))}.get,
        f"Please type a number from 1 to {len(purposes)}:",
        usual,
    )
