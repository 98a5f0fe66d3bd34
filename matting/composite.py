"""Pure tensor functions on mattes: the full-size pictures that are encoded.

Large pictures are memory traffic, so they are made in bands of rows that stay in the processor's
caches, and nothing but the results is ever held at full size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.workspace import ALPHA, COMPOSITE, FOREGROUND

CPU_BAND_PX = 1 << 16  # a plane of floats takes 256 KiB
GPU_BAND_PX = 1 << 24  # all at once but for the largest pictures


@dataclass(frozen=True)
class Matte:
    """What the network found for T frames, still to be brought to their full size.

    Of the source x, with the mean of its channels as a fourth, it gives slope * x + offset:
    foreground less source, and alpha. All on one device.

    Attributes:
        rgb: [T, 3, H, W], uint8, 0..255: the source.
        slope: [T, 4, h, w], float; None: zero, and `offset` is of full size.
        offset: [T, 4, h, w], float.
    """

    rgb: Tensor
    slope: Tensor | None
    offset: Tensor


@torch.inference_mode()
def pictures(
    matte: Matte, kinds: Sequence[str], background: tuple[int, int, int], band_px: int | None = None
) -> dict[str, Tensor]:
    """The results of each kind, 0..255, uint8, on the matte's device.

    Args:
        kinds: of COMPOSITE and FOREGROUND, [T, 3, H, W]; ALPHA, [T, 1, H, W].
        background: red, green, blue behind the composite, 0..255.
        band_px: how much of a picture is computed at once; None: as suits the device.
    """
    frames, _, height, width = matte.rgb.shape
    colour = torch.tensor(background, dtype=torch.float32, device=matte.rgb.device)
    colour = colour.div_(255).view(1, 3, 1, 1)
    made = {
        kind: matte.rgb.new_empty((frames, 1 if kind == ALPHA else 3, height, width))
        for kind in kinds
    }
    for rows, foreground, alpha in bands(matte, band_px):
        for kind, target in made.items():
            if kind == COMPOSITE:
                values = torch.lerp(colour, foreground, alpha)
            else:
                values = {ALPHA: alpha, FOREGROUND: foreground}[kind]
            target[:, :, rows] = values.mul(255).round_().to(torch.uint8)
    return made


def bands(matte: Matte, band_px: int | None = None) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Rows from top to bottom: where, the foreground [T, 3, n, W], the alpha [T, 1, n, W].

    Both float32 in [0, 1]; the foreground means something only where alpha is above 0.
    """
    frames, _, height, width = matte.rgb.shape
    small = matte.offset
    if matte.slope is not None:
        small = torch.cat((matte.slope, matte.offset), dim=1)
    small = small.float().contiguous()
    px = band_px or (GPU_BAND_PX if matte.rgb.is_cuda else CPU_BAND_PX)
    step = max(1, px // (frames * width))
    for top in range(0, height, step):
        rows = slice(top, min(height, top + step))
        source = from_picture(matte.rgb[:, :, rows])
        if matte.slope is None:
            residual, alpha = small[:, :3, rows], small[:, 3:, rows].clone()
            foreground = residual + source
        else:
            mean = source.mean(dim=1, keepdim=True)
            slope, offset = _enlarged(small, rows, height, width).split(4, dim=1)
            alpha = torch.addcmul(offset[:, 3:], slope[:, 3:], mean)
            foreground = torch.addcmul(offset[:, :3], slope[:, :3], source).add_(source)
        yield rows, foreground.clamp_(0, 1), alpha.clamp_(0, 1)


def _enlarged(small: Tensor, rows: slice, height: int, width: int) -> Tensor:
    """Those rows of `small` [T, C, h, w] brought to `height` x `width`, [T, C, n, width].

    Bilinear, pixels as areas: what `interpolate` without aligned corners does to the whole.
    """
    count = small.shape[2]
    ticks = torch.arange(rows.start, rows.stop, device=small.device, dtype=torch.float32)
    place = ((ticks + 0.5) * (count / height) - 0.5).clamp_(min=0)
    above = place.long().clamp_(max=count - 1)
    below = (above + 1).clamp_(max=count - 1)
    weight = (place - above).view(-1, 1)
    lines = torch.lerp(small[:, :, above], small[:, :, below], weight)  # [T, C, n, w]
    flat = lines.flatten(0, 2)[None]
    return F.interpolate(flat, width, mode="linear", align_corners=False).view(
        *lines.shape[:3], width
    )


def from_picture(rgb: Tensor) -> Tensor:
    """uint8 [T, 3, H, W] to float32 in [0, 1]."""
    return rgb.to(torch.float32).div_(255)
