"""Segments that were changed, from one bit to all of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from random import Random

import av

from benchmarks.faults.fault import require
from benchmarks.faults.job import Job, JobFault
from benchmarks.faults.program import LIMIT_SECONDS
from benchmarks.stand_in import KEY_FRAMES, presentation_times, write_clip
from matting.options import OutputKind

PLAIN_ENDS = {0, 1, 2}  # done; some failed; bad input
BOXES = (b"moov", b"mvhd", b"tkhd", b"edts", b"mdhd", b"stsd", b"avcC", b"stts", b"stss", b"stsz")


class Mutations(JobFault):
    """One segment of a job is changed before it is matted."""

    name = "mutations"
    description = (
        "mutated segments: bit flips, truncations, zeroed ranges, wrong extension, random bytes"
    )
    must_hold = f"0 tracebacks, 0 hangs over {LIMIT_SECONDS:g} s, 0 false `true`"
    tries, short_tries = 500, 6
    steps_before = ("segment",)
    segments_in_clip = 2

    def prepare(self) -> None:
        super().prepare()
        segments = self.undisturbed.segments
        self.times = {name: presentation_times(segments / name) for name in self.names}

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        job = self.new_job(folder)
        job.verbose = False
        victim = job.segments / rng.choice(self.names)
        story = f"{victim.name}: {MUTATIONS[number % len(MUTATIONS)](victim, rng)}"
        result = job.run("infer")
        outcome = f"{story}: {result.last_lines()}"
        require("Traceback" not in result.output, f"{outcome}\n{result.output}")
        require(result.code in PLAIN_ENDS, outcome)
        done = job.processed()
        require(all(done.values()) == (result.code == 0) or not done, f"{outcome}, but {done}")
        for name in (name for name, true in done.items() if true):
            self._require_planned(job, name, story)

    def _require_planned(self, job: Job, name: str, story: str) -> None:
        """Require that the result of a segment called `true` has its frames at their times."""
        entry = json.loads(job.matted.manifest.read_text(encoding="utf-8"))["segments"][name]
        path = (
            job.matted.output_folder(OutputKind.COMPOSITE)
            / entry["outputs"][OutputKind.COMPOSITE]["file"]
        )
        try:
            times = presentation_times(path)
        except (av.error.FFmpegError, IndexError) as error:
            require(False, f"{story}: {name} is true, but does not decode ({error})")
        planned = self.times[name]
        require(len(times) == len(planned), f"{story}: {name} is true with {len(times)} frames")
        late = max(abs(a - b) for a, b in zip(times, planned, strict=True))
        require(late <= Fraction(1, 1000), f"{story}: {name} is true, off by {float(late):.4f} s")


def _flip(path: Path, rng: Random) -> str:
    """Flip one to twenty bits anywhere."""
    content = bytearray(path.read_bytes())
    places = sorted(rng.randrange(len(content)) for _ in range(rng.choice((1, 1, 5, 20))))
    for place in places:
        content[place] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    return f"bits flipped in the bytes {places}"


def _flip_in_a_box(path: Path, rng: Random) -> str:
    """Flip one bit in or near a box that describes the content."""
    content = bytearray(path.read_bytes())
    box = rng.choice([box for box in BOXES if box in content])
    place = min(content.index(box) + rng.randrange(-4, 40), len(content) - 1)
    content[place] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    return f"a bit flipped in byte {place}, near {box.decode()}"


def retime(path: Path, rng: Random) -> str:
    """Flip one bit of the time base."""
    content = bytearray(path.read_bytes())
    place = content.index(b"mdhd") + 18 + rng.randrange(2)
    content[place] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    return f"a bit flipped in byte {place}, in the length of a tick"


def _truncate(path: Path, rng: Random) -> str:
    content = path.read_bytes()
    length = rng.choice((0, 1, rng.randrange(len(content)), len(content) - rng.randint(1, 64)))
    path.write_bytes(content[:length])
    return f"cut off after {length} of {len(content)} bytes"


def _zero(path: Path, rng: Random) -> str:
    content = bytearray(path.read_bytes())
    start = rng.randrange(len(content))
    length = min(rng.choice((16, 512, 4096)), len(content) - start)
    content[start : start + length] = bytes(length)
    path.write_bytes(content)
    return f"{length} zeros from byte {start}"


def _scramble(path: Path, rng: Random) -> str:
    """Put random bytes in place of a part of it, or of all."""
    content = bytearray(path.read_bytes())
    if rng.random() < 0.3:
        path.write_bytes(rng.randbytes(len(content)))
        return "random bytes"
    start = rng.randrange(len(content))
    length = min(rng.choice((8, 256, 4096)), len(content) - start)
    content[start : start + length] = rng.randbytes(length)
    path.write_bytes(content)
    return f"{length} random bytes from byte {start}"


def _misname(path: Path, rng: Random) -> str:
    """Put something else under its name."""
    kinds: dict[str, Callable[[], object]] = {
        "text": lambda: path.write_text("file 'output_000.mp4'\n" * 5, encoding="utf-8"),
        "concat script": lambda: path.write_text("ffconcat version 1.0\nfile 'output_001.mp4'\n"),
        "playlist": lambda: path.write_text("#EXTM3U\n#EXTINF:1,\noutput_001.mp4\n"),
        "zip": lambda: path.write_bytes(b"PK\x03\x04" + rng.randbytes(400)),
        "mkv": lambda: _other_video(path, ".mkv", KEY_FRAMES),
        "ts": lambda: _other_video(path, ".ts", KEY_FRAMES),
        "longer mkv": lambda: _other_video(path, ".mkv", KEY_FRAMES + 2),
        "shorter avi": lambda: _other_video(path, ".avi", KEY_FRAMES - 2),
    }
    kind = rng.choice(list(kinds))
    kinds[kind]()
    return f"{kind} under its name"


def _other_video(path: Path, suffix: str, frames: int) -> None:
    write_clip(path.with_name(f"other{suffix}"), frames, seed=7).replace(path)


MUTATIONS = (_flip, _flip_in_a_box, _truncate, _zero, _scramble, _misname, retime)
