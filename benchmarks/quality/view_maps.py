"""Pictures brought to a view of a lens's picture, and what is found there brought back."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.quality.turned_views import PartialView
from matting.imaging.map_building import Axis, build_map
from matting.inference.crop_window import CELL_SIDE

CPU = torch.device("cpu")


class ViewMap:
    """The maps between a square picture and a view of it.

    Attributes:
        view: what of the picture, and at which size.
        box: the rows and columns of the picture that the view lies in.
        weights: [h, w] of that box, in [0, 1]: how much the view counts there. It fades out at its
            edges, but not where these are the picture's.
    """

    def __init__(self, view: PartialView, side_px: int) -> None:
        self.view = view
        columns, rows = (Axis.of_samples(pixels, pixels) for pixels in view.size)
        source = Axis.of_samples(side_px, side_px)
        self._map = build_map(view.to_source, (columns, rows), (source, source), CPU)
        places = source.places(torch.arange(side_px, dtype=torch.float64))
        across, down, seen = view.from_source(places, places[:, None])
        inside = seen.nonzero()
        (top, left), (bottom, right) = inside.amin(0).tolist(), inside.amax(0).tolist()
        self.box = slice(top, bottom + 1), slice(left, right + 1)
        across, down, seen = across[self.box], down[self.box], seen[self.box]
        self._grid = torch.stack((across, down), dim=-1).float()[None]
        fades = (left > 0, right < side_px - 1), (top > 0, bottom < side_px - 1)
        ramps = (
            _ramp(own, pixels, ends)
            for own, pixels, ends in zip((across, down), view.size, fades, strict=True)
        )
        self.weights = torch.minimum(*ramps) * seen

    def picture(self, frame: Tensor) -> Tensor:
        """Return a picture [C, N, N], float32, as it is seen in the view; black where it ends."""
        bands = self._map.values(lambda rows: frame[:, rows])
        return torch.cat([torch.where(band.seen, band.values, 0) for band in bands], dim=1)

    def back(self, values: Tensor) -> Tensor:
        """Return values of the view [C, h, w], at the pixels of its box."""
        return F.grid_sample(values[None], self._grid, padding_mode="border", align_corners=False)[
            0
        ]

    def blend(self, whole: Tensor, part: Tensor) -> None:
        """Blend what was found in the box into what is known of the picture [N, N], in place."""
        own = whole[self.box]
        own += self.weights * (part - own)


def _ramp(places: Tensor, pixels: int, fades: tuple[bool, bool]) -> Tensor:
    """Return the weights along one side of a view of so many pixels, by places in it."""
    weights = torch.ones_like(places)
    for distance, fades_out in zip((1 + places, 1 - places), fades, strict=True):
        if fades_out:
            weights = torch.minimum(weights, distance * pixels / 2 / CELL_SIDE)
    return weights.clamp(min=0).float()
