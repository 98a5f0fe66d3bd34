"""The whole way, tried before the first hour: what will not work at its end is said now."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from matting.delivery.mux_check import losses
from matting.delivery.mux_trial import fitting_request
from matting.delivery.muxing import MuxRequest
from matting.delivery.stream_mapping import map_streams
from matting.errors import InputError, MattingError, MissingError
from matting.inference.weights import present_checkpoint
from matting.media import ffmpeg
from matting.media.blank_clip import write_blank_clip
from matting.media.probe import frame_times, probe, read_contents, read_spatial
from matting.media.source_notes import source_notes
from matting.media.tracks import TrackKind
from matting.options import EncodingOptions, MattingOptions
from matting.progress import Progress
from matting.project.own_files import require_own_final
from matting.project.paths import COMPOSITE_CONTAINERS, MattedFolder, final_file, segments_folder
from matting.system import files
from matting.system.humanize import gigabytes
from matting.system.invocation import Command, named


def dry_run(video: Path, output: Path | None, then: MattingOptions | None = None) -> list[str]:
    """Return sentences on what add-audio will leave out, and what it and infer will lack.

    This takes less than a second, whatever the size of `video`, for only a moment of it is read.

    Args:
        then: how the segments will be matted, where that follows at once: what will not work is
            then an error. None: it is one of the sentences, for it may be put right until then.
    Raises:
        InputError, MediaError: `video` cannot be used.
        MissingError, StorageError: what will not work.
    """
    encoding = then.output.encoding if then else EncodingOptions()
    notes = [_weights_note() if then is None else "", _small_disk_note(video, output)]
    try:
        _require_own_final(video, output, encoding)
        notes += source_notes(video, encoding)
        notes += _final_file_notes(video, output, encoding)
    except MattingError as error:
        if then is not None:
            raise
        notes.append(f"What follows will not work as it is now: {error.what} {error.hint}")
    return [note for note in notes if note]


def mention_ffmpeg(progress: Progress) -> None:
    """Say it where add-audio would not find an ffmpeg program that works."""
    try:
        ffmpeg.version()
    except MissingError as error:
        progress.say(_obstacle(Command.ADD_AUDIO, error))


def _require_own_final(video: Path, output: Path | None, encoding: EncodingOptions) -> None:
    """Refuse a final file in the way that is not of this job."""
    if not any(os.path.lexists(final_file(video, output, own)) for own in COMPOSITE_CONTAINERS):
        return
    container = map_streams(read_contents(video), encoding.codec.value).container
    combined = MattedFolder.of(segments_folder(video, output)).combined()
    require_own_final(final_file(video, output, container), combined)


def _final_file_notes(video: Path, output: Path | None, encoding: EncodingOptions) -> list[str]:
    """Mux a moment of what `video` holds beside its picture; return what comes of it.

    Raises:
        MediaError, EncodeError, MissingError, StorageError: add-audio would meet the same.
    """
    ffmpeg.version()
    if not _holds_more_than_a_picture(video):
        return []
    with tempfile.TemporaryDirectory() as folder:
        clip, final = Path(folder) / "picture.mp4", Path(folder) / "final"
        write_blank_clip(clip, probe(video).rate)
        request = MuxRequest.of(video, clip).for_codec(encoding.codec.value)
        request = fitting_request(request, final)
        start = request.source.start_pts * request.source.time_base
        first = min(frame_times(final)) * probe(final).time_base
        notes = losses(request, final, first - start)
    mapping, spatial = request.mapping, request.spatial
    container = mapping.container_note(final_file(video, output, mapping.container).name)
    others = [note for note in spatial.notes if note != spatial.one_eye_note]  # said already
    return [*([container] if container else []), *mapping.notes(), *others, *notes]


def _holds_more_than_a_picture(video: Path) -> bool:
    contents = read_contents(video)
    tracks = [track for track in contents.tracks if track.kind != TrackKind.PICTURE]
    return bool(
        tracks or contents.tags or contents.chapters or contents.timecode or read_spatial(video)
    )


def _weights_note() -> str:
    """Return a sentence on weights that `infer` will not find; "" where it will."""
    try:
        present = present_checkpoint()
    except InputError as error:
        return _obstacle(Command.INFER, error)
    if present is not None:
        return ""
    return f"The network's weights are not here yet: {named(Command.INFER)} will download them."


def _obstacle(command: Command, error: MattingError) -> str:
    return f"{named(command)} will not work as it is now: {error.what} {error.hint}"


def _small_disk_note(video: Path, output: Path | None) -> str:
    """Return a sentence where segments as large as the source would not fit, else ""."""
    if segments_folder(video, output).exists():
        return ""
    place = output if output and output.exists() else video.parent
    free_bytes, size_bytes = files.free_disk_bytes(place), video.stat().st_size
    if free_bytes is None or free_bytes >= size_bytes:
        return ""
    return (
        f"The segments may not fit: {gigabytes(free_bytes)} are free in {place}, and the video "
        f"takes {gigabytes(size_bytes)}. Another place can be chosen with --output."
    )
