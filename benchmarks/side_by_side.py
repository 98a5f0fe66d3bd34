"""What the rounds of the throughput benchmark come to, as figures and as tables."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from statistics import median

from benchmarks.processes import RunResult
from benchmarks.results import table
from benchmarks.stages import Stage

FEW_FRAMES = 2
MIB = 1 << 20


@dataclass
class Round:
    """One turn of the plain loop and of this program.

    Attributes:
        naive: the plain loop, with its start.
        loop: of the plain loop for all frames, wall and CPU time in seconds.
        whole, start: this program on the clip, and on its first frames.
        stages: each alone.
        gpu_bytes: the most that torch held for the plain loop, and for the stages.
    """

    naive: RunResult
    loop: tuple[float, float]
    whole: RunResult
    start: RunResult
    stages: list[Stage] = field(default_factory=list)
    gpu_bytes: tuple[int, int] = (0, 0)


def time_without_start(turn: Round, frames: int) -> tuple[float, float]:
    """Return wall and CPU time of this program for `frames` frames, without its start."""
    share = frames / (frames - FEW_FRAMES)
    return (
        (turn.whole.seconds - turn.start.seconds) * share,
        (turn.whole.cpu_seconds - turn.start.cpu_seconds) * share,
    )


@dataclass(frozen=True)
class Figures:
    """The medians of all rounds.

    Attributes:
        naive, ours: wall and CPU time in seconds for all frames.
        ratios: of wall time, in every round.
        stages: each alone.
    """

    frames: int
    naive: tuple[float, float]
    ours: tuple[float, float]
    ratios: list[float]
    stages: list[Stage]

    @classmethod
    def of(cls, rounds: list[Round], frames: int) -> Figures:
        ours = [time_without_start(turn, frames) for turn in rounds]
        return cls(
            frames,
            naive=(median(t.loop[0] for t in rounds), median(t.loop[1] for t in rounds)),
            ours=(median(wall for wall, _ in ours), median(cpu for _, cpu in ours)),
            ratios=[turn.loop[0] / wall for turn, (wall, _) in zip(rounds, ours, strict=True)],
            stages=[
                Stage(
                    turns[0].name,
                    turns[0].thread,
                    median(stage.seconds for stage in turns),
                    median(stage.cpu_seconds for stage in turns),
                )
                for turns in zip(*(turn.stages for turn in rounds), strict=True)
            ],
        )

    @property
    def overlap(self) -> float:
        """Wall time divided by that of the slowest thread's stages, each alone."""
        threads: dict[str, float] = {}
        for stage in self.stages:
            threads[stage.thread] = threads.get(stage.thread, 0) + stage.seconds
        return self.ours[0] / max(threads.values())


def report(figures: Figures, rounds: list[Round]) -> str:
    """Return the tables for people."""
    rows = [
        _row("plain loop", figures.naive, figures.frames, [turn.naive for turn in rounds]),
        _row("this program", figures.ours, figures.frames, [turn.whole for turn in rounds]),
    ]
    head = ["", "frames a second", "with its start", "ms a frame", "processor ms a frame"]
    head += ["memory (MiB)", "card (MiB)"]
    total = sum(stage.cpu_seconds for stage in figures.stages)
    stages = [
        [
            stage.name,
            stage.thread,
            f"{stage.seconds / figures.frames * 1000:.1f}",
            f"{stage.cpu_seconds / figures.frames * 1000:.1f}",
            f"{stage.cpu_seconds / total:.0%}",
        ]
        for stage in figures.stages
    ]
    cores = os.cpu_count() or 1
    return (
        f"{table(head, rows)}\n"
        f"Ratio: {median(figures.ratios):.2f} "
        f"(rounds: {', '.join(f'{ratio:.2f}' for ratio in figures.ratios)}); "
        f"of processor time: {figures.naive[1] / figures.ours[1]:.2f}.\n\n"
        "Each stage alone, with the threads that it has in the pipeline:\n\n"
        f"{table(['stage', 'thread', 'ms a frame', 'processor ms a frame', 'share'], stages)}\n"
        f"Wall time over the slowest thread's stages: {figures.overlap:.2f}. Processor time of all "
        f"stages over {cores} cores: {total / cores / figures.frames * 1000:.0f} ms a frame, "
        f"{total / cores / figures.ours[0]:.0%} of the wall time. Torch held at most "
        f"{max(turn.gpu_bytes[0] for turn in rounds) // MIB} MiB on the GPU for the plain loop, "
        f"{max(turn.gpu_bytes[1] for turn in rounds) // MIB} MiB for the stages.\n"
    )


def _row(name: str, times: tuple[float, float], frames: int, runs: list[RunResult]) -> list[str]:
    """Return the cells of a table row.

    Args:
        times: wall and CPU time in seconds for all frames.
    """
    wall_seconds, cpu_seconds = times
    return [
        name,
        f"{frames / wall_seconds:.3f}",
        f"{frames / median(run.seconds for run in runs):.3f}",
        f"{wall_seconds / frames * 1000:.0f}",
        f"{cpu_seconds / frames * 1000:.0f}",
        f"{max(run.peak_bytes for run in runs) // MIB}",
        f"{max(run.gpu_bytes for run in runs) // MIB}",
    ]
