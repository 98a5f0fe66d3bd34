"""Progress that remembers what a stage reported, and can interrupt it."""

from __future__ import annotations

from collections.abc import Callable

from matting.progress import Notice, Progress, SegmentReport


def carry_on(_units: int = 0) -> None:
    """Do nothing: a Recorder's callbacks unless a test sets others."""


def once_done(units: int, action: Callable[[], None]) -> Callable[[int], None]:
    """Return a callback for `on_advance` that calls `action` once, when so many units are done."""
    pending = [action]

    def act(done: int) -> None:
        if done >= units and pending:
            pending.pop()()

    return act


class Recorder(Progress):
    """Keep what a stage reports. Its callbacks may raise, to interrupt the stage.

    Attributes:
        said, details: the messages, in order.
        notices: what is to be listed at the end, in order.
        reports: what came of each segment.
        done: units of the bar that is being filled.
        titles: of each bar.
        totals: of each bar whose length was known.
        on_advance: called with `done` after each step.
        on_segment_end: called after each segment.
        answer: what is answered to questions; None: there is nobody to ask.
        asked: the questions.
    """

    def __init__(self) -> None:
        self.said: list[str] = []
        self.details: list[str] = []
        self.notices: list[tuple[Notice, str]] = []
        self.reports: list[SegmentReport] = []
        self.done = 0
        self.titles: list[str] = []
        self.totals: list[int] = []
        self.on_advance: Callable[[int], None] = carry_on
        self.on_segment_end: Callable[[], None] = carry_on
        self.answer: bool | None = None
        self.asked: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def detail(self, text: str) -> None:
        self.details.append(text)

    def confirm(self, question: str) -> bool | None:
        self.asked.append(question)
        return self.answer

    def start(self, title: str, total: int, unit: str, segments: int = 0) -> None:
        self.titles.append(title)
        if total:  # 0 where the length is unknown: starting, and the trial
            self.totals.append(total)
        self.done = 0

    def advance(self, units: int) -> None:
        self.done += units
        self.on_advance(self.done)

    def end_segment(self) -> None:
        self.on_segment_end()

    def notice(self, kind: Notice, text: str) -> None:
        self.notices.append((kind, text))

    def report(self, segment: SegmentReport) -> None:
        self.reports.append(segment)

    def mentions(self, words: str) -> bool:
        """Return whether any message, or what is to be listed at the end, contains these words."""
        listed = (text for _, text in self.notices)
        return any(words in line for line in (*self.said, *listed))
