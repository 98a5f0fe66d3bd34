"""The finished file of a delivered format: the whole video, with audio and all else, in one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from matting.delivery.already_delivered import say_already_delivered, say_who_takes
from matting.delivery.delivered_pictures import gather_pictures
from matting.delivery.final_file import FinalFile, make_final_file
from matting.delivery.finished_place import FinishedPlace
from matting.delivery.formats import AlphaTravel, DeliveryFormat
from matting.delivery.room import require_room
from matting.delivery.vr_plan import VrPlan
from matting.errors import InputError
from matting.media.alpha_proof import require_alpha
from matting.media.concat import JoinPart, check_joined, join
from matting.media.container import require_file
from matting.media.media_index import forget_index
from matting.media.mp4.hevc_layers import keep_layers
from matting.media.mp4.metadata import Additions, add_to_header
from matting.media.probe import frame_times, probe
from matting.options import FormatName
from matting.progress import Progress
from matting.project.join_record import JoinRecord
from matting.project.own_files import current_final, known_finals, publish_final
from matting.project.own_folders import SegmentPictures
from matting.project.paths import MattedFolder
from matting.project.plan import Plan
from matting.project.source_watch import SourceWatch
from matting.system import atomic_files
from matting.system.fingerprint import Fingerprint, Sha256
from matting.system.invocation import Command, sentence, start
from matting.system.temporary_files import create_temporary, sweep


@dataclass(frozen=True)
class DeliveredPart:
    """What a segment was delivered as in one format.

    Attributes:
        path: a video file, or a folder of pictures; proven.
        sha256: of its content.
        frames: how many it has.
    """

    path: Path
    sha256: Sha256
    frames: int


@dataclass(frozen=True)
class _FinishedFile:
    """What is made of parts, and where.

    Attributes:
        record: of what it is made of.
        join_parts: returns what is joined, and seconds a tick of its times.
    """

    place: FinishedPlace
    source: Path
    parts: Sequence[DeliveredPart]
    record: JoinRecord
    join_parts: Callable[[], tuple[list[JoinPart], Fraction]]


def finish_format(
    matted: MattedFolder,
    plan: Plan,
    row: DeliveryFormat,
    parts: Sequence[DeliveredPart],
    progress: Progress,
    *,
    video: Path,
    output: Path | None = None,
    vr: VrPlan | None = None,
) -> Path:
    """Make the finished file of a format, unless it is there; return its path.

    The caller holds the lock of the matted folder. Videos are joined in a temporary file in that
    folder, which is as large as the parts; the folder of pictures takes no room on the same disk.

    Args:
        parts: of the plan's segments, in order; proven.
        video: the source.
        output: where to put the finished file; None: beside the source.
        vr: what it is like, if it is for headsets.
    Raises:
        InputError: the source is another one, or a file is in the way that is not ours.
        MediaError: ffmpeg refused a track that should go along.
        EncodeError: the new file does not hold what went in.
        StorageError, MissingError.
    """
    record = JoinRecord.of_format((part.sha256 for part in parts), plan)

    def join_parts() -> tuple[list[JoinPart], Fraction]:
        joined = [
            JoinPart(part.path, segment.first_pts - plan.start_pts, tuple(segment.times()))
            for segment, part in zip(plan.segments, parts, strict=True)
        ]
        return joined, plan.time_base

    place = FinishedPlace.of_video(matted, row, video, output, vr)
    finished = _FinishedFile(place, video, parts, record, join_parts)

    def require_same(source: SourceWatch) -> None:
        source.require_unchanged()
        if not source.fingerprint.is_same_as(plan.source):
            raise _another_source(video)

    return _finish(finished, require_same, progress)


def finish_separate(
    matted: MattedFolder,
    row: DeliveryFormat,
    part: DeliveredPart,
    progress: Progress,
    *,
    source: Path,
    source_sha256: Sha256,
    vr: VrPlan | None = None,
) -> Path:
    """Make that of a separate video, or of a folder of pictures; it lies in the matted folder.

    Args:
        part: its result in that format; proven.
        source: the video, or the folder of pictures.
        source_sha256: of the content that was matted.
        vr: as for `finish_format`.
    Raises:
        InputError, MediaError, EncodeError, StorageError, MissingError: as `finish_format`.
    """
    stem = part.path.name if row.pictures else part.path.stem
    # Of what its audio comes from, too.
    record = JoinRecord.of_hashes([part.sha256, source_sha256], source=None, frames=part.frames)
    place = FinishedPlace.of_separate(matted, row, stem, vr)
    join_parts = partial(_join_separate, part.path, source)
    finished = _FinishedFile(place, source, [part], record, join_parts)

    def require_same(watch: SourceWatch) -> None:
        watch.require_unchanged()
        if watch.fingerprint.content_sha256 != source_sha256:
            raise _another_source(source)

    return _finish(finished, require_same, progress)


def _join_separate(result: Path, source: Path) -> tuple[list[JoinPart], Fraction]:
    """Return a separate result at the source's times; pictures have none of their own."""
    if source.is_dir():
        return [JoinPart(result, 0)], probe(result).time_base
    info, pts = probe(source), sorted(frame_times(source))
    # Its result begins with its first frame; it itself may begin before that, with audio.
    times = tuple(time - pts[0] for time in pts)
    exact = times if len(frame_times(result)) == len(times) else None
    return [JoinPart(result, pts[0] - info.start_pts, exact)], info.time_base


def _finish(
    finished: _FinishedFile, require_same: Callable[[SourceWatch], None], progress: Progress
) -> Path:
    place = finished.place
    row, beside, record = place.row, place.beside, finished.record
    place.require_possible(finished.source)
    if row.pictures:
        (target,) = place.paths
        folders = {p.path: SegmentPictures(p.sha256, p.frames) for p in finished.parts}
        is_new = gather_pictures(folders, target, beside, record, progress)
    else:
        current = current_final(place.paths, beside, record, progress)
        target = current or _finish_video(finished, require_same, progress)
        is_new = current is None
    if not is_new:
        say_already_delivered(row, target, progress)
        return target
    if row.pictures:
        progress.say(f"Done: {target}")
    say_who_takes(row, target, progress)
    return target


def _finish_video(
    finished: _FinishedFile, require_same: Callable[[SourceWatch], None], progress: Progress
) -> Path:
    row, record, target = finished.place.row, finished.record, finished.place
    atomic_files.make_folder(target.folder)
    size_bytes = sum(part.path.stat().st_size for part in finished.parts)
    on_one_disk = target.beside.parent.stat().st_dev == target.folder.stat().st_dev
    require_room(target.folder, size_bytes * (2 if on_one_disk else 1))
    require_room(target.beside.parent, size_bytes)
    target.require_own()
    final = FinalFile(
        target.path_in,
        target.beside,
        replace(record, finals=known_finals(target.beside)),
        row.containers,
        is_hashed=True,
        spatial=target.vr.spatial if target.vr else None,
    )
    if finished.source.is_dir():
        return _publish_silent(finished, final, progress)
    require_file(finished.source)
    with SourceWatch(finished.source) as source:
        if record.source is not None and not source.looks_like(record.source):
            raise _another_source(finished.source)
        beside = target.beside
        place = beside.with_name(f"{beside.stem}_PICTURE{beside.suffix}")
        joined = _joined(finished, place, progress)
        try:
            return make_final_file(
                source,
                joined,
                final,
                partial(require_same, source),
                progress,
                complete=partial(_complete, row, joined),
            )
        finally:
            atomic_files.discard(joined)


def _publish_silent(finished: _FinishedFile, final: FinalFile, progress: Progress) -> Path:
    """Make the finished file of a folder of pictures, which has nothing beside its picture."""
    target = finished.place.paths[0]
    joined = _joined(finished, target, progress)
    try:
        if finished.place.vr is not None:
            add_to_header(joined, Additions(spatial=finished.place.vr.spatial))
        record = replace(final.record, file=Fingerprint.of(joined, progress.alive))
        publish_final(joined, target, finished.place.beside, record)
    finally:
        atomic_files.discard(joined)
    progress.say(f"Done: {target}")
    return target


def _joined(finished: _FinishedFile, place: Path, progress: Progress) -> Path:
    """Join the parts in a temporary file beside `place`, and check that; return it.

    ffmpeg takes a picture from one file. To it and the finished file the same packets are copied.
    """
    parts, time_base = finished.join_parts()
    frames = finished.record.frames
    sweep(place)
    joined = create_temporary(place)
    container = finished.place.row.containers[0].value
    try:
        progress.start("Combining", frames, "frame")
        expected = join(parts, time_base, joined, progress, container=container)
        _complete(finished.place.row, parts[0].path, joined)
        progress.start("Checking", frames, "frame")
        check_joined(joined, expected, time_base, progress, container=container)
    except BaseException:
        atomic_files.discard(joined)
        raise
    finally:
        progress.finish()
    return joined


def _complete(row: DeliveryFormat, original: Path, copy: Path) -> None:
    """Give a copy of a picture what copying it loses, and require that it has alpha."""
    if row.name is FormatName.HEVC:
        keep_layers(original, copy)
        forget_index(copy)
    if row.alpha is AlphaTravel.STRAIGHT:
        require_alpha(copy)


def _another_source(source: Path) -> InputError:
    return InputError(
        f"{source} is another video than the one that was matted.",
        sentence(start(Command.SEGMENT, "this one anew, with --overwrite")),
        option="--overwrite",
    )
