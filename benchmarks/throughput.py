"""The plain loop and this program, end to end: same clip, weights, ratio, codec and bitrate.

python -m benchmarks.throughput [--width 1920 --height 1080 --frames 60] [--rounds 2] [--write]
python -m benchmarks.throughput --memory         memory for 60 s and for 600 s of video

Both take turns, so that a busy machine slows both. What a run takes before its first frame
(Python, torch, the weights) is measured with a clip of two frames, and subtracted from this
program's time; the plain loop starts its own clock when its network is ready.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # where this is run by its path

import torch

from benchmarks.checkpoints import write_random_checkpoint
from benchmarks.footage import write_clip
from benchmarks.memory import measure_peaks
from benchmarks.memory import report as memory_report
from benchmarks.naive import ENCODERS
from benchmarks.processes import module_command, program_command, run
from benchmarks.results import machine_kind, measured_on, write_section
from benchmarks.side_by_side import FEW_FRAMES, Figures, Round, report, time_without_start
from benchmarks.stages import Stage
from matting.imaging.sample_format import Size
from matting.inference.weights import VARIABLE
from matting.system.device import choose_device

MIN_TIMES_START = 1.2  # that a run takes as long as its start; else its rate is mostly noise


@dataclass(frozen=True)
class Clip:
    """What to matte, and how, as arguments that both sides take.

    Attributes:
        folder: holds the clip, and nothing else.
        short: likewise, a clip of FEW_FRAMES.
        results: the folder of the results.
    """

    folder: Path
    short: Path
    results: Path
    frames: int
    settings: tuple[object, ...]
    codec: str
    bitrate_bps: int

    @property
    def path(self) -> Path:
        return next(self.folder.glob("*.mp4"))


def commands(clip: Clip, folder: Path) -> dict[str, list[str]]:
    """Return what to run, in this order; results go to `folder`."""
    ours = [*_program_settings(clip.settings), "--bitrate", clip.bitrate_bps, "--codec", clip.codec]
    plain = [*clip.settings, "--bitrate-bps", clip.bitrate_bps, "--codec", clip.codec]
    return {
        "naive": module_command("naive", clip.path, folder / "naive.mp4", *plain),
        "whole": program_command("infer", clip.folder, "--output", folder, *ours),
        "start": program_command("infer", clip.short, "--output", folder, *ours),
        "stages": module_command("stages", clip.path, folder / "stages.mp4", *plain),
    }


def measure(clip: Clip, number: int) -> Round:
    """Run one turn of each, every other time in the reversed order."""
    folder = clip.results / str(number)
    folder.mkdir()
    named_commands = list(commands(clip, folder).items())
    if number % 2:
        named_commands.reverse()
    results = {name: run(command) for name, command in named_commands}
    naive, stages = json.loads(results["naive"].output), json.loads(results["stages"].output)
    return Round(
        naive=results["naive"],
        loop=(naive["seconds"], naive["cpu_seconds"]),
        whole=results["whole"],
        start=results["start"],
        stages=[Stage(**stage) for stage in stages["stages"]],
        gpu_bytes=(naive["gpu_bytes"], stages["gpu_bytes"]),
    )


def _program_settings(settings: tuple[object, ...]) -> list[object]:
    """Return the plain loop's settings as the program names them."""
    return ["--downsample-ratio" if word == "--ratio" else word for word in settings]


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__)
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--ratio", type=float, default=0.4)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--checkpoint", type=Path, help=f"or {VARIABLE}; else random weights")
    parser.add_argument("--codec", default="hevc", choices=sorted(ENCODERS))
    parser.add_argument("--bitrate", type=_bits, default=40_000_000, metavar="40M")
    parser.add_argument("--memory", action="store_true", help="memory by length instead")
    parser.add_argument("--seconds", type=int, nargs=2, default=(60, 600), help="for --memory")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--write", action="store_true", help="write the result to RESULTS.md")
    return parser.parse_args(argv)


def main() -> None:
    """Measure, print, and record where asked to."""
    options = parse()
    device = str(choose_device(options.device))
    with tempfile.TemporaryDirectory(prefix="throughput_") as name:
        folder = Path(name)
        checkpoint = options.checkpoint or os.environ.get(VARIABLE)
        weights = (
            Path(checkpoint) if checkpoint else write_random_checkpoint(folder / "random.pth", 1)
        )
        if options.memory:
            title = "Memory by length"
            text = memory_report(measure_peaks(folder, weights, device, options.seconds))
        else:
            title = f"Throughput at {options.width}x{options.height}, {machine_kind(device)}"
            text = _throughput(options, folder, weights, device)
    text = f"Weights: {weights.name}. {_gpu_name(device)}{measured_on()}\n\n{text}"
    print(text)
    if options.write:
        write_section(title, text)


def _throughput(options: argparse.Namespace, folder: Path, weights: Path, device: str) -> str:
    clip = Clip(
        folder=folder / "clip",
        short=folder / "short",
        results=folder / "results",
        frames=options.frames,
        settings=("--checkpoint", weights.resolve(), "--ratio", options.ratio, "--device", device),
        codec=options.codec,
        bitrate_bps=options.bitrate,
    )
    for path, frames in ((clip.folder, options.frames), (clip.short, FEW_FRAMES)):
        path.mkdir()
        write_clip(path / "clip.mp4", Size(options.width, options.height), frames)
    clip.results.mkdir()
    if device != "cpu":  # a kernel is compiled once on a machine, not in each run
        (clip.results / "first").mkdir()
        run(commands(clip, clip.results / "first")["start"])
    rounds = []
    for number in range(options.rounds):
        turn = measure(clip, number)
        if turn.whole.seconds < MIN_TIMES_START * turn.start.seconds:
            sys.exit("Starting takes most of this program's time: give more --frames.")
        rounds.append(turn)
        print(
            f"round {number + 1}: plain loop {turn.loop[0]:.1f} s, "
            f"this program {time_without_start(turn, clip.frames)[0]:.1f} s",
            flush=True,
        )
    figures = Figures.of(rounds, clip.frames)
    if options.json:
        content = {"ratios": figures.ratios, "overlap": figures.overlap}
        options.json.write_text(json.dumps(content))
    return (
        f"{options.frames} frames, ratio {options.ratio}, {options.codec} at "
        f"{options.bitrate / 1e6:g} Mbit/s, {options.rounds} rounds.\n\n" + report(figures, rounds)
    )


def _bits(text: str) -> int:
    return int(float(text[:-1]) * 1_000_000) if text.endswith("M") else int(text)


def _gpu_name(device: str) -> str:
    return "" if device == "cpu" else f"{torch.cuda.get_device_name(device)}. "


if __name__ == "__main__":
    main()
