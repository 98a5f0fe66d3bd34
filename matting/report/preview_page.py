"""The page that compares settings on moments of a video, and grows while these are matted."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from matting.errors import InputError
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


@dataclass
class PreviewPage:
    """The page, as far as it is made.

    Attributes:
        facts: of the video, as a sentence.
        wanted: the colour behind the people, as CSS has it.
        progress: how far it is, as a sentence.
        is_finished: whether nothing more comes.
    """

    path: Path
    video: str
    facts: str
    wanted: str
    settings: list[SettingRow]
    moments: list[ShownMoment] = field(default_factory=list)
    progress: str = "The first moment is being matted ..."
    is_finished: bool = False

    def require_free(self) -> None:
        """Refuse a place where there is something else than such a page.

        Raises:
            InputError: names it.
        """
        if self.path.exists() and not is_own_page(self.path):
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
        )
        atomic_files.write_text(self.path, text)
