"""Power cuts: what the disk has at a random moment is all that is left, and its journal."""

from __future__ import annotations

import filecmp
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
from benchmarks.faults.program import running
from benchmarks.stand_in import content_hash
from matting.errors import MattingError
from matting.options import OutputKind
from matting.project.ledger import Ledger

IMAGE_BYTES = 24 << 20
TOOLS = ("mount", "umount", "mkfs.ext4")
# Without these, ext4 goes on writing its own tables after it is mounted.
FORMAT = ("-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0")
# How long ext4 may keep what nobody has flushed, and in which order it writes that.
MOUNT_OPTIONS = ("commit=1", "commit=5", "commit=1,data=writeback", "commit=1,data=journal")
FORBIDDEN = "permission denied|superuser|not permitted|loop device|unknown filesystem"
MOST_COPIES = 50
AFTERWARDS = 1.1  # of the usual time: some cuts come when all is done


class PowerCuts(JobFault):
    """Results go to an ext4 in a file; a copy of that is what the next run finds."""

    name = "power-cuts"
    description = "power cuts: an ext4 in a file, copied at a random moment, its journal replayed"
    must_hold = (
        "ledger parses, all that is recorded as done is whole and not redone, "
        "rerun gives identical frames"
    )
    tries, short_tries = 60, 1

    def prepare(self) -> None:
        for tool in TOOLS:
            if shutil.which(tool) is None:
                raise SkippedError(f"there is no {tool}")
        self.empty = self.folder / "empty.img"
        with self.empty.open("wb") as file:
            file.truncate(IMAGE_BYTES)
        subprocess.run(["mkfs.ext4", *FORMAT, str(self.empty)], check=True, capture_output=True)
        with _mounted(self.empty, self.folder / "trial", MOUNT_OPTIONS[0]):
            pass
        super().prepare()
        undisturbed = self.undisturbed.matted
        self.combined_hash = content_hash(undisturbed.combined())
        self.hashes = {
            name: content_hash(undisturbed.output_folder(OutputKind.COMPOSITE) / name)
            for name in self.names
        }
        self.usual_seconds = 0.0

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        job = self.new_job(folder)
        job.output = folder / "disk"
        image, left = folder / "disk.img", folder / "left.img"
        shutil.copyfile(self.empty, image)
        options = rng.choice(MOUNT_OPTIONS)
        moment = rng.uniform(0, AFTERWARDS) * self._usual_seconds()
        with (
            _mounted(image, job.output, options),
            running(job.arguments("run"), job.log()) as command,
        ):
            ended = command.wait(moment)
            copy_at_once(image, left)
        story = f"{options}, cut after {moment:.3f} s"
        require(ended in {None, 0}, f"{story}: it had ended with {ended}")
        with _mounted(left, job.output, options):
            done = self._require_whole(job, story)
            if ended == 0:
                require(job.final.is_file(), f"{story}: it was said to be done, and is gone")
            resumed = job.run("run")
            require(resumed.code == 0, f"{story}, then {resumed.last_lines()}")
            redone = done & set(resumed.segments_started())
            require(not redone, f"{story}: {redone} were done, and are redone")
            self.require_undisturbed_result(job)

    def _usual_seconds(self) -> float:
        """Return how long the job takes on such a disk."""
        if not self.usual_seconds:
            job = self.new_job(self.folder / "usual")
            job.output = job.folder / "disk"
            image = self.folder / "usual.img"
            shutil.copyfile(self.empty, image)
            with _mounted(image, job.output, MOUNT_OPTIONS[0]):
                self.usual_seconds = job.must_run("run").seconds
        return self.usual_seconds

    def _require_whole(self, job: Job, story: str) -> set[str]:
        """Require that what has its final name is whole; return the segments that are done."""
        try:
            Ledger(job.matted)
        except MattingError as error:
            require(False, f"{story}: the ledger cannot be read: {error}")
        done = {name for name, is_done in job.processed().items() if is_done}
        results = job.matted.output_folder(OutputKind.COMPOSITE)
        wanted = {results / name: self.hashes[name] for name in done}
        finals = {job.final: self.undisturbed_hash, job.matted.combined(): self.combined_hash}
        wanted |= {path: undisturbed for path, undisturbed in finals.items() if path.exists()}
        for path, undisturbed in wanted.items():
            require(path.is_file(), f"{story}: {path.name} is done, and not there")
            require(content_hash(path) == undisturbed, f"{story}: {path.name} is not whole")
        return done


def copy_at_once(source: Path, target: Path) -> None:
    """Copy a file that is written to, as it is at one moment.

    Two copies that are equal, the second begun when the first had ended, are what there was then.
    """
    again = target.with_suffix(".again")
    shutil.copyfile(source, target)
    for _ in range(MOST_COPIES):
        shutil.copyfile(source, again)
        if filecmp.cmp(target, again, shallow=False):
            again.unlink()
            return
        again.replace(target)
    raise RuntimeError(f"{source} is never at rest")


@contextmanager
def _mounted(image: Path, folder: Path, options: str) -> Iterator[None]:
    """Mount the file system in a file, until the block is left."""
    folder.mkdir()
    command = ["mount", "-t", "ext4", "-o", f"loop,{options}", str(image), str(folder)]
    english = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=english)
    if re.search(FORBIDDEN, done.stderr, re.IGNORECASE):
        raise SkippedError(f"no file system in a file may be mounted here ({done.stderr.strip()})")
    done.check_returncode()
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()
