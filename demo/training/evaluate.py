"""Measure a checkpoint on films it was not trained on: `python -m demo.training.evaluate`."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import torch
from torch import Tensor

from demo.film import EVALUATION_SEEDS, Film, Frame
from demo.measure import edge_band
from model import MattingNetwork, State, load_network

RATIO = 0.375
BOUNDS = {"alpha": 0.01, "edge": 0.12}


@dataclass(frozen=True)
class Errors:
    """The errors of one film; those of alpha are mean absolute differences, alpha in [0, 1]."""

    alpha: float  # over all pixels
    inside: float  # over pixels of true alpha above 0.5
    edge: float  # over pixels at most 10 px, in x and in y, from the true edge
    found: float  # share of frames in which the figure is found
    dtssd: float  # with the state carried from frame to frame
    dtssd_stateless: float  # with the state cleared before every frame
    alpha_stateless: float  # over all pixels, with the state cleared likewise


@torch.no_grad()
def evaluate(net: MattingNetwork, film: Film, ratio: float = RATIO) -> Errors:
    """Run over a film with the state carried and, at the same time, without any state.

    The figure is found in a frame when predicted and true alpha above 0.5 overlap in at least
    half of their union. dtSSD is the paper's: the root of the mean square of the error's change
    from one frame to the next, times 100, averaged over the frames.
    """
    rec: State | None = None
    rows: list[tuple[float, ...]] = []
    changes: list[tuple[float, float]] = []
    previous: tuple[Tensor, Tensor] | None = None
    for src, true_pha in _tensors(film):
        _, pha, rec = net(src, rec, ratio)
        _, stateless, _ = net(src, None, ratio)
        error, error_stateless = pha - true_pha, stateless - true_pha
        inside = true_pha > 0.5
        rows.append(
            (
                _mean(error.abs()),
                _mean(error.abs()[inside]),
                _mean(error.abs()[edge_band(inside)]),
                float(_overlap(pha > 0.5, inside) >= 0.5),
                _mean(error_stateless.abs()),
            )
        )
        if previous is not None:
            changes.append((_dtssd(error, previous[0]), _dtssd(error_stateless, previous[1])))
        previous = error, error_stateless
    alpha, inside_error, edge, found, alpha_stateless = _means(rows)
    dtssd, dtssd_stateless = _means(changes)
    return Errors(alpha, inside_error, edge, found, dtssd, dtssd_stateless, alpha_stateless)


def mean_errors(errors: list[Errors]) -> Errors:
    """Return the mean of each error over several films."""
    return Errors(*_means([astuple(e) for e in errors]))


def _tensors(film: Film) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield RGB [1, 3, H, W] in [0, 1] and alpha [1, 1, H, W] of each frame."""
    frames: Iterator[Frame] = iter(film)
    for frame in frames:
        yield torch.from_numpy(frame.rgb)[None].float() / 255, torch.from_numpy(frame.alpha)[None]


def _overlap(first: Tensor, second: Tensor) -> float:
    """Return the intersection over union of two masks."""
    return float((first & second).sum() / (first | second).sum().clamp(min=1))


def _dtssd(error: Tensor, previous: Tensor) -> float:
    return 100 * math.sqrt(_mean((error - previous).square()))


def _mean(x: Tensor) -> float:
    return float(x.mean())


def _means(rows: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(sum(column) / len(column) for column in zip(*rows, strict=True))


def _row(name: str, errors: Errors) -> str:
    return f"| {name:>5} | " + " | ".join(f"{value:.4f}" for value in astuple(errors)) + " |"


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the options."""
    parser = argparse.ArgumentParser(prog="python -m demo.training.evaluate", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=Path("demo/demo_checkpoint.pth"))
    parser.add_argument("--seeds", type=int, default=20, help="number of unseen films")
    parser.add_argument("--frames", type=int, default=24, help="of each film; a cut in its middle")
    parser.add_argument("--ratio", type=float, default=RATIO)
    return parser.parse_args(argv)


def main() -> None:
    """Print a table, and whether it is within the bounds."""
    options = parse()
    net = load_network(options.checkpoint)
    print("|  seed | " + " | ".join(field.name for field in fields(Errors)) + " |")
    print("|---" * (len(fields(Errors)) + 1) + "|")
    errors = []
    for seed in EVALUATION_SEEDS[: options.seeds]:
        film = Film(seed, frames=options.frames, flashes=(options.frames // 4,))
        errors.append(evaluate(net, film, options.ratio))
        print(_row(str(seed), errors[-1]), flush=True)
    mean = mean_errors(errors)
    worst = Errors(*(max(column) for column in zip(*map(astuple, errors), strict=True)))
    print(_row("mean", mean))
    print(_row("worst", worst))
    is_within = (
        mean.alpha <= BOUNDS["alpha"]
        and mean.edge <= BOUNDS["edge"]
        and min(e.found for e in errors) == 1
        and mean.dtssd < mean.dtssd_stateless
    )
    print("within the bounds" if is_within else "NOT within the bounds", BOUNDS)


if __name__ == "__main__":
    main()
