"""How far a piece of work is, in one line that fits the window."""

from __future__ import annotations

import math

from matting.system.humanize import clock

RATE_SECONDS = 30  # what is older than this hardly counts for the speed
MEGABYTE = 1_000_000
BAR_CELLS = (6, 30)  # fewer tell nothing, more tell no more


class Meter:
    """Counts what is done, and how fast."""

    def __init__(self, title: str, total: int, unit: str, parts: int, now: float) -> None:
        """
        Args:
            title, total, unit, parts: as in `Progress.start`; a total of 0 is unknown.
            now: seconds of a clock that only goes forward, as in all methods.
        """
        self.title = title
        self.total = total
        self.done = 0
        self._bytes = unit == "B"
        self._parts = parts
        self._parts_done = 0
        self._rate = _Rate(now)

    def advance(self, units: int, now: float) -> None:
        """So many more units are done; fewer than none are to be done again."""
        self.done += units
        self._rate.note(units, now)

    def more(self, units: int, parts: int) -> None:
        """So many more units and segments have turned up."""
        self.total += units
        self._parts += parts

    def part_done(self) -> None:
        self._parts_done += 1

    @property
    def is_complete(self) -> bool:
        return self.done >= self.total

    def line(self, width: int, cell: str) -> str:
        """The line, of `width` characters at most; what matters least is left out first.

        Args:
            cell: a character of which the bar is made; "": no bar.
        """
        facts = {
            "amount": self._amount(),
            "rate": self._speed(),
            "left": self._left(),
            "part": self._part(),
        }
        head = self._head()
        for least in ("", "part", "rate", "amount", "left"):
            facts[least] = ""
            told = list(filter(None, facts.values()))
            text = ", ".join([head, *told])
            if len(text) <= width:
                return _with_bar(text, head, self._fraction, width, cell)
            text = " ".join([head, *told])
            if len(text) <= width:
                return text
        return head[:width]

    @property
    def _fraction(self) -> float:
        return min(1.0, self.done / self.total) if self.total else 0.0

    def _head(self) -> str:
        if not self.total:
            return self.title
        return f"{self.title} {min(100, 100 * self.done // self.total)}%"

    def _amount(self) -> str:
        if self._bytes:
            of = f" of {self.total / MEGABYTE:.1f}" if self.total else ""
            return f"{self.done / MEGABYTE:.1f}{of} MB"
        if not self.total:
            return f"{self.done} frames" if self.done else ""
        return f"{self.done}/{self.total}"

    def _speed(self) -> str:
        rate = self._rate.per_second
        if not rate or not self.total:  # a trial begins slowly, and its speed is told at its end
            return ""
        if self._bytes:
            return f"{rate / MEGABYTE:.1f} MB/s"
        return f"{rate:.{2 if rate < 1 else 1 if rate < 100 else 0}f} fps"

    def _left(self) -> str:
        rate = self._rate.per_second
        if not rate or self.done >= self.total:
            return ""
        return f"{clock((self.total - self.done) / rate)} left"

    def _part(self) -> str:
        if self._parts < 2:
            return ""
        return f"segment {min(self._parts_done + 1, self._parts)}/{self._parts}"


def _with_bar(text: str, head: str, fraction: float, width: int, cell: str) -> str:
    """The line with a bar in place of its first comma, where there is room for one."""
    cells = min(BAR_CELLS[1], width - len(text) - len(" ||"))
    if not cell or "%" not in head or cells < BAR_CELLS[0]:
        return text
    full = math.floor(fraction * cells)
    return f"{head} |{cell * full:<{cells}}| {text[len(head) + len(', ') :]}".rstrip()


class _Rate:
    """Units a second, of late: the mean since the start, in which the past fades."""

    def __init__(self, now: float) -> None:
        self._last = now
        self._units = 0.0
        self._seconds = 0.0

    def note(self, units: int, now: float) -> None:
        passed = max(0.0, now - self._last)
        self._last = now
        if units < 0:
            return  # done again: that says nothing of how fast it goes
        fade = math.exp(-passed / RATE_SECONDS)
        self._units = self._units * fade + units
        self._seconds = self._seconds * fade + passed

    @property
    def per_second(self) -> float:
        """0 while it cannot be told."""
        return self._units / self._seconds if self._seconds > 0 else 0.0
