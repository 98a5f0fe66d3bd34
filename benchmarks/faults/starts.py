"""Several runs on one folder at once."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from random import Random

from benchmarks.faults.fault import require
from benchmarks.faults.job import JobFault
from benchmarks.faults.program import running

BUSY = 5


class Starts(JobFault):
    """Two to four starts at the same moment; every second time, a killed run went before."""

    name = "starts"
    what = "simultaneous starts"
    must_hold = "exactly one runs"
    tries, short_tries = 50, 2
    prepared = ("segment",)
    # Long enough that the first is still at work when the last has started.
    segments_in_clip = 24

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        job = self.new_job(folder)
        if number % 2:
            job.killed_at_segment(rng.randrange(self.segments_in_clip // 2))
        before = len(job.matted_so_far())
        starts = rng.randint(2, 4)
        with ExitStack() as stack:
            commands = [
                stack.enter_context(running(job.arguments("infer"), job.log()))
                for _ in range(starts)
            ]
            ended = [command.end() for command in commands]
        codes = sorted(end.code for end in ended)
        told = "; ".join(end.last_words() for end in ended)
        require(codes == [0] + [BUSY] * (starts - 1), f"of {starts} starts: {told}")
        winner = next(end for end in ended if end.code == 0)
        losers = [end for end in ended if end.code == BUSY]
        require(not any(end.matted() for end in losers), "one that was refused matted segments")
        require(all(end.seconds < winner.seconds for end in losers), "a refusal came late")
        require(len(job.matted_so_far()) - before == len(winner.matted()), "more than one matted")
        for command in ("combine", "add-audio"):
            job.must(command)
        self.require_whole(job)
