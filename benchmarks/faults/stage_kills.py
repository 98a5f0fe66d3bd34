"""SIGKILL in each stage: of the command, of what it has started, or of both."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from enum import Enum
from pathlib import Path
from random import Random
from typing import NamedTuple

from benchmarks.faults.fault import require
from benchmarks.faults.job import Job, JobFault
from benchmarks.faults.program import nothing, running
from benchmarks.stand_in import content_hash
from matting.system.temporary_files import is_temporary
from matting.workers import preflight

# Nothing was lost, or a segment; a file could not be read; the computer is to blame.
ENDS = {0, 1, 2, 70}
LINGER_SECONDS = 0.5  # in which what was left behind would have written something


class Victims(Enum):
    """Who is killed."""

    ALL = "the command and what it has started"
    COMMAND = "the command alone"
    CHILDREN = "what the command has started"


class Stage(NamedTuple):
    """A command to kill, and those before it.

    Attributes:
        with_trial: whether the clip is taken for one that is worth a trial.
    """

    command: str
    before: tuple[str, ...] = ()
    with_trial: bool = False


STAGES = (
    Stage("add-audio", ("segment", "infer", "combine")),
    Stage("infer", ("segment",), with_trial=True),
    Stage("segment"),
    Stage("combine", ("segment", "infer")),
    Stage("run"),
)


class StageKills(JobFault):
    """The stages in turn, each at a random moment; then the whole job again, to its end."""

    name = "stages"
    description = "SIGKILL in segment, combine, add-audio, run and the trial; orphans go on"
    must_hold = "nothing unfinished under a final name; no writes after the rerun says done"
    tries, short_tries = 100, 2

    def prepare(self) -> None:
        super().prepare()
        self.combined_hash = content_hash(self.undisturbed.matted.combined())
        self._seconds: dict[str, float] = {}

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        stage = STAGES[number % len(STAGES)]
        job = self.new_job(folder)
        for command in stage.before:
            job.must_run(command)
        moment = rng.uniform(0, self._usual_seconds(stage))
        victims = rng.choice(tuple(Victims))
        story = f"{stage.command} after {moment:.3f} s: SIGKILL of {victims.value}"
        group = _kill(job, stage, moment, victims)
        try:
            self._require_whole(job, story)
            job.must_run("run")
            self.require_undisturbed_result(job)
            after = _snapshot(folder)
            time.sleep(LINGER_SECONDS)
            require(_snapshot(folder) == after, f"{story}: something was written after the end")
            left = [path for path in folder.rglob("*") if is_temporary(path)]
            require(not left, f"{story}: {left} is left behind")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)

    def _usual_seconds(self, stage: Stage) -> float:
        """Return how long the stage takes undisturbed."""
        if stage.command not in self._seconds:
            job = self.new_job(self.folder / f"undisturbed_{stage.command}")
            for command in stage.before:
                job.must_run(command)
            self._seconds[stage.command] = job.must_run(stage.command).seconds
        return self._seconds[stage.command]

    def _require_whole(self, job: Job, story: str) -> None:
        finals = ((job.final, self.undisturbed_hash), (job.matted.combined(), self.combined_hash))
        for path, undisturbed in finals:
            if path.exists():
                require(content_hash(path) == undisturbed, f"{story}: {path.name} is not whole")


def _kill(job: Job, stage: Stage, moment: float, victims: Victims) -> int:
    """Start the stage and kill; return its process group once the command has ended."""
    prepare = _worth_a_trial if stage.with_trial else nothing
    with running(job.arguments(stage.command), job.log(), prepare=prepare) as command:
        if command.wait(moment) is None:
            if victims is Victims.ALL:
                command.kill()
            elif victims is Victims.COMMAND:
                command.kill_alone()
            else:
                command.kill_children()
                result = command.wait_for_end()
                require(result.code in ENDS, f"{stage.command}: {result.last_lines()}")
        return command.pid


def _worth_a_trial() -> None:
    """Let this process make a trial of any clip."""
    preflight.WORTH_PIXELS = 0


def _snapshot(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return sizes and times of change of all files."""
    files = ((path, path.stat()) for path in folder.rglob("*") if path.is_file())
    return {path: (status.st_size, status.st_mtime_ns) for path, status in files}
