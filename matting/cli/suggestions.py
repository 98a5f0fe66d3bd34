"""What a user may have meant by a word that is none of those there are."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

# Word processors and web pages make others of the hyphens of an option.
DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
LEAST_LIKENESS = 0.7


def nearest(word: str, choices: Sequence[str]) -> str:
    """Return the choice that was meant, in spite of case, a slip or an end left out; "" if none."""
    lower = word.lower()
    begun = [choice for choice in choices if len(lower.strip("-")) > 1 and choice.startswith(lower)]
    if len(begun) == 1:
        return begun[0]
    return next(iter(difflib.get_close_matches(lower, choices, 1, LEAST_LIKENESS)), "")


def question(meant: str) -> str:
    """Return how to ask for it, to be appended to a sentence; "" if nothing was meant."""
    return f" Did you mean {meant}?" if meant else ""


def looks_like_option(word: str) -> bool:
    """Return whether a word was meant to be an option, whatever dashes it begins with."""
    return len(word) > 1 and word[0] in DASHES and not word[1].isdigit()


def plain_option(word: str) -> str:
    """Return the name of an option as it would be right: two hyphens, lower case, no value."""
    return f"--{word.lstrip(DASHES).partition('=')[0].lower().replace('_', '-')}"
