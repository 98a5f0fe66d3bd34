"""Stage one: a video is cut into segments whose frames are exactly the video's own."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from msgspec.structs import replace

from matting.cutting.checkpoint import NAME as CHECKPOINT_NAME
from matting.cutting.checkpoint import CutCheckpoint
from matting.cutting.existing_cut import (
    ask_for_other_options,
    options_of,
    read_existing_cut,
    reason_to_cut_again,
)
from matting.cutting.publishing import plan_of, publish_segments, remove_work
from matting.cutting.source_cut import cut_source
from matting.delivery.dry_run import dry_run
from matting.media.container import require_file
from matting.media.foreign_files import work_guarded
from matting.media.probe import (
    orientation_note,
    probe,
    read_contents,
    read_spatial,
    require_unencrypted,
    upright_size_px,
)
from matting.media.source_notes import begins_with_captions
from matting.media.validation import require_supported
from matting.media.video_info import VideoInfo
from matting.media.view_detection import view_of
from matting.options import (
    DEFAULT_SEGMENT_SECONDS,
    CuttingOptions,
    MattingOptions,
    OutputOptions,
)
from matting.progress import Progress, quantity
from matting.project.job_places import job_places, require_places
from matting.project.paths import UNFINISHED, MattedFolder, segments_folder
from matting.project.plan import Plan, write_plan
from matting.project.source_watch import CheckedTasks, SourceWatch
from matting.system import atomic_files
from matting.system.file_lock import folder_lock
from matting.system.temporary_files import sweep_folder
from matting.view import View


def segment(
    video: Path,
    options: CuttingOptions,
    output: Path | None,
    progress: Progress,
    then: MattingOptions | None = None,
) -> Path:
    """Cut `video`, and return the folder of its segments.

    A folder that is already cut from this video is left as it is.

    Args:
        then: how the segments will be matted, where that follows at once.
    Raises:
        InputError: there is no such file, or the folder holds something else.
        MediaError: it is no video, is still being written, or damage is to stop it: its intact
            segments are kept for the next run.
        StorageError, BusyError, MissingError.
    """
    require_file(video)
    with SourceWatch(video) as source:
        return _segment(source, options, output, progress, then)


def _segment(
    source: SourceWatch,
    options: CuttingOptions,
    output: Path | None,
    progress: Progress,
    then: MattingOptions | None,
) -> Path:
    video = source.video
    require_unencrypted(video)
    spatial = read_spatial(video)
    choice = read_contents(video).picture_choice(video.name)
    notes = [choice, spatial.one_eye_note, orientation_note(video)]
    info = probe(video)
    require_supported(info)
    folder = segments_folder(video, output)
    kinds = (then.output if then else OutputOptions()).written
    require_places(job_places(video, output, kinds), video)
    notes += dry_run(video, output, then)
    with folder_lock(folder, warn=progress.say):
        sweep_folder(folder)
        existing = None if options.overwrite else read_existing_cut(folder, source)
        matted = MattedFolder.of(folder)
        if existing and ask_for_other_options(folder, existing, options, matted, progress):
            existing = None
        for note in filter(None, notes):  # where nothing is refused any more
            progress.say(note)
        if existing is not None:
            reason = reason_to_cut_again(folder, existing, source)
            if reason is None:
                _note_view(folder, existing, video, options, progress)
                progress.say(f"Already cut: {_count(existing)}: {folder}")
                return folder
            progress.say(reason)
            options = options_of(existing, options)
        plan = _cut_into(folder, info, source, options, progress)
    if then is None and plan.view is not None and not plan.view.is_plain:
        progress.say(f"It is seen as {plan.view.describe()}.")
    progress.say(f"Cut: {_count(plan)}, all checked: {folder}")
    return folder


def _note_view(
    folder: Path, plan: Plan, video: Path, options: CuttingOptions, progress: Progress
) -> None:
    """Write another view into the plan of a video that is cut already, if one is asked for."""
    if options.view is None:
        return
    view = _found_view(video, options, progress)
    if view != plan.view:
        write_plan(folder, replace(plan, view=view, size_px=upright_size_px(video)))
        progress.say(f"From now on it is seen as {view.describe()}.")


def _found_view(video: Path, options: CuttingOptions, progress: Progress) -> View:
    """Return the view that is asked for, or else as it is found."""
    if isinstance(options.view, View):
        return options.view
    found = view_of(video)
    for note in found.notes:
        progress.say(note)
    return found.view


def _count(plan: Plan) -> str:
    count = f"{quantity(plan.frames, 'frame')} in {quantity(len(plan.segments), 'segment')}"
    return count if plan.shots is None else f"{count}, {quantity(len(plan.shots) + 1, 'shot')}"


def _cut_into(
    folder: Path,
    info: VideoInfo,
    source: SourceWatch,
    options: CuttingOptions,
    progress: Progress,
) -> Plan:
    """Cut a video, settle what is damaged in it, and publish the segments."""
    work = folder / UNFINISHED
    seconds = options.seconds or DEFAULT_SEGMENT_SECONDS
    view = _found_view(info.path, options, progress)
    try:
        known = None
        if not options.reencode and (work / CHECKPOINT_NAME).is_file():
            known = CutCheckpoint.read(work, info.path, source.fingerprint, seconds)
        if known is None:
            remove_work(work)
            atomic_files.make_folder(work)
            source.read_through()  # beside the index, which reads it through, too
        job = partial(
            cut_source,
            info,
            seconds,
            work,
            options,
            known=known.segments if known else (),
            captions_are_told=begins_with_captions(info.path),
        )
        made = work_guarded(info.path, job, CheckedTasks(progress, source))
        source.require_unchanged()  # before what looks like damage is kept
        checkpoint = known or CutCheckpoint(
            info.path, source.fingerprint, seconds, made.truncated_at, made.segments
        )
        if made.settled.refusal is not None:
            if made.settled.intact:
                checkpoint.write(work)
            raise made.settled.refusal
        intact = made.settled.segments
        plan = plan_of(
            made.info,
            checkpoint,
            intact,
            reencoded=options.reencode,
            view=view,
            size_px=upright_size_px(info.path),
            fingerprints=made.fingerprints,
        )
        source.require_unchanged()
    except BaseException:
        # The segments of a damaged video stay for the next run.
        if not (work / CHECKPOINT_NAME).exists():
            remove_work(work)
        raise
    # From here on it stays until the plan is written: it says that segments may be missing.
    publish_segments(folder, intact, plan)
    remove_work(work)
    return plan
