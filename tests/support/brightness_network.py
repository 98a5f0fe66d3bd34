"""A network that takes whatever is bright for people, and remembers a little of what it saw."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from matting.imaging.colour_conversion import downsample_to_rgb
from matting.imaging.compositor import Matte
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, Size
from matting.inference.base import (
    FrameFeatures,
    InferenceNetwork,
    RecurrentOutput,
    RecurrentState,
    TrainedNetwork,
)
from matting.inference.crop_window import CELL_SIDE

MEMORY = 0.25  # how much of what it saw before is in what it sees
DARK_BACKDROP = 40
DARK, BRIGHT = 0.2, 0.85  # nobody is darker, and whoever is brighter is opaque


@dataclass(frozen=True)
class Seen(RecurrentState):
    """The brightness of each pixel of the small copy, as it was, [h, w]."""

    brightness: Tensor

    def to(self, device: torch.device) -> Seen:
        return Seen(self.brightness.to(device))

    def to_bytes(self) -> bytes:
        content = io.BytesIO()
        torch.save(self.brightness, content)
        return content.getvalue()

    def fits(self, size: Size, ratio: float) -> bool:
        return self.brightness.shape == (int(size.height * ratio), int(size.width * ratio))


class BrightnessInference(InferenceNetwork):
    """That network at work.

    Attributes:
        small_sizes: of each frame that it looked at, in order.
        shifts: by how many cells states were moved, in order.
    """

    smallest_px = 4

    def __init__(self) -> None:
        self.small_sizes: list[Size] = []
        self.shifts: list[tuple[int, int]] = []

    def frame_bytes(self, size: Size, ratio: float) -> float:
        return 4 * size.width * size.height * ratio**2

    def extract_features(
        self, source: Planes, ratio: float, *, mirrored: bool = False
    ) -> FrameFeatures:
        brightness = downsample_to_rgb(source, ratio).mean(1)
        brightness = brightness.flip(2) if mirrored else brightness
        self.small_sizes += [Size(*brightness.shape[:0:-1])] * len(source)
        return FrameFeatures(source, ratio, (brightness,))

    def run_recurrent(
        self, features: FrameFeatures, state: RecurrentState | None
    ) -> tuple[RecurrentOutput, RecurrentState]:
        seen = []
        before = state.brightness if isinstance(state, Seen) else None
        for now in features.tensors[0]:
            before = now if before is None else torch.lerp(now, before, MEMORY)
            seen.append(before)
        output = RecurrentOutput(features.source, features.ratio, (torch.stack(seen),))
        return output, Seen(seen[-1])

    def fit_guided_filter(self, output: RecurrentOutput) -> Matte:
        alpha = self.coarse_alpha(output)
        offset = torch.cat((torch.zeros_like(alpha).expand(-1, 3, -1, -1), alpha), 1)
        return Matte(output.source, torch.zeros_like(offset), offset)

    def coarse_alpha(self, output: RecurrentOutput) -> Tensor:
        return ((output.tensors[0][:, None] - DARK) / (BRIGHT - DARK)).clamp(0, 1)

    def shift_state(self, state: RecurrentState, columns: int, rows: int) -> Seen:
        assert isinstance(state, Seen)
        self.shifts.append((columns, rows))
        moved = state.brightness
        for dim, cells in ((0, rows), (1, columns)):
            index = torch.arange(moved.shape[dim]) + cells * CELL_SIDE
            moved = moved.index_select(dim, index.clamp(0, moved.shape[dim] - 1))
        return Seen(moved)

    def load_state(self, content: bytes) -> Seen:
        return Seen(torch.load(io.BytesIO(content)))


class BrightnessNetwork(TrainedNetwork):
    """That network, with the only one at work that there is of it."""

    def __init__(self) -> None:
        self.at_work = BrightnessInference()

    def for_inference(self, dtype: torch.dtype, device: torch.device) -> BrightnessInference:
        return self.at_work


def scene(
    size: Size, people: Sequence[tuple[int, int, int, int]], backdrop: int = DARK_BACKDROP
) -> Planes:
    """Return a dark frame with bright people: left, top, width and height of each."""
    samples = torch.full((1, 3, size.height, size.width), backdrop, dtype=torch.uint8)
    for left, top, width, height in people:
        samples[..., max(0, top) : top + height, max(0, left) : left + width] = 230
    return Planes(SampleFormat(), samples)
