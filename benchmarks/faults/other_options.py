"""Other options for a finished job, broken off at any moment, and the old ones again."""

from __future__ import annotations

from pathlib import Path
from random import Random

from benchmarks.faults.fault import require
from benchmarks.faults.job import Job, JobFault
from benchmarks.faults.program import running
from matting.options import OutputKind
from matting.project.ledger import Ledger
from matting.system.files import sha256

REFUSED = 2
# What is typed for other results, and what for those from before.
CHANGES = (
    (("--background", "#102030"), ("--background", "120,255,155")),
    (("--quality", "30"), ()),
    (("--downsample-ratio", "0.5"), ()),
    (("--codec", "hevc"), ()),
)


class OtherOptions(JobFault):
    """A finished job is matted by other options and killed; then the old options come back."""

    name = "options"
    description = "other options for a finished job, SIGKILL at a random moment, the old ones again"
    must_hold = "0 proven results lost, nothing mixed is joined, only what was replaced is redone"
    tries, short_tries = 100, 2
    steps_before = ("segment", "infer")

    def prepare(self) -> None:
        super().prepare()
        job = self.new_job(self.folder / "timed")
        self.infer_seconds = job.must_run("infer", *CHANGES[0][0], "--again").seconds

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        job = self.new_job(folder)
        before = self._hashes(job)
        other, back = CHANGES[number % len(CHANGES)]
        moment = rng.uniform(0, self.infer_seconds)
        story = f"{' '.join(other)}, killed after {moment:.3f} s"
        with running(job.arguments("infer", *other, "--again"), job.log()) as command:
            if command.wait(moment) is None:
                command.kill()
        wrong = [name for name, done in job.processed().items() if not done]
        require(not wrong, f"{story}: {wrong} were taken back")
        ledger = Ledger(job.matted)
        ledger.recover()
        lost = [name for name in self.names if not ledger.is_done(name)]
        require(not lost, f"{story}: {lost} are not proven any more")
        after = self._hashes(job)
        replaced = [name for name in self.names if after[name] != before[name]]
        if 0 < len(replaced) < len(self.names):
            refusal = job.run("combine")
            require(refusal.code == REFUSED, f"{story}: combine ended with {refusal.last_lines()}")
        redone = job.must_run("infer", *back, "--again").segments_started()
        require(redone == replaced, f"{story}: replaced were {replaced}, redone {redone}")
        require(self._hashes(job) == before, f"{story}: what came back is something else")

    def _hashes(self, job: Job) -> dict[str, str]:
        outputs = job.matted.output_folder(OutputKind.COMPOSITE)
        return {name: sha256(outputs / name) for name in self.names}
