"""Segments compared with their source, frame by frame; and sources that are hard to cut."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from matting.media import ffmpeg
from matting.project.plan import Plan, read_plan
from tests.support.clips import make_clip, numbers

X265_OPEN = "log-level=none:open-gop=1:bframes=4:scenecut=0"


def x265(parameters: str) -> dict[str, str]:
    return {"x265-params": parameters}


def open_hevc(folder: Path, frames: int = 75) -> Path:
    """Write a clip of H.265 in open GOPs of ten frames; return its path."""
    options = x265(f"{X265_OPEN}:keyint=10")
    return make_clip(folder / "clip.mp4", frames, codec="libx265", options=options)


def ffmpeg_copy(source: Path, target: Path, *arguments: str, before: Sequence[str] = ()) -> Path:
    """Copy `source` packet by packet with the ffmpeg program; return `target`."""
    command = [str(ffmpeg.program()), "-v", "error", "-y", *before, "-i", str(source)]
    subprocess.run([*command, "-c", "copy", *arguments, str(target)], check=True)
    return target


def plan_of(folder: Path) -> Plan:
    plan = read_plan(folder)
    assert plan is not None
    return plan


def segment_files(folder: Path) -> list[Path]:
    return [folder / planned.name for planned in plan_of(folder).segments]


def cut_frames(folder: Path) -> list[int]:
    """Return the numbers of all frames of all segments, in order."""
    return [number for file in segment_files(folder) for number in numbers(file)]


def planes_hash(frame: VideoFrame) -> str:
    """Return a hash of the decoded samples, without the padding of lines."""
    return hashlib.md5(np.ascontiguousarray(frame.to_ndarray()).tobytes()).hexdigest()


def decoded(path: Path, *, untimed: bool = False) -> list[tuple[Fraction, str]]:
    """Return (seconds from the first frame, hash of the planes) of every frame presented."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        frames = list(container.decode(stream))
        times = [Fraction(0) if f.pts is None else f.pts * stream.time_base for f in frames]
    if untimed:
        times = [index * Fraction(1, 30) for index in range(len(frames))]
    return [
        (time - times[0], planes_hash(frame)) for time, frame in zip(times, frames, strict=True)
    ]


def joined(folder: Path) -> list[tuple[Fraction, str]]:
    """Return the same of all segments, each at its place in the source."""
    plan = plan_of(folder)
    frames = []
    for planned in plan.segments:
        place = (planned.first_pts - plan.segments[0].first_pts) * plan.time_base
        own = decoded(folder / planned.name)
        assert len(own) == planned.frames
        assert planned.fingerprint.matches(folder / planned.name)
        frames += [(place + time, pixels) for time, pixels in own]
    return frames
