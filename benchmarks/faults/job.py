"""The job that faults are done to: a clip of a few segments, and its undisturbed result."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from benchmarks.checkpoints import write_random_checkpoint
from benchmarks.faults.fault import Fault, NotHeldError, require
from benchmarks.faults.program import CommandResult, run, running
from benchmarks.stand_in import KEY_FRAMES, RATE, content_hash, write_clip
from matting.project.paths import MattedFolder, final_file, segments_folder
from matting.project.plan import Plan, read_plan

SEGMENTS = 4
SECONDS = f"{KEY_FRAMES}/{RATE}"
POLL_SECONDS = 0.01
CLIP_SEED, NETWORK_SEED = 1, 20


class Job:
    """A video in a folder, and the commands that matte it."""

    def __init__(self, folder: Path, checkpoint: Path, output: Path | None = None) -> None:
        self.folder = folder
        self.video = folder / "clip.mp4"
        self.checkpoint = checkpoint
        self.output = output
        self.verbose = True
        self._logs = 0

    @property
    def segments(self) -> Path:
        return segments_folder(self.video, self.output)

    @property
    def matted(self) -> MattedFolder:
        return MattedFolder.of(self.segments)

    @property
    def final(self) -> Path:
        return final_file(self.video, self.output)

    def arguments(self, command: str, *extra: str) -> list[str]:
        """Return the arguments of one command; `extra` comes last and wins."""
        path = {"infer": self.segments, "combine": self.matted.root}.get(command, self.video)
        arguments = [command, str(path), *(["--verbose"] if self.verbose else [])]
        if self.output is not None and command in {"run", "segment", "add-audio"}:
            arguments += ["--output", str(self.output)]
        if command in {"run", "segment"}:
            arguments += ["--seconds", SECONDS]
        if command in {"run", "infer"}:
            arguments += ["--checkpoint", str(self.checkpoint), "--device", "cpu"]
            arguments += ["--downsample-ratio", "1", "--codec", "h264"]
        return [*arguments, *extra]

    def log(self) -> Path:
        """Return the path of a new log, for the output of one command."""
        self._logs += 1
        return self.folder / f"log_{self._logs:02d}.txt"

    def run(self, command: str, *extra: str, cold: bool = False) -> CommandResult:
        """Run a command to its end."""
        return run(self.arguments(command, *extra), self.log(), cold=cold)

    def must_run(self, command: str, *extra: str, code: int = 0) -> CommandResult:
        """Run a command that has to end with that exit code."""
        result = self.run(command, *extra)
        require(result.code == code, f"{command} ended with {result.last_lines()}")
        return result

    def kill_after(self, seconds: float, *, cold: bool = False) -> CommandResult | None:
        """Start `run` and kill its whole group; return its result if it ended sooner."""
        with running(self.arguments("run"), self.log(), cold=cold) as command:
            if command.wait(seconds) is not None:
                return command.wait_for_end()
            command.kill()
        return None

    def kill_at_segment(self, number: int) -> None:
        """Start `infer` and kill its whole group once it has begun its segment of that number."""
        with running(self.arguments("infer"), self.log()) as command:
            while command.wait(POLL_SECONDS) is None and len(command.segments_started()) <= number:
                pass
            if command.wait(0) is None:
                command.kill()

    def segments_started(self) -> list[str]:
        """Return the segments that all commands so far have begun to matte, in order."""
        started: list[str] = []
        for number in range(1, self._logs + 1):
            path = self.folder / f"log_{number:02d}.txt"
            if path.is_file():
                text = path.read_text(encoding="utf-8", errors="replace")
                started += CommandResult(0, text, 0).segments_started()
        return started

    def plan(self) -> Plan:
        """Return the plan by which the video was cut."""
        plan = read_plan(self.segments)
        if plan is None:
            raise NotHeldError(f"there is no plan in {self.segments}")
        return plan

    def processed(self) -> dict[str, bool]:
        """Return what processed.json says."""
        if not self.matted.processed.is_file():
            return {}
        value = json.loads(self.matted.processed.read_text(encoding="utf-8"))
        return {str(name): value[name] is True for name in value}


class Undisturbed(NamedTuple):
    """A finished job to which nothing was done.

    Attributes:
        seconds: how long `run` took.
        content: the hash of its final video.
    """

    job: Job
    seconds: float
    content: str


@cache
def undisturbed_job(where: Path, segments: int) -> Undisturbed:
    """Write a clip of so many segments, and matte it; once only.

    Args:
        where: the folder that gets a folder for it.
    """
    folder = where / f"undisturbed_{segments}"
    folder.mkdir()
    job = Job(folder, write_random_checkpoint(where / f"stand_in_{segments}.pth", NETWORK_SEED))
    write_clip(job.video, segments * KEY_FRAMES, CLIP_SEED)
    return Undisturbed(job, job.must_run("run").seconds, content_hash(job.final))


class JobFault(Fault):
    """A row whose tries start from a fresh copy of one job."""

    segments_in_clip = SEGMENTS
    steps_before: Sequence[str] = ()  # commands that have been run before each try

    def prepare(self) -> None:
        """Make what a try starts from, and what it is compared with."""
        undisturbed = undisturbed_job(self.common, self.segments_in_clip)
        self.undisturbed, self.undisturbed_seconds, self.undisturbed_hash = undisturbed
        self.checkpoint = self.undisturbed.checkpoint
        self.names = [segment.name for segment in self.undisturbed.plan().segments]
        require(len(self.names) == self.segments_in_clip, f"the clip was cut into {self.names}")
        self.original = self.folder / "original"
        self.original.mkdir()
        shutil.copy2(self.undisturbed.video, self.original)
        if self.steps_before:
            job = self.new_job(self.folder / "before")
            for command in self.steps_before:
                job.must_run(command)
            shutil.rmtree(self.original)
            job.folder.rename(self.original)
            for log in self.original.glob("log_*.txt"):
                log.unlink()

    def new_job(self, folder: Path) -> Job:
        """Return a copy of what a try starts from."""
        shutil.copytree(self.original, folder, dirs_exist_ok=True)
        return Job(folder, self.checkpoint)

    def require_undisturbed_result(self, job: Job) -> None:
        """Require that the final video is that of the undisturbed run."""
        require(job.final.is_file(), f"{job.final.name} is not there")
        require(
            content_hash(job.final) == self.undisturbed_hash, f"{job.final.name} is another video"
        )
