"""Stage three: the matted segments become one video, each frame at its source's time."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

from matting.errors import EncodeError, InputError
from matting.media.concat import Part, check_joined, join
from matting.media.probe import frame_times, probe
from matting.options import OutputKind
from matting.progress import Progress, counted
from matting.project.join_record import JoinRecord
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.system import atomic_files
from matting.system.file_lock import folder_lock, reading_lock

RUN_INFER = "Run infer (2_infer.bat) again on the folder of segments, then combine."


def combine(matted: Path, output: Path | None, progress: Progress) -> Path:
    """Joins every kind of result in the folder `matted`; returns the composite's file.

    Args:
        output: where to put the results' folder instead of beside the segments.
    Raises:
        InputError: no such folder, not all of its segments are done, or they are pictures; names
            them.
        StorageError, BusyError.
    """
    folder = MattedFolder(matted)
    if not matted.is_dir():
        kind = "a file, not the folder of matted segments" if matted.is_file() else "not there"
        raise InputError(
            f"{matted} is {kind}.", "Give the folder that infer made; its name ends in _matted."
        )
    if not folder.manifest.is_file():
        raise InputError(
            f"{matted} was not made by infer: it holds no {folder.manifest.name}.",
            "Give the folder whose name ends in _matted.",
        )
    results = MattedFolder(output / matted.name) if output else folder
    elsewhere = results.root.resolve() != matted.resolve()
    with ExitStack() as locks:
        locks.enter_context(reading_lock(matted) if elsewhere else folder_lock(matted))
        ledger = Ledger(folder)
        _require_done(ledger)
        _require_videos(ledger)
        if elsewhere:
            locks.enter_context(folder_lock(results.root))
        for kind in (OutputKind.COMPOSITE, OutputKind.ALPHA, OutputKind.FOREGROUND):
            if all(ledger.output(name, kind) for name in ledger.names):
                _combine_kind(ledger, kind, results.combined(kind), progress)
    return results.combined()


def _require_done(ledger: Ledger) -> None:
    names = ledger.names
    planned = tuple(s.name for s in ledger.plan.segments) if ledger.plan else names
    if not names or names != planned:
        raise InputError(f"{ledger.folder.root} does not hold all that was cut.", RUN_INFER)
    missing = [name for name in names if not ledger.is_done(name)]
    if missing:
        named = ", ".join(missing[:5]) + (" and others" if len(missing) > 5 else "")
        raise InputError(
            f"{len(missing)} of {len(names)} segments are not done: {named}.", RUN_INFER
        )


def _require_videos(ledger: Ledger) -> None:
    made = [path for name in ledger.names if (path := ledger.output(name, OutputKind.COMPOSITE))]
    pictures = [path for path in made if path.is_dir()]
    if not pictures:
        return
    option = "--frame-rate"
    hint = f"To have a video, run infer again with {option}, then combine."
    if len(pictures) == len(made):
        place = pictures[0] if len(pictures) == 1 else ledger.folder.layer(OutputKind.COMPOSITE)
        raise InputError(
            f"There is nothing to join: the results are pictures, in {place}.", hint, option=option
        )
    raise InputError(
        f"{pictures[0]} holds pictures, which cannot be joined with videos.", hint, option=option
    )


def _combine_kind(ledger: Ledger, kind: OutputKind, target: Path, progress: Progress) -> None:
    note = JoinRecord.of(ledger, kind)
    if target.is_file() and JoinRecord.read(target) == note.with_file(target):
        progress.say(f"Already combined: {target}")
        return
    parts, time_base = _parts(ledger, kind)
    atomic_files.make_folder(target.parent)
    temporary = atomic_files.partial(target)
    progress.start("Combining", note.frames, "frame")
    try:
        shown = join(parts, time_base, temporary, progress.advance)
        if len(shown) != note.frames:
            raise EncodeError(f"{target}: {note.frames} frames were matted, {len(shown)} came out.")
        progress.start("Checking", note.frames, "frame")
        check_joined(temporary, shown, time_base, progress.advance)
        atomic_files.publish(temporary, target)
        note.with_file(target).write(target)
    finally:
        progress.finish()
        atomic_files.discard(temporary)
    made = f"{counted(len(parts), 'segment')} joined, {counted(len(shown), 'frame')}"
    progress.say(f"{made}, all checked: {target}")


def _parts(ledger: Ledger, kind: OutputKind) -> tuple[list[Part], Fraction]:
    """What to join, and the ticks of its times: the source's own, from the plan."""
    paths = [path for name in ledger.names if (path := ledger.output(name, kind))]
    plan = ledger.plan
    if plan is None:
        return _back_to_back(paths)
    parts = [
        Part(path, segment.first_pts - plan.start_pts, tuple(segment.times()))
        for segment, path in zip(plan.segments, paths, strict=True)
    ]
    return parts, plan.time_base


def _back_to_back(paths: list[Path]) -> tuple[list[Part], Fraction]:
    """Files that were never one: each starts when the last frame of the one before has ended."""
    time_base = probe(paths[0]).time_base
    parts = []
    start = Fraction(0)
    for path in paths:
        parts.append(Part(path, round(start / time_base)))
        own = probe(path).time_base
        pts = sorted(frame_times(path))
        last_frame = pts[-1] - pts[-2] if len(pts) > 1 else 1 / (probe(path).rate * own)
        start += (pts[-1] - pts[0] + last_frame) * own
    return parts, time_base
