"""The published networks against each other: time and memory on the small copy, random weights.

python -m benchmarks.variants [--sizes 768x432 ...] [--precision fp32] [--threads 1] [--write]

Only what is computed on the small copy differs between them. Its short side is 432 px for whole
bodies and 270 px for portraits, whether the video is 1080p or 4K. They take turns, frame by frame
as on a CPU; times are medians, with --threads 1 of the thread's own CPU time. Memory is that of a
process of its own on the CPU, else what torch held on the GPU.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # where this is run by its path

import torch

from benchmarks.processes import run
from benchmarks.results import machine_kind, measured_on, table, write_section
from matting.imaging.sample_format import Size
from matting.inference.precision import DTYPES
from matting.options import Precision
from matting.system.device import choose_device
from model import MOBILENETV3, RESNET50, MattingNetwork, State, Variant, optimise_for_inference

SIZES = ("768x432", "480x270")
FRAMES = 4
MIB = 1 << 20
HEAD = ["small copy", "network", "parameters (million)", "ms a frame", "times", "memory (MiB)"]


class Contestant:
    """A network of random weights, rewritten for inference, and its state."""

    def __init__(self, variant: Variant, precision: Precision, device: torch.device) -> None:
        network = MattingNetwork(variant)
        self.variant = variant
        self.parameters = sum(tensor.numel() for tensor in network.state_dict().values())
        self._network = optimise_for_inference(network, DTYPES[precision]).to(device)
        self._state: State | None = None

    @torch.inference_mode()
    def seconds(self, frames: Sequence[torch.Tensor]) -> float:
        """Return how long a frame takes."""
        on_gpu = frames[0].device.type == "cuda"
        clock = time.perf_counter if on_gpu or torch.get_num_threads() > 1 else time.thread_time
        started = clock()
        for frame in frames:
            *_, self._state = self._network.run_small(frame, self._state, 1, refine=True)
        if on_gpu:
            torch.cuda.synchronize()
        return (clock() - started) / len(frames)


def noise(size: Size, device: torch.device) -> list[torch.Tensor]:
    """Return small copies, [1, 3, h, w] each, in [0, 1]."""
    generator = torch.Generator().manual_seed(1)
    frames = torch.rand(FRAMES, 1, 3, size.height, size.width, generator=generator)
    return [f.to(device, memory_format=torch.channels_last) for f in frames]


def measure(size: Size, precision: Precision, device: torch.device, rounds: int) -> list[list[str]]:
    """Return a row for each network, the first one first."""
    contestants = [Contestant(variant, precision, device) for variant in (MOBILENETV3, RESNET50)]
    frames = noise(size, device)
    for contestant in contestants:  # a warm-up
        contestant.seconds(frames)
    times = [[one.seconds(frames) for one in contestants] for _ in range(rounds)]
    rows = []
    for index, contestant in enumerate(contestants):
        rows.append(
            [
                f"{size.width}x{size.height}",
                contestant.variant.name,
                f"{contestant.parameters / 1e6:.1f}",
                f"{1000 * median(t[index] for t in times):.1f}",
                f"{median(t[index] / t[0] for t in times):.2f}",
                f"{_memory_bytes(contestant.variant, size, precision, device) / MIB:.0f}",
            ]
        )
    return rows


def _memory_bytes(variant: Variant, size: Size, precision: Precision, device: torch.device) -> int:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        Contestant(variant, precision, device).seconds(noise(size, device))
        return torch.cuda.max_memory_allocated(device) - before
    words = ["--alone", variant.name, "--sizes", f"{size.width}x{size.height}"]
    command = [sys.executable, "-m", "benchmarks.variants", *words, "--precision", str(precision)]
    return run(command).peak_bytes


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.variants", description=__doc__)
    parser.add_argument("--sizes", nargs="*", default=SIZES, metavar="768x432")
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16", "fp16"))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    parser.add_argument("--alone", metavar="NETWORK", help="only run it, for its memory")
    parser.add_argument("--write", action="store_true", help="write the result to RESULTS.md")
    return parser.parse_args(argv)


def main() -> None:
    """Measure, print, and record where asked to."""
    options = parse()
    torch.set_num_threads(options.threads)
    precision, sizes = Precision(options.precision), [_size(text) for text in options.sizes]
    if options.alone:
        variant = next(v for v in (MOBILENETV3, RESNET50) if v.name == options.alone)
        Contestant(variant, precision, torch.device("cpu")).seconds(
            noise(sizes[0], torch.device("cpu"))
        )
        return
    device = choose_device(options.device)
    rows = [row for size in sizes for row in measure(size, precision, device, options.rounds)]
    count = torch.get_num_threads()
    on_cpu = f" with {count} threads" if count > 1 else ", one thread's own time"
    text = (
        f"{measured_on()}\n\nRandom weights, {precision}, on the {device.type.upper()}"
        f"{on_cpu if device.type == 'cpu' else ''}; all that is computed on the small copy. "
        f'"Times" are medians of the ratios.\n\n{table(HEAD, rows)}'
    )
    print(text)
    if options.write:
        write_section(f"The published networks, {machine_kind(device.type)}", text)


def _size(text: str) -> Size:
    return Size(*map(int, text.split("x")))


if __name__ == "__main__":
    main()
