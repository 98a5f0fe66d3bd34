"""Finished segments that are no longer what they were."""

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
    what = "a finished segment damaged, swapped, deleted"
    must_hold = "all found before combining, only those redone"
    tries, short_tries = 100, 2
    prepared = ("segment", "infer")

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        job = self.new_job(folder)
        made = job.matted.output_folder(OutputKind.COMPOSITE)
        first, second = rng.sample(self.names, 2)
        how = ("bit", "cut", "zeros", "deleted", "swapped", "copied", "appended")[number % 7]
        story = f"{how}: {first}, {second}"
        damaged = [first]
        if how == "deleted":
            (made / first).unlink()
        elif how == "swapped":
            one, other = (made / first).read_bytes(), (made / second).read_bytes()
            (made / first).write_bytes(other)
            (made / second).write_bytes(one)
            damaged.append(second)
        elif how == "copied":
            (made / first).write_bytes((made / second).read_bytes())
        else:
            spoil(made / first, how, rng)
        kept = {
            name: (made / name).stat().st_mtime_ns for name in self.names if name not in damaged
        }
        refusal = job.run("combine")
        require(refusal.code == REFUSED, f"{story}: combine ended with {refusal.last_words()}")
        require(not job.matted.combined().exists(), f"{story}: combine made a video of it")
        unnamed = [name for name in damaged if name not in refusal.output]
        require(not unnamed, f"{story}: combine did not name {unnamed}")
        redone = job.must("infer").matted()
        require(redone == sorted(damaged), f"{story}: redone were {redone}")
        touched = [n for n, time in kept.items() if (made / n).stat().st_mtime_ns != time]
        require(not touched, f"{story}: {touched} were touched")
        for command in ("combine", "add-audio"):
            job.must(command)
        self.require_whole(job)


def spoil(path: Path, how: str, rng: Random) -> None:
    """Damages a file: one bit, its end cut off, a range of zeros, or something after its end."""
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
