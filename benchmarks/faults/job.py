"""The job that faults are done to: a clip of a few segments, and how it ends undisturbed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.checkpoints import write_random_checkpoint
from benchmarks.faults.fault import Fault, NotHeldError, require
from benchmarks.faults.program import Ended, run, running
from benchmarks.stand_in import KEY_FRAMES, RATE, content_hash, write_clip
from matting.project.paths import MattedFolder, final_file, segments_folder
from matting.project.plan import Plan, read_plan

SEGMENTS = 4
SECONDS = f"{KEY_FRAMES}/{RATE}"
POLL_SECONDS = 0.01
CLIP_SEED, NETWORK_SEED = 1, 20


class Job:
    """A video in a folder, and the commands that matte it there."""

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
        """The command line of one command; `extra` comes last and wins."""
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
        """A new file for what a command tells."""
        self._logs += 1
        return self.folder / f"log_{self._logs:02d}.txt"

    def run(self, command: str, *extra: str, cold: bool = False) -> Ended:
        """Runs a command to its end."""
        return run(self.arguments(command, *extra), self.log(), cold=cold)

    def must(self, command: str, *extra: str, code: int = 0) -> Ended:
        """Runs a command that has to end with that exit code."""
        ended = self.run(command, *extra)
        require(ended.code == code, f"{command} ended with {ended.last_words()}")
        return ended

    def killed_after(self, seconds: float, *, cold: bool = False) -> Ended | None:
        """Starts `run` and kills its whole group; how it ended, if that came sooner."""
        with running(self.arguments("run"), self.log(), cold=cold) as command:
            if command.wait(seconds) is not None:
                return command.end()
            command.kill()
        return None

    def killed_at_segment(self, number: int) -> None:
        """Starts `infer` and kills its whole group once it is at its segment of that number."""
        with running(self.arguments("infer"), self.log()) as command:
            while command.wait(POLL_SECONDS) is None and len(command.matted()) <= number:
                pass
            if command.wait(0) is None:
                command.kill()

    def matted_so_far(self) -> list[str]:
        """The segments that all commands up to now began to matte, in order."""
        began: list[str] = []
        for number in range(1, self._logs + 1):
            path = self.folder / f"log_{number:02d}.txt"
            if path.is_file():
                text = path.read_text(encoding="utf-8", errors="replace")
                began += Ended(0, text, 0).matted()
        return began

    def plan(self) -> Plan:
        """The plan by which the video was cut."""
        plan = read_plan(self.segments)
        if plan is None:
            raise NotHeldError(f"there is no plan in {self.segments}")
        return plan

    def done(self) -> dict[str, bool]:
        """What processed.json says."""
        if not self.matted.processed.is_file():
            return {}
        value = json.loads(self.matted.processed.read_text(encoding="utf-8"))
        return {str(name): value[name] is True for name in value}


class JobFault(Fault):
    """A row whose tries start from a fresh copy of one job."""

    segments_in_clip = SEGMENTS
    prepared: Sequence[str] = ()  # commands that have been run on the job before each try

    def prepare(self) -> None:
        """Draws the clip, mattes it undisturbed, and keeps what a try starts from."""
        self.checkpoint = write_random_checkpoint(self.folder / "stand_in.pth", NETWORK_SEED)
        self.original = self.folder / "original"
        self.original.mkdir()
        write_clip(self.original / "clip.mp4", self.segments_in_clip * KEY_FRAMES, CLIP_SEED)
        job = self.new_job(self.folder / "undisturbed")
        self.undisturbed = job
        self.life_seconds = job.must("run").seconds
        self.whole = content_hash(job.final)
        self.names = [segment.name for segment in job.plan().segments]
        require(len(self.names) == self.segments_in_clip, f"the clip was cut into {self.names}")
        if self.prepared:
            job = self.new_job(self.folder / "prepared")
            for command in self.prepared:
                job.must(command)
            shutil.rmtree(self.original)
            job.folder.rename(self.original)
            for log in self.original.glob("log_*.txt"):
                log.unlink()

    def new_job(self, folder: Path) -> Job:
        """A copy of what a try starts from."""
        shutil.copytree(self.original, folder, dirs_exist_ok=True)
        return Job(folder, self.checkpoint)

    def require_whole(self, job: Job) -> None:
        """The final video has to be that of the undisturbed run."""
        require(job.final.is_file(), f"{job.final.name} is not there")
        require(content_hash(job.final) == self.whole, f"{job.final.name} is another video")
