"""Signs of doubt: what the matte of a frame shows, without any truth, of how wrong it may be.

A small copy is looked at, whatever the size of the picture, and in it cells of CELL_PX by CELL_PX
pixels. `python -m benchmarks.doubt` measures how each sign ranks frames by their true error.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.imaging.matte_planes import MAX_ALPHA
from matting.imaging.planes import signed_view
from matting.imaging.renderer import StoredFrames

# The order of the columns.
SIGNS = ("area", "haze", "clouds", "soft", "far_soft", "contour", "specks", "holes", "flicker")
# The doubt is the clouds alone. Weighed together with the others, on people that the weights were
# not fitted on, they ranked frames no better.
DOUBT = SIGNS.index("clouds")

SHORT_SIDE_PX = 288  # of the small copy; at 192, what is soft far off ranked frames worse
CELL_PX = 4
SOFT = (0.05, 0.95)  # alpha between these is half transparent
MAX_CELL = 255
STILL = 2  # of MAX_CELL: a cell whose luma changes by less from frame to frame stands still


@dataclass(frozen=True)
class CellMeans:
    """The means of the cells of T frames, by which is told what changes.

    Attributes:
        alpha, luma: [T, h, w], int16, 0..MAX_CELL.
    """

    alpha: Tensor
    luma: Tensor

    def between(self, first: int, stop: int) -> CellMeans:
        """Return the frames from `first` up to, but not with, `stop`, in the same memory."""
        return CellMeans(self.alpha[first:stop], self.luma[first:stop])

    def flicker_after(self, before: CellMeans) -> Tensor:
        """Return how much alpha changes where the picture does not, [T]: a mean over all cells.

        Args:
            before: the frame before each.
        """
        stands_still = (self.luma - before.luma).abs() < STILL
        return ((self.alpha - before.alpha).abs() * stands_still).float().mean((1, 2)) / MAX_CELL


@dataclass(frozen=True)
class SmallCopy:
    """Some of the pixels of T frames, in whole cells.

    Attributes:
        alpha, luma: [T, h, w], float32, in [0, 1]; green stands for the luma of R'G'B'.
    """

    alpha: Tensor
    luma: Tensor

    @classmethod
    @torch.inference_mode()
    def of(cls, frames: StoredFrames) -> SmallCopy:
        """Take it of frames on any device."""
        source, layout = frames.source, frames.source.sample_format
        samples = _sampled(source.luma_or_rgb[:, source.luma_or_rgb.shape[1] // 2])
        luma = (samples.to(torch.int32) & 0xFFFF) >> layout.lsb_padding
        alpha = _sampled(frames.matte.alpha[:, 0]).float() / MAX_ALPHA
        return cls(alpha, luma.float() / layout.max_code_value)


@torch.inference_mode()
def frame_signs(frames: SmallCopy, before: CellMeans | None) -> tuple[Tensor, CellMeans]:
    """Return the signs of consecutive frames, and what the frames after them are compared with.

    area      alpha
    haze      4 alpha (1 - alpha), which is 1 where alpha is one half
    clouds    haze less the steps from its pixel to the next, where it is more: haze that lies over
              an area, and not along an edge
    soft      what is half transparent
    far_soft  what of that is in no cell in which alpha crosses one half, nor beside one
    contour   the cells in which it does
    specks    people more than two cells away from any 3 by 3 cells that are all people
    holes     the same of what is between people
    flicker   how much alpha changes from the frame before where the picture does not

    Args:
        frames: T of them.
        before: of the frames before them; None: they are not known, and the first of these does
            not flicker.
    Returns:
        [T, len(SIGNS)], float32, in [0, 1]: shares of the picture, or means over all of it; and the
        cells of all frames.
    """
    alpha = frames.alpha
    soft = ((alpha > SOFT[0]) & (alpha < SOFT[1])).float()
    means, hazes, softs = (_cell_means(each) for each in (alpha, alpha - alpha * alpha, soft))
    cells = _cells(alpha)
    above, below = cells.amax(2).amax(3) > 0.5, cells.amin(2).amin(3) <= 0.5
    near = _grown(above.float()) * _grown(below.float())
    people = (means > 0.5).float()
    own = CellMeans(_quantised(means), _quantised(_cell_means(frames.luma)))
    flicker = own.flicker_after(_before_each(own, before))
    signs = (
        means,
        4 * hazes,
        _clouds(alpha),
        softs,
        softs * (1 - near),
        (above & below).float(),
        _thin_parts(people),
        _thin_parts(1 - people),
    )
    columns = [*(sign.mean((1, 2)) for sign in signs), flicker]
    return torch.stack(columns, 1), own


def _sampled(plane: Tensor) -> Tensor:
    """Return a plane [T, H, W] at evenly spaced pixels; uint16 as int16."""
    samples = signed_view(plane)
    scale = min(1.0, SHORT_SIDE_PX / min(plane.shape[1:]))
    for dim in (1, 2):
        length = plane.shape[dim]
        count = max(1, int(length * scale) // CELL_PX) * CELL_PX
        if count != length:
            places = (torch.arange(count, device=plane.device) * 2 + 1) * length // (2 * count)
            samples = samples.index_select(dim, places)
    return samples


def _clouds(alpha: Tensor) -> Tensor:
    """Return haze beyond the steps to the pixels on the right and below; [T, h - 1, w - 1]."""
    here = alpha[:, :-1, :-1]
    steps = (alpha[:, 1:, :-1] - here).abs_().add_((alpha[:, :-1, 1:] - here).abs_())
    return torch.addcmul(here, here, here, value=-1).mul_(4).sub_(steps).clamp_(min=0)


def _cells(values: Tensor) -> Tensor:
    """Return [T, h, w] as its cells, [T, h', CELL_PX, w', CELL_PX]."""
    frames, height, width = values.shape
    return values.view(frames, height // CELL_PX, CELL_PX, width // CELL_PX, CELL_PX)


def _cell_means(values: Tensor) -> Tensor:
    return F.avg_pool2d(values[:, None], CELL_PX)[:, 0]


def _quantised(means: Tensor) -> Tensor:
    return (means * MAX_CELL).round_().to(torch.int16)


def _grown(mask: Tensor) -> Tensor:
    """Return a mask [T, h, w], 0 or 1, with the cells beside what is set."""
    return F.max_pool2d(mask[:, None], 3, 1, 1)[:, 0]


def _thin_parts(mask: Tensor) -> Tensor:
    """Return the cells of a mask that are more than two away from any 3 by 3 that are all set."""
    cores = 1 - _grown(1 - mask)
    return mask * (1 - _grown(_grown(cores)))


def _before_each(own: CellMeans, before: CellMeans | None) -> CellMeans:
    """Return the frame before each; the first is its own, where that before it is not known."""
    alphas, lumas = own.alpha, own.luma
    if before is None or before.alpha.shape[1:] != alphas.shape[1:]:
        before = own.between(0, 1)
    return CellMeans(
        torch.cat((before.alpha[-1:], alphas[:-1])), torch.cat((before.luma[-1:], lumas[:-1]))
    )
