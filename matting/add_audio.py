"""Stage four: the original's sound, and all else that it holds, joins the matted picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from matting.delivery.mux_check import check_mux
from matting.delivery.muxing import Delivery, mux
from matting.delivery.stream_mapping import MP4, StreamMapping
from matting.errors import InputError, writing
from matting.media.container import require_file
from matting.media.probe import length_seconds
from matting.media.streams import TrackKind, picture_choice
from matting.options import OutputKind
from matting.progress import Progress
from matting.project.join_record import COMBINE_AGAIN, JoinRecord
from matting.project.ledger import Ledger
from matting.project.paths import FINAL_CONTAINERS, MattedFolder, final_file, segments_folder
from matting.project.plan import SourceFingerprint
from matting.system import atomic_files
from matting.system.file_lock import folder_lock
from matting.system.humanize import clock, gigabytes


def add_audio(video: Path, output: Path | None, progress: Progress) -> Path:
    """Puts all that `video` holds beside its picture to the matted one; returns the new file.

    Args:
        video: the original, beside which (or in `output`) its matted folder lies.
    Raises:
        InputError: no such file, or its matted picture is not there.
        MediaError: a track cannot be carried, though it should be.
        EncodeError: the new file does not hold what went in.
        StorageError, MissingError.
    """
    require_file(video)
    matted = MattedFolder.of(segments_folder(video, output))
    combined = matted.combined()
    if not combined.is_file():
        raise InputError(
            f"The matted picture of {video.name} is not there: {combined}.",
            "Give the video that you started from. Before this come segment, infer and combine.",
        )
    with folder_lock(matted.root):
        frames = _require_current(matted, video)
        delivery = Delivery.of(video, combined)
        mapping = delivery.mapping
        target = final_file(video, output, mapping.suffix)
        _announce(video, target, mapping, progress)
        if not delivery.holds.of(TrackKind.AUDIO):
            progress.say(f"{video.name} has no sound: the result will have none either.")
        temporary = atomic_files.partial(target)
        progress.start("Adding sound", frames, "frame")
        try:
            mux(delivery, temporary, progress)
            lost = check_mux(delivery, temporary)
            atomic_files.publish(temporary, target)
        finally:
            progress.finish()
            with writing(temporary):
                temporary.unlink(missing_ok=True)
    for note in (*mapping.notes(), *delivery.spatial.notes, *lost):
        progress.say(note)
    _name_older(video, output, target, progress)
    length = clock(float(length_seconds(target)))
    progress.say(f"Done. {length} long, {gigabytes(target.stat().st_size)}: {target}")
    return target


def _announce(video: Path, target: Path, mapping: StreamMapping, progress: Progress) -> None:
    choice = picture_choice(video)
    if choice:
        progress.say(choice)
    if mapping.container != MP4:
        sounds = {
            mapped.track.codec for mapped in mapping.tracks if mapped.track.kind == TrackKind.AUDIO
        }
        progress.say(
            f"The result is {target.name}: "
            f"mp4 is no place for sound of this kind ({', '.join(sorted(sounds))})."
        )


def _name_older(video: Path, output: Path | None, target: Path, progress: Progress) -> None:
    """An earlier result in another container is not touched, but named."""
    for suffix in FINAL_CONTAINERS:
        older = final_file(video, output, suffix)
        if older != target and older.is_file():
            progress.say(f"{older} is an older result. Delete it if you do not need it.")


def _require_current(matted: MattedFolder, video: Path) -> int:
    """How many frames the combined file has, once it is sure to be this video's and up to date."""
    combined = matted.combined()
    note = JoinRecord.read(combined)
    if note is None or note.file is None or note.file.size_bytes != combined.stat().st_size:
        raise InputError(f"{combined} is not what combine made.", COMBINE_AGAIN)
    if note.source is not None and note.source != SourceFingerprint.of(video):
        raise InputError(
            f"{combined} was made from another video than {video}.",
            "Give that one; or cut this one anew: segment with --overwrite, infer, combine.",
            option="--overwrite",
        )
    if matted.manifest.is_file():
        ledger = Ledger(matted)
        done = all(ledger.output(name, OutputKind.COMPOSITE) for name in ledger.names)
        if not done or replace(note, file=None) != JoinRecord.of(ledger, OutputKind.COMPOSITE):
            raise InputError(
                f"Segments were matted again after {combined} was made.", COMBINE_AGAIN
            )
    return note.frames
