"""A job of several shots that plain `infer` has matted, and copies of it for others to matte."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from msgspec import structs

from benchmarks import footage, stand_in
from benchmarks.processes import program_command, run
from matting.imaging.sample_format import Size
from matting.options import CuttingOptions, OutputKind
from matting.progress import Progress
from matting.project.paths import MattedFolder
from matting.project.plan import read_plan, write_plan
from matting.segment import segment

KINDS = (OutputKind.COMPOSITE, OutputKind.MATTE)
WEIGHTS = Path(__file__).resolve().parents[2] / "demo" / "demo_checkpoint.pth"


@dataclass(frozen=True)
class SharedJob:
    """A folder of segments, and what plain `infer` makes of them."""

    segments: Path
    plain: dict[str, bytes]

    def copy(self, folder: Path) -> Path:
        """Return the segments, not matted, in another folder."""
        return Path(shutil.copytree(self.segments, folder / self.segments.name))

    def wrong(self, segments: Path) -> list[str]:
        """Return which results are there under their names and are not those of plain `infer`."""
        return [n for n, own in results(segments).items() if own != self.plain.get(n)]

    def missing(self, segments: Path) -> list[str]:
        """Return which results are not there."""
        return sorted(self.plain.keys() - results(segments).keys())

    def untrue(self, segments: Path) -> list[str]:
        """Return which segments are called done and have not all results, whole and right."""
        there = results(segments)
        return [
            name
            for name, is_done in processed(segments).items()
            if is_done
            and any(
                there.get(result) != content
                for result, content in self.plain.items()
                if Path(result).stem == Path(name).stem
            )
        ]


def infer_command(segments: Path, *options: object) -> list[str]:
    """Return the command that mattes segments with the demo's network."""
    given = ("--checkpoint", WEIGHTS, "--codec", "h264", "--small-people", "off", *options)
    return program_command("infer", segments, *given)


def write_job(folder: Path, shots: int, segments: int) -> SharedJob:
    """Write a job of tiny pictures and tiny segments, and have plain `infer` matte it.

    Args:
        segments: of each shot.
    """
    folder.mkdir()
    frames = stand_in.KEY_FRAMES
    clip = stand_in.write_clip(folder / "clip.mp4", shots * segments * frames, seed=1)
    return _matted(_cut(clip, shots, segments, frames))


def write_film_job(folder: Path, size: Size, shots: int, frames: int) -> SharedJob:
    """Write a job of the demo's film, each shot a segment, and have plain `infer` matte it.

    That has one processor, as each worker will: encoders use as many threads as there are, and with
    other numbers of them they make other files.

    Args:
        frames: of each shot; a multiple of `footage.RATE`.
    """
    folder.mkdir()
    clip = footage.write_clip(folder / "clip.mp4", size, shots * frames)
    return _matted(_cut(clip, shots, 1, frames), ("taskset", "-c", "0"))


def _cut(clip: Path, shots: int, segments: int, frames: int) -> Path:
    """Cut a clip into so many shots of so many segments, each of so many frames."""
    cut = segment(clip, CuttingOptions(seconds=Fraction(frames, footage.RATE)), None, Progress())
    plan, count = read_plan(cut), shots * segments
    if plan is None or len(plan.segments) != count:
        raise AssertionError("the clip was cut into other segments")
    starts = range(segments * frames, count * frames, segments * frames)
    write_plan(cut, structs.replace(plan, shots=tuple(starts)))
    return cut


def _matted(segments: Path, where: Sequence[str] = ()) -> SharedJob:
    job = SharedJob(segments, {})
    own = segments.parent / "plain"
    own.mkdir()
    copy = job.copy(own)
    plainly = ("--device", "cpu", "--threads", "1", "--precision", "fp32")
    run([*where, *infer_command(copy, *plainly)])
    return SharedJob(segments, results(copy))


def results(segments: Path) -> dict[str, bytes]:
    """Return the composites and mattes of a job, by their places."""
    folder = MattedFolder.of(segments)
    paths = [
        path
        for kind in KINDS
        if folder.output_folder(kind).is_dir()
        for path in folder.output_folder(kind).iterdir()
        if path.suffix in {".mp4", ".mkv"}
    ]
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in paths}


def processed(segments: Path) -> dict[str, bool]:
    """Return what processed.json says."""
    path = MattedFolder.of(segments).processed
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
