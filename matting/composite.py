"""Pure tensor functions on mattes: the full-size pictures that are encoded.

Large pictures are memory traffic, so they go from the source's samples to the results' in bands of
rows that stay in the processor's caches; nothing else is ever held at full size. Luma is computed
at the pixels, chroma at its own places: where alpha is 1 and the foreground the source, the
source's own numbers come out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.planes import Coding, Planes
from matting.resampling import at_siting, rows_at
from matting.sdr_view import sdr_view, to_source
from matting.workspace import ALPHAS, COMPOSITE
from matting.yuv import (
    bands,
    blank,
    chroma_numbers,
    chroma_of,
    luma_of,
    main_numbers,
    nearest_colour,
    rgb_at_chroma,
    rgb_rows,
)


@dataclass(frozen=True)
class Matte:
    """What the network found for T frames, still to be brought to their full size.

    Of the source x as the network sees it, with the mean of its channels as a fourth, it gives
    slope * x + offset: foreground less source, and alpha. All on one device.

    Attributes:
        source: the frames.
        slope: [T, 4, h, w], float; None: zero, and `offset` is of full size.
        offset: [T, 4, h, w], float.
    """

    source: Planes
    slope: Tensor | None
    offset: Tensor

    def split(self, frames: int) -> list[Matte]:
        """The same in parts of at most `frames` frames."""
        sources, offsets = self.source.split(frames), self.offset.split(frames)
        slopes = [None] * len(sources) if self.slope is None else self.slope.split(frames)
        return [Matte(*part) for part in zip(sources, slopes, offsets, strict=True)]


@torch.inference_mode()
def pictures(
    matte: Matte,
    targets: Mapping[str, Coding],
    background: tuple[int, int, int],
    band_px: int | None = None,
) -> dict[str, Planes]:
    """The results of each kind, on the matte's device.

    Args:
        targets: the coding of each kind wanted. What is one of ALPHAS is grey, without chroma.
        background: R'G'B' behind the composite, 0..255.
        band_px: how much of a picture is computed at once; None: as suits the device.
    """
    made = {
        kind: blank(matte.source, coding, grey=kind in ALPHAS) for kind, coding in targets.items()
    }
    device = matte.source.main.device
    behind = {
        coding: nearest_colour([value / 255 for value in background], coding)
        .to(device)
        .view(1, 3, 1, 1)
        for coding in set(targets.values())
    }
    for rows, linear in _bands(matte, band_px):
        rgb = rgb_rows(matte.source, rows)
        foreground, alpha = _applied(rgb, linear, matte.source.coding)
        for kind, planes in made.items():
            coding = planes.coding
            if kind in ALPHAS:
                levels = alpha
            else:
                levels = luma_of(foreground, coding)
                if kind == COMPOSITE:
                    levels = torch.lerp(luma_of(behind[coding], coding), levels, alpha)
            planes.main[:, :, rows] = main_numbers(levels, coding)
        for coding in {p.coding for p in made.values() if p.chroma is not None}:
            shared = slice(rows.start // coding.step[1], -(-rows.stop // coding.step[1]))
            rgb = rgb_at_chroma(matte.source, coding, shared)
            foreground, alpha = _applied(rgb, at_siting(linear, coding), matte.source.coding)
            for kind, planes in made.items():
                if planes.chroma is not None and planes.coding == coding:
                    levels = chroma_of(foreground, coding)
                    if kind == COMPOSITE:
                        levels = torch.lerp(chroma_of(behind[coding], coding), levels, alpha)
                    planes.chroma[:, :, shared] = chroma_numbers(levels, coding)
    return made


def layers(matte: Matte, band_px: int | None = None) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Rows from top to bottom: where, the foreground [T, 3, n, W], the alpha [T, 1, n, W].

    Both float32; alpha in [0, 1]. The foreground means something only where that is above 0.
    """
    for rows, linear in _bands(matte, band_px):
        yield rows, *_applied(rgb_rows(matte.source, rows), linear, matte.source.coding)


def _bands(matte: Matte, band_px: int | None) -> Iterator[tuple[slice, Tensor]]:
    """Rows from top to bottom: where, and the linear map there, [T, 8 or 4, n, W], float32."""
    source = matte.source
    small = matte.offset
    if matte.slope is not None:
        small = torch.cat((matte.slope, matte.offset), dim=1)
    small = small.float().contiguous()
    for (rows,) in bands(source, band_px=band_px):
        if matte.slope is None:
            yield rows, small[:, :, rows]
        else:
            yield rows, _enlarged(small, rows, source.height, source.width)


def _applied(rgb: Tensor, linear: Tensor, coding: Coding) -> tuple[Tensor, Tensor]:
    """Foreground [T, 3, n, w] in the source's code values, and alpha [T, 1, n, w].

    Args:
        rgb: the source, R'G'B' [T, 3, n, w].
        linear: slope and offset, or offset alone, of the same pixels.
    """
    view = sdr_view(rgb, coding)
    if linear.shape[1] == 4:
        residual, alpha = linear[:, :3], linear[:, 3:].clone()
    else:
        slope, offset = linear.split(4, dim=1)
        alpha = torch.addcmul(offset[:, 3:], slope[:, 3:], view.mean(dim=1, keepdim=True))
        residual = torch.addcmul(offset[:, :3], slope[:, :3], view)
    # The change alone is bounded: a source whiter than white stays what it is.
    change = torch.add(residual, view).clamp_(0, 1).sub_(view)
    return to_source(change, rgb, coding).add_(rgb), alpha.clamp_(0, 1)


def _enlarged(small: Tensor, rows: slice, height: int, width: int) -> Tensor:
    """Those rows of `small` [T, C, h, w] brought to `height` x `width`, [T, C, n, width].

    Bilinear, pixels as areas: what `interpolate` without aligned corners does to the whole.
    """
    ticks = torch.arange(rows.start, rows.stop, device=small.device, dtype=torch.float32)
    lines = rows_at(small, (ticks + 0.5) * (small.shape[2] / height) - 0.5)  # [T, C, n, w]
    flat = lines.flatten(0, 2)[None]
    return F.interpolate(flat, width, mode="linear", align_corners=False).view(
        *lines.shape[:3], width
    )
