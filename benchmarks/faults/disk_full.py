"""A disk that is full at some point of the job, and larger afterwards."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from benchmarks.faults.fault import SkippedError, require
from benchmarks.faults.job import Job, JobFault
from matting.errors import MattingError
from matting.project.ledger import Ledger

FULL = 4
PAGE_BYTES = 4096
ENLARGED = 4  # times the need


class DiskFull(JobFault):
    """Results go to a file system in memory that has room for 1 % to 99 % of them."""

    name = "disk-full"
    description = "disk full (a small tmpfs, sizes from 1 % to 99 % of the need)"
    must_hold = "ledger parses, exit code 4, resume after enlarging gives identical frames"
    tries, short_tries = 30, 2

    def prepare(self) -> None:
        if shutil.which("mount") is None or shutil.which("umount") is None:
            raise SkippedError("there is no mount command")
        super().prepare()
        job = self.undisturbed
        files = [*job.segments.rglob("*"), *job.matted.root.rglob("*"), job.final]
        sizes = [path.stat().st_size for path in files if path.is_file()]
        self.need_pages = sum(-(-size // PAGE_BYTES) for size in sizes)
        with _small_disk(self.folder / "trial", self.need_pages):
            pass

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        percent = 1 + round(98 * (number * 11 % self.tries) / (self.tries - 1))
        pages = max(1, self.need_pages * percent // 100)
        job = self.new_job(folder)
        with _small_disk(folder / "disk", pages) as disk:
            job.output = disk
            stopped = job.run("run")
            story = f"with {percent} % of the need, {stopped.last_lines()}"
            require(stopped.code == FULL, story)
            _require_readable(job)
            _resize(disk, ENLARGED * self.need_pages)
            resumed = job.run("run")
            require(resumed.code == 0, f"{percent} %, then enlarged: {resumed.last_lines()}")
            self.require_undisturbed_result(job)


def _require_readable(job: Job) -> None:
    try:
        Ledger(job.matted)
    except MattingError as error:
        require(False, f"the ledger cannot be read: {error}")


@contextmanager
def _small_disk(folder: Path, pages: int) -> Iterator[Path]:
    """Mount a file system of that size, until the block is left."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={pages * PAGE_BYTES}", "tmpfs", str(folder)]
    english = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=english)
    if re.search("permission denied|superuser|not permitted", done.stderr):
        raise SkippedError(f"no small file system may be mounted here ({done.stderr.strip()})")
    done.check_returncode()
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def _resize(folder: Path, pages: int) -> None:
    size = f"remount,size={pages * PAGE_BYTES}"
    subprocess.run(["mount", "-o", size, str(folder)], check=True)
