"""Edges for players that key: what is nearly transparent goes, and the background's colour with it.

Pure functions of stored alpha and straight foreground, in whole numbers, so that they give the same
on every device.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from matting.imaging.colour_conversion import convert_planes
from matting.imaging.matte_planes import MAX_ALPHA
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.options import MOST_KEY_CONTRAST

CONTRAST_UNIT = 256  # contrast is a multiple of its inverse
HUE_UNIT = 256  # so are shares of a hue


def cut_off(alpha: Tensor, least: float) -> Tensor:
    """Return alpha with 0 wherever it is below a share.

    Args:
        alpha: [T, 1, H, W], uint16, 0..MAX_ALPHA.
        least: the least share that is kept, in [0, 1]; 0: all is.
    Returns:
        the same shape and type.
    """
    _require_share(least, "cutoff")
    codes = alpha.to(torch.int32)
    bound = math.ceil(least * MAX_ALPHA)
    return codes.mul_(codes >= bound).to(alpha.dtype)


def steepen(alpha: Tensor, contrast: float) -> Tensor:
    """Return alpha steeper around one half, where it stays as it is.

    Args:
        alpha: [T, 1, H, W], uint16, 0..MAX_ALPHA.
        contrast: how many times as steep, 1 (as it is) to MOST_KEY_CONTRAST; taken to a 256th.
    Returns:
        the same shape and type; 0 and MAX_ALPHA stay what they are.
    """
    if not 1 <= contrast <= MOST_KEY_CONTRAST:
        raise ValueError(f"contrast is 1 to {MOST_KEY_CONTRAST}, not {contrast}")
    factor = round(contrast * CONTRAST_UNIT)
    # Twice the distance from the exact half, 511.5, is a whole number.
    twice = alpha.to(torch.int32).mul_(2).sub_(MAX_ALPHA).mul_(factor)
    codes = twice.add_((MAX_ALPHA + 1) * CONTRAST_UNIT)
    codes = codes.div_(2 * CONTRAST_UNIT, rounding_mode="floor").clamp_(0, MAX_ALPHA)
    return codes.to(alpha.dtype)


def despill(
    foreground: Tensor, alpha: Tensor, background: tuple[int, int, int], strength: float = 1.0
) -> Tensor:
    """Return a foreground without the background's hue in its half-transparent pixels.

    As much of the hue is taken out as a pixel has more of it than of any other: of green, until
    green is no more than red or blue. Of half the coverage or less all is; from there on less and
    less, so that opaque pixels stay, whatever colour they wear. Grey has no hue, and takes nothing.

    Args:
        foreground: straight R'G'B', [T, 3, H, W], uint16 of 16 bits and full range.
        alpha: [T, 1, H, W], uint16, 0..MAX_ALPHA.
        background: R'G'B' of what may shine through, 0..255.
        strength: the share that is taken out, in [0, 1], to a 256th.
    Returns:
        the foreground, of the same shape and type.
    """
    _require_share(strength, "strength")
    hue = [value - min(background) for value in background]
    most = max(hue)
    if most == 0 or strength == 0:
        return foreground
    shares = [round(HUE_UNIT * value / most) for value in hue]
    values = foreground.to(torch.int64)
    channels = values.unbind(1)
    own = [c for c, share in zip(channels, shares, strict=True) if 2 * share >= HUE_UNIT]
    others = [c for c, share in zip(channels, shares, strict=True) if 2 * share < HUE_UNIT]
    spill = _least(own).sub_(_most(others)).clamp_(min=0).unsqueeze_(1)
    fading = (MAX_ALPHA - alpha.to(torch.int64)).mul_(2).clamp_(max=MAX_ALPHA)
    spill *= fading * round(strength * HUE_UNIT)
    unit = MAX_ALPHA * HUE_UNIT * HUE_UNIT
    share = torch.tensor(shares, device=values.device).view(1, 3, 1, 1)
    taken = (spill * share).add_(unit // 2).div_(unit, rounding_mode="floor")
    return values.sub_(taken).clamp_(min=0).to(foreground.dtype)


@dataclass(frozen=True)
class KeyEdges:
    """What is done to edges for a player that keys; by default nothing.

    Attributes:
        cutoff: as `cut_off` takes it.
        contrast: as `steepen` takes it.
        despill: the strength that `despill` takes; 0: none.
    """

    cutoff: float = 0.0
    contrast: float = 1.0
    despill: float = 0.0

    def apply(
        self, alpha: Tensor, foreground: Planes, background: tuple[int, int, int]
    ) -> tuple[Tensor, Planes]:
        """Return alpha and foreground for keying.

        What is not half transparent keeps its code values, in any sample format.

        Args:
            alpha: [T, 1, H, W], uint16, 0..MAX_ALPHA.
            foreground: T frames, straight, on the same device.
            background: R'G'B' of what may shine through, 0..255.
        """
        if self.despill:
            foreground = self._despilled(alpha, foreground, background)
        return steepen(cut_off(alpha, self.cutoff), self.contrast), foreground

    def _despilled(
        self, alpha: Tensor, foreground: Planes, background: tuple[int, int, int]
    ) -> Planes:
        target = foreground.sample_format
        before = convert_planes(foreground, SampleFormat(16))
        rgb = despill(before.luma_or_rgb, alpha, background, self.despill)
        # What the conversion there and back changes by itself is left out.
        old, new = (convert_planes(p, target) for p in (before, Planes(before.sample_format, rgb)))
        luma_or_rgb = _changed(foreground.luma_or_rgb, old.luma_or_rgb, new.luma_or_rgb, target)
        if foreground.chroma is None or old.chroma is None or new.chroma is None:
            return Planes(target, luma_or_rgb)
        return Planes(
            target, luma_or_rgb, _changed(foreground.chroma, old.chroma, new.chroma, target)
        )


def _changed(samples: Tensor, old: Tensor, new: Tensor, target: SampleFormat) -> Tensor:
    """Return samples with the change from `old` to `new`."""
    codes = samples.to(torch.int32) + (new.to(torch.int32) - old.to(torch.int32))
    return codes.clamp_(0, target.max_code_value << target.lsb_padding).to(samples.dtype)


def _least(channels: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(channels)).amin(0)


def _most(channels: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(channels)).amax(0)


def _require_share(value: float, name: str) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is 0 to 1, not {value}")
