"""Stage three: the matted segments become one video, each frame at its source's time."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from matting.errors import EncodeError, InputError
from matting.media.concat import JoinPart, check_joined, join
from matting.options import OutputKind
from matting.progress import Progress, quantity
from matting.project.join_record import JoinRecord
from matting.project.ledger import Ledger
from matting.project.manifest import START_OVER
from matting.project.matted import require_matted
from matting.project.mixture import require_one_setting
from matting.project.own_files import replace_combined, require_own_combined
from matting.project.paths import MattedFolder
from matting.project.plan import Plan
from matting.project.source_watch import require_source_unchanged
from matting.system import atomic_files
from matting.system.file_lock import folder_lock, reading_lock
from matting.system.invocation import Command, sentence, start
from matting.system.temporary_files import create_temporary, sweep

VIDEO_KINDS = tuple(kind for kind in OutputKind if kind.is_joined and not kind.is_delivered)


def combine(matted: Path, output: Path | None, progress: Progress) -> Path:
    """Join the results in the folder `matted`, one file for each kind of video.

    Args:
        output: where to put the results' folder instead of beside the segments.
    Returns:
        the composite's file.
    Raises:
        InputError: no such folder, not all of its segments are done, which it names, or they are
            separate videos or pictures.
        EncodeError: the joined file is not what it should be.
        StorageError, BusyError.
    """
    folder = MattedFolder(matted)
    require_matted(folder, Command.COMBINE)
    results = MattedFolder(output / matted.name) if output else folder
    elsewhere = results.root.resolve() != matted.resolve()
    with ExitStack() as locks:
        locks.enter_context(
            reading_lock(matted) if elsewhere else folder_lock(matted, warn=progress.say)
        )
        ledger = Ledger(folder)
        plan = _plan_of(ledger)
        require_source_unchanged(matted.parent, plan.source, progress)
        _require_done(ledger, plan)
        require_one_setting(ledger)
        if elsewhere:
            locks.enter_context(folder_lock(results.root, warn=progress.say))
            _require_own(results, plan)
        kinds = [k for k in VIDEO_KINDS if all(ledger.output(n, k) for n in ledger.names)]
        for kind in kinds:
            require_own_combined(results.combined(kind))
        for kind in kinds:
            _combine_kind(ledger, plan, kind, results.combined(kind), progress)
    return results.combined()


def _matte_first() -> str:
    return sentence(
        start(Command.INFER, "the folder of segments", again=True),
        start(Command.COMBINE, "this one"),
    )


def _plan_of(ledger: Ledger) -> Plan:
    """Return the plan of the segments to join; separate videos, which have none, are never joined.

    Raises:
        InputError: they are separate videos, or pictures; says what to do with them.
    """
    if ledger.plan is not None:
        return ledger.plan
    results = _outputs(ledger, OutputKind.COMPOSITE)
    place = ledger.folder.output_folder(OutputKind.COMPOSITE)
    if results and all(path.is_dir() for path in results):
        place = results[0] if len(results) == 1 else place
        raise InputError(
            f"There is nothing to join: the results are pictures, in {place}.",
            "To have a video instead, matte them again with --frame-rate.",
            option="--frame-rate",
        )
    videos = f"the folder {Path(ledger.origin).name}" if ledger.origin else "their folder"
    raise InputError(
        f"There is nothing to join: {ledger.folder.root} holds separate videos. Each is whole by "
        f"itself, in {place}.",
        sentence(f"to give each its audio, {start(Command.ADD_AUDIO, videos)}"),
    )


def _require_own(results: MattedFolder, plan: Plan) -> None:
    """Refuse to put a joined file among those of another video, whose folder has the same name."""
    records = [_earlier_record(results.combined(kind)) for kind in VIDEO_KINDS]
    found = [record.source for record in records if record and record.source]
    if (other := Ledger(results).plan) is not None:
        found.append(other.source)
    for source in found:
        if not plan.source.is_same_as(source):
            raise InputError(
                f"{results.root} holds the results of another video ({source.name}).",
                "To keep both, choose another place with --output.",
                option="--output",
            )


def _require_done(ledger: Ledger, plan: Plan) -> None:
    names = ledger.names
    if names != tuple(segment.name for segment in plan.segments):
        raise InputError(f"{ledger.folder.root} does not hold all that was cut.", _matte_first())
    missing = [name for name in names if not ledger.is_done(name, _joined(ledger, name))]
    if missing:
        listed = ", ".join(missing[:5]) + (" and others" if len(missing) > 5 else "")
        raise InputError(
            f"{len(missing)} of {len(names)} segments are not done: {listed}.", _matte_first()
        )
    for segment in plan.segments:
        frames = ledger.entry(segment.name).frames
        if frames != segment.frames:
            raise InputError(
                f"{ledger.folder.manifest} is damaged: {segment.name} was cut with "
                f"{segment.frames} frames, and matted with {frames}.",
                START_OVER,
            )


def _joined(ledger: Ledger, name: str) -> list[OutputKind]:
    """Return what is joined of a segment: whatever became of its matte plays no part."""
    return [kind for kind in ledger.entry(name).outputs if kind.is_joined]


def _combine_kind(
    ledger: Ledger, plan: Plan, kind: OutputKind, target: Path, progress: Progress
) -> None:
    record = JoinRecord.of(ledger, kind)
    if _is_current(target, record):
        progress.say(f"Already combined: {target}")
        return
    parts, time_base = _parts(ledger, plan, kind), plan.time_base
    atomic_files.make_folder(target.parent)
    sweep(target)
    temporary = create_temporary(target)
    progress.start("Combining", record.frames, "frame")
    try:
        presented = join(parts, time_base, temporary, progress)
        if len(presented) != record.frames:
            raise EncodeError(
                f"{target}: {record.frames} frames were matted, {len(presented)} came out."
            )
        progress.start("Checking", record.frames, "frame")
        check_joined(temporary, presented, time_base, progress)
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


def _parts(ledger: Ledger, plan: Plan, kind: OutputKind) -> list[JoinPart]:
    """Return what to join, at the source's own times."""
    return [
        JoinPart(path, segment.first_pts - plan.start_pts, tuple(segment.times()))
        for segment, path in zip(plan.segments, _outputs(ledger, kind), strict=True)
    ]


def _outputs(ledger: Ledger, kind: OutputKind) -> list[Path]:
    """Return the segments' results of one kind, in order."""
    return [path for name in ledger.names if (path := ledger.output(name, kind))]
