"""SIGKILL at a random moment, and the command again until it is done."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

from benchmarks.faults.fault import require
from benchmarks.faults.job import JobFault

MOST_KILLS = 3
# While one segment is encoded to its end, checked and recorded, the next is matted already.
REDONE_PER_KILL = 2
COLD_EVERY = 10  # tries; these start Python anew each time


class Kills(JobFault):
    """The whole process group is killed at once, up to three times in one job."""

    name = "kills"
    description = "SIGKILL of the process group at a random moment, rerun until done"
    must_hold = (
        "final video's decoded frames identical to an uninterrupted run; "
        f"at most {REDONE_PER_KILL} segments redone per kill"
    )
    tries, short_tries = 200, 2

    def prepare(self) -> None:
        super().prepare()
        self.cold_undisturbed_seconds = 0.0

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        cold = number % COLD_EVERY == COLD_EVERY - 1
        job = self.new_job(folder)
        kills = 0
        moments = []
        for _ in range(rng.randint(1, MOST_KILLS)):
            moment = rng.uniform(0, self._undisturbed_seconds(cold))
            moments.append(f"{moment:.3f}")
            if job.kill_after(moment, cold=cold) is not None:
                break
            kills += 1
        last = job.run("run", cold=cold)
        story = f"killed after {', '.join(moments)} s"
        require(last.code == 0, f"{story}, the last run ended with {last.last_lines()}")
        started = Counter(job.segments_started())
        redone = sum(started.values()) - len(started)
        held = redone <= REDONE_PER_KILL * kills
        require(held, f"{story}, {redone} segments were redone after {kills} kills")
        self.require_undisturbed_result(job)

    def _undisturbed_seconds(self, cold: bool) -> float:
        if not cold:
            return self.undisturbed_seconds
        if not self.cold_undisturbed_seconds:
            undisturbed = self.new_job(self.folder / "cold").run("run", cold=True)
            self.cold_undisturbed_seconds = undisturbed.seconds
        return self.cold_undisturbed_seconds
