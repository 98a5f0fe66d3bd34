"""How long the work will take and how much room it needs on the disk, and how to say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from matting.system.humanize import duration, gigabytes, time_of_day
from matting.workers.executor import TrialClock


@dataclass(frozen=True)
class Forecast:
    """What is ahead, judged by a trial.

    Attributes:
        tried_frames: how many frames the trial had.
        frames_per_second: how fast they went; None where nothing could be timed.
        frames: how many there are to matte.
        output_bytes: what the outputs take on the disk, older ones of the same segments aside.
        joined_bytes: what `combine` and `add-audio` take after that; 0 where there is no video.
        free_bytes: what is free there; None: unknown.
        gpu_bytes: of the GPU's memory, how much is in use and how much there is; None: no GPU.
        run_up_frames: how many frames more take as long as the run-ups of shots.
    """

    tried_frames: int
    frames_per_second: float | None
    frames: int
    output_bytes: int
    joined_bytes: int
    free_bytes: int | None
    gpu_bytes: tuple[int, int] | None = None
    run_up_frames: float = 0

    @property
    def seconds(self) -> float | None:
        """How long the work takes; None where nothing could be timed."""
        if self.frames_per_second is None:
            return None
        return (self.frames + self.run_up_frames) / self.frames_per_second

    def in_words(self, now: datetime) -> str:
        """Return some lines for the user."""
        lines = [self._time(now), self._room()]
        if self.gpu_bytes is not None:
            used, total = self.gpu_bytes
            lines.append(f"Memory of the graphics card: {gigabytes(used)} of {gigabytes(total)}.")
        return "\n".join(lines)

    def _time(self, now: datetime) -> str:
        text = f"A trial with {self.tried_frames} frames"
        seconds = self.seconds
        if self.frames_per_second is None or seconds is None:
            return f"{text} went well, but does not show how long all {self.frames} take."
        return (
            f"{text}: about {_rate(self.frames_per_second)} frames a second. "
            f"All {self.frames} take about {duration(seconds)}, "
            f"until about {time_of_day(now + timedelta(seconds=seconds), now)}."
        )

    def _room(self) -> str:
        text = f"On the disk they need about {gigabytes(self.output_bytes)}"
        if self.joined_bytes:
            text += f", joining them and adding the audio {gigabytes(self.joined_bytes)} more"
        free = "" if self.free_bytes is None else f"; {gigabytes(self.free_bytes)} are free"
        return f"{text}{free}."


def _rate(frames_per_second: float) -> str:
    return f"{frames_per_second:.{2 if frames_per_second < 1 else 1}f}"


def frames_per_second(clocks: Sequence[TrialClock]) -> float | None:
    """Return how fast long segments go, judged by short trials, all stages included.

    The first frame of each trial does not count: in a long segment it overlaps with other work.
    None where no trial has a second frame.
    """
    frames = sum(len(clock.written) - 1 for clock in clocks)
    seconds = sum(clock.flushed - clock.written[0] for clock in clocks)
    if frames < 1 or seconds <= 0:
        return None
    return frames / seconds
