"""HDR as the network is shown it: tone mapped to SDR, which is all that it was trained on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from matting.imaging.sample_format import SampleFormat, TransferFunction

WHITE_NITS = 203  # HDR reference white, ITU-R BT.2408
DISPLAY_GAMMA = 2.4  # of an SDR display, ITU-R BT.1886
HLG_DISPLAY_NITS, HLG_DISPLAY_GAMMA = 1000, 1.2  # ITU-R BT.2100
KNEE = 0.9  # of the SDR range; what is brighter is compressed to fit below 1
TABLE_STEPS = 4096


def tone_map(rgb: Tensor, sample_format: SampleFormat) -> Tensor:
    """Return R'G'B' as on an SDR display, in [0, 1], of the same shape, float32.

    SDR stays as it is. PQ and HLG are mapped per channel, with 203 nits as white and a soft
    shoulder below it, HLG as on a display of 1,000 nits; the gamut stays the source's.

    Args:
        rgb: the source's normalised R'G'B', [T, 3, n, w], float32, on any device.
    """
    code = rgb.clamp(0, 1)
    if sample_format.transfer is TransferFunction.SDR:
        return code
    curve = table_on_device(tone_curve, sample_format.transfer, rgb.device)
    return _look_up(curve, code)


def apply_inverse_gain(change: Tensor, rgb: Tensor, sample_format: SampleFormat) -> Tensor:
    """Return a small change of the tone-mapped source as one of the source; may write to `change`.

    Args:
        change: of the tone-mapped R'G'B', [T, 3, n, w], float32.
        rgb: the source's normalised R'G'B', of the same shape.
    """
    if sample_format.transfer is TransferFunction.SDR:
        return change
    gains = table_on_device(inverse_gain_curve, sample_format.transfer, rgb.device)
    return change.mul_(_look_up(gains, rgb.clamp(0, 1)))


@cache
def table_on_device(
    table: Callable[[TransferFunction], Tensor], transfer: TransferFunction, device: torch.device
) -> Tensor:
    """Return a table on a device. Cached: to bring it to a GPU waits for the work there."""
    return table(transfer).to(device)


@cache
def tone_curve(transfer: TransferFunction) -> Tensor:
    """Return the tone-mapped values of the source's 0 to 1, [TABLE_STEPS + 1], float32.

    Sources: ITU-R BT.2408 (reference white), BT.1886 (the SDR display).
    """
    code = torch.linspace(0, 1, TABLE_STEPS + 1, dtype=torch.float64)
    nits = pq_to_nits(code) if transfer is TransferFunction.PQ else _hlg_to_nits(code)
    return nits_to_sdr(nits).float()


def nits_to_sdr(nits: Tensor) -> Tensor:
    """Return the values, in [0, 1], by which an SDR display shows some light."""
    sdr = (nits / WHITE_NITS) ** (1 / DISPLAY_GAMMA)
    shoulder = KNEE + (1 - KNEE) * (1 - torch.exp((KNEE - sdr) / (1 - KNEE)))
    return torch.where(sdr < KNEE, sdr, shoulder)


def pq_to_nits(code: Tensor) -> Tensor:
    """Return the light of code values in [0, 1]. Source: SMPTE ST 2084; BT.2100, table 4."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = code ** (1 / m2)
    return 10_000 * ((power - c1).clamp(min=0) / (c2 - c3 * power)) ** (1 / m1)


def _hlg_to_nits(code: Tensor) -> Tensor:
    """Return the light of code values, with the display's own curve on each channel by itself."""
    return HLG_DISPLAY_NITS * hlg_to_scene(code) ** HLG_DISPLAY_GAMMA


def hlg_to_scene(code: Tensor) -> Tensor:
    """Return the scene's light, in [0, 1]. Source: ITU-R BT.2100, table 5."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return torch.where(code <= 0.5, code**2 / 3, (torch.exp((code - c) / a) + b) / 12)


@cache
def inverse_gain_curve(transfer: TransferFunction) -> Tensor:
    """Return how much the source changes with its tone-mapped value, [TABLE_STEPS + 1], float32.

    At most 1, lest the shoulder magnify noise.
    """
    slope = torch.gradient(tone_curve(transfer).double(), spacing=1 / TABLE_STEPS)[0]
    return (1 / slope.clamp(min=1)).float()


def _look_up(table: Tensor, values: Tensor) -> Tensor:
    """Return a table of 0 to 1 in equal steps at `values`, linear between its entries."""
    position = values * TABLE_STEPS
    below = position.long().clamp_(max=TABLE_STEPS - 1)
    return torch.lerp(table[below], table[below + 1], position - below)
