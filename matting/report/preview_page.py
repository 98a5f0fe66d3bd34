"""The page that compares settings on moments of a video, and grows while these are matted."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from matting.errors import InputError
from matting.progress import quantity
from matting.report.page import is_own_page, render_page
from matting.system import atomic_files
from matting.system.humanize import duration, gigabytes
from matting.workers.estimate import Forecast

SUFFIX = "_preview.html"
REFRESH_SECONDS = 4
UNKNOWN = "not known"


def page_path(video: Path, output: Path | None = None) -> Path:
    """Return the page of a video: beside it, or in the folder `output`."""
    return (output or video.parent) / f"{video.stem}{SUFFIX}"


@dataclass
class SettingRow:
    """What the page says of a setting.

    Attributes:
        line, choice: what to type to matte by it, and to choose it.
        forecast: what the whole video takes; None: not tried yet, or that did not work.
        is_tried: whether it was tried.
    """

    name: str
    ratio: float
    line: str
    choice: str
    is_chosen: bool = False
    forecast: Forecast | None = None
    is_tried: bool = False

    @property
    def speed(self) -> str:
        rate = None if self.forecast is None else self.forecast.frames_per_second
        return self._unknown if rate is None else f"{rate:.{2 if rate < 1 else 1}f}"

    @property
    def duration(self) -> str:
        seconds = None if self.forecast is None else self.forecast.seconds
        return self._unknown if seconds is None else duration(seconds)

    @property
    def size(self) -> str:
        if self.forecast is None:
            return self._unknown
        return gigabytes(self.forecast.output_bytes + self.forecast.joined_bytes)

    @property
    def _unknown(self) -> str:
        return UNKNOWN if self.is_tried else "..."


@dataclass(frozen=True)
class ResultPicture:
    """What a setting makes of a moment.

    Attributes:
        number: of the setting, from 1.
        people: as a data URI, without what was behind them.
    """

    number: int
    name: str
    people: str


@dataclass
class ShownMoment:
    """A moment on the page.

    Attributes:
        time: as a player shows it.
        part: which part of the frame is shown, as a sentence; "": all.
        source, behind: as data URIs; the second is "" where a colour is behind the people.
    """

    frame: int
    time: str
    reason: str
    source: str
    behind: str = ""
    part: str = ""
    results: list[ResultPicture] = field(default_factory=list)

    @property
    def numbers(self) -> set[int]:
        """By which settings it is there."""
        return {result.number for result in self.results}

    def add(self, result: ResultPicture) -> None:
        """Add what another setting makes of it."""
        self.results.append(result)
        self.results.sort(key=lambda one: one.number)


@dataclass
class PreviewPage:
    """The page, as far as it is made.

    Attributes:
        facts: of the video, as a sentence.
        wanted: the colour behind the people, as CSS has it.
        expected: how many moments there are to be; 0: nobody knows yet.
        now: the number of the setting by which moments are being matted.
        is_finished: whether nothing more comes.
        is_stopped: whether that is before all was done.
    """

    path: Path
    video: str
    facts: str
    wanted: str
    settings: list[SettingRow]
    moments: list[ShownMoment] = field(default_factory=list)
    expected: int = 0
    now: int = 1
    is_finished: bool = False
    is_stopped: bool = False

    @property
    def progress(self) -> str:
        """How far it is, in a sentence or two."""
        here = quantity(len(self.moments), "moment")
        if self.is_stopped:
            return f"This is not complete: the preview was stopped with {here}."
        if self.is_finished:
            return self._at_the_end
        if not self.moments:
            return "The first moment is being matted ..."
        if not self.expected:
            return "The first moment is here. The others are being chosen ..."
        if self.now == 1:
            return f"{len(self.moments)} of {self.expected} moments are here so far ..."
        so_far = len(self.moments) - self._lacking(self.now)
        return (
            f"{here} are here, and {so_far} of them by setting {self._named(self.now)} so far ..."
        )

    def missing(self, moment: ShownMoment) -> str:
        """Return by which settings a moment is not there, as a clause; "": by none."""
        numbers = range(1, len(self.settings) + 1)
        return ", ".join(self._named(number) for number in numbers if number not in moment.numbers)

    @property
    def _at_the_end(self) -> str:
        here = quantity(len(self.moments), "moment")
        absent = []
        if (others := self.expected - len(self.moments)) > 0:
            absent.append(quantity(others, "other moment"))
        for number in range(1, len(self.settings) + 1):
            if lacking := self._lacking(number):
                absent.append(f"{lacking} of them by setting {self._named(number)}")
        if not absent:
            return f"All is here: {here}, each by {quantity(len(self.settings), 'setting')}."
        return f"{here} are here. Three minutes were too short for {' and '.join(absent)}."

    def _lacking(self, number: int) -> int:
        return sum(number not in moment.numbers for moment in self.moments)

    def _named(self, number: int) -> str:
        return f"{number} ({self.settings[number - 1].name})"

    def require_free(self) -> None:
        """Refuse a place where there is something else than such a page.

        Raises:
            InputError: names it.
        """
        if os.path.lexists(self.path) and not is_own_page(self.path):
            raise InputError(
                f"{self.path} is in the way: nothing says that this program made it.",
                "Move it, or put the page elsewhere with --output.",
                option="--output",
            )

    def write(self) -> None:
        """Write it in the place of what it was.

        Raises:
            StorageError: it cannot be written.
        """
        text = render_page(
            "preview.html.j2",
            title=f"Preview of {self.video}",
            styles=("preview.css",),
            scripts=("preview.js",),
            data={"wanted": self.wanted},
            refresh_seconds=None if self.is_finished else REFRESH_SECONDS,
            settings=self.settings,
            moments=self.moments,
            facts=self.facts,
            progress=self.progress,
            is_finished=self.is_finished,
            missing=self.missing,
        )
        atomic_files.write_text(self.path, text)
