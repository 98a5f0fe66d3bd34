"""The files that ffmpeg joins, and how their times are put on one line."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from pathlib import Path

from matting.delivery.stream_mapping import StreamMapping
from matting.errors import writing
from matting.media import ffmpeg
from matting.media.streams import cover_bytes
from matting.media.timeline import Timeline
from matting.media.tracks import Track, TrackKind
from matting.media.video_info import VideoInfo

COMBINED, SOURCE, UNEDITED = range(3)
COVER_FILES = {
    "mjpeg": ("cover.jpg", "image/jpeg"),
    "png": ("cover.png", "image/png"),
    "bmp": ("cover.bmp", "image/bmp"),
}


def input_arguments(
    source: VideoInfo,
    combined: Path,
    mapping: StreamMapping,
    timeline: Timeline,
    edited: Collection[int],
) -> list[str]:
    """Open both files so that the combined file's times count from where the source starts.

    So will the result's, unless the source is MP4 or QuickTime: there a late start of everything
    is part of what a player shows, in other containers it is how they count.

    Args:
        edited: the tracks whose edits are put into the result's header; they are read from the
            source a second time, as if they had none.
    """
    start = float(timeline.start)
    later, earlier = (start, 0.0) if "mov" in source.container else (0.0, start)
    # Without -copyts ffmpeg would count from what it believes the start to be, and close gaps
    # in transport streams.
    inputs = ["-copyts", "-itsoffset", f"{later:.6f}", *ffmpeg.input_file(combined)]
    for mapped in mapping.tracks:
        if mapped.charset:
            inputs += [f"-sub_charenc:{mapped.track.index}", mapped.charset]
        if not mapped.is_copied:
            inputs += shift_arguments(timeline, mapped.track, f":{mapped.track.index}")
    far = source.container in ffmpeg.SELF_DESCRIBING
    inputs += ["-itsoffset", f"{-earlier:.6f}", *ffmpeg.input_file(source.path, far=far)]
    if edited:
        inputs += ["-ignore_editlist", "1", *ffmpeg.input_file(source.path)]
    return inputs


def shift_arguments(timeline: Timeline, track: Track, where: str) -> list[str]:
    """Put a track's packets on the source's line of time, where its clock jumps.

    Args:
        where: which stream of the file that the arguments stand before.
    """
    shifts = timeline.shifts.get(track.index, ())
    if not shifts:
        return []
    totals = [Fraction(0), *(shift.seconds for shift in shifts)]
    ticks = "".join(
        f"+gte(N,{shift.packet})*round({shift.seconds - before}/TB)"
        for shift, before in zip(shifts, totals, strict=False)
    )
    return [f"-bsf{where}", f"setts=pts='PTS{ticks}':dts='DTS{ticks}'"]


def cover_arguments(source: Path, mapping: StreamMapping, folder: Path) -> list[str]:
    """Write the covers to files in `folder`, which Matroska holds as attachments."""
    arguments: list[str] = []
    attachments = sum(other.track.kind == TrackKind.ATTACHMENT for other in mapping.tracks)
    for number, cover in enumerate(mapping.covers):
        name, mime_type = COVER_FILES[cover.codec]
        path = folder / f"{number}_{name}"
        content = cover_bytes(source, cover.index)
        with writing(path):
            path.write_bytes(content)
        where = f"-metadata:s:t:{attachments + number}"
        arguments += ["-attach", str(path), where, f"mimetype={mime_type}"]
        arguments += [where, f"filename={name}"]
    return arguments
