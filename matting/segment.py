"""Stage one: a video is cut into segments whose frames are exactly the video's own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from matting.cutting.checkpoint import NAME as CHECKPOINT_NAME
from matting.cutting.checkpoint import CutCheckpoint
from matting.cutting.cutter import Cutter, is_timed
from matting.cutting.lossless_writer import is_lossless
from matting.cutting.packet_cutter import mp4_can_hold
from matting.cutting.packet_index import SourceIndex, read_index
from matting.cutting.preparation import filters_for, without_lost_start
from matting.cutting.repair import CutSegment, damage_report, repair
from matting.errors import InputError, MediaError, writing
from matting.media.alpha import opaque
from matting.media.container import require_file
from matting.media.mp4.spatial import one_eye_note
from matting.media.probe import VideoInfo, probe
from matting.media.streams import picture_choice
from matting.media.validation import require_supported
from matting.options import DEFAULT_SEGMENT_SECONDS, CuttingOptions, OnDamage
from matting.progress import Progress, counted
from matting.project.paths import LIST_NAME, PLAN_NAME, UNFINISHED, segment_name, segments_folder
from matting.project.plan import (
    Plan,
    PlannedSegment,
    SourceFingerprint,
    concat_list,
    gaps_of,
    read_plan,
    write_plan,
)
from matting.system import atomic_files
from matting.system.file_lock import folder_lock
from matting.system.fingerprint import Fingerprint

PIECE = re.compile(r"output_\d{3,}\.mp4")
REENCODE_CRF = 12


def segment(video: Path, options: CuttingOptions, output: Path | None, progress: Progress) -> Path:
    """Cuts `video` into its segments folder, and returns that.

    A folder that is already cut from this video is left as it is.

    Raises:
        InputError: no such file, or the folder holds something else.
        MediaError: it is no video, or a damaged one; its sound pieces are kept for the next run.
        StorageError, BusyError, MissingError.
    """
    require_file(video)
    info = probe(video)
    for note in filter(None, (picture_choice(video), one_eye_note(video))):
        progress.say(note)
    require_supported(info)
    folder = segments_folder(video, output)
    if folder.exists() and not folder.is_dir():
        raise InputError(
            f"{folder} is in the way.",
            "Move it, or choose a place with --output.",
            option="--output",
        )
    with folder_lock(folder):
        if not options.overwrite:
            earlier = _earlier_cut(folder, video, options)
            if earlier is not None:
                missing = [s.name for s in earlier.segments if not (folder / s.name).is_file()]
                if not missing:
                    progress.say(f"Already cut: {_count(earlier)}: {folder}")
                    return folder
                progress.say(f"Cutting again as before: {missing[0]} is missing in {folder}")
                options = _as_before(earlier, options)
        plan = _cut_and_install(info, options, folder, progress)
    progress.say(f"Cut: {_count(plan)}, all checked: {folder}")
    return folder


def _count(plan: Plan) -> str:
    return f"{counted(plan.frames, 'frame')} in {counted(len(plan.segments), 'segment')}"


def _earlier_cut(folder: Path, video: Path, options: CuttingOptions) -> Plan | None:
    """The plan by which `folder` was cut from this video; an error if it holds other things."""
    plan = read_plan(folder)
    if plan is None:
        if any(folder.glob("*.mp4")) and not (folder / UNFINISHED).exists():
            raise InputError(
                f"{folder} holds videos that were not cut by this program.",
                "Move them away, or choose a place with --output.",
                option="--output",
            )
        return None
    overwrite = "To cut it anew, add --overwrite; to keep both, choose a place with --output."
    if plan.source != SourceFingerprint.of(video):
        raise InputError(
            f"{folder} was cut from another video ({plan.source.name}).",
            overwrite,
            option="--overwrite",
        )
    if options.seconds is not None and Fraction(plan.seconds) != options.seconds:
        raise InputError(
            f"{folder} was cut into pieces of {plan.seconds} seconds.",
            overwrite,
            option="--overwrite",
        )
    if options.reencode and not plan.reencoded:
        raise InputError(f"{folder} was cut without re-encoding.", overwrite, option="--overwrite")
    return plan


def _as_before(plan: Plan, options: CuttingOptions) -> CuttingOptions:
    repeats = any(segment.repeated for segment in plan.segments)
    return replace(
        options,
        seconds=Fraction(plan.seconds),
        reencode=plan.reencoded,
        damaged=OnDamage.REPEAT if repeats else options.damaged,
    )


def _cut_and_install(
    info: VideoInfo, options: CuttingOptions, folder: Path, progress: Progress
) -> Plan:
    work = folder / UNFINISHED
    source = SourceFingerprint.of(info.path)
    seconds = options.seconds or DEFAULT_SEGMENT_SECONDS
    try:
        cut = None if options.reencode else CutCheckpoint.read(work, info.path, source, seconds)
        if cut is None:
            _remove(work)
            atomic_files.make_folder(work)
            index, lost = read_index(info.path), 0
            if options.damaged != OnDamage.REPEAT:  # else the first good frame stands in for them
                index, lost = without_lost_start(info, index)
            if lost:
                progress.say(
                    f"{counted(lost, 'frame')} at the start cannot be shown, for the recording "
                    "begins in the middle. The pieces begin after that; the sound stays in time."
                )
            cutting = Cutter(info, index, seconds, work, progress, treatment=filters_for(info))
            found = _cut(info, index, options, cutting, progress)
            cut = CutCheckpoint(info.path, source, seconds, index.truncated_at, tuple(found))
        pieces = _sound(info, options, cut, work, progress)
        plan = Plan(
            source=source,
            time_base=info.time_base,
            rate=info.rate,
            start_pts=info.start_pts,
            seconds=str(seconds),
            reencoded=options.reencode,
            segments=tuple(_planned(number, piece) for number, piece in enumerate(pieces)),
        )
    except BaseException:
        # The pieces of a damaged video stay for the next run.
        if not (work / CHECKPOINT_NAME).exists():
            _remove(work)
        raise
    # From here on it stays until the plan is written: it says that pieces may be missing.
    _install(folder, [piece.path for piece in pieces], plan)
    _remove(work)
    return plan


def _cut(
    info: VideoInfo,
    index: SourceIndex,
    options: CuttingOptions,
    cutting: Cutter,
    progress: Progress,
) -> list[CutSegment]:
    """The pieces; copied unless re-encoding is asked for, or nothing else can be exact."""
    repeat = options.damaged == OnDamage.REPEAT
    if options.reencode:
        progress.say(f"The pieces are encoded anew, in H.265 at high quality (CRF {REENCODE_CRF}).")
        return cutting.encode(REENCODE_CRF, repeat=repeat)
    if not is_timed(info, index):
        reason = "its frames carry no times of their own"
    elif cutting.treatment:
        reason = "its pictures are changed"
    elif not mp4_can_hold(info.path):
        reason = f"an .mp4 file cannot hold video of this kind ({info.codec})"
    else:
        pieces = _copied(info, options, cutting, progress)
        if pieces:
            return pieces
        reason = "cut as it is, it would not make pieces that can be read"
        if cutting.met_interlaced:
            reason = "its pictures are changed"
    loss = (
        "without loss"
        if is_lossless(opaque(info.pixel_format))
        else f"without loss but for {_format(info)}"
    )
    progress.say(f"The pieces are encoded anew, {loss}: {reason}.")
    return cutting.encode(None, repeat=repeat)


def _copied(
    info: VideoInfo, options: CuttingOptions, cutting: Cutter, progress: Progress
) -> list[CutSegment]:
    """The pieces of the source's own packets; none where such pieces cannot be read."""
    try:
        pieces = cutting.copy()
    except MediaError as error:
        progress.detail(str(error))
        return []
    if not pieces:
        return []
    encoded = sum(not piece.copied for piece in pieces)
    if encoded:
        progress.say(f"{encoded} of {len(pieces)} pieces had to be encoded anew, without loss.")
    seconds = (pieces[0].times[-1] - pieces[0].times[0]) * info.time_base
    if len(pieces) == 1 and seconds > 2 * (options.seconds or DEFAULT_SEGMENT_SECONDS):
        progress.say(
            "This video has no place where it can be cut without encoding it anew, so it "
            "stays in one piece. For shorter pieces use --reencode."
        )
    return pieces


def _format(info: VideoInfo) -> str:
    return f"its pixel format, {info.pixel_format}, which becomes one of 16 bits"


def _sound(
    info: VideoInfo, options: CuttingOptions, cut: CutCheckpoint, work: Path, progress: Progress
) -> Sequence[CutSegment]:
    """The pieces without damage; or the report of it, and all pieces kept."""
    damaged = [time for piece in cut.segments for time in (*piece.damaged, *piece.repeated)]
    if not damaged and cut.truncated_at is None:
        return cut.segments
    report = damage_report(info, damaged, cut.truncated_at)
    if options.damaged == OnDamage.STOP:
        sound = sum(piece.path.parent == work and not piece.damaged for piece in cut.segments)
        if sound:
            cut.write(work)
        kept = f" {sound} sound pieces are kept for that." if sound else ""
        raise MediaError(
            report,
            f"Copy or download it again; or add --damaged {OnDamage.REPEAT}, by which the last "
            f"good picture stands in for each of them.{kept}",
            option="--damaged",
        )
    pieces = repair(info, cut.segments, progress)
    repeated = sum(len(piece.repeated) for piece in pieces)
    replaced = f" {repeated} were replaced by the last good one." if repeated else ""
    progress.say(f"{report}{replaced}")
    return pieces


def _planned(number: int, piece: CutSegment) -> PlannedSegment:
    return PlannedSegment(
        segment_name(number),
        piece.times[0],
        gaps_of(piece.times),
        Fingerprint.of(piece.path),
        piece.repeated,
    )


def _install(folder: Path, pieces: Sequence[Path], plan: Plan) -> None:
    """Puts the checked pieces in place of what was there. The plan comes last: it says 'whole'."""
    with writing(folder):
        (folder / PLAN_NAME).unlink(missing_ok=True)
        for old in folder.iterdir():
            if PIECE.fullmatch(old.name):
                old.unlink()
    for path, planned in zip(pieces, plan.segments, strict=True):
        atomic_files.publish(path, folder / planned.name)
    atomic_files.write_text(folder / LIST_NAME, concat_list([s.name for s in plan.segments]))
    write_plan(folder, plan)


def _remove(work: Path) -> None:
    if work.exists():
        with writing(work):
            shutil.rmtree(work)
