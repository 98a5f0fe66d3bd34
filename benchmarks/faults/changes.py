"""What changes between two runs: the source, the checkpoint, a setting, the clock."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

from benchmarks.checkpoints import write_random_checkpoint
from benchmarks.faults.fault import require
from benchmarks.faults.job import CLIP_SEED, NETWORK_SEED, Job, JobFault
from benchmarks.stand_in import KEY_FRAMES, content_hash, write_clip

DAY_NS = 24 * 3600 * 10**9
REFUSED = 2
SETTINGS = (
    ("--background", "#102030"),
    ("--quality", "30"),
    ("--downsample-ratio", "0.5"),
    ("--precision", "bf16"),
    ("--codec", "hevc"),
)


class Changes(JobFault):
    """A whole job is run again after something has changed, or only seems to have."""

    name = "changes"
    what = "source, checkpoint or setting changed between runs; clock moved a day"
    must_hold = "0 stale reuse, 0 needless redo"
    tries, short_tries = 20, 5
    prepared = ("run",)

    def prepare(self) -> None:
        super().prepare()
        self.other_checkpoint = write_random_checkpoint(self.folder / "other.pth", NETWORK_SEED + 1)

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        kinds: tuple[Callable[[Job, Random], None], ...] = (
            self._source,
            self._checkpoint,
            self._setting,
            self._clock,
            self._nothing,
        )
        kinds[number % len(kinds)](self.new_job(folder), rng)

    def _source(self, job: Job, rng: Random) -> None:
        """Another video under the same name, as old as the one before."""
        stat = job.video.stat()
        seed = CLIP_SEED + rng.randint(1, 1000)
        write_clip(job.video, self.segments_in_clip * KEY_FRAMES, seed)
        os.utime(job.video, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        job.must("run", code=REFUSED)
        job.must("add-audio", code=REFUSED)
        job.must("segment", "--overwrite")
        self._as_new(job, "another source")

    def _checkpoint(self, job: Job, rng: Random) -> None:
        shutil.copy2(self.other_checkpoint, job.folder / "stand_in.pth")
        job.checkpoint = job.folder / "stand_in.pth"
        self._as_new(job, "another checkpoint")

    def _setting(self, job: Job, rng: Random) -> None:
        self._as_new(job, "another setting", *rng.choice(SETTINGS))

    def _as_new(self, job: Job, story: str, *setting: str) -> None:
        """Everything is matted again, and the result is that of a folder without a past."""
        again = job.must("run", *setting).matted()
        require(again == self.names, f"{story} {setting}: matted again were {again}")
        fresh = job.folder / "fresh"
        fresh.mkdir()
        shutil.copy2(job.video, fresh)
        new = Job(fresh, job.checkpoint)
        new.must("run", *setting)
        require(
            content_hash(job.final) == content_hash(new.final),
            f"{story} {setting}: old parts in it",
        )

    def _clock(self, job: Job, rng: Random) -> None:
        """Every file a day older, or from tomorrow."""
        moved = rng.choice((-DAY_NS, DAY_NS))
        for path in [job.video, *job.folder.rglob("*")]:
            stat = path.stat()
            os.utime(path, ns=(stat.st_atime_ns + moved, stat.st_mtime_ns + moved))
        self._as_before(job, f"the clock moved by {moved // 10**9} s")

    def _nothing(self, job: Job, rng: Random) -> None:
        """The same in other words: a copy of the checkpoint, a default said aloud."""
        job.checkpoint = Path(shutil.copy(self.checkpoint, job.folder / "copy.pth"))
        said = rng.choice((("--quality", "18"), ("--background", "120,255,155"), ()))
        self._as_before(job, f"a copied checkpoint and {said}", *said)

    def _as_before(self, job: Job, story: str, *said: str) -> None:
        again = job.must("run", *said).matted()
        require(not again, f"{story}: {again} were matted again")
        self.require_whole(job)
