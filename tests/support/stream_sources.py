"""Sources that hold more than a picture and one audio track, and final files made of them."""

from __future__ import annotations

from pathlib import Path

from matting.delivery.mux_check import check_mux
from matting.delivery.muxing import MuxRequest, mux
from matting.media import ffmpeg
from matting.media.mp4.metadata import Additions, add_to_header
from matting.media.mp4.spatial import Spatial
from matting.progress import Progress
from tests.support.clips import make_clip
from tests.support.recorder import carry_on

SUBRIP = "1\n00:00:00,200 --> 00:00:00,600\nHello\n\n2\n00:00:00,700 --> 00:00:00,900\nWorld\n"
CHAPTERS = """;FFMETADATA1
[CHAPTER]
TIMEBASE=1/1000
START=0
END=500
title=One
[CHAPTER]
TIMEBASE=1/1000
START=500
END=1000
title=Two
"""


def make(path: Path, *arguments: str) -> Path:
    """Make ffmpeg write `path`; the arguments are all but the output's name."""
    ffmpeg.run(
        [*arguments, path.name], folder=path.parent, subject=path, hint="", on_frames=carry_on
    )
    return path


def opened(path: Path) -> list[str]:
    """Return the arguments that make ffmpeg read `path`."""
    return ["-i", str(path)]


def tone(frequency: int, seconds: int = 1) -> list[str]:
    """Return the arguments that make ffmpeg generate a tone."""
    return ["-f", "lavfi", "-i", f"sine=f={frequency}:d={seconds}:r=48000"]


def with_two_audio_tracks(path: Path, picture: Path, codecs: tuple[str, str]) -> Path:
    """Write `picture` with two tones, each with a language, a title and a flag; return `path`."""
    return make(
        path,
        *opened(picture),
        *tone(440),
        *tone(880),
        *["-map", "0", "-map", "1", "-map", "2", "-c:v", "copy", "-strict", "-2"],
        *["-c:a:0", codecs[0], "-c:a:1", codecs[1]],
        *["-metadata:s:a:0", "language=eng", "-metadata:s:a:0", "title=Main"],
        *["-metadata:s:a:1", "language=deu", "-metadata:s:a:1", "title=Kommentar"],
        *["-disposition:a:0", "default", "-disposition:a:1", "comment"],
    )


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def cover(path: Path) -> Path:
    """Write a small still picture, whose format follows the path's suffix; return the path."""
    return make(path, "-f", "lavfi", "-i", "testsrc2=s=32x32", "-frames:v", "1")


def with_boxes(path: Path, spatial: Spatial) -> Path:
    """Add to the mp4 file `path` how its picture is to be viewed; return the path."""
    add_to_header(path, Additions(spatial=spatial))
    return path


def deliver(video: Path, combined: Path | None = None) -> tuple[Path, list[str]]:
    """Make the final file of `video`; return it and the notes on what it lacks.

    Args:
        combined: the matted picture; one of 30 frames from the start unless given.
    """
    if combined is None:
        combined = make_clip(video.parent / "combined.mp4")
    request = MuxRequest.of(video, combined)
    final = video.with_name(f"{video.stem}_MATTED{request.mapping.container.suffix}")
    mux(request, final, Progress())
    lost = check_mux(request, final)
    return final, [*request.notes(), *lost]
