"""Stage four: the original's audio, and all else that it holds, joins the matted picture."""

from __future__ import annotations

from pathlib import Path

from matting.delivery.mux_check import check_mux
from matting.delivery.mux_trial import fitting_request, reduced_request
from matting.delivery.muxing import MuxRequest, mux
from matting.errors import EncodeError, InputError, MediaError
from matting.media.container import require_file
from matting.media.probe import probe
from matting.media.tracks import TrackKind
from matting.options import OutputKind
from matting.progress import Notice, Progress
from matting.project.join_record import JoinRecord, combine_again
from matting.project.ledger import Ledger
from matting.project.mixture import require_one_setting
from matting.project.own_files import publish_final, require_own_final
from matting.project.paths import Container, MattedFolder, final_file, segments_folder
from matting.project.source_watch import SourceWatch
from matting.system import atomic_files
from matting.system.background_hash import BackgroundHash
from matting.system.file_lock import folder_lock
from matting.system.humanize import clock, gigabytes
from matting.system.invocation import Command, give, named
from matting.system.temporary_files import create_temporary, sweep


def add_audio(video: Path, output: Path | None, progress: Progress) -> Path:
    """Put all that `video` holds beside its picture to the matted one; return the new file.

    Args:
        video: the original; its matted folder lies beside it, or in `output`.
    Raises:
        InputError: there is no such file, or its matted picture is not there.
        MediaError: ffmpeg refused a track that should go along.
        EncodeError: the new file does not hold what went in.
        StorageError, MissingError.
    """
    require_file(video)
    matted = MattedFolder.of(segments_folder(video, output))
    combined = matted.combined()
    if not combined.is_file():
        earlier = ", ".join(map(named, (Command.SEGMENT, Command.INFER, Command.COMBINE)))
        raise InputError(
            f"The matted picture of {video.name} is not there: {combined}.",
            f"{give('the video that you started from')} Before this come {earlier}.",
        )
    with (
        folder_lock(matted.root, warn=progress.say),
        SourceWatch(video) as source,
        BackgroundHash(combined) as content,
    ):
        record = _require_current(matted, source)
        source.read_through()  # beside the muxer, as the combined file: what changed is noticed
        request = fitting_request(MuxRequest.of(video, combined))
        target = final_file(video, output, request.mapping.container)
        require_own_final(target, combined)
        _announce(request, target, progress)
        sweep(target)
        temporary = create_temporary(target)
        progress.start("Adding audio", record.frames, "frame")
        try:
            request = reduced_request(request, lambda part: mux(part, temporary, progress))
            target = final_file(video, output, request.mapping.container)
            losses = check_mux(request, temporary)
            length_seconds = probe(temporary).declared_seconds
            _require_intact(record, combined, content, source)
            publish_final(temporary, target, combined, record)
        except (MediaError, EncodeError):
            _require_intact(record, combined, content, source)  # else that is the reason
            raise
        finally:
            progress.finish()
            atomic_files.discard(temporary)
    for note in (*request.mapping.notes(), *request.spatial.notes, *losses):
        progress.say(note)
        progress.notice(Notice.LEFT_BEHIND, note)
    _mention_older_results(video, output, target, progress)
    length = clock(float(length_seconds))
    progress.say(f"Done. {length} long, {gigabytes(target.stat().st_size)}: {target}")
    return target


def _announce(request: MuxRequest, target: Path, progress: Progress) -> None:
    video = request.source.path
    choice = request.contents.picture_choice(video.name)
    if choice:
        progress.say(choice)
    note = request.mapping.container_note(target.name)
    if note:
        progress.say(note)
    if not request.contents.of(TrackKind.AUDIO):
        progress.say(f"{video.name} has no audio: the result will have none either.")


def _mention_older_results(
    video: Path, output: Path | None, target: Path, progress: Progress
) -> None:
    """Name earlier results in other containers, which are not touched."""
    for container in Container:
        older = final_file(video, output, container)
        if older != target and older.is_file():
            progress.say(f"{older} is an older result. Delete it if you do not need it.")


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
