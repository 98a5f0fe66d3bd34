"""A network that sees every frame twice, the second time mirrored, and trusts the surer view.

What it mistakes in one view it often sees in the other, and then it is mostly in doubt where it is
mistaken: much around there is half transparent. So each view counts the more, place by place, the
less of it is; where both are as sure, their mean does, which flickers less than either. Each view
has a recurrent state of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.imaging.compositor import Matte
from matting.imaging.planes import Planes
from matting.imaging.sample_format import Size
from matting.inference.base import (
    FrameFeatures,
    InferenceNetwork,
    RecurrentOutput,
    RecurrentState,
    UnusableStateError,
)
from matting.inference.state_parts import join_parts, split_parts

MAGIC = b"RVM on Segments: two views\n"

# By python -m benchmarks.quality --part best. Larger windows tell less where to trust which view,
# smaller ones let it flicker.
CELL_PX, WINDOW_CELLS = 8, 3  # of the small copy: where a doubt counts
CERTAIN = 1e-3  # the least doubt: below it, one view is as sure as the other

S = TypeVar("S", FrameFeatures, RecurrentOutput)


@dataclass(frozen=True)
class TwoViewsState(RecurrentState):
    """What a network remembers of the frames, and of the mirrored ones.

    In a file, the length of the first follows MAGIC, then both as the network saves them.
    """

    plain: RecurrentState
    mirrored: RecurrentState

    def to(self, device: torch.device) -> TwoViewsState:
        return TwoViewsState(self.plain.to(device), self.mirrored.to(device))

    def to_bytes(self) -> bytes:
        return join_parts(MAGIC, self.plain.to_bytes(), self.mirrored.to_bytes())

    def fits(self, size: Size, ratio: float) -> bool:
        return self.plain.fits(size, ratio) and self.mirrored.fits(size, ratio)


class TwoViews(InferenceNetwork):
    """Both views by the same network; its tensors of the plain one come before the other's."""

    def __init__(self, network: InferenceNetwork) -> None:
        self._network = network
        self.smallest_px = network.smallest_px

    def frame_bytes(self, size: Size, ratio: float) -> float:
        return 2 * self._network.frame_bytes(size, ratio)

    def extract_features(
        self, source: Planes, ratio: float, *, mirrored: bool = False
    ) -> FrameFeatures:
        views = (mirrored, not mirrored)
        plain, other = (
            self._network.extract_features(source, ratio, mirrored=view) for view in views
        )
        return replace(plain, tensors=(*plain.tensors, *other.tensors))

    def run_recurrent(
        self, features: FrameFeatures, state: RecurrentState | None
    ) -> tuple[RecurrentOutput, RecurrentState]:
        run, before = self._network.run_recurrent, None if state is None else _two(state)
        plain, mirrored = _views(features)
        output, after = run(plain, before.plain if before else None)
        other, other_after = run(mirrored, before.mirrored if before else None)
        both = replace(output, tensors=(*output.tensors, *other.tensors))
        return both, TwoViewsState(after, other_after)

    @torch.inference_mode()
    def fit_guided_filter(self, output: RecurrentOutput) -> Matte:
        plain, mirrored = map(self._network.fit_guided_filter, _views(output))
        alphas = self._coarse_alphas(output)
        share = mirrored_share(*alphas).to(plain.offset.device)
        # Linear maps: between what they give lies what maps between them give.
        slope = None
        if plain.slope is not None and mirrored.slope is not None:
            slope = torch.lerp(plain.slope, mirrored.slope.flip(3), share)
        offset = torch.lerp(plain.offset, mirrored.offset.flip(3), share)
        between = (alphas[0] - alphas[1]).abs().mean((1, 2, 3), dtype=torch.float32)
        between = between.to(plain.offset.device)
        return replace(plain, slope=slope, offset=offset, between_views=between)

    @torch.inference_mode()
    def coarse_alpha(self, output: RecurrentOutput) -> Tensor:
        plain, mirrored = self._coarse_alphas(output)
        return torch.lerp(plain, mirrored, mirrored_share(plain, mirrored))

    def shift_state(self, state: RecurrentState, columns: int, rows: int) -> TwoViewsState:
        both = _two(state)
        plain = self._network.shift_state(both.plain, columns, rows)
        return TwoViewsState(plain, self._network.shift_state(both.mirrored, -columns, rows))

    def load_state(self, content: bytes) -> TwoViewsState:
        parts = split_parts(MAGIC, content)
        if parts is None:
            raise UnusableStateError("it is not that of two views")
        plain, mirrored = map(self._network.load_state, parts)
        return TwoViewsState(plain, mirrored)

    def _coarse_alphas(self, output: RecurrentOutput) -> tuple[Tensor, Tensor]:
        """Return those of both views, the second turned back."""
        plain, mirrored = map(self._network.coarse_alpha, _views(output))
        return plain, mirrored.flip(3)


def mirrored_share(plain: Tensor, mirrored: Tensor) -> Tensor:
    """Return how much the mirrored view counts, [T, 1, h, w], in [0, 1]; the plain one the rest.

    Args:
        plain, mirrored: about the alpha that each view finds, turned back, [T, 1, h, w], in [0, 1].
    """
    # Squared, as variances: so values of unequal precision are averaged.
    of_plain, of_mirrored = (_doubt(alpha).square() for alpha in (plain, mirrored))
    share = of_plain / (of_plain + of_mirrored)
    share = F.interpolate(share, scale_factor=CELL_PX, mode="bilinear", align_corners=False)
    return share[:, :, : plain.shape[2], : plain.shape[3]]


def _views(step: S) -> tuple[S, S]:
    """Return what the network knows of each view."""
    half = len(step.tensors) // 2
    return replace(step, tensors=step.tensors[:half]), replace(step, tensors=step.tensors[half:])


def _doubt(alpha: Tensor) -> Tensor:
    """Return how half transparent it is around each cell, [T, 1, rows, columns], above 0."""
    cells = F.avg_pool2d(alpha * (1 - alpha), CELL_PX, ceil_mode=True, count_include_pad=False)
    around = WINDOW_CELLS // 2
    return F.avg_pool2d(cells, WINDOW_CELLS, 1, around, count_include_pad=False) + CERTAIN


def _two(state: RecurrentState) -> TwoViewsState:
    if not isinstance(state, TwoViewsState):
        raise TypeError(f"the state of a single view: {type(state).__name__}")
    return state
