"""How far a task is, in one line that fits the window."""

from __future__ import annotations

import math

from matting.system.humanize import clock

RATE_SECONDS = 30  # what is older than this hardly counts for the speed
MEGABYTE = 1_000_000
BAR_CELLS = (6, 30)  # fewer show nothing, more show no more


class ProgressLine:
    """Counts what is done, and how fast."""

    def __init__(self, title: str, total: int, unit: str, segments: int, now: float) -> None:
        """
        Args:
            title, total, unit, segments: as in `Progress.start`.
            now: the seconds of a monotonic clock, as in all methods.
        """
        self.title = title
        self.total = total
        self.done = 0
        self._in_bytes = unit == "B"
        self._segments = segments
        self._segments_done = 0
        self._rate = _Rate(now)

    def advance(self, units: int, now: float) -> None:
        """Count units that are done; a negative number of them has to be done again."""
        self.done += units
        self._rate.count(units, now)

    def extend(self, units: int, segments: int) -> None:
        """Add units and segments that have turned up."""
        self.total += units
        self._segments += segments

    def end_segment(self) -> None:
        """Count a segment that has ended."""
        self._segments_done += 1

    @property
    def is_complete(self) -> bool:
        """Whether all units are done."""
        return self.done >= self.total

    def render(self, width: int, bar_cell: str) -> str:
        """Return the line, of `width` characters at most, without what matters least if need be.

        Args:
            bar_cell: the character that the bar is made of; "": no bar.
        """
        facts = {
            "amount": self._amount(),
            "rate": self._speed(),
            "left": self._time_left(),
            "segment": self._segment(),
        }
        head = self._head()
        for least in ("", "segment", "rate", "amount", "left"):
            facts[least] = ""
            texts = list(filter(None, facts.values()))
            line = ", ".join([head, *texts])
            if len(line) <= width:
                return self._with_bar(line, head, width, bar_cell)
            line = " ".join([head, *texts])
            if len(line) <= width:
                return line
        return head[:width]

    def _with_bar(self, line: str, head: str, width: int, cell: str) -> str:
        """Return the line with a bar in place of its first comma, if there is room for one."""
        cells = min(BAR_CELLS[1], width - len(line) - len(" ||"))
        if not cell or not self.total or cells < BAR_CELLS[0]:
            return line
        full = math.floor(min(1.0, self.done / self.total) * cells)
        return f"{head} |{cell * full:<{cells}}| {line[len(head) + len(', ') :]}".rstrip()

    def _head(self) -> str:
        if not self.total:
            return self.title
        return f"{self.title} {min(100, 100 * self.done // self.total)}%"

    def _amount(self) -> str:
        if self._in_bytes:
            of = f" of {self.total / MEGABYTE:.1f}" if self.total else ""
            return f"{self.done / MEGABYTE:.1f}{of} MB"
        if not self.total:
            return f"{self.done} frames" if self.done else ""
        return f"{self.done}/{self.total}"

    def _speed(self) -> str:
        rate = self._rate.per_second
        if not rate or not self.total:  # a trial starts slowly, and reports its speed at its end
            return ""
        if self._in_bytes:
            return f"{rate / MEGABYTE:.1f} MB/s"
        return f"{rate:.{2 if rate < 1 else 1 if rate < 100 else 0}f} fps"

    def _time_left(self) -> str:
        rate = self._rate.per_second
        if not rate or self.done >= self.total:
            return ""
        return f"{clock((self.total - self.done) / rate)} left"

    def _segment(self) -> str:
        if self._segments < 2:
            return ""
        return f"segment {min(self._segments_done + 1, self._segments)}/{self._segments}"


class _Rate:
    """Units a second, of late: the mean since the start, in which the past fades."""

    def __init__(self, now: float) -> None:
        self._last = now
        self._units = 0.0
        self._seconds = 0.0

    def count(self, units: int, now: float) -> None:
        passed = max(0.0, now - self._last)
        self._last = now
        if units < 0:
            return  # to be done again: that says nothing about the speed
        fade = math.exp(-passed / RATE_SECONDS)
        self._units = self._units * fade + units
        self._seconds = self._seconds * fade + passed

    @property
    def per_second(self) -> float:
        """The rate; 0 while it is not known."""
        return self._units / self._seconds if self._seconds > 0 else 0.0
