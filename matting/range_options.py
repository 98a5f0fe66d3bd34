"""What can be asked for of a range of frames that is done again.

Nothing here needs a package, as in `matting.options`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

DEFAULT_BLEND_FRAMES = 4
LAST_RANGE = 0  # stands for the number of the last range


class Rectangle(NamedTuple):
    """A part of the picture as it is shown, in pixels from its upper left corner."""

    left: int
    top: int
    width: int
    height: int

    def __str__(self) -> str:
        return ",".join(map(str, self))


@dataclass(frozen=True)
class RangeOptions:
    """Which frames are done again, where in the picture there are people, or what is taken back.

    Attributes:
        start_seconds, end_seconds: in the times that players show; both None: all frames.
        blend_frames: over how many frames a range is blended in and out, where no shot starts.
        static_mask: a picture that is white where nothing is ever matted.
        keep_out: where nothing is matted.
        hold_in: outside of which nothing is matted.
        video: the name of the one that is meant, in a folder of separate videos.
        undo: the number of a range that is taken back; LAST_RANGE: the last one; None: none is.
    """

    start_seconds: Fraction | None = None
    end_seconds: Fraction | None = None
    blend_frames: int = DEFAULT_BLEND_FRAMES
    static_mask: Path | None = None
    keep_out: tuple[Rectangle, ...] = ()
    hold_in: tuple[Rectangle, ...] = ()
    video: str | None = None
    undo: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it holds all frames."""
        return self.start_seconds is None and self.end_seconds is None

    @property
    def has_limits(self) -> bool:
        """Whether it says where in the picture there are people."""
        return self.static_mask is not None or bool(self.keep_out or self.hold_in)

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing."""
        return self.is_whole and not self.has_limits and self.undo is None
