"""Changes between two runs: of the source, the checkpoint, a setting, the clock."""

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
    """A finished job is run again after something has changed, or only seems to have."""

    name = "changes"
    description = "source, checkpoint or setting changed between runs; clock moved a day"
    must_hold = "0 stale reuse, 0 needless redo"
    tries, short_tries = 20, 5
    steps_before = ("run",)
    segments_in_clip = 2

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
        """Put another video under the same name, with the same modification time."""
        stat = job.video.stat()
        seed = CLIP_SEED + rng.randint(1, 1000)
        write_clip(job.video, self.segments_in_clip * KEY_FRAMES, seed)
        os.utime(job.video, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        job.must_run("run", code=REFUSED)
        job.must_run("add-audio", code=REFUSED)
        job.must_run("segment", "--overwrite")
        self._require_new(job, "another source")

    def _checkpoint(self, job: Job, rng: Random) -> None:
        shutil.copy2(self.other_checkpoint, job.folder / "stand_in.pth")
        job.checkpoint = job.folder / "stand_in.pth"
        self._require_new(job, "another checkpoint")

    def _setting(self, job: Job, rng: Random) -> None:
        self._require_new(job, "another setting", *rng.choice(SETTINGS))

    def _require_new(self, job: Job, story: str, *setting: str) -> None:
        """Everything must be matted again, and the result be that of a fresh folder."""
        if setting or story == "another checkpoint":
            job.must_run("run", *setting, code=REFUSED)  # nobody can be asked
        started = job.must_run("run", *setting, "--again").segments_started()
        require(started == self.names, f"{story} {setting}: matted again were {started}")
        folder = job.folder / "fresh"
        folder.mkdir()
        shutil.copy2(job.video, folder)
        fresh = Job(folder, job.checkpoint)
        fresh.must_run("run", *setting)
        require(
            content_hash(job.final) == content_hash(fresh.final),
            f"{story} {setting}: old parts in it",
        )

    def _clock(self, job: Job, rng: Random) -> None:
        """Make every file a day older, or a day newer."""
        shift_ns = rng.choice((-DAY_NS, DAY_NS))
        for path in [job.video, *job.folder.rglob("*")]:
            stat = path.stat()
            os.utime(path, ns=(stat.st_atime_ns + shift_ns, stat.st_mtime_ns + shift_ns))
        self._require_unchanged(job, f"the clock moved by {shift_ns // 10**9} s")

    def _nothing(self, job: Job, rng: Random) -> None:
        """Ask for the same in other words: a copy of the checkpoint, a default given explicitly."""
        job.checkpoint = Path(shutil.copy(self.checkpoint, job.folder / "copy.pth"))
        options = rng.choice((("--quality", "18"), ("--background", "120,255,155"), ()))
        self._require_unchanged(job, f"a copied checkpoint and {options}", *options)

    def _require_unchanged(self, job: Job, story: str, *options: str) -> None:
        started = job.must_run("run", *options).segments_started()
        require(not started, f"{story}: {started} were matted again")
        self.require_undisturbed_result(job)
