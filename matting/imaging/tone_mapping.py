"""HDR pictures as the network is shown them: it knows no others than SDR."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from matting.imaging.sample_format import SampleFormat, TransferFunction

WHITE_NITS = 203  # HDR reference white, ITU-R BT.2408
DISPLAY_GAMMA = 2.4  # of an SDR display, ITU-R BT.1886
HLG_DISPLAY_NITS, HLG_DISPLAY_GAMMA = 1000, 1.2  # ITU-R BT.2100
KNEE = 0.9  # of the SDR view; what is brighter is compressed to fit below 1
STEPS = 4096


def tone_map(rgb: Tensor, sample_format: SampleFormat) -> Tensor:
    """R'G'B' as an SDR display would show it, in [0, 1].

    SDR stays as it is. PQ and HLG are shown per channel, with 203 nits as white and a soft
    shoulder below it, HLG as on a display of 1,000 nits; the gamut stays the source's.

    Args:
        rgb: [T, 3, n, w], float32, in the source's own code values.
    """
    view = rgb.clamp(0, 1)
    if sample_format.transfer is TransferFunction.SDR:
        return view
    return _looked_up(on_device(view_table, sample_format.transfer, rgb.device), view)


def to_source(change: Tensor, rgb: Tensor, sample_format: SampleFormat) -> Tensor:
    """A small change of the view as one of the source's code values; may write to `change`."""
    if sample_format.transfer is TransferFunction.SDR:
        return change
    gain = on_device(gain_table, sample_format.transfer, rgb.device)
    return change.mul_(_looked_up(gain, rgb.clamp(0, 1)))


@cache
def on_device(
    table: Callable[[TransferFunction], Tensor], transfer: TransferFunction, device: torch.device
) -> Tensor:
    """A table where it is looked up. On a card once: bringing it there waits for its work."""
    return table(transfer).to(device)


@cache
def view_table(transfer: TransferFunction) -> Tensor:
    """The view of each code value 0 .. 1."""
    code = torch.linspace(0, 1, STEPS + 1, dtype=torch.float64)
    nits = _pq_nits(code) if transfer is TransferFunction.PQ else _hlg_nits(code)
    shown = (nits / WHITE_NITS) ** (1 / DISPLAY_GAMMA)
    shoulder = KNEE + (1 - KNEE) * (1 - torch.exp((KNEE - shown) / (1 - KNEE)))
    return torch.where(shown < KNEE, shown, shoulder).float()


def _pq_nits(code: Tensor) -> Tensor:
    """Source: SMPTE ST 2084."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = code ** (1 / m2)
    return 10_000 * ((power - c1).clamp(min=0) / (c2 - c3 * power)) ** (1 / m1)


def _hlg_nits(code: Tensor) -> Tensor:
    """Source: ITU-R BT.2100, table 5; the display's own curve on each channel for itself."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = torch.where(code <= 0.5, code**2 / 3, (torch.exp((code - c) / a) + b) / 12)
    return HLG_DISPLAY_NITS * scene**HLG_DISPLAY_GAMMA


@cache
def gain_table(transfer: TransferFunction) -> Tensor:
    """How much a code value changes with its view; at most 1, lest a shoulder magnify noise."""
    slope = torch.gradient(view_table(transfer).double(), spacing=1 / STEPS)[0]
    return (1 / slope.clamp(min=1)).float()


def _looked_up(table: Tensor, values: Tensor) -> Tensor:
    """A table of 0 .. 1 in equal steps at `values`, linear between them."""
    place = values * STEPS
    below = place.long().clamp_(max=STEPS - 1)
    return torch.lerp(table[below], table[below + 1], place - below)
