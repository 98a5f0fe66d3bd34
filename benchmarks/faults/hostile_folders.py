"""Folders that hold what harms those who read it, beside a job's files and in their place."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from benchmarks.faults.fault import require
from benchmarks.faults.hostile_entries import Outside, plant_crowd, plant_modules
from benchmarks.faults.hostile_planting import Planting
from benchmarks.faults.job import Job, JobFault
from benchmarks.faults.program import LIMIT_SECONDS, CommandResult, running
from benchmarks.hostile_folder import HostileFolder
from benchmarks.stand_in import content_hash, presentation_times, write_clip
from matting.options import OutputKind
from matting.project.paths import MattedFolder

LOOSE = "loose"
STAGES = ("infer", LOOSE, "segment", "combine", "add-audio")  # LOOSE: infer, of videos without plan
CODES = range(6)  # 0: done; of the others each has its rule
SOME_FAILED = 1
COLD_EVERY = 10  # tries; these start Python anew, which would find modules in the current folder
CROWD_EVERY = 7
IN_PLACE = 0.75  # of the tries; in the others the stage may not even be refused
INTACT, LOG = "intact.mp4", "log.txt"
SIGNS_OF_A_FAULT = ("Traceback", "Exception ignored", "fault of the program", "\x1b")
CAPABILITY_VERSION = 0x20080522  # capset(2)


class HostileFolders(JobFault):
    """The stages in turn, among hostile entries; where one is refused, again without them."""

    name = "hostile-folders"
    description = "links, pipes, bombs, playlists, odd names, modules among and for a job's files"
    must_hold = (
        f"exit codes by the rules, 0 tracebacks, 0 hangs over {LIMIT_SECONDS:g} s, nothing written "
        "outside or executed, the intact inputs beside them matted"
    )
    tries, short_tries = 100, 2

    def prepare(self) -> None:
        super().prepare()
        self.states: dict[str, Path] = {LOOSE: self.original}
        job = self.new_job(self.folder / "steps")
        for command in ("segment", "infer", "combine", "add-audio"):
            self.states[command] = self.folder / f"before_{command}"
            shutil.copytree(job.folder, self.states[command])
            job.must_run(command)
        self.finished = job
        made = [path.relative_to(job.folder) for path in job.folder.rglob("*")]
        self.own = sorted(p for p in made if p != Path("clip.mp4") and p.suffix != ".txt")
        self.foreign = write_clip(self.folder / "foreign.mp4", 12, 77)

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        stage = STAGES[number % len(STAGES)]
        job = Job(folder / "work", self.checkpoint)
        job.verbose = False  # it prints the tracebacks of refusals, too
        shutil.copytree(self.states[stage], job.folder)
        loose = job.folder / "loose"
        if stage == LOOSE:
            loose.mkdir()
            shutil.copyfile(job.video, loose / INTACT)
        planting = self._plant(rng, stage, folder, job)
        modules = plant_modules(job.folder)
        if number % CROWD_EVERY == CROWD_EVERY - 1:
            plant_crowd(loose if stage == LOOSE else job.folder)
        arguments = job.arguments("infer" if stage == LOOSE else stage)
        if stage == LOOSE:
            arguments[1] = str(loose)
        cold = number % COLD_EVERY == COLD_EVERY - 1
        call = Call(arguments, folder, job.folder, modules, cold)

        story = f"{stage}, {planting.story()}"
        first = call.run(story)
        told = f"{story}: {first.last_lines()}"
        if first.code not in ((0, SOME_FAILED) if stage == LOOSE else (0,)):
            require(planting.has_replaced or stage == LOOSE, f"{told}, only for what lies beside")
            planting.undo()
            again = call.run(f"{told}, and without them")
            require(again.code == 0, f"{told}, and without them: {again.last_lines()}")
        if stage == LOOSE:
            _require_matted(loose, job.video, story)
        else:
            self._require_product(job, stage, story, exact=first.code != SOME_FAILED)

    def _plant(self, rng: Random, stage: str, folder: Path, job: Job) -> Planting:
        """Put the entries of one try into its folders."""
        outside = Outside(folder / "outside", folder / "outside" / "clip.mp4", folder / "outside/x")
        outside.folder.mkdir()
        shutil.copyfile(self.foreign, outside.clip)
        planting = Planting(job.folder, folder / "aside", outside, rng)
        if stage == LOOSE:
            planting.among_videos(job.folder / "loose")
            return planting
        planting.beside()
        if rng.random() < IN_PLACE:
            planting.in_place(self.own)
        return planting

    def _require_product(self, job: Job, stage: str, story: str, *, exact: bool) -> None:
        """Require that what the stage makes is that of the undisturbed job.

        After a failure the next segment had to begin without the state before it: then only the
        times are compared.
        """
        products: Mapping[str, list[Path]] = {
            "segment": [self.finished.segments / name for name in self.names],
            "infer": sorted(self.finished.matted.output_folder(OutputKind.COMPOSITE).glob("*.mp4")),
            "combine": [self.finished.matted.combined()],
            "add-audio": [self.finished.final],
        }
        like: Callable[[Path], object] = content_hash if exact else presentation_times
        for undisturbed in products[stage]:
            made = job.folder / undisturbed.relative_to(self.finished.folder)
            require(made.is_file(), f"{story}: {made.name} is not there")
            require(like(made) == like(undisturbed), f"{story}: {made.name} is another")


class Call(NamedTuple):
    """A command among hostile entries.

    Attributes:
        folder: of the try; what is in it and not in `current` has to stay as it is.
        current: the current folder of the command.
        modules: what must not be executed.
    """

    arguments: Sequence[str]
    folder: Path
    current: Path
    modules: HostileFolder
    cold: bool

    def run(self, story: str) -> CommandResult:
        """Run it to its end, and require that it has done nothing but its work."""
        before = _snapshot(self.folder, self.current)
        with running(
            self.arguments,
            self.folder / LOG,
            cold=self.cold,
            prepare=obey_modes,
            current=self.current,
        ) as command:
            result = command.wait_for_end()
        told = f"{story}: {result.last_lines()}"
        for sign in SIGNS_OF_A_FAULT:
            require(sign not in result.output, f"{told} ({sign!r} in its output)")
        require(result.code in CODES, told)
        require(not self.modules.executed, f"{told}, executed: {self.modules.executed}")
        after = _snapshot(self.folder, self.current)
        changed = sorted(
            name for name in before.keys() | after if before.get(name) != after.get(name)
        )
        require(not changed, f"{told}, changed outside: {changed}")
        return result


def obey_modes() -> None:
    """Have the modes of files hold for this process, too, if it is root's on Linux."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    ctypes.CDLL(None, use_errno=True).capset(header, (ctypes.c_uint32 * 6)())


def _require_matted(loose: Path, like: Path, story: str) -> None:
    """Require that the intact one of some videos is matted, whatever became of the others."""
    made = MattedFolder.of(loose).output_folder(OutputKind.COMPOSITE) / INTACT
    require(made.is_file(), f"{story}: the intact video is not matted")
    same = presentation_times(made) == presentation_times(like)
    require(same, f"{story}: the intact video has other times")


def _snapshot(folder: Path, but: Path) -> dict[str, tuple[int, int, int]]:
    """Return kind, size and time of change of all entries but the log and those in `but`."""
    found = {}
    for path in folder.rglob("*"):
        if path == but or but in path.parents or path.name == LOG:
            continue
        status = path.lstat()
        found[path.relative_to(folder).as_posix()] = (
            status.st_mode,
            status.st_size,
            status.st_mtime_ns,
        )
    return found
