"""Stage four: the original's sound joins the matted picture."""

from __future__ import annotations

from pathlib import Path

from matting import durable, ffmpeg
from matting.errors import EncodeError, InputError, writing
from matting.media.door import require_file
from matting.media.probe import frame_times, probe, sound_tracks
from matting.progress import Progress
from matting.workspace import MattedFolder, final_file, segments_folder


def add_audio(video: Path, output: Path | None, progress: Progress) -> Path:
    """Puts the sound, chapters and title of `video` to its matted picture; returns the new file.

    Args:
        video: the original, beside which (or in `output`) its matted folder lies.
    Raises:
        InputError: no such file, or its matted picture is not there.
        MediaError: the sound cannot be carried.
        StorageError, MissingError.
    """
    require_file(video)
    combined = MattedFolder.of(segments_folder(video, output)).combined()
    if not combined.is_file():
        raise InputError(
            f"The matted picture of {video.name} is not there: {combined}.",
            "Run segment, infer and combine first; give the original video to all of them.",
        )
    tracks = sound_tracks(video)
    if not tracks:
        progress.say(f"{video.name} has no sound: the result will have none either.")
    target = final_file(video, output)
    temporary = durable.partial(target)
    times = [time.pts for time in frame_times(combined)]
    progress.start("Adding sound", len(times), "frame")
    try:
        _mux(video, combined, min(times), temporary, progress)
        _verify(temporary, len(times), tracks)
        durable.publish(temporary, target)
    finally:
        progress.finish()
        with writing(temporary):
            temporary.unlink(missing_ok=True)
    progress.say(f"Done: {target}")
    return target


def _mux(video: Path, combined: Path, first_pts: int, temporary: Path, progress: Progress) -> None:
    """`first_pts`: of the combined file, counted from where the source starts."""
    done = 0

    def on_frame(frames: int) -> None:
        nonlocal done
        progress.advance(frames - done)
        done = frames

    # ffmpeg moves the start of each input to zero: that of the source is its earliest stream's,
    # that of the combined file its picture's, which has to keep its distance.
    time_base = probe(combined).time_base
    offset = f"{float(first_pts * time_base):.6f}"
    arguments = ["-itsoffset", offset, *ffmpeg.input_file(combined), *ffmpeg.input_file(video)]
    arguments += ["-map", "0:v:0", "-map", "1:a?", "-map_metadata", "1", "-map_chapters", "1"]
    arguments += ["-c", "copy", "-movie_timescale", str(time_base.denominator)]
    arguments += ["-f", "mp4", temporary.name]
    ffmpeg.run(arguments, folder=temporary.parent, subject=video, on_frame=on_frame)


def _verify(path: Path, frames: int, tracks: int) -> None:
    found = len(frame_times(path))
    if found != frames or sound_tracks(path) != tracks:
        raise EncodeError(
            f"{path}: {frames} frames and {tracks} sound tracks went in, "
            f"{found} and {sound_tracks(path)} came out."
        )
