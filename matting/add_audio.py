"""Stage four: the original's audio, and all else that it holds, joins the matted picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from matting.delivery.final_file import FinalFile, make_final_file
from matting.errors import InputError
from matting.media.concat import JoinPart, join
from matting.media.container import require_file
from matting.media.probe import frame_times, probe
from matting.options import OutputKind
from matting.progress import Progress
from matting.project.entry import Entry
from matting.project.job_places import Place, final_places, require_places
from matting.project.join_record import JoinRecord, combine_again
from matting.project.ledger import Ledger
from matting.project.mixture import require_one_setting
from matting.project.paths import MattedFolder, final_file, segments_folder
from matting.project.source_watch import SourceWatch
from matting.system import atomic_files
from matting.system.background_hash import BackgroundHash
from matting.system.file_lock import folder_lock
from matting.system.files import is_video, require_possible, visible
from matting.system.invocation import Command, give, named, sentence, start
from matting.system.temporary_files import create_temporary, sweep
from matting.workers.failures import SeparateFailures


def add_audio(
    path: Path, output: Path | None, progress: Progress, *, announced: bool = False
) -> Path:
    """Put all that a video holds beside its picture to the matted one; return the new file.

    Args:
        path: the original; its matted folder lies beside it, or in `output`. Or a folder of
            separate videos that were matted, or one of these.
        announced: whether it has been said already in which container the new file will be.
    Returns:
        of a whole folder, the matted folder, in which the new files lie.
    Raises:
        InputError: there is no such file, or its matted picture is not there.
        MediaError: ffmpeg refused a track that should go along.
        EncodeError: the new file does not hold what went in.
        SegmentsFailedError: of separate videos, some failed, and all others have their audio.
        StorageError, MissingError.
    """
    require_possible(path)
    if path.is_dir() and _holds_separate(_matted_beside(path, path, output)):
        _add_to_separate(path, output, progress)
        return MattedFolder.of(path, output).root
    require_file(path)
    matted = _matted_beside(segments_folder(path, output), path)
    require_places([*final_places(path, output)], path)
    if not matted.combined().is_file():
        of_folder = _matted_beside(path.parent, path, output)
        if _holds_separate(of_folder) and path.name in Ledger(of_folder).names:
            (final,) = _add_to_separate(path.parent, output, progress, only=path.name)
            return final
        earlier = ", ".join(map(named, (Command.SEGMENT, Command.INFER, Command.COMBINE)))
        raise InputError(
            f"The matted picture of {path.name} is not there: {matted.combined()}.",
            f"{give('the video that you started from')} Before this come {earlier}.",
        )
    return _add_to_combined(path, matted, output, progress, announced=announced)


def _matted_beside(segments: Path, subject: Path, output: Path | None = None) -> MattedFolder:
    """Return the matted folder of a folder; refuse a name that is too long for it."""
    matted = MattedFolder.of(segments, output)
    require_places([Place(matted.root, is_folder=True)], subject)
    return matted


def _add_to_combined(
    video: Path, matted: MattedFolder, output: Path | None, progress: Progress, *, announced: bool
) -> Path:
    combined = matted.combined()
    with (
        folder_lock(matted.root, warn=progress.say),
        SourceWatch(video) as source,
        BackgroundHash(combined) as content,
    ):
        record = _require_current(matted, source)
        return make_final_file(
            source,
            combined,
            FinalFile(partial(final_file, video, output), combined, record),
            partial(_require_intact, record, combined, content, source),
            progress,
            announced=announced,
        )


def _holds_separate(matted: MattedFolder) -> bool:
    """Return whether a folder holds the results of separate videos."""
    return matted.manifest.is_file() and Ledger(matted).plan is None


def _add_to_separate(
    folder: Path, output: Path | None, progress: Progress, only: str | None = None
) -> list[Path]:
    """Add audio to the results of separate videos; the new files lie in the matted folder.

    Beside the videos they would be matted, too, the next time.

    Args:
        only: the name of the one to take; None: all.
    """
    matted = MattedFolder.of(folder, output)
    with folder_lock(matted.root, warn=progress.say):
        ledger = Ledger(matted)
        videos = [path for path in visible(folder) if is_video(path) and only in {None, path.name}]
        if not videos:
            raise InputError(
                f"{folder} holds pictures, which have no audio.",
                f"Their results are whole, in {matted.output_folder(OutputKind.COMPOSITE)}.",
            )
        names = [path.name for path in videos]
        undone = [name for name in names if not ledger.is_done(name, {OutputKind.COMPOSITE})]
        if undone == names:
            raise _not_matted(folder, names)
        if only is not None:
            return [_add_to_one(path, ledger.entry(path.name), matted, progress) for path in videos]
        finals: list[Path] = []
        failures = SeparateFailures(progress, {})
        for path in videos:
            with failures.alone(path.name):
                if path.name in undone:
                    raise _not_matted(folder, [path.name])
                finals.append(_add_to_one(path, ledger.entry(path.name), matted, progress))
        failures.require_none(len(videos), "could not be given their audio:")
        return finals


def _not_matted(folder: Path, names: Sequence[str]) -> InputError:
    others = f", nor are {len(names) - 1} others" if len(names) > 1 else ""
    return InputError(
        f"{names[0]} in {folder} is not matted yet{others}.",
        sentence(
            start(Command.INFER, "the folder of videos", again=True),
            start(Command.ADD_AUDIO, "it", again=True),
        ),
    )


def _add_to_one(video: Path, entry: Entry, matted: MattedFolder, progress: Progress) -> Path:
    result = matted.output_folder(OutputKind.COMPOSITE) / entry.outputs[OutputKind.COMPOSITE].file
    with SourceWatch(video) as source:
        info = probe(video)
        # Its result begins with its first frame; it itself may begin before that, with audio.
        picture = JoinPart(result, min(frame_times(video)) - info.start_pts)
        final = FinalFile.of_separate(matted, result, entry)
        name = matted.root / f"{result.stem}_PICTURE.mp4"
        sweep(name)
        placed = create_temporary(name)
        try:
            join([picture], info.time_base, placed, Progress())
            return make_final_file(
                source,
                placed,
                final,
                partial(_require_as_matted, entry, source),
                progress,
            )
        finally:
            atomic_files.discard(placed)


def _require_as_matted(entry: Entry, source: SourceWatch) -> None:
    """Refuse a video whose content is not what was matted."""
    source.require_unchanged()
    if entry.source is None or source.fingerprint.content_sha256 != entry.source.sha256:
        raise InputError(
            f"{source.video} has changed since it was matted.",
            sentence(start(Command.INFER, f"the folder {source.video.parent.name}", again=True)),
        )


def _require_current(matted: MattedFolder, source: SourceWatch) -> JoinRecord:
    """Refuse a combined file that looks like another video's, or is stale; return its record."""
    combined = matted.combined()
    record = JoinRecord.read(combined)
    if record is None or record.file is None or record.file.size_bytes != combined.stat().st_size:
        raise InputError(f"{combined} is not what {named(Command.COMBINE)} made.", combine_again())
    if record.source is not None and not source.looks_like(record.source):
        raise _of_another_video(combined, source)
    if matted.manifest.is_file():
        ledger = Ledger(matted)
        done = all(
            ledger.says_done(name) and ledger.output(name, OutputKind.COMPOSITE)
            for name in ledger.names
        )
        require_one_setting(ledger)
        if not done or not record.has_parts_of(JoinRecord.of(ledger, OutputKind.COMPOSITE)):
            raise InputError(
                f"Segments were matted again after {combined} was made.", combine_again()
            )
    return record


def _require_intact(
    record: JoinRecord, combined: Path, content: BackgroundHash, source: SourceWatch
) -> None:
    """Refuse a source or a combined file whose content is not what it was."""
    if record.file is None or content.result() != record.file.sha256:
        raise InputError(
            f"{combined} is damaged: it is not what {named(Command.COMBINE)} made.", combine_again()
        )
    source.require_unchanged()
    if record.source is not None and not source.fingerprint.is_same_as(record.source):
        raise _of_another_video(combined, source)


def _of_another_video(combined: Path, source: SourceWatch) -> InputError:
    return InputError(
        f"{combined} was made from another video than {source.video} is now.",
        f"{give('that one')} Or cut this one anew, with --overwrite, and go on from there.",
        option="--overwrite",
    )
