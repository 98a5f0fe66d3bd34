"""The same picture in another transfer function and another gamut."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache

import torch
from torch import Tensor

from matting.imaging.sample_format import SampleFormat, TransferFunction
from matting.imaging.tone_mapping import (
    DISPLAY_GAMMA,
    HLG_DISPLAY_GAMMA,
    HLG_DISPLAY_NITS,
    WHITE_NITS,
    hlg_to_scene,
    nits_to_sdr,
    pq_to_nits,
    tone_map,
)

D65 = (0.3127, 0.3290)


class Gamut(Enum):
    """Where red, green and blue lie, as x and y: ITU-T H.273, table 2.

    BT.709 stands for those of SD video and of sRGB, too, which are nearly the same.
    """

    BT709 = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
    P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
    BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))


@dataclass(frozen=True)
class DisplayLight:
    """What normalised R'G'B' stands for on a display."""

    transfer: TransferFunction = TransferFunction.SDR
    gamut: Gamut = Gamut.BT709

    @property
    def is_hdr(self) -> bool:
        return self.transfer is not TransferFunction.SDR


def convert_light(rgb: Tensor, own: DisplayLight, wanted: DisplayLight) -> Tensor:
    """Return R'G'B' that looks the same elsewhere.

    SDR's white is HDR's reference white, 203 nits, and what of HDR is brighter is compressed where
    it becomes SDR. What lies outside the wanted gamut is clipped.

    Args:
        rgb: normalised, [T, 3, h, w], float32, on any device.
    Returns:
        of the same shape.
    """
    if own == wanted:
        return rgb
    if wanted.is_hdr:
        light = _to_nits(rgb.clamp(0, 1), own)
    elif own.transfer is TransferFunction.HLG:
        light = nits_to_sdr(_to_nits(rgb.clamp(0, 1), own)).pow(DISPLAY_GAMMA)
    else:
        light = tone_map(rgb, SampleFormat(transfer=own.transfer)).pow(DISPLAY_GAMMA)
    if own.gamut is not wanted.gamut:
        red, green, blue = light.unbind(1)
        matrix = gamut_matrix(own.gamut, wanted.gamut).tolist()
        light = torch.stack([red * r + green * g + blue * b for r, g, b in matrix], dim=1)
    light = light.clamp(min=0)
    if wanted.transfer is TransferFunction.PQ:
        return _nits_to_pq(light)
    if wanted.transfer is TransferFunction.HLG:
        return _nits_to_hlg(light, wanted.gamut)
    return light.clamp(max=1).pow(1 / DISPLAY_GAMMA)


@cache
def gamut_matrix(own: Gamut, wanted: Gamut) -> Tensor:
    """Return what linear R, G, B of one gamut is multiplied by to be that of another, [3, 3]."""
    return _to_xyz(wanted).inverse().matmul(_to_xyz(own))


def _to_xyz(gamut: Gamut) -> Tensor:
    """Source: SMPTE RP 177."""
    primaries = torch.tensor([_xyz(x, y) for x, y in gamut.value], dtype=torch.float64).T
    white = torch.tensor(_xyz(*D65), dtype=torch.float64)
    return primaries.mul(torch.linalg.solve(primaries, white))


def _xyz(x: float, y: float) -> tuple[float, float, float]:
    return x / y, 1.0, (1 - x - y) / y


def _to_nits(code: Tensor, own: DisplayLight) -> Tensor:
    if own.transfer is TransferFunction.PQ:
        return pq_to_nits(code)
    if own.transfer is TransferFunction.HLG:
        scene = hlg_to_scene(code)
        # The display's curve is that of the luminance: on each channel it would change colours.
        gain = _luminance(scene, own.gamut).pow(HLG_DISPLAY_GAMMA - 1)
        return HLG_DISPLAY_NITS * gain * scene
    return WHITE_NITS * code**DISPLAY_GAMMA


def _nits_to_pq(nits: Tensor) -> Tensor:
    """Source: SMPTE ST 2084; BT.2100, table 4."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = (nits / 10_000).clamp(max=1) ** m1
    return ((c1 + c2 * power) / (1 + c3 * power)).pow(m2)


def _luminance(light: Tensor, gamut: Gamut) -> Tensor:
    red, green, blue = (float(share) for share in _to_xyz(gamut)[1])
    return light[:, :1] * red + light[:, 1:2] * green + light[:, 2:] * blue


def _nits_to_hlg(nits: Tensor, gamut: Gamut) -> Tensor:
    """Source: ITU-R BT.2100, table 5."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    shown = nits / HLG_DISPLAY_NITS
    gain = _luminance(shown, gamut).clamp(min=1e-9).pow(1 / HLG_DISPLAY_GAMMA - 1)
    scene = (shown * gain).clamp(max=1)
    bright = a * torch.log((12 * scene - b).clamp(min=1e-6)) + c
    return torch.where(scene <= 1 / 12, (3 * scene).sqrt(), bright)
