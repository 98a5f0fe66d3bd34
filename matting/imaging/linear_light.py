"""Code values of R'G'B' as linear light, as compositing programs compute with.

White is 1. Of a video with a camera's curve (BT.601, BT.709, BT.2020) the light is the scene's, by
the inverse of that curve; of HDR, reference white (ITU-R BT.2408) is 1, and what is brighter lies
above.
"""

from __future__ import annotations

from enum import Enum
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.imaging.tone_mapping import WHITE_NITS, hlg_to_scene, pq_to_nits

HLG_WHITE = 0.75  # the code value of reference white, ITU-R BT.2408
# Where the camera's curve is bent, with so many digits that nothing jumps there: ITU-T H.273.
CAMERA_ALPHA, CAMERA_BETA = 1.099296826809442, 0.018053968510807
CODES = 1 << 16
BAND_ROWS = 64  # at once: in float32 a whole picture of 8192x4096 would take 940 MB


class Curve(Enum):
    """A transfer function, by the standard that it stands in."""

    CAMERA = "BT.709"
    SRGB = "sRGB"
    GAMMA_22 = "gamma 2.2"
    GAMMA_28 = "gamma 2.8"
    LINEAR = "linear"
    PQ = "PQ"
    HLG = "HLG"


@cache
def linear_light_table(curve: Curve) -> NDArray[np.float32]:
    """Return the light of every code value of 16 bits, [65536], float32, from 0."""
    codes = torch.arange(CODES, dtype=torch.float64) / (CODES - 1)
    return _to_linear(codes, curve).to(torch.float32).numpy()


def premultiplied_light(
    codes: NDArray[np.uint16], alpha: NDArray[np.uint16], largest_alpha: int, curve: Curve
) -> NDArray[np.float16]:
    """Return light multiplied by alpha, and alpha.

    Args:
        codes: straight R'G'B', [H, W, 3], full range.
        alpha: [H, W, 1], 0..largest_alpha.
    Returns:
        [H, W, 4], float16.
    """
    result = np.empty((*codes.shape[:2], 4), np.float16)
    table = linear_light_table(curve)
    for top in range(0, len(codes), BAND_ROWS):
        band = slice(top, top + BAND_ROWS)
        coverage = alpha[band].astype(np.float32) / np.float32(largest_alpha)
        result[band, :, :3] = table[codes[band]] * coverage
        result[band, :, 3:] = coverage
    return result


def _to_linear(code: Tensor, curve: Curve) -> Tensor:
    """Sources: ITU-R BT.709, 1.2; IEC 61966-2-1; ITU-R BT.1700; BT.2100, tables 4 and 5."""
    if curve is Curve.CAMERA:
        bent = ((code + CAMERA_ALPHA - 1) / CAMERA_ALPHA) ** (1 / 0.45)
        return torch.where(code < 4.5 * CAMERA_BETA, code / 4.5, bent)
    if curve is Curve.SRGB:
        return torch.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    if curve is Curve.PQ:
        return pq_to_nits(code) / WHITE_NITS
    if curve is Curve.HLG:
        white = hlg_to_scene(torch.tensor(HLG_WHITE, dtype=code.dtype))
        return hlg_to_scene(code) / white
    gamma = {Curve.LINEAR: 1.0, Curve.GAMMA_22: 2.2, Curve.GAMMA_28: 2.8}[curve]
    return code**gamma
