"""The network and the full-size stage alone, without video: time, traffic, memory and error.

python -m benchmarks.network [--sizes 1920x1080 ...] [--precisions fp32 ...] [--write]
python -m benchmarks.network --drift 3000 --precisions bf16 [--videos A B ...]

"Published" is the network as it was published, in float32, one frame after the other, which gives
foreground and alpha at full size. "Ours" is the session and the full-size stage, which gives the
picture to encode. They take turns; times are medians, of wall time, with --threads 1 of the
thread's own processor time.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # where this is run by its path

import torch
from torch import Tensor

from benchmarks.checkpoints import write_random_checkpoint
from benchmarks.drift import drift_of, drift_text, slope_of
from benchmarks.footage import write_clip
from benchmarks.parts import Case, Found, bandwidth, measure
from benchmarks.results import machine_kind, measured_on, table, write_section
from benchmarks.warm_up import drawn, filmed
from matting.imaging.sample_format import Size
from matting.inference.session import automatic_ratio
from matting.inference.weights import VARIABLE
from matting.options import Precision, Subject
from matting.system.device import choose_device
from model import MattingNetwork, load_network

FRAMES = 8  # of a clip, which are computed over and over
SMALL, LARGE = ("1280x720", "1920x1080"), ("3840x2160", "8192x4096")
FILM_FRAMES = 100
HEAD = ["size, ratio", "precision", "published", "small copy", "stage one", "full-size stage"]
HEAD += ["ours", "ratio", "GB/s", "of a copy", "times the least", "memory (MiB)"]
HEAD += ["alpha: mean", "largest"]


def row_of(found: Found, copy_bytes_a_second: float) -> list[str]:
    """The cells of HEAD; times in ms a frame, errors in 1/255."""
    case = found.case
    full_seconds = found.full_size_ms / 1000
    traffic = case.least_bytes / full_seconds
    published = "out of memory" if found.published_ms is None else f"{found.published_ms:.2f}"
    return [
        f"{case.width}x{case.height}, {case.ratio:.3f}",
        case.precision.value,
        published,
        f"{found.small_ms:.2f}",
        f"{found.stage_one_ms:.2f}",
        f"{found.full_size_ms:.2f}",
        f"{found.ours_ms:.2f}",
        "-" if found.ratio is None else f"{found.ratio:.2f}",
        f"{traffic / 1e9:.2f}",
        f"{traffic / copy_bytes_a_second:.0%}",
        f"{copy_bytes_a_second / traffic:.2f}",
        "-" if found.peak_bytes is None else f"{found.peak_bytes / 2**20:.0f}",
        f"{found.mean_error:.2g}",
        f"{found.most_error:.2g}",
    ]


def figures_of(found: Found, copy_bytes_a_second: float) -> dict[str, object]:
    """What the targets are held against."""
    case = found.case
    least_ms = case.least_bytes / copy_bytes_a_second * 1000
    return {
        "size": f"{case.width}x{case.height}",
        "precision": case.precision.value,
        "ours_ms": found.ours_ms,
        "times_the_least": found.full_size_ms / least_ms,
        "way": found.way,
    }


def text_of(found: Sequence[Found], copy_bytes_a_second: float, threads: str) -> str:
    """The table for people."""
    return (
        f"In ms a frame, {threads}. GB/s: the least bytes of the full-size stage (the source's "
        "samples and the network's maps read once, the result's written once) over its time; a "
        f"copy in memory moves {copy_bytes_a_second / 1e9:.1f} GB/s. Alpha: against the published "
        "network in float32 on the same pictures, in 1/255. The full-size stage: "
        f"{' and '.join(sorted({each.way for each in found}))}.\n\n"
        + table(HEAD, [row_of(each, copy_bytes_a_second) for each in found])
    )


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.network", description=__doc__)
    parser.add_argument("--sizes", nargs="*", metavar="1920x1080")
    parser.add_argument("--precisions", nargs="*", choices=("fp32", "bf16", "fp16"))
    parser.add_argument("--ratio", type=float, help="else the automatic one")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--checkpoint", type=Path, help=f"or {VARIABLE}; else random weights")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="of the processor")
    parser.add_argument("--drift", type=int, metavar="FRAMES", help="the error after many frames")
    parser.add_argument("--videos", type=Path, nargs="*", help="for --drift; else a drawn film")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--write", action="store_true", help="write the result to RESULTS.md")
    return parser.parse_args(argv)


def main() -> None:
    """Measures, prints, and records where asked to."""
    options = parse()
    device = choose_device(options.device)
    if options.threads:
        torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory(prefix="network_") as name:
        folder = Path(name)
        checkpoint = options.checkpoint or os.environ.get(VARIABLE)
        weights = (
            Path(checkpoint) if checkpoint else write_random_checkpoint(folder / "random.pth", 1)
        )
        network = load_network(weights)
        work: Callable[..., str] = _drift if options.drift else _sizes
        text = work(options, network, device, folder)
    card = "" if device.type == "cpu" else f"{torch.cuda.get_device_name(device)}. "
    text = f"Weights: {weights.name}. {card}{measured_on()}\n\n{text}"
    print(text)
    if options.write:
        what = "Drift of half precision" if options.drift else "The network alone"
        write_section(f"{what}, {machine_kind(device.type)}", text)


def _sizes(
    options: argparse.Namespace, network: MattingNetwork, device: torch.device, folder: Path
) -> str:
    on_card = device.type == "cuda"
    sizes = options.sizes or (SMALL + LARGE if on_card else SMALL)
    precisions = options.precisions or (("fp32", "bf16", "fp16") if on_card else ("fp32",))
    copy_bytes_a_second = bandwidth(device)
    found = []
    for size in sizes:
        width, height = map(int, size.split("x"))
        clip = write_clip(folder / f"{size}.mp4", Size(width, height), FRAMES)
        ratio = options.ratio or automatic_ratio(width, height, Subject.FULL_BODY)
        for precision in precisions:
            case = Case(clip, width, height, ratio, Precision(precision))
            found.append(measure(network, case, device, options.rounds))
            print(row_of(found[-1], copy_bytes_a_second), flush=True)
    if options.json:
        figures = [figures_of(each, copy_bytes_a_second) for each in found]
        options.json.write_text(json.dumps(figures))
    count = torch.get_num_threads()
    threads = (
        "" if on_card else f" with {count} threads" if count > 1 else ", one thread's own time"
    )
    return text_of(found, copy_bytes_a_second, f"on the {device.type.upper()}{threads}")


def _drift(
    options: argparse.Namespace, network: MattingNetwork, device: torch.device, _folder: Path
) -> str:
    film: list[Tensor] = []
    for video in options.videos or ():
        film += filmed(video, FILM_FRAMES)
    film = film or drawn(1000, FILM_FRAMES)
    height, width = film[0].shape[-2:]
    ratio = options.ratio or automatic_ratio(width, height, Subject.PORTRAIT)
    names = ", ".join(video.name for video in options.videos or ()) or "a drawn film"
    text = f"{options.drift} frames of {names}, {width}x{height}, ratio {ratio:.3f}.\n"
    if device.type == "cpu":
        text += "What this processor has no matrix units for is emulated: `half.py` says how.\n"
    figures = {}
    for precision in options.precisions or ("bf16", "fp16"):
        found = drift_of(network, precision, film, frames=options.drift, ratio=ratio, device=device)
        text += "\n" + drift_text(precision, found)
        figures[precision] = {"mean": found[-1].mean, "slope": slope_of(found)}
    if options.json:
        options.json.write_text(json.dumps(figures))
    return text


if __name__ == "__main__":
    main()
