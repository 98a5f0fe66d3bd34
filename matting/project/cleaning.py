"""The working files of a finished job: which of them may go, and what has to stay.

What goes is what the records name and whose content is still as it was recorded. Everything else in
the folders is somebody else's, and stays. So do the records themselves: by them, the final file is
known as this program's, the video is cut again as before, and a stored matte is told from a
damaged one.
"""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from matting.errors import InputError, StorageError
from matting.options import OutputKind
from matting.progress import Progress
from matting.project.join_record import JoinRecord
from matting.project.ledger import Ledger
from matting.project.own_files import is_own_final
from matting.project.paths import LIST_NAME, LOG_NAME, PLAN_NAME, MattedFolder
from matting.project.plan import Plan, read_plan
from matting.project.result_lists import concat_list
from matting.project.source_fingerprint import SourceFingerprint
from matting.system import atomic_files
from matting.system.file_lock import LOCK_FILE, folder_lock
from matting.system.files import image_files
from matting.system.fingerprint import Fingerprint

WRITABLE = stat.S_IWUSR
DELIVERED_RECORD = "*_DELIVERED.json"  # by which the files of delivered formats are known


@dataclass(frozen=True)
class FinishedJob:
    """A job whose final file is there.

    Attributes:
        video: what it was made of.
        segments: the folder of its segments.
        final: the file that is to stay.
    """

    video: Path
    segments: Path
    matted: MattedFolder
    final: Path


@dataclass
class Cleaning:
    """What cleaning up has done.

    Attributes:
        freed_bytes: how much was removed.
        stayed: what is in the folders and is not this program's, or cannot be removed.
        segments_stay: why the segments were left, as a sentence; "" if they were not.
    """

    freed_bytes: int = 0
    stayed: list[Path] = field(default_factory=list)
    segments_stay: str = ""


def reason_to_keep(job: FinishedJob) -> str:
    """Return why nothing of a job may be removed, as a sentence; "" if it may.

    Raises:
        InputError: a record cannot be read.
    """
    return next(_reasons_to_keep(job), "")


def _reasons_to_keep(job: FinishedJob) -> Iterator[str]:
    ledger, plan = Ledger(job.matted), read_plan(job.segments)
    combined = job.matted.combined()
    record = JoinRecord.read(combined)
    if plan is None or ledger.plan is None or record is None:
        yield f"{job.matted.root} is not the folder of one whole video."
        return
    entries = {name: ledger.entry(name) for name in ledger.names}
    done = (ledger.says_done(name) or entry.waiting for name, entry in entries.items())
    if not all(done) or any(OutputKind.COMPOSITE not in e.outputs for e in entries.values()):
        yield "Not all segments are finished."
    elif not record.has_parts_of(JoinRecord.of(ledger, OutputKind.COMPOSITE)):
        yield f"{job.final} was made before some segments were matted again."
    elif not is_own_final(job.final, combined):
        yield f"{job.final} is not what was made of these segments."
    elif not job.video.is_file() or not SourceFingerprint.of(job.video).looks_like(plan.source):
        yield f"{job.video} is not there any more as it was cut."


def clean_up(job: FinishedJob, progress: Progress, *, mattes_too: bool = False) -> Cleaning:
    """Remove the working files of a job for which `reason_to_keep` has none.

    A run that is stopped half-way, and done again, removes the rest. What was removed is recorded
    as not done before the first file goes, so that the next run makes it again: of the stored
    mattes, or, where these go too, by the network.

    Raises:
        BusyError: another run works in a folder.
        StorageError: the record cannot be written.
    """
    with (
        folder_lock(job.matted.root, warn=progress.say),
        folder_lock(job.segments, warn=progress.say),
    ):
        if reason := reason_to_keep(job):
            raise InputError(reason, "The working folders stay as they are.")
        ledger = Ledger(job.matted)
        plan = read_plan(job.segments)
        done = Cleaning()
        ledger.reopen(ledger.names, waiting=() if mattes_too else ledger.names)
        own = list(_own_results(ledger, mattes_too=mattes_too))
        if plan is not None:
            done.segments_stay = "" if mattes_too else _reason_to_keep_segments(plan)
            if not done.segments_stay:
                own += [(job.segments / s.name, s.fingerprint) for s in plan.segments]
        progress.start("Cleaning up", sum(f.size_bytes for _, f in own), "B")
        try:
            for path, fingerprint in own:
                _remove_own(path, fingerprint, progress, done)
        finally:
            progress.finish()
        _remove_lists(ledger)
        done.stayed = sorted(_left(job, ledger, plan, done, mattes_too=mattes_too))
    return done


def _reason_to_keep_segments(plan: Plan) -> str:
    """Return why segments cannot be had again as they are, as a sentence; "" if they can.

    The stored mattes are of these very files. Cutting copies packets, and gives the same files
    again; a lossy encoder and the repair of damage need not.
    """
    if plan.reencoded:
        return "The segments stay: they were re-encoded, and other looks are made from them."
    if plan.is_of_damaged:
        return "The segments stay: the video is damaged, and other looks are made from them."
    return ""


def _own_results(ledger: Ledger, *, mattes_too: bool) -> Iterator[tuple[Path, Fingerprint]]:
    """Yield the files that matting and joining have made, and what each is known by."""
    folder = ledger.folder
    for path, output in ledger.recorded_files():
        if mattes_too or path.parent not in _matte_folders(folder):
            yield path, output.fingerprint
    for name in ledger.names:
        state = ledger.entry(name).end_state
        if state is not None:
            yield folder.state(name), state
    for kind in OutputKind:
        record = JoinRecord.read(folder.combined(kind)) if kind.is_joined else None
        for fingerprint in (record.file, record.replaced) if record else ():
            if fingerprint is not None:
                yield folder.combined(kind), fingerprint


def _remove_own(path: Path, fingerprint: Fingerprint, progress: Progress, done: Cleaning) -> None:
    """Remove a file, or a folder of pictures, that is as it was recorded, and no link."""
    if path.parent.is_symlink() or not _is_removable(path) or not fingerprint.matches(path):
        return
    pictures = image_files(path) if path.is_dir() else [path]
    if not all(map(_is_removable, pictures)):
        return
    for picture in pictures:
        size_bytes = picture.stat().st_size
        try:
            atomic_files.remove(picture)
        except StorageError as error:  # held by a player, or in a folder that is read-only
            progress.detail(error.what)
            continue
        done.freed_bytes += size_bytes
        progress.advance(size_bytes)
    if path.is_dir():
        _remove_if_empty(path)


def _is_removable(path: Path) -> bool:
    """Return whether a path is a file or a folder, and not write-protected by somebody."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and bool(mode & WRITABLE)


def _remove_lists(ledger: Ledger) -> None:
    """Remove the lists of results that are gone, and the folders in which nothing is left."""
    for kind in OutputKind:
        folder = ledger.folder.output_folder(kind)
        results = [ledger.output(name, kind) for name in ledger.names]
        if folder.is_symlink() or any(path and path.exists() for path in results):
            continue
        names = [path.name for path in results if path is not None]
        path = folder / LIST_NAME
        if path.is_file() and path.read_bytes() == concat_list(names).encode(
            "utf-8", "surrogateescape"
        ):
            atomic_files.remove(path)
    for folder in _folders(ledger):
        _remove_if_empty(folder)


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
        atomic_files.remove(folder)


def _left(
    job: FinishedJob, ledger: Ledger, plan: Plan | None, done: Cleaning, *, mattes_too: bool
) -> Iterator[Path]:
    """Yield what is in the folders and is not there on purpose."""
    matted = job.matted
    records = {matted.combined(kind).with_suffix(".json").name for kind in OutputKind}
    own_names = (matted.processed, matted.manifest, matted.journal, matted.report)
    names = {*(path.name for path in own_names), *records}
    mattes = matted.output_folder(OutputKind.MATTE)
    own = _matte_folders(matted)
    kept = set() if mattes_too else {p for p, _ in ledger.recorded_files() if p.parent in own}
    kept.add(mattes / LIST_NAME)
    for path in matted.root.iterdir():
        if path.name in names or path.match(DELIVERED_RECORD) or _is_log_or_lock(path):
            continue
        if path.is_dir() and not path.is_symlink() and path in _folders(ledger):
            yield from (inner for inner in path.iterdir() if inner not in kept)
        else:
            yield path
    segments: Collection[str] = {s.name for s in plan.segments} if plan else ()
    for path in job.segments.iterdir():
        if path.name in {PLAN_NAME, LIST_NAME} or _is_log_or_lock(path):
            continue
        if not (done.segments_stay and path.name in segments):
            yield path


def _folders(ledger: Ledger) -> set[Path]:
    """Return the folders in the matted folder that matting makes."""
    kinds = {ledger.folder.output_folder(kind) for kind in OutputKind}
    recorded = {path.parent for path, _ in ledger.recorded_files()}
    return kinds | recorded | {ledger.folder.state("").parent, ledger.folder.signs}


def _matte_folders(folder: MattedFolder) -> set[Path]:
    """Return the folders of what the network found: the mattes, the ranges in them, their signs."""
    return {folder.output_folder(OutputKind.MATTE), folder.bases, folder.ranges, folder.signs}


def _is_log_or_lock(path: Path) -> bool:
    is_log = path.stem.partition(".")[0] == Path(LOG_NAME).stem and path.suffix == ".log"
    return is_log or LOCK_FILE.fullmatch(path.name) is not None
