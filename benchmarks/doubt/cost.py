"""What the signs of doubt cost: python -m benchmarks.doubt.cost [--size 1920x1080] [--write]

A job of three segments of ten seconds in all is matted in this process, and each part of the signs
counts the processor time of the thread that it is called in, in which all of it happens. A longer
video is pictured as often: once a second.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.footage import RATE, write_clip
from benchmarks.results import measured_on, table, write_section
from matting.delivery.sign_collector import DoubtfulFrames, SignCollector
from matting.imaging.sample_format import Size
from matting.infer import infer
from matting.inference.weights import VARIABLE
from matting.options import ComputeOptions, CuttingOptions, MatteOptions, MattingOptions
from matting.progress import Progress
from matting.project.paths import MattedFolder
from matting.project.segment_signs import SegmentSigns
from matting.report import job_report
from matting.report.upkeep import kept_report
from matting.segment import segment

TITLE = "The cost of the signs of doubt"
FRAMES, SEGMENTS = 300, 3
MOST_SHARE = 0.03
PICTURES = "pictures of doubtful frames"
PARTS: dict[str, tuple[Any, str]] = {
    "signs of each frame, with pictures": (SignCollector, "take"),
    PICTURES: (DoubtfulFrames, "offer"),
    "the end of a segment": (SignCollector, "collected"),
    "its file": (SegmentSigns, "write"),
    "the page": (job_report, "write_report"),
}


class Counted:
    """Counts processor time, by parts.

    Attributes:
        seconds: of each.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._lock = threading.Lock()

    def count(self, part: str, owner: Any, name: str) -> None:
        """Have all calls of what an owner has under a name counted from now on."""
        method: Callable[..., Any] = getattr(owner, name)

        def counted(*given: object, **named: object) -> object:
            started = time.thread_time()
            try:
                return method(*given, **named)
            finally:
                with self._lock:
                    self.seconds[part] += time.thread_time() - started

        setattr(owner, name, counted)


def measure(folder: Path, size: Size, checkpoint: Path | None) -> tuple[dict[str, float], float]:
    """Matte a job; return what each part took, and what all of it did, in processor seconds."""
    clip = write_clip(folder / "clip.mp4", size, FRAMES)
    length = CuttingOptions(seconds=Fraction(FRAMES, SEGMENTS * RATE))
    segments = segment(clip, length, None, Progress())
    counted = Counted()
    for part, (owner, name) in PARTS.items():
        counted.count(part, owner, name)
    options = MattingOptions(
        MatteOptions(checkpoint), compute=ComputeOptions("cpu", isolated=False)
    )
    started = time.process_time()
    with kept_report(MattedFolder.of(segments), Progress()) as refresh:
        infer(segments, options, None, Progress(), on_recorded=refresh)
    return counted.seconds, time.process_time() - started


def main() -> int:
    """Measure, print, record where asked to; return 1 where it costs too much."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.doubt.cost", description=__doc__)
    parser.add_argument("--size", default="1920x1080", metavar="WxH")
    parser.add_argument("--checkpoint", type=Path, default=os.environ.get(VARIABLE))
    parser.add_argument("--write", action="store_true", help="write the table to RESULTS.md")
    asked = parser.parse_args()
    width, height = map(int, asked.size.split("x"))
    with tempfile.TemporaryDirectory(prefix="doubt_cost_") as folder:
        seconds, total = measure(Path(folder), Size(width, height), asked.checkpoint)
    cost = sum(own for part, own in seconds.items() if part != PICTURES)
    share = cost / (total - cost)
    rows = [[part, f"{seconds[part]:.2f}", f"{seconds[part] / total:.2%}"] for part in PARTS]
    rows.append(["all of it", f"{cost:.2f}", f"{cost / total:.2%}"])
    text = (
        f"{measured_on()} {FRAMES} frames, {asked.size}, with loading the network: {total:.0f} s "
        f"of the processor. Signs add {share:.2%} to the rest; the bound is {MOST_SHARE:.0%}.\n\n"
        f"{table(['part', 'processor seconds', 'of all'], rows)}"
    )
    print(f"\n## {TITLE}\n\n{text}")
    if asked.write:
        write_section(TITLE, text)
    return 0 if share <= MOST_SHARE else 1


if __name__ == "__main__":
    raise SystemExit(main())
