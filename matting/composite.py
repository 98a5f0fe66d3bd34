"""Pure tensor functions on mattes: over a colour, and into the pictures that are encoded."""

from __future__ import annotations

import torch
from torch import Tensor


def over_colour(foreground: Tensor, alpha: Tensor, background: tuple[int, int, int]) -> Tensor:
    """The foreground laid over a flat colour.

    Args:
        foreground: [T, 3, H, W], float in [0, 1].
        alpha: [T, 1, H, W], float in [0, 1].
        background: red, green, blue, 0..255.
    Returns:
        [T, 3, H, W], float in [0, 1], on the same device.
    """
    colour = torch.tensor(background, dtype=foreground.dtype, device=foreground.device) / 255
    return torch.lerp(colour.view(1, 3, 1, 1), foreground, alpha)


def to_picture(values: Tensor) -> Tensor:
    """Float in [0, 1], [T, 3 or 1, H, W], to uint8 [T, 3, H, W]; one channel becomes grey."""
    return values.mul(255).round_().to(torch.uint8).expand(-1, 3, -1, -1)


def from_picture(rgb: Tensor) -> Tensor:
    """uint8 [T, 3, H, W] to float32 in [0, 1]."""
    return rgb.to(torch.float32).div_(255)
