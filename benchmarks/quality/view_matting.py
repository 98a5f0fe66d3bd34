"""The network on views of a lens's picture, and its mattes back in that picture.

What comes back is not the view's alpha but the network's linear maps: alpha is then computed of the
picture's own pixels, so that nothing is lost on the way.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from benchmarks.quality.clips import MAX_GREY, RGB8
from benchmarks.quality.metrics import sad_by_area
from benchmarks.quality.view_maps import ViewMap
from matting.imaging.planes import Planes
from matting.inference.base import InferenceNetwork, RecurrentState
from matting.inference.crop_window import A_LITTLE_MORE
from matting.inference.small_people import REPEATS


@dataclass
class Cost:
    """What all frames but the first took.

    Attributes:
        pixels: of all pictures that the network saw.
        network_seconds, map_seconds: of the processor, for the network, and to bring pictures to
            views and maps back.
    """

    pixels: int = 0
    network_seconds: float = 0.0
    map_seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.pixels + other.pixels,
            self.network_seconds + other.network_seconds,
            self.map_seconds + other.map_seconds,
        )


@dataclass
class ViewMatting:
    """The network in one view, with a state of its own."""

    network: InferenceNetwork
    view_map: ViewMap
    cost: Cost
    _state: RecurrentState | None = field(default=None, init=False)

    @torch.inference_mode()
    def alpha(self, frame: Tensor) -> Tensor:
        """Return the alpha of the next frame [3, N, N], in the box of the view.

        As windows are in the program, the first frame is seen several times; what it takes does not
        count.
        """
        is_first = self._state is None
        started = time.process_time()
        small = (self.view_map.picture(frame) * MAX_GREY + 0.5).to(torch.uint8)
        made = time.process_time()
        features = self.network.extract_features(Planes(RGB8, small[None]), A_LITTLE_MORE)
        for _ in range(REPEATS - 1 if is_first else 0):
            _, self._state = self.network.run_recurrent(features, self._state)
        output, self._state = self.network.run_recurrent(features, self._state)
        matte = self.network.fit_guided_filter(output)
        matted = time.process_time()
        if matte.slope is None:
            raise ValueError("the network gave no maps of its small copy")
        maps = torch.cat((matte.slope[0, 3:], matte.offset[0, 3:])).float()
        slope, offset = self.view_map.back(maps)
        rows, columns = self.view_map.box
        alpha = torch.addcmul(offset, slope, frame[:, rows, columns].mean(0)).clamp_(0, 1)
        if not is_first:
            self.cost.pixels += small[0].numel()
            self.cost.network_seconds += matted - made
            self.cost.map_seconds += made - started + time.process_time() - matted
        return alpha


def matte_views(
    network: InferenceNetwork,
    maps: Sequence[ViewMap],
    frames: Sequence[Tensor],
    first: Tensor | None = None,
) -> tuple[Tensor, Cost]:
    """Matte frames by views, and return their alpha [T, N, N], with what it took.

    Args:
        frames: [3, N, N] each, float32, in [0, 1].
        first: the alpha over which they are blended; None: their weighted mean.
    """
    cost = Cost()
    mattings = [ViewMatting(network, view_map, cost) for view_map in maps]
    alphas = []
    for number, frame in enumerate(frames):
        parts = [matting.alpha(frame) for matting in mattings]
        if first is None:
            whole = _mean_of(maps, parts, frame[0])
        else:
            whole = first[number].clone()
            for view_map, part in zip(maps, parts, strict=True):
                view_map.blend(whole, part)
        alphas.append(whole)
    return torch.stack(alphas), cost


def _mean_of(maps: Sequence[ViewMap], parts: Sequence[Tensor], like: Tensor) -> Tensor:
    """Return the weighted mean of the parts; 0 where there is none."""
    total, weights = torch.zeros_like(like), torch.zeros_like(like)
    for view_map, part in zip(maps, parts, strict=True):
        total[view_map.box] += view_map.weights * part
        weights[view_map.box] += view_map.weights
    return total / weights.clamp(min=1e-6)


def way_back_loss(alpha: Tensor, maps: Sequence[ViewMap], onto: Tensor | None = None) -> float:
    """Return SAD / area of an alpha [N, N] that was brought to views, at its own scale, and back.

    Args:
        onto: over which it is blended; None: the views' weighted mean is taken.
    """
    maps = [ViewMap(own.view.at_scale_of(len(alpha)), len(alpha)) for own in maps]
    parts = [own.back(own.picture(alpha[None]))[0] for own in maps]
    if onto is None:
        return sad_by_area(_mean_of(maps, parts, alpha)[None], alpha[None])
    whole = onto.clone()
    for view_map, part in zip(maps, parts, strict=True):
        view_map.blend(whole, part)
    return sad_by_area(whole[None], alpha[None])
