"""Names that have no place in a log that may be sent to others."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from matting.system.invocation import ROOT
from matting.workers.cluster.worker_names import HOST

ADDRESS = re.compile(r"\b(?:tcp|tls)://[^\s,;'\"]*[\w\]/]")  # of a computer in somebody's network
IGNORES_CASE = sys.platform in {"win32", "darwin"}


class NameRemover:
    """Replaces the paths of the program, of Python and of the user by what they are."""

    def __init__(self, others: Mapping[Path, str]) -> None:
        """
        Args:
            others: more paths, and what stands for each.
        """
        named = {**others, ROOT: "<program>"}
        for prefix in (sys.prefix, sys.base_prefix):
            named.setdefault(Path(prefix), "<python>")
        named.setdefault(_home(), "~")
        self._names = {
            form: name for path, name in named.items() if path.name for form in _forms(path)
        }
        longest_first = sorted(self._names, key=len, reverse=True)
        self._pattern = re.compile(
            # Not in the middle of a longer path, nor of a longer name; a full stop may end it.
            r"(?<![\w/\\])(" + "|".join(map(re.escape, longest_first)) + r")(?!\.*[\w-])",
            re.IGNORECASE if IGNORES_CASE else 0,
        )
        self._folded = {form.lower(): name for form, name in self._names.items()}

    def remove(self, text: str) -> str:
        """Return a text without them, and without the addresses and names of computers."""
        text = HOST.sub("<computer>", ADDRESS.sub("<address>", text))
        return self._pattern.sub(lambda match: self._folded[match[0].lower()], text)


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # there is none
        return Path()


def _forms(path: Path) -> set[str]:
    """Return a path as it may be written: as it is, resolved, as a URL's, in a repr."""
    paths = {path}
    with suppress(OSError, RuntimeError, ValueError):
        paths.add(path.resolve())
    texts = {str(one) for one in paths}
    return {form for text in texts for form in (text, text.replace("\\", "/"), repr(text)[1:-1])}
