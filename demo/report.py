"""What the demo measured, as a table for people."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from demo.measure import AlphaErrors

ALPHA_HELP = (
    "(Alpha says how much of a pixel is person, from 0 to 1. The film was drawn, so the true one "
    "is known; an error of 0 is a perfect match. Look at the result, or at the last picture.)"
)


@dataclass(frozen=True)
class DemoReport:
    """What the demo measured.

    Attributes:
        audio_offset_seconds: for each flash, how much later its beep begins.
        matting_fps: frames per second while segments were matted; None: all had been before.
    """

    frames_in: int
    frames_out: int
    segments: int
    alpha: AlphaErrors
    audio_offset_seconds: tuple[float, ...]
    matting_fps: float | None
    film: Path
    result: Path
    sheet: Path

    def table(self) -> str:
        """Return the report as a table for people."""
        offset_ms = max(map(abs, self.audio_offset_seconds), default=float("nan")) * 1000
        rows = [
            ("frames in, frames out", f"{self.frames_in}, {self.frames_out}"),
            ("mean error of alpha, inside", f"{self.alpha.inside:.4f}"),
            ("mean error of alpha, edges (10 px)", f"{self.alpha.edge:.4f}"),
            ("mean error of alpha, everywhere", f"{self.alpha.everywhere:.4f}"),
            (f"jump at the {self.segments - 1} cuts", f"{self.alpha.at_cuts:.4f}"),
            ("  at flashes without a cut", f"{self.alpha.elsewhere:.4f}"),
            (
                f"audio offset, worst of {len(self.audio_offset_seconds)} beeps",
                f"{offset_ms:.1f} ms",
            ),
            ("speed of the matting", self._speed()),
            ("the film", str(self.film)),
            ("the result", str(self.result)),
            ("source, alpha, truth, result", str(self.sheet)),
        ]
        width = max(len(name) for name, _ in rows)
        return "\n".join([*(f"{name:<{width}}  {value}" for name, value in rows), ALPHA_HELP])

    def _speed(self) -> str:
        if self.matting_fps is None:
            return "not measured: all was matted before"
        return f"{self.matting_fps:.1f} frames a second"
