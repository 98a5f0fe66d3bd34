"""Damage to finished segments."""

from __future__ import annotations

from pathlib import Path
from random import Random

from benchmarks.faults.fault import require
from benchmarks.faults.job import JobFault
from matting.options import OutputKind

REFUSED = 2


class Damage(JobFault):
    """One or two finished segments are damaged, swapped, replaced or deleted."""

    name = "damage"
    description = "a finished segment damaged, swapped, deleted"
    must_hold = "all found before combining, only those redone"
    tries, short_tries = 100, 2
    steps_before = ("segment", "infer")

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        job = self.new_job(folder)
        outputs = job.matted.output_folder(OutputKind.COMPOSITE)
        first, second = rng.sample(self.names, 2)
        how = ("bit", "cut", "zeros", "deleted", "swapped", "copied", "appended")[number % 7]
        story = f"{how}: {first}, {second}"
        damaged = [first]
        if how == "deleted":
            (outputs / first).unlink()
        elif how == "swapped":
            one, other = (outputs / first).read_bytes(), (outputs / second).read_bytes()
            (outputs / first).write_bytes(other)
            (outputs / second).write_bytes(one)
            damaged.append(second)
        elif how == "copied":
            (outputs / first).write_bytes((outputs / second).read_bytes())
        else:
            spoil(outputs / first, how, rng)
        times = {
            name: (outputs / name).stat().st_mtime_ns for name in self.names if name not in damaged
        }
        refusal = job.run("combine")
        require(refusal.code == REFUSED, f"{story}: combine ended with {refusal.last_lines()}")
        require(not job.matted.combined().exists(), f"{story}: combine made a video of it")
        unnamed = [name for name in damaged if name not in refusal.output]
        require(not unnamed, f"{story}: combine did not name {unnamed}")
        redone = job.must_run("infer").segments_started()
        require(redone == sorted(damaged), f"{story}: redone were {redone}")
        touched = [n for n, time in times.items() if (outputs / n).stat().st_mtime_ns != time]
        require(not touched, f"{story}: {touched} were touched")
        for command in ("combine", "add-audio"):
            job.must_run(command)
        self.require_undisturbed_result(job)


def spoil(path: Path, how: str, rng: Random) -> None:
    """Damage a file: flip a bit, cut its end off, zero a range, or append to it."""
    content = bytearray(path.read_bytes())
    if how == "bit":
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    elif how == "cut":
        del content[rng.randrange(len(content)) :]
    elif how == "zeros":
        start = rng.randrange(len(content))
        length = min(rng.randint(1, 2000), len(content) - start)
        if not any(content[start : start + length]):
            content[start] ^= 255  # there were only zeros
        else:
            content[start : start + length] = bytes(length)
    else:
        content += rng.randbytes(rng.randint(1, 2000))
    path.write_bytes(content)
