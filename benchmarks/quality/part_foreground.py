"""The colours of half-transparent pixels: the network's own, and made of the colours around."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from benchmarks.quality.bench import Bench
from benchmarks.quality.clips import RGB8, Clip, read
from benchmarks.quality.matting import Matted, shown_foreground
from benchmarks.quality.metrics import composite_error, foreground_mse, mean, soft
from benchmarks.results import table
from matting.imaging.colour_conversion import convert_planes
from matting.imaging.matte_planes import (
    LARGEST_CORRECTION,
    MAX_ALPHA,
    MattePlanes,
    alpha_at_chroma_sites,
    correction_unit,
    foreground_format,
    is_soft,
)
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.network_choice import Foreground
from matting.options import MattingOptions

TITLE = "Foreground at soft edges"
FRAMES = 16  # of each clip
PLACED = {"d1": 300, "g6": 560}  # px of 720: the small copy is .6 of the picture there
BACKGROUNDS = {"green": (0, 255, 0), "white": (255, 255, 255), "black": (0, 0, 0)}
HEAD = ["clip", "soft", "soft in both", "with the true alpha"]
HEAD += [f"over {name}" for name in BACKGROUNDS]
ABOUT = (
    f"The first {FRAMES} frames of each clip, `--foreground network` -> `fused` (the true "
    "foreground, as it can be stored with the alpha that was found). MSE x 1e3: of the foreground "
    "where the true alpha is soft, and where the one found is, too; of the composite where either "
    "is soft, first with the true alpha, over any background, then with the one found."
)


def run(bench: Bench) -> str:
    """Matte each clip by both, and print each as it is done."""
    rows: list[list[str]] = []
    values: list[list[tuple[float, ...]]] = []
    for clip in _clips(bench):
        network, fused = (
            bench.matte(clip, _options(bench, kind))
            for kind in (Foreground.NETWORK, Foreground.FUSED)
        )
        results = (network, fused, with_true_foreground(clip, network))
        values.append(list(zip(*(measure(clip, one) for one in results), strict=True)))
        rows.append([clip.name, *_cells(values[-1])])
        print(" | ".join(rows[-1]), flush=True)
    if rows:
        columns = zip(*values, strict=True)
        means = [tuple(map(mean, zip(*column, strict=True))) for column in columns]
        rows.append(["mean", *_cells(means)])
    return f"{ABOUT}\n\n{table(HEAD, rows)}"


def with_true_foreground(clip: Clip, matted: Matted) -> Matted:
    """Return a matte with the true foreground, as far as it can be stored with its alpha."""
    if clip.foreground is None:
        raise ValueError(f"the foreground of {clip.name} is not known")
    shown = []
    codes = (matted.alpha * MAX_ALPHA).round()[:, None]
    truth = clip.foreground.split(1)
    for source, alpha, colours in zip(read(clip.video), codes.split(1), truth, strict=True):
        shown.append(shown_foreground(source, _stored(source, alpha, Planes(RGB8, colours))))
    return replace(matted, foreground=torch.cat(shown))


def _stored(source: Planes, alpha: Tensor, foreground: Planes) -> MattePlanes:
    """Return the matte of a frame whose foreground is known at every pixel.

    Args:
        alpha: [1, 1, H, W], 0..MAX_ALPHA, float32.
    """
    own = source.sample_format
    deep = convert_planes(foreground, foreground_format(own))
    chroma = None
    if source.chroma is not None and deep.chroma is not None:
        at_sites = alpha_at_chroma_sites(alpha, own)
        chroma = _correction(source.chroma, deep.chroma, at_sites, own)
    luma_or_rgb = _correction(source.luma_or_rgb, deep.luma_or_rgb, alpha, own)
    return MattePlanes(alpha.to(torch.int32).to(torch.uint16), luma_or_rgb, chroma, own)


def _correction(samples: Tensor, deep: Tensor, alpha: Tensor, own: SampleFormat) -> Tensor:
    """Return a correction as `MattePlanes` keeps it."""
    scale = 1 << (foreground_format(own).bits - own.bits)
    change = (deep.float() / scale - samples.float()) * (alpha / MAX_ALPHA)
    change = (change * is_soft(alpha) / correction_unit(own.bits)).round()
    return change.clamp(-LARGEST_CORRECTION, LARGEST_CORRECTION).to(torch.int8)


def measure(clip: Clip, matted: Matted) -> list[float]:
    """Return the figures of a clip whose foreground is known, in the order of HEAD."""
    if clip.foreground is None:
        raise ValueError(f"the foreground of {clip.name} is not known")
    truth = clip.alpha, clip.foreground
    found = matted.alpha, matted.foreground
    where = soft(truth[0])
    edges = where | soft(found[0])
    return [
        foreground_mse(found[1], truth[1], where),
        foreground_mse(found[1], truth[1], where & soft(found[0])),
        composite_error((truth[0], found[1]), truth, BACKGROUNDS["black"], edges),
        *(composite_error(found, truth, colour, edges) for colour in BACKGROUNDS.values()),
    ]


def _clips(bench: Bench) -> Iterator[Clip]:
    for clip in bench.truth():
        yield bench.first_frames(clip, FRAMES)
    for clip in bench.truth():
        if clip.name in PLACED:
            yield bench.placed_small(clip, PLACED[clip.name], frames=FRAMES // 2)


def _options(bench: Bench, foreground: Foreground) -> MattingOptions:
    matte = replace(bench.options.matte, foreground=foreground)
    return replace(bench.options, matte=matte)


def _cells(figures: Sequence[tuple[float, ...]]) -> list[str]:
    return [f"{before:.2f} -> {after:.2f} ({least:.2f})" for before, after, least in figures]
