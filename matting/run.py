"""All four stages in a row. Each leaves alone what is done already, so it can be run again.

At the end the working files may go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from matting.add_audio import add_audio
from matting.background import BackgroundFile
from matting.combine import combine
from matting.delivery.formats import FORMATS, DeliveryFormat
from matting.infer import infer
from matting.inference.weights import find_checkpoint, load_checkpoint
from matting.job_option import CleanUp
from matting.media.container import require_file
from matting.options import CuttingOptions, MattingOptions, OutputKind
from matting.progress import Progress, quantity
from matting.project.cleaning import FinishedJob, clean_up, reason_to_keep
from matting.project.clip_settings import with_clip_settings
from matting.project.input_views import with_views
from matting.project.inputs import read_inputs
from matting.project.job_places import job_places, require_places
from matting.project.ledger import Ledger
from matting.project.matted import seems_done
from matting.project.paths import MattedFolder, segments_folder
from matting.project.resumed_options import take_up
from matting.report.upkeep import kept_report
from matting.segment import segment
from matting.system.humanize import gigabytes
from matting.view import View

MOST_NAMED = 3


def run(
    video: Path,
    cutting: CuttingOptions,
    matting: MattingOptions,
    output: Path | None,
    progress: Progress,
    *,
    cleaning: CleanUp = CleanUp.NO,
) -> Path:
    """Make the matted video of `video`, audio included; return its file.

    Raises:
        SegmentsFailedError: some segments failed; nothing is combined.
        whatever the stages raise.
    """
    require_file(video)
    require_places(job_places(video, output, matting.output.written), video)
    job = MattedFolder.of(segments_folder(video, output))
    known = Ledger(job)
    places = (output or video.parent, video.parent)
    matting = with_clip_settings(matting, video, places, progress)
    matting = take_up(matting, known.remembered, progress)
    formats = [FORMATS[name] for name in matting.formats]
    others = [row for row in formats if row.kind.is_delivered]
    # Before the hour that cutting may take.
    if formats:
        _require_deliverable(formats, job, video, output, matting)
    if isinstance(matting.output.background, BackgroundFile):
        _require_background(matting)
    if not seems_done(job):
        load_checkpoint(find_checkpoint(matting.matte.checkpoint, progress, matting.matte.model))
    segments = segment(video, cutting, output, progress, matting)
    if others:
        _announce(others, segments, known, matting, progress, video=video)
    with kept_report(job, progress) as refresh:
        joined = replace(matting, then_joined=True)
        matted = infer(segments, joined, output, progress, on_recorded=refresh)
    combine(matted.root, None, progress)
    final = add_audio(video, output, progress, announced=True)
    if others:
        from matting.deliver import deliver

        deliver(matted.root, others, matting, output, progress, video=video, announced=True)
    clean(FinishedJob(video, segments, job, final), cleaning, progress)
    return final


def _require_deliverable(
    formats: Sequence[DeliveryFormat],
    job: MattedFolder,
    video: Path,
    output: Path | None,
    matting: MattingOptions,
) -> None:
    """Refuse formats that cannot be made here, or would take the place of something else."""
    from matting.delivery.finished_place import FinishedPlace
    from matting.delivery.format_limits import require_available, require_kept_mattes
    from matting.delivery.vr_plan import vr_plan
    from matting.media.view_detection import view_of

    for row in (own for own in formats if own.kind.is_delivered):
        vr = None
        if row.name.is_vr:
            asked = matting.matte.view
            view = asked if isinstance(asked, View) else view_of(video).view
            vr = vr_plan(row.name, view, matting.output.vr, video)
        FinishedPlace.of_video(job, row, video, output, vr).require_free(video)
    require_kept_mattes(formats, matting)
    require_available(formats, matting)


def _require_background(matting: MattingOptions) -> None:
    """Refuse a background that cannot be used."""
    from matting.media.background import with_background_read

    with_background_read(matting.output)


def _announce(
    rows: Sequence[DeliveryFormat],
    segments: Path,
    known: Ledger,
    matting: MattingOptions,
    progress: Progress,
    *,
    video: Path,
) -> None:
    """Refuse formats that cannot be made of these segments, and say what they do not hold."""
    from matting.delivery.format_limits import announce_limits, require_possible

    inputs = with_views(read_inputs(segments), matting.matte)
    require_possible(inputs, rows, matting)
    announce_limits(rows, inputs, known, matting, progress, video=video)


def clean(job: FinishedJob, cleaning: CleanUp, progress: Progress) -> None:
    """Remove the working files of a finished job, if that is wanted and nothing is lost by it."""
    if cleaning is CleanUp.NO:
        return
    reason = reason_to_keep(job)
    mattes = job.matted.output_folder(OutputKind.MATTE)
    if cleaning is CleanUp.ASK:
        names = f"{job.segments.name} and {job.matted.root.name}"
        stays = " What the network found stays." if mattes.is_dir() else ""
        question = f"Delete the working files in {names}?{stays}"
        if reason or not progress.confirm(question):
            return
    if reason:
        progress.say(f"The working files stay: {reason}")
        return
    done = clean_up(job, progress, mattes_too=cleaning is CleanUp.ALL)
    progress.say(f"The working files are deleted: {gigabytes(done.freed_bytes)} more are free.")
    if mattes.is_dir():
        first = "" if done.segments_stay else ", once the video is cut again"
        progress.say(f"What the network found stays, for other results{first}: {mattes}")
    if done.segments_stay:
        progress.say(done.segments_stay)
    if done.stayed:
        more = len(done.stayed) - MOST_NAMED
        names = ", ".join(map(str, done.stayed[:MOST_NAMED]))
        others = f", and {quantity(more, 'other')}" if more > 0 else ""
        progress.say(f"Not deleted, for nothing says that this program made it: {names}{others}")
