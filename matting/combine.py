"""Stage three: the matted segments become one video, each frame at its source's time."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

from matting.errors import EncodeError, InputError
from matting.media.concat import JoinPart, check_joined, join
from matting.media.probe import frame_times, probe
from matting.options import OutputKind
from matting.progress import Progress, quantity
from matting.project.join_record import JoinRecord
from matting.project.ledger import Ledger
from matting.project.mixture import require_one_setting
from matting.project.own_files import replace_combined, require_own_combined
from matting.project.paths import MattedFolder
from matting.project.source_watch import require_source_unchanged
from matting.system import atomic_files
from matting.system.file_lock import folder_lock, reading_lock
from matting.system.invocation import Command, give, named, sentence, start
from matting.system.temporary_files import create_temporary, sweep

VIDEO_KINDS = (OutputKind.COMPOSITE, OutputKind.ALPHA, OutputKind.FOREGROUND)


def combine(matted: Path, output: Path | None, progress: Progress) -> Path:
    """Join the results in the folder `matted`, one file for each kind of video.

    Args:
        output: where to put the results' folder instead of beside the segments.
    Returns:
        the composite's file.
    Raises:
        InputError: no such folder, not all of its segments are done, or they are pictures; names
            them.
        EncodeError: the joined file is not what it should be.
        StorageError, BusyError.
    """
    folder = MattedFolder(matted)
    _require_matted(folder)
    results = MattedFolder(output / matted.name) if output else folder
    elsewhere = results.root.resolve() != matted.resolve()
    with ExitStack() as locks:
        locks.enter_context(
            reading_lock(matted) if elsewhere else folder_lock(matted, warn=progress.say)
        )
        ledger = Ledger(folder)
        if ledger.plan is not None:
            require_source_unchanged(matted.parent, ledger.plan.source, progress)
        _require_done(ledger)
        require_one_setting(ledger)
        _require_videos(ledger)
        if elsewhere:
            locks.enter_context(folder_lock(results.root, warn=progress.say))
            _require_own(results, ledger)
        kinds = [k for k in VIDEO_KINDS if all(ledger.output(n, k) for n in ledger.names)]
        for kind in kinds:
            require_own_combined(results.combined(kind))
        for kind in kinds:
            _combine_kind(ledger, kind, results.combined(kind), progress)
    return results.combined()


def _require_matted(folder: MattedFolder) -> None:
    if not folder.root.is_dir():
        problem = "a file, not the folder of matted segments"
        raise InputError(
            f"{folder.root} is {problem if folder.root.is_file() else 'not there'}.",
            give("the folder whose name ends in _matted"),
        )
    if not folder.manifest.is_file():
        raise InputError(
            f"{folder.root} holds no results of {named(Command.INFER)}: there is no "
            f"{folder.manifest.name}.",
            sentence(
                start(Command.INFER, "the folder of segments"),
                start(Command.COMBINE, "the folder that it makes (it ends in _matted)"),
            ),
        )


def _matte_first() -> str:
    return sentence(
        start(Command.INFER, "the folder of segments", again=True),
        start(Command.COMBINE, "this one"),
    )


def _require_own(results: MattedFolder, ledger: Ledger) -> None:
    """Refuse to put a joined file among those of another video, whose folder has the same name."""
    found = [ledger_there.plan.source] if (ledger_there := Ledger(results)).plan else []
    records = (_earlier_record(results.combined(kind)) for kind in VIDEO_KINDS)
    found += [record.source for record in records if record and record.source]
    own = ledger.plan.source if ledger.plan else None
    for source in found:
        if own is None or not own.is_same_as(source):
            raise InputError(
                f"{results.root} holds the results of another video ({source.name}).",
                "To keep both, choose another place with --output.",
                option="--output",
            )


def _require_done(ledger: Ledger) -> None:
    names = ledger.names
    planned = tuple(s.name for s in ledger.plan.segments) if ledger.plan else names
    if not names or names != planned:
        raise InputError(f"{ledger.folder.root} does not hold all that was cut.", _matte_first())
    missing = [name for name in names if not ledger.is_done(name)]
    if missing:
        listed = ", ".join(missing[:5]) + (" and others" if len(missing) > 5 else "")
        raise InputError(
            f"{len(missing)} of {len(names)} segments are not done: {listed}.", _matte_first()
        )


def _require_videos(ledger: Ledger) -> None:
    composites = _outputs(ledger, OutputKind.COMPOSITE)
    pictures = [path for path in composites if path.is_dir()]
    if not pictures:
        return
    option = "--frame-rate"
    hint = f"To have a video, matte them again with {option}, then join the results."
    if len(pictures) == len(composites):
        place = (
            pictures[0] if len(pictures) == 1 else ledger.folder.output_folder(OutputKind.COMPOSITE)
        )
        raise InputError(
            f"There is nothing to join: the results are pictures, in {place}.", hint, option=option
        )
    raise InputError(
        f"{pictures[0]} holds pictures, which cannot be joined with videos.", hint, option=option
    )


def _combine_kind(ledger: Ledger, kind: OutputKind, target: Path, progress: Progress) -> None:
    record = JoinRecord.of(ledger, kind)
    if _is_current(target, record):
        progress.say(f"Already combined: {target}")
        return
    parts, time_base = _parts(ledger, kind)
    atomic_files.make_folder(target.parent)
    sweep(target)
    temporary = create_temporary(target)
    progress.start("Combining", record.frames, "frame")
    try:
        presented = join(parts, time_base, temporary, progress.advance)
        if len(presented) != record.frames:
            raise EncodeError(
                f"{target}: {record.frames} frames were matted, {len(presented)} came out."
            )
        progress.start("Checking", record.frames, "frame")
        check_joined(temporary, presented, time_base, progress.advance)
        kept = replace_combined(target, record, temporary)
    finally:
        progress.finish()
        atomic_files.discard(temporary)
    if kept is not None:
        progress.say(f"What had the name of {target.name} was not made here, and is {kept} now.")
    joined = f"{quantity(len(parts), 'segment')} joined, {quantity(len(presented), 'frame')}"
    progress.say(f"{joined}, all checked: {target}")


def _is_current(target: Path, record: JoinRecord) -> bool:
    """Return whether `target` is intact, and what joining the segments would give again."""
    earlier = _earlier_record(target) if target.is_file() else None
    return earlier is not None and earlier.has_parts_of(record) and earlier.describes(target)


def _earlier_record(target: Path) -> JoinRecord | None:
    """Return the record beside `target`; None where there is none that can be read."""
    try:
        return JoinRecord.read(target)
    except InputError:
        return None  # damaged, or another version's: the file may be anything


def _parts(ledger: Ledger, kind: OutputKind) -> tuple[list[JoinPart], Fraction]:
    """Return what to join, and the time base of its times: the source's own, from the plan."""
    paths = _outputs(ledger, kind)
    plan = ledger.plan
    if plan is None:
        return _back_to_back(paths)
    parts = [
        JoinPart(path, segment.first_pts - plan.start_pts, tuple(segment.times()))
        for segment, path in zip(plan.segments, paths, strict=True)
    ]
    return parts, plan.time_base


def _back_to_back(paths: list[Path]) -> tuple[list[JoinPart], Fraction]:
    """Return files that were never one as parts, each from where the one before it ends."""
    time_base = probe(paths[0]).time_base
    parts = []
    start = Fraction(0)
    for path in paths:
        parts.append(JoinPart(path, round(start / time_base)))
        start += _seconds(path)
    return parts, time_base


def _seconds(path: Path) -> Fraction:
    """Return how long a video is, its last frame included."""
    info = probe(path)
    pts = sorted(frame_times(path))
    last_frame = pts[-1] - pts[-2] if len(pts) > 1 else 1 / (info.rate * info.time_base)
    return (pts[-1] - pts[0] + last_frame) * info.time_base


def _outputs(ledger: Ledger, kind: OutputKind) -> list[Path]:
    """Return the segments' results of one kind, in order."""
    return [path for name in ledger.names if (path := ledger.output(name, kind))]
