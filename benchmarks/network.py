"""The network and the full-size stage alone, without video: time, traffic, memory and error.

python -m benchmarks.network [--sizes 1920x1080 ...] [--precisions fp32 ...] [--write]
python -m benchmarks.network --drift 3000 --precisions bf16 [--videos A B ...]

"Published" is the network as it was published, in float32, one frame after the other, which gives
foreground and alpha at full size. "Ours" is the session and the full-size stage, which gives the
frame to encode. They take turns; times are medians, of wall time, with --threads 1 of the thread's
own CPU time.
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
from benchmarks.drift import measure_drift, slope_of
from benchmarks.drift import report as drift_report
from benchmarks.footage import write_clip
from benchmarks.parts import Case, Measurement, copy_bandwidth, measure
from benchmarks.results import machine_kind, measured_on, table, write_section
from benchmarks.warm_up import draw_film, read_film
from matting.imaging.sample_format import Size
from matting.inference.session import automatic_ratio
from matting.inference.weights import VARIABLE
from matting.network_choice import Subject
from matting.options import Precision
from matting.system.device import choose_device
from model import MattingNetwork, load_network

FRAMES = 8  # of a clip, which are computed over and over
SMALL, LARGE = ("1280x720", "1920x1080"), ("3840x2160", "8192x4096")
FILM_FRAMES = 100
HEAD = ["size, ratio", "precision", "published", "small copy", "stage one", "full-size stage"]
HEAD += ["ours", "ratio", "GB/s", "of a copy", "times the least", "memory (MiB)"]
HEAD += ["alpha: mean", "largest"]


def row_of(measured: Measurement, copy_bytes_a_second: float) -> list[str]:
    """Return the cells of HEAD; times in ms a frame, errors in 1/255."""
    case = measured.case
    full_seconds = measured.full_size_ms / 1000
    traffic = case.least_bytes / full_seconds
    published = "out of memory" if measured.published_ms is None else f"{measured.published_ms:.2f}"
    return [
        f"{case.size.width}x{case.size.height}, {case.ratio:.3f}",
        case.precision.value,
        published,
        f"{measured.small_ms:.2f}",
        f"{measured.stage_one_ms:.2f}",
        f"{measured.full_size_ms:.2f}",
        f"{measured.ours_ms:.2f}",
        "-" if measured.ratio is None else f"{measured.ratio:.2f}",
        f"{traffic / 1e9:.2f}",
        f"{traffic / copy_bytes_a_second:.0%}",
        f"{copy_bytes_a_second / traffic:.2f}",
        "-" if measured.peak_bytes is None else f"{measured.peak_bytes / 2**20:.0f}",
        f"{measured.mean_error:.2g}",
        f"{measured.largest_error:.2g}",
    ]


def figures_of(measured: Measurement, copy_bytes_a_second: float) -> dict[str, object]:
    """Return the figures that are compared with the targets."""
    case = measured.case
    least_ms = case.least_bytes / copy_bytes_a_second * 1000
    return {
        "size": f"{case.size.width}x{case.size.height}",
        "precision": case.precision.value,
        "ours_ms": measured.ours_ms,
        "times_the_least": measured.full_size_ms / least_ms,
        "backend": measured.backend.value,
    }


def report(rows: Sequence[Measurement], copy_bytes_a_second: float, threads: str) -> str:
    """Return the table for people.

    Args:
        threads: on what it was measured, in words.
    """
    backends = sorted({row.backend.value for row in rows})
    return (
        f"In ms a frame, {threads}. GB/s: the least bytes of the full-size stage (the source's "
        "samples and the network's maps read once, the result's written once) over its time; a "
        f"copy in memory moves {copy_bytes_a_second / 1e9:.1f} GB/s. Alpha: against the published "
        "network in float32 on the same frames, in 1/255. The full-size stage: "
        f"{' and '.join(backends)}.\n\n"
        + table(HEAD, [row_of(row, copy_bytes_a_second) for row in rows])
    )


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.network", description=__doc__)
    parser.add_argument("--sizes", nargs="*", metavar="1920x1080")
    parser.add_argument("--precisions", nargs="*", choices=("fp32", "bf16", "fp16"))
    parser.add_argument("--ratio", type=float, help="else the automatic one")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--checkpoint", type=Path, help=f"or {VARIABLE}; else random weights")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="of the CPU")
    parser.add_argument("--drift", type=int, metavar="FRAMES", help="the error after many frames")
    parser.add_argument("--videos", type=Path, nargs="*", help="for --drift; else a drawn film")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--write", action="store_true", help="write the result to RESULTS.md")
    return parser.parse_args(argv)


def main() -> None:
    """Measure, print, and record where asked to."""
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
        measure_all: Callable[..., str] = _measure_drift if options.drift else _measure_sizes
        text = measure_all(options, network, device, folder)
    gpu = "" if device.type == "cpu" else f"{torch.cuda.get_device_name(device)}. "
    text = f"Weights: {weights.name}. {gpu}{measured_on()}\n\n{text}"
    print(text)
    if options.write:
        title = "Drift of half precision" if options.drift else "The network alone"
        write_section(f"{title}, {machine_kind(device.type)}", text)


def _measure_sizes(
    options: argparse.Namespace, network: MattingNetwork, device: torch.device, folder: Path
) -> str:
    on_gpu = device.type == "cuda"
    sizes = options.sizes or (SMALL + LARGE if on_gpu else SMALL)
    precisions = options.precisions or (("fp32", "bf16", "fp16") if on_gpu else ("fp32",))
    copy_bytes_a_second = copy_bandwidth(device)
    rows = []
    for name in sizes:
        size = Size(*map(int, name.split("x")))
        clip = write_clip(folder / f"{name}.mp4", size, FRAMES)
        ratio = options.ratio or automatic_ratio(size, Subject.FULL_BODY)
        for precision in precisions:
            case = Case(clip, size, ratio, Precision(precision))
            rows.append(measure(network, case, device, options.rounds))
            print(row_of(rows[-1], copy_bytes_a_second), flush=True)
    if options.json:
        figures = [figures_of(row, copy_bytes_a_second) for row in rows]
        options.json.write_text(json.dumps(figures))
    count = torch.get_num_threads()
    threads = "" if on_gpu else f" with {count} threads" if count > 1 else ", one thread's own time"
    return report(rows, copy_bytes_a_second, f"on the {device.type.upper()}{threads}")


def _measure_drift(
    options: argparse.Namespace, network: MattingNetwork, device: torch.device, _folder: Path
) -> str:
    film: list[Tensor] = []
    for video in options.videos or ():
        film += read_film(video, FILM_FRAMES)
    film = film or draw_film(1000, FILM_FRAMES)
    height, width = film[0].shape[-2:]
    ratio = options.ratio or automatic_ratio(Size(width, height), Subject.PORTRAIT)
    names = ", ".join(video.name for video in options.videos or ()) or "a drawn film"
    text = f"{options.drift} frames of {names}, {width}x{height}, ratio {ratio:.3f}.\n"
    if device.type == "cpu":
        text += "What this CPU has no matrix units for is emulated: `half.py` says how.\n"
    figures = {}
    for precision in options.precisions or ("bf16", "fp16"):
        windows = measure_drift(
            network, precision, film, frames=options.drift, ratio=ratio, device=device
        )
        text += "\n" + drift_report(precision, windows)
        figures[precision] = {"mean": windows[-1].mean, "slope": slope_of(windows)}
    if options.json:
        options.json.write_text(json.dumps(figures))
    return text


if __name__ == "__main__":
    main()
