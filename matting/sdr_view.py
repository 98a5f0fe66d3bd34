"""HDR pictures as the network is shown them: it knows no others than SDR."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from matting.planes import PQ, Coding

WHITE_NITS = 203  # HDR reference white, ITU-R BT.2408
DISPLAY_GAMMA = 2.4  # of an SDR display, ITU-R BT.1886
KNEE = 0.9  # of the SDR view; what is brighter is compressed to fit below 1
STEPS = 4096


def sdr_view(rgb: Tensor, coding: Coding) -> Tensor:
    """R'G'B' as an SDR display would show it, in [0, 1].

    SDR stays as it is, and so does HLG, which was made for that (ITU-R BT.2100). PQ is shown per
    channel, with 203 nits as white and a soft shoulder below it; the gamut stays the source's.

    Args:
        rgb: [T, 3, n, w], float32, in the source's own code values.
    """
    view = rgb.clamp(0, 1)
    return _looked_up(_pq_view(), view) if coding.transfer == PQ else view


def to_source(change: Tensor, rgb: Tensor, coding: Coding) -> Tensor:
    """A small change of the view as one of the source's code values; may write to `change`."""
    if coding.transfer != PQ:
        return change
    return change.mul_(_looked_up(_pq_gain(), rgb.clamp(0, 1)))


@cache
def _pq_view() -> Tensor:
    """The view of each code value 0 .. 1."""
    code = torch.linspace(0, 1, STEPS + 1, dtype=torch.float64)
    # SMPTE ST 2084
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = code ** (1 / m2)
    nits = 10_000 * ((power - c1).clamp(min=0) / (c2 - c3 * power)) ** (1 / m1)
    shown = (nits / WHITE_NITS) ** (1 / DISPLAY_GAMMA)
    shoulder = KNEE + (1 - KNEE) * (1 - torch.exp((KNEE - shown) / (1 - KNEE)))
    return torch.where(shown < KNEE, shown, shoulder).float()


@cache
def _pq_gain() -> Tensor:
    """How much a code value changes with its view; at most 1, lest a shoulder magnify noise."""
    slope = torch.gradient(_pq_view().double(), spacing=1 / STEPS)[0]
    return (1 / slope.clamp(min=1)).float()


def _looked_up(table: Tensor, values: Tensor) -> Tensor:
    """A table of 0 .. 1 in equal steps at `values`, linear between them."""
    table = table.to(values.device)
    place = values * STEPS
    below = place.long().clamp_(max=STEPS - 1)
    return torch.lerp(table[below], table[below + 1], place - below)
