"""The only door to the console: sentences, and progress bars."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from matting.progress import Progress

if TYPE_CHECKING:
    from tqdm import tqdm


class Console(Progress):
    """Shows progress on standard error, where it does not mix with what a pipe carries."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self._quiet = quiet
        self._verbose = verbose
        self._parts: tqdm[None] | None = None
        self._units: tqdm[None] | None = None

    def say(self, text: str) -> None:
        if not self._quiet:
            self._line(text, sys.stdout)

    def detail(self, text: str) -> None:
        if self._verbose:
            self._line(text, sys.stdout)

    def error(self, text: str) -> None:
        """A failure, shown even when quiet."""
        self._line(text, sys.stderr)

    def start(self, title: str, total: int, unit: str, parts: int = 0) -> None:
        self.finish()
        if self._quiet:
            return
        from tqdm import tqdm  # here, as sentences must be shown where it is missing

        if parts > 1:
            self._parts = tqdm(total=parts, desc="Segments", unit="segment", position=0)
        self._units = tqdm(
            total=total or None,
            desc=title,
            unit=unit,
            unit_scale=unit == "B",
            position=1 if self._parts is not None else 0,
            smoothing=0.05,
        )

    def advance(self, units: int) -> None:
        if self._units is not None:
            self._units.update(units)

    def more(self, units: int, parts: int) -> None:
        for bar, extra in ((self._units, units), (self._parts, parts)):
            if bar is not None:
                bar.total = (bar.total or 0) + extra
                bar.refresh()

    def part(self, name: str) -> None:
        if self._parts is not None:
            self._parts.set_postfix_str(name)

    def part_done(self) -> None:
        if self._parts is not None:
            self._parts.update(1)

    def finish(self) -> None:
        for bar in (self._units, self._parts):
            if bar is not None:
                bar.close()
        self._units = self._parts = None

    def _line(self, text: str, stream: TextIO) -> None:
        encoding = stream.encoding or "utf-8"
        # A name that the console's code page lacks is no reason to fail.
        shown = text.encode(encoding, "replace").decode(encoding)
        if self._units is None:
            print(shown, file=stream, flush=True)
        else:
            self._units.write(shown, file=stream)
