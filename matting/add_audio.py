"""Stage four: the original's sound joins the matted picture."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from matting import durable, ffmpeg
from matting.combined_note import COMBINE_AGAIN, CombinedNote
from matting.errors import EncodeError, InputError, writing
from matting.ledger import Ledger
from matting.lock import folder_lock
from matting.media.door import require_file
from matting.media.probe import frame_times, probe, sound_tracks
from matting.plan import SourceFile
from matting.progress import Progress
from matting.workspace import COMPOSITE, MattedFolder, final_file, segments_folder

TOLERANCE_SECONDS = Fraction(1, 1000)


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
    matted = MattedFolder.of(segments_folder(video, output))
    combined = matted.combined()
    if not combined.is_file():
        raise InputError(
            f"The matted picture of {video.name} is not there: {combined}.",
            "Run segment, infer and combine first; give the original video to all of them.",
        )
    with folder_lock(matted.root):
        frames = _require_current(matted, video)
        tracks = sound_tracks(video)
        if not tracks:
            progress.say(f"{video.name} has no sound: the result will have none either.")
        target = final_file(video, output)
        temporary = durable.partial(target)
        first_pts = min(time.pts for time in frame_times(combined))
        progress.start("Adding sound", frames, "frame")
        try:
            _mux(video, combined, first_pts, temporary, progress)
            _verify(temporary, combined, tracks)
            durable.publish(temporary, target)
        finally:
            progress.finish()
            with writing(temporary):
                temporary.unlink(missing_ok=True)
    progress.say(f"Done: {target}")
    return target


def _require_current(matted: MattedFolder, video: Path) -> int:
    """How many frames the combined file has, once it is sure to be this video's and up to date."""
    combined = matted.combined()
    note = CombinedNote.read(combined)
    if note is None or note.file is None or note.file.size_bytes != combined.stat().st_size:
        raise InputError(f"{combined} is not what combine made.", COMBINE_AGAIN)
    if note.source is not None and note.source != SourceFile.of(video):
        raise InputError(
            f"{combined} was made from another video than {video}.",
            "Give that video, or cut and matte this one: segment --overwrite, infer, combine.",
        )
    if matted.manifest.is_file():
        ledger = Ledger(matted)
        done = all(ledger.output(name, COMPOSITE) for name in ledger.names)
        if not done or replace(note, file=None) != CombinedNote.of(ledger, COMPOSITE):
            raise InputError(
                f"Segments were matted again after {combined} was made.", COMBINE_AGAIN
            )
    return note.frames


def _mux(video: Path, combined: Path, first_pts: int, temporary: Path, progress: Progress) -> None:
    """`first_pts`: of the combined file, counted from where the source starts."""
    # ffmpeg moves the start of each input to zero: that of the source is its earliest stream's,
    # that of the combined file its picture's, which has to keep its distance.
    time_base = probe(combined).time_base
    offset = f"{float(first_pts * time_base):.6f}"
    arguments = ["-itsoffset", offset, *ffmpeg.input_file(combined), *ffmpeg.input_file(video)]
    arguments += ["-map", "0:v:0", "-map", "1:a?", "-map_metadata", "1", "-map_chapters", "1"]
    arguments += ["-c", "copy", "-movie_timescale", str(time_base.denominator)]
    arguments += ["-f", "mp4", f"./{temporary.name}"]
    # The source's picture is read too, and thrown away: for MPEG-TS, ffmpeg counts a source's
    # start by the streams it reads, not by all.
    arguments += ["-map", "1:V:0", "-c", "copy", "-f", "null", "-"]
    ffmpeg.run(
        arguments,
        folder=temporary.parent,
        subject=video,
        hint="Check that its sound plays; the matted picture without sound is whole.",
        on_frames=progress.advance,
    )


def _verify(path: Path, combined: Path, tracks: int) -> None:
    """Every frame of `combined` at its time, and all sound tracks."""
    have, want = _seconds(path), _seconds(combined)
    moved = [abs(a - b) for a, b in zip(have, want, strict=False)]
    if len(have) != len(want) or max(moved) > TOLERANCE_SECONDS or sound_tracks(path) != tracks:
        raise EncodeError(
            f"{path}: {len(want)} frames and {tracks} sound tracks went in, "
            f"{len(have)} and {sound_tracks(path)} came out, or at other times."
        )


def _seconds(path: Path) -> list[Fraction]:
    """When the frames are shown, from the first on."""
    time_base = probe(path).time_base
    pts = sorted(time.pts for time in frame_times(path))
    return [(time - pts[0]) * time_base for time in pts]
