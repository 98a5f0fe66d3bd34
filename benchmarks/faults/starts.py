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
    """Two to four starts at the same moment; every second try, after a run that was killed."""

    name = "starts"
    description = "simultaneous starts"
    must_hold = "exactly one runs"
    tries, short_tries = 50, 2
    steps_before = ("segment",)
    # So many that the first is still at work when the last has started.
    segments_in_clip = 12

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        job = self.new_job(folder)
        if number % 2:
            job.kill_at_segment(rng.randrange(self.segments_in_clip // 2))
        before = len(job.segments_started())
        starts = rng.randint(2, 4)
        with ExitStack() as stack:
            commands = [
                stack.enter_context(running(job.arguments("infer"), job.log()))
                for _ in range(starts)
            ]
            results = [command.wait_for_end() for command in commands]
        codes = sorted(result.code for result in results)
        messages = "; ".join(result.last_lines() for result in results)
        require(codes == [0] + [BUSY] * (starts - 1), f"of {starts} starts: {messages}")
        winner = next(result for result in results if result.code == 0)
        losers = [result for result in results if result.code == BUSY]
        refused_matted = any(result.segments_started() for result in losers)
        require(not refused_matted, "one that was refused matted segments")
        require(all(result.seconds < winner.seconds for result in losers), "a refusal came late")
        started = len(job.segments_started()) - before
        require(started == len(winner.segments_started()), "more than one matted")
        for command in ("combine", "add-audio"):
            job.must_run(command)
        self.require_undisturbed_result(job)
