"""The program's own JSON files, changed at random."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.faults.fault import Fault, NotHeldError, require
from benchmarks.faults.json_edits import edited
from benchmarks.processes import ROOT
from matting.add_audio import add_audio
from matting.combine import combine
from matting.errors import MattingError
from matting.options import OutputKind
from matting.progress import Progress
from matting.project.inputs import read_inputs
from matting.project.join_record import JoinRecord
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder, segments_folder
from matting.system.guarded_calls import GuardedCalls, Limits, LostCallError

EDITS, COMMANDS_EVERY = 100, 20
LIMIT_SECONDS, COMMAND_SECONDS = 1.0, 60.0
FINISHED = ROOT / "tests" / "data" / "earlier_jobs" / "finished"


class HostileJson(Fault):
    """A finished job, one file of which is changed; then all that reads it, and every stage."""

    name = "hostile-json"
    description = f"random edits of the plan and the records, {EDITS} a try"
    must_hold = (
        f"taken or refused in a sentence, none takes over {LIMIT_SECONDS:g} s, "
        "nothing is written outside"
    )
    tries, short_tries = 100, 1

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        seed = rng.randrange(1 << 30)
        with GuardedCalls() as calls:
            try:
                edits = partial(_edit_and_read, folder, seed, number)
                story = calls.call(edits, Limits(COMMAND_SECONDS))
            except LostCallError as error:
                raise NotHeldError(f"after {_last(folder)}: {error}") from error
        require(not story, story)


def _edit_and_read(folder: Path, seed: int, number: int, progress: Progress) -> str:
    """Make the edits of one try; return what did not hold, "" for nothing."""
    rng = Random(seed)
    original = folder / "original"
    job = folder / "job"
    shutil.copytree(FINISHED, original)
    matted = MattedFolder(original / "clip_segments_matted")
    combine(matted.root, None, Progress())
    outside = _listing(folder, job)
    names = [
        path.relative_to(original)
        for path in (
            segments_folder(original / "clip.mp4") / "segments.json",
            matted.manifest,
            matted.processed,
            matted.combined().with_suffix(".json"),
        )
    ]
    shutil.copytree(original, job)
    for edit in range(EDITS):
        progress.alive()
        name = rng.choice(names)
        text = edited((original / name).read_text(encoding="utf-8"), rng)
        (job / name).write_text(text, encoding="utf-8", errors="surrogatepass")
        (folder / "last.txt").write_text(f"edit {edit} of {name}", encoding="utf-8")
        outside.pop("last.txt", None)
        with_commands = (edit + number) % COMMANDS_EVERY == 0
        story = _read_all(job, COMMANDS if with_commands else READERS)
        after = _listing(folder, job)
        after.pop("last.txt", None)
        if not story and after != outside:
            story = "files outside the job were changed"
        if story:
            return f"edit {edit} of {name}, {text[:400]!r}: {story}"
        if with_commands:
            shutil.rmtree(job)
            shutil.copytree(original, job)
        else:
            shutil.copyfile(original / name, job / name)
    return ""


def _read_all(job: Path, calls: tuple[tuple[Callable[[Path], object], float], ...]) -> str:
    for call, limit_seconds in calls:
        started = time.monotonic()
        try:
            call(job)
        except MattingError as error:
            if not error.what or not error.hint:
                return f"refused without a reason or a way out: {error}"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault
            return f"{type(error).__name__}: {error}"
        seconds = time.monotonic() - started
        if seconds > limit_seconds:
            return f"it took {seconds:.1f} s"
    return ""


def _read_ledger(job: Path) -> None:
    matted = MattedFolder(job / "clip_segments_matted")
    ledger = Ledger(matted)
    for name in ledger.names:
        ledger.is_done(name)
    if ledger.names and all(map(ledger.is_done, ledger.names)):
        JoinRecord.of(ledger, OutputKind.COMPOSITE)
    JoinRecord.read(matted.combined())


READERS: tuple[tuple[Callable[[Path], object], float], ...] = (
    (lambda job: read_inputs(job / "clip_segments"), LIMIT_SECONDS),
    (_read_ledger, LIMIT_SECONDS),
)
COMMANDS = (
    *READERS,
    (lambda job: combine(job / "clip_segments_matted", None, Progress()), COMMAND_SECONDS),
    (lambda job: add_audio(job / "clip.mp4", None, Progress()), COMMAND_SECONDS),
)


def _listing(folder: Path, job: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of change of every file that is not the job's."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if not path.is_relative_to(job) and path.is_file()
    }


def _last(folder: Path) -> str:
    path = folder / "last.txt"
    return path.read_text(encoding="utf-8") if path.is_file() else "its start"
