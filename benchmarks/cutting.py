"""How long `segment` takes beside ffmpeg's copy of the packets and its decode of the picture.

python -m benchmarks.cutting [--minutes 60] [--rounds 3] [--against CHECKOUT] [--write]

Some seconds of 1080p30 are drawn, encoded in H.264 as by a telephone, and looped by stream copy,
with audio, to the length asked for. Each round cuts that with `segment`, in each checkout in turn,
then cuts it with ffmpeg (`-c copy -f segment`, segments as long as ours), and decodes its picture
with ffmpeg (`-f null`, in the threads that FFmpeg takes by itself, as ours does). Processor time is
that of all processes. Not on Windows, which does not tell it.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.footage import CAMERA, RATE, write_clip
from benchmarks.processes import ROOT
from benchmarks.results import measured_on, table, write_section
from benchmarks.seconds import Seconds
from matting.imaging.sample_format import Size
from matting.media import ffmpeg
from matting.options import DEFAULT_SEGMENT_SECONDS
from matting.project.paths import segments_folder

TITLE = "Cutting"
SIZE = Size(1920, 1080)
DRAWN_SECONDS = 20
MOST_TIMES = 1.2  # of the copy and the decode together
QUIET = ("-nostdin", "-v", "error", "-y")
NOISE = "anoisesrc=sample_rate=48000:amplitude=0.1:seed=1"


class Round(NamedTuple):
    """What was taken for the same video; `segment`: by the checkout's name."""

    copy: Seconds
    decode: Seconds
    segment: dict[str, Seconds]

    @property
    def least(self) -> Seconds:
        """The copy and the decode together."""
        return Seconds(self.copy.cpu + self.decode.cpu, self.copy.wall + self.decode.wall)


def loop_footage(program: Path, drawn: Path, video: Path, seconds: float) -> Path:
    """Write a video of that length: the footage `drawn` again and again, with noise to be heard."""
    sound = drawn.with_name("sound.m4a")
    encoded = ("-c:a", "aac", "-b:a", "160k", "-t", str(DRAWN_SECONDS))
    Seconds.of_command([str(program), *QUIET, "-f", "lavfi", "-i", NOISE, *encoded, str(sound)])
    inputs = [word for path in (drawn, sound) for word in ("-stream_loop", "-1", "-i", str(path))]
    Seconds.of_command(
        [str(program), *QUIET, *inputs, "-c", "copy", "-t", str(seconds), str(video)]
    )
    return video


def measure(program: Path, video: Path, checkouts: dict[str, Path]) -> Round:
    """Cut and decode a video once in each way; nothing of it stays."""
    segment = {}
    for name, checkout in checkouts.items():
        command = [sys.executable, str(checkout / "inference_custom.py"), "segment", str(video)]
        segment[name] = Seconds.of_command([*command, "--quiet"])
        shutil.rmtree(segments_folder(video))
    return Round(_copy(program, video), _decode(program, video), segment)


def _copy(program: Path, video: Path) -> Seconds:
    folder = video.with_name("copies")
    folder.mkdir()
    length = ("-segment_time", str(DEFAULT_SEGMENT_SECONDS), "-reset_timestamps", "1")
    written = ("-map", "0", "-c", "copy", "-f", "segment", *length, str(folder / "%04d.mp4"))
    seconds = Seconds.of_command([str(program), *QUIET, "-i", str(video), *written])
    shutil.rmtree(folder)
    return seconds


def _decode(program: Path, video: Path) -> Seconds:
    picture = ("-map", "0:v:0", "-f", "null", "-")
    return Seconds.of_command([str(program), *QUIET, "-threads", "0", "-i", str(video), *picture])


def ratio(rounds: Sequence[Round], name: str) -> Seconds:
    """Return how many times the copy and the decode together a checkout takes: medians."""
    taken = [(own.segment[name], own.least) for own in rounds]
    return Seconds(
        statistics.median(own.cpu / least.cpu for own, least in taken),
        statistics.median(own.wall / least.wall for own, least in taken),
    )


def report(rounds: Sequence[Round], video: Path, seconds: float) -> str:
    """Return the table for people."""
    names = list(rounds[0].segment)
    ways = {
        "ffmpeg copies all packets": [own.copy for own in rounds],
        "ffmpeg decodes the picture": [own.decode for own in rounds],
        "both": [own.least for own in rounds],
        **{f"`segment`, {name}": [own.segment[name] for own in rounds] for name in names},
    }
    rows = []
    for way, taken in ways.items():
        middle = Seconds(
            statistics.median(own.cpu for own in taken),
            statistics.median(own.wall for own in taken),
        )
        rows.append([way, f"{middle.wall:.1f}", f"{middle.cpu:.1f}", "", ""])
    for row, name in zip(rows[-len(names) :], names, strict=True):
        times = ratio(rounds, name)
        row[-2:] = [f"{times.wall:.3f}", f"{times.cpu:.3f}"]
    head = ["", "seconds", "processor seconds", "times both", "times both, processor"]
    return (
        f"{seconds / 60:g} minutes of {SIZE.width}x{SIZE.height}, {RATE} frames a second, H.264, "
        f"{video.stat().st_size * 8 / seconds / 1e6:.1f} Mbit a second, with audio; {len(rounds)} "
        f"rounds in turns, medians. At most {MOST_TIMES} times both are meant to be taken.\n\n"
        f"{table(head, rows)}"
    )


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cutting", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--against", type=Path, help="another checkout, to take turns with")
    parser.add_argument("--folder", type=Path, help="for the videos; what is drawn stays there")
    parser.add_argument("--write", action="store_true", help="write the result to RESULTS.md")
    return parser.parse_args(argv)


def main() -> int:
    """Measure, print, record where asked to; return 1 where it takes too long."""
    options = parse()
    checkouts = {"before": options.against, "now": ROOT} if options.against else {"now": ROOT}
    program, seconds = ffmpeg.program(), options.minutes * 60
    rounds = []
    with tempfile.TemporaryDirectory(prefix="cutting_", dir=options.folder) as name:
        folder = Path(name)
        drawn = (options.folder or folder) / f"drawn_{DRAWN_SECONDS}.mp4"
        if not drawn.is_file():
            write_clip(drawn, SIZE, DRAWN_SECONDS * RATE, CAMERA)
        video = loop_footage(program, drawn, folder / "video.mp4", seconds)
        for _ in range(options.rounds):
            rounds.append(measure(program, video, checkouts))
            print(rounds[-1], flush=True)
        text = f"{measured_on()}\n\n{report(rounds, video, seconds)}"
    print(text)
    if options.write:
        write_section(TITLE, text)
    return 0 if ratio(rounds, "now").wall <= MOST_TIMES else 1


if __name__ == "__main__":
    sys.exit(main())
