"""The full-size stage on the processor, at the size of a headset's video, with one person in it.

python -m benchmarks.full_size [--size 8192x4096] [--rounds 7] [--threads 1] [--write]

What is done to a frame after the network: its maps become the stored matte, and that the composite
in the video's own format; and before it: the small copy. In one thread, as in the pipeline, unless
more are asked for.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # where this is run by its path

import torch
import torch.nn.functional as F

from benchmarks.results import measured_on, table, write_section
from matting.background import COLOUR
from matting.demo import CHECKPOINT
from matting.imaging.colour_conversion import convert_planes, downsample_to_rgb
from matting.imaging.frame_parts import whole_frames
from matting.imaging.matte_planes import is_soft
from matting.imaging.planes import Planes
from matting.imaging.renderer import (
    Renderer,
    StoredFrames,
    compose_outputs,
    render_matte_planes,
)
from matting.imaging.sample_format import SampleFormat, Size
from matting.imaging.tone_mapping import tone_map
from matting.inference.precision_trial import portrait
from matting.inference.session import MattingSession, automatic_ratio
from matting.inference.weights import VARIABLE, load_checkpoint
from matting.network_choice import Subject
from matting.options import OutputKind, Precision, RendererBackend
from matting.system.memory import keep_freed_memory

ResultT = TypeVar("ResultT")

HEAD = ["small copy (ms)", "stored matte (ms)", "composite (ms)", "together (ms)"]
GREY = 90
CPU = torch.device("cpu")
VIDEO = SampleFormat(8, (0.2126, 0.0722), full_range=False, subsampling=(2, 2), siting=(0.0, 0.5))


class Times(NamedTuple):
    """What was taken in each round, in ms."""

    small: list[float]
    stored: list[float]
    composite: list[float]

    def cells(self) -> list[str]:
        """Return the cells of HEAD: medians."""
        medians = [median(each) for each in self]
        return [f"{each:.0f}" for each in (*medians, sum(medians))]


def picture(size: Size) -> Planes:
    """Return a frame of a video with a person, half as wide as that, or as high, in its middle."""
    side = min(size.width // 2, size.height) // 2 * 2
    rgb = torch.full((1, 3, size.height, size.width), GREY, dtype=torch.uint8)
    person = F.interpolate(portrait().luma_or_rgb.float(), (side, side), mode="bicubic")
    top, left = (size.height - side) // 2, (size.width - side) // 2
    rgb[..., top : top + side, left : left + side] = person.clamp(0, 255).round().to(torch.uint8)
    return convert_planes(Planes(SampleFormat(), rgb), VIDEO)


@torch.inference_mode()
def measure(frame: Planes, weights: Path, rounds: int) -> tuple[Times, float, float]:
    """Measure a frame that is seen again and again.

    Returns:
        The times; the shares of the picture in which somebody is, and in which it is half
        transparent.
    """
    session = MattingSession(load_checkpoint(weights).network, CPU, Precision.AUTO)
    ratio = automatic_ratio(frame.size, Subject.PORTRAIT)
    renderer = Renderer(RendererBackend.AUTO, CPU, print)
    target = {OutputKind.COMPOSITE: frame.sample_format}
    times = Times([], [], [])
    shares = 0.0, 0.0
    for number in range(rounds + 1):  # the first prepares what the others use
        (matte,) = session.mattes(frame, ratio)
        small = timed(lambda: tone_map(downsample_to_rgb(frame, ratio), frame.sample_format))[1]
        parts = whole_frames(frame, replace(matte, fused=True))
        planes, stored = timed(lambda: render_matte_planes(parts, renderer=renderer))  # noqa: B023
        frames = StoredFrames(frame, planes)
        composite = timed(lambda: compose_outputs(frames, target, COLOUR))[1]  # noqa: B023
        if number:
            for all_rounds, one in zip(times, (small, stored, composite), strict=True):
                all_rounds.append(one)
        alpha = planes.alpha.to(torch.int32)
        shares = float((alpha > 0).float().mean()), float(is_soft(alpha).float().mean())
    return times, *shares


def timed(work: Callable[[], ResultT]) -> tuple[ResultT, float]:
    """Return what `work` does, and the ms it took."""
    started = time.perf_counter()
    result = work()
    return result, 1000 * (time.perf_counter() - started)


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full_size", description=__doc__)
    parser.add_argument("--size", default="8192x4096")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--checkpoint", type=Path, help=f"or {VARIABLE}; else the demo's weights")
    parser.add_argument("--write", action="store_true", help="write the result to RESULTS.md")
    return parser.parse_args(argv)


def main() -> None:
    """Measure, print, and record where asked to."""
    options = parse()
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    weights = Path(options.checkpoint or os.environ.get(VARIABLE) or CHECKPOINT)
    size = Size(*map(int, options.size.split("x")))
    times, present, soft = measure(picture(size), weights, options.rounds)
    text = (
        f"Weights: {weights.name}. {measured_on()}\n\n"
        f"{options.size}, {options.threads} thread, medians of {options.rounds} rounds. Somebody "
        f"is in {present:.0%} of the picture, half transparent in {soft:.1%}.\n\n"
        + table(HEAD, [times.cells()])
    )
    print(text)
    if options.write:
        write_section("The full-size stage of a headset's video, processor", text)


if __name__ == "__main__":
    main()
