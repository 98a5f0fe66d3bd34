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
from torch import Tensor

from matting.coding import Coding
from matting.enlarging import covered, enlarged
from matting.planes import Planes
from matting.resampling import at_siting
from matting.sdr_view import sdr_view, to_source
from matting.workspace import ALPHAS, COMPOSITE, FOREGROUND
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

MARGIN_PX = 8  # beside a rectangle: chroma is made of neighbours too; whole cells in all codings
# Of a step of the numbers: an alpha below that changes none, since the numbers of a background
# lie in the middle between two steps, and nothing is farther from it than twice the range.
SURE = 0.2


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

    def __len__(self) -> int:
        return len(self.source)

    def split(self, frames: int) -> list[Matte]:
        """The same in parts of at most `frames` frames."""
        sources, offsets = self.source.split(frames), self.offset.split(frames)
        slopes = [None] * len(sources) if self.slope is None else self.slope.split(frames)
        return [Matte(*part) for part in zip(sources, slopes, offsets, strict=True)]


@dataclass(frozen=True)
class _Flat:
    """One colour's levels: `main` [1, 1 or 3, 1, 1], `chroma` [1, 2, 1, 1] where there is one."""

    main: Tensor
    chroma: Tensor


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
    device = matte.offset.device
    behind = {coding: flat(background, coding, device) for coding in set(targets.values())}
    nothing = None if FOREGROUND in targets else SURE / max(c.peak for c in targets.values())
    if nothing is not None:
        for kind, planes in made.items():
            _fill(planes, None if kind in ALPHAS else behind[planes.coding])
    parts = _parts(matte, band_px, nothing)
    for rows, columns, linear in parts:
        _draw(matte.source, (rows, columns), linear, made, behind)
    return made


def layers(matte: Matte, band_px: int | None = None) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Rows from top to bottom: where, the foreground [T, 3, n, W], the alpha [T, 1, n, W].

    Both float32; alpha in [0, 1]. The foreground means something only where that is above 0.
    """
    for rows, _, linear in _parts(matte, band_px, None):
        yield rows, *_applied(rgb_rows(matte.source, rows), linear, matte.source.coding)


def _draw(
    source: Planes,
    where: tuple[slice, slice],
    linear: Tensor,
    made: Mapping[str, Planes],
    behind: Mapping[Coding, _Flat],
) -> None:
    """One rectangle of all results.

    Args:
        where: its rows and columns.
        linear: the linear map there, [T, 8 or 4, n, m].
    """
    rows, columns = where
    around = slice(max(0, columns.start - MARGIN_PX), min(source.width, columns.stop + MARGIN_PX))
    before = columns.start - around.start
    near = source.crop(around)
    rgb = rgb_rows(near, rows)[..., before : before + columns.stop - columns.start]
    foreground, alpha = _applied(rgb, linear, source.coding)
    for kind, planes in made.items():
        coding = planes.coding
        if kind in ALPHAS:
            levels = alpha
        else:
            levels = luma_of(foreground, coding)
            if kind == COMPOSITE:
                levels = torch.lerp(behind[coding].main, levels, alpha)
        planes.main[:, :, rows, columns] = main_numbers(levels, coding)
    for coding in {p.coding for p in made.values() if p.chroma is not None}:
        across, down = coding.step
        shared = slice(rows.start // down, -(-rows.stop // down))
        cells = slice(columns.start // across, -(-columns.stop // across))
        first = before // across
        rgb = rgb_at_chroma(near, coding, shared)[..., first : first + cells.stop - cells.start]
        foreground, alpha = _applied(rgb, at_siting(linear, coding), source.coding)
        for kind, planes in made.items():
            if planes.chroma is not None and planes.coding == coding:
                levels = chroma_of(foreground, coding)
                if kind == COMPOSITE:
                    levels = torch.lerp(behind[coding].chroma, levels, alpha)
                planes.chroma[:, :, shared, cells] = chroma_numbers(levels, coding)


def flat(rgb: tuple[int, int, int], coding: Coding, device: torch.device) -> _Flat:
    """The levels of the colour that `coding` holds nearest to `rgb`, 0..255."""
    found = nearest_colour([value / 255 for value in rgb], coding).view(1, 3, 1, 1)
    main = luma_of(found, coding)
    chroma = main if coding.weights is None else chroma_of(found, coding)
    return _Flat(main.to(device), chroma.to(device))


def _fill(planes: Planes, flat: _Flat | None) -> None:
    """Makes planes those of one colour; None: of an alpha of 0."""
    coding = planes.coding
    levels = planes.main.new_zeros((), dtype=torch.float32) if flat is None else flat.main
    planes.main.copy_(main_numbers(levels, coding).expand_as(planes.main))
    if planes.chroma is not None and flat is not None:
        planes.chroma.copy_(chroma_numbers(flat.chroma, coding).expand_as(planes.chroma))


def _parts(
    matte: Matte, band_px: int | None, nothing: float | None
) -> Iterator[tuple[slice, slice, Tensor]]:
    """Rectangles from top to bottom: rows, columns, and the linear map there, float32.

    That is [T, 8, n, m], with 1 added to the slope of the colours, or [T, 4, n, m] without slope.

    Args:
        nothing: where alpha is not above that may be left out; None: all of the picture.
    """
    source, slope, offset = matte.source, matte.slope, matte.offset
    size = source.width, source.height
    found = [rows for (rows,) in bands(source, band_px=band_px)]
    columns = [[slice(0, source.width)]] * len(found)
    if slope is None:
        for rows in found:
            yield rows, columns[0][0], offset[:, :, rows].float()
        return
    if nothing is not None and not source.main.is_cuda:
        # The most that alpha can be, whatever the source: that is in [0, 1].
        bound = torch.maximum(offset[:, 3], offset[:, 3] + slope[:, 3]).amax(0)
        columns = covered(bound > nothing, found, size)
    for rows, runs in zip(found, columns, strict=True):
        for run in runs:
            linear = enlarged((slope, offset), rows, run, size)
            linear[:, :3] += 1
            yield rows, run, linear


def _applied(rgb: Tensor, linear: Tensor, coding: Coding) -> tuple[Tensor, Tensor]:
    """Foreground [T, 3, n, w] in the source's code values, and alpha [T, 1, n, w].

    Args:
        rgb: the source, R'G'B' [T, 3, n, w].
        linear: of the same pixels, as `_parts` gives it.
    """
    view = sdr_view(rgb, coding)
    if linear.shape[1] == 4:
        found, alpha = linear[:, :3] + view, linear[:, 3:].clone()
    else:
        slope, offset = linear.split(4, dim=1)
        alpha = torch.addcmul(offset[:, 3:], slope[:, 3:], _mean(view))
        found = torch.addcmul(offset[:, :3], slope[:, :3], view)
    # The change alone is bounded: a source whiter than white stays what it is.
    change = found.clamp_(0, 1).sub_(view)
    return to_source(change, rgb, coding).add_(rgb), alpha.clamp_(0, 1)


def _mean(rgb: Tensor) -> Tensor:
    """The mean of the channels, [T, 1, n, w]; on a processor three times as fast as `mean`."""
    red, green, blue = rgb.split(1, dim=1)
    mean: Tensor = (red + green).add_(blue).mul_(1 / 3)
    return mean
