"""The network's three steps from frames to mattes, each of which a thread of its own can take.

`see` and `fit` look at each frame by itself; only `decode` needs the frames in order, one after
the other, and the state that each leaves for the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from matting.imaging.colour_conversion import downsample_to_rgb
from matting.imaging.compositor import Matte
from matting.imaging.planes import Planes
from matting.imaging.tone_mapping import tone_map
from model import Features, MattingNetwork, State


@dataclass(frozen=True)
class FrameFeatures:
    """T frames, and what the network sees in each of them.

    Attributes:
        small: [T, 3, h, w], the small copy.
        refine: whether the frames are larger than that.
    """

    source: Planes
    small: Tensor
    features: Features
    refine: bool

    def __len__(self) -> int:
        return len(self.source)

    def split(self, frames: int) -> list[FrameFeatures]:
        """The same in parts of at most `frames` frames."""
        features = zip(*(f.split(frames) for f in self.features), strict=True)
        parts = zip(self.source.split(frames), self.small.split(frames), features, strict=True)
        return [FrameFeatures(source, small, _four(f), self.refine) for source, small, f in parts]


@dataclass(frozen=True)
class RecurrentOutput:
    """T frames after the recurrent decoder.

    Attributes:
        small: [T, 3, h, w], the small copy.
        hidden: [T, 16, h, w].
        refine: whether the frames are larger than that.
    """

    source: Planes
    small: Tensor
    hidden: Tensor
    refine: bool

    def __len__(self) -> int:
        return len(self.source)

    def split(self, frames: int) -> list[RecurrentOutput]:
        """The same in parts of at most `frames` frames."""
        parts = (self.source.split(frames), self.small.split(frames), self.hidden.split(frames))
        return [RecurrentOutput(*part, self.refine) for part in zip(*parts, strict=True)]


@torch.inference_mode()
def see(network: MattingNetwork, source: Planes, ratio: float) -> FrameFeatures:
    """The small copy at a ratio in (0, 1], and its features; `source` is where the network is."""
    small = tone_map(downsample_to_rgb(source, ratio), source.sample_format)
    return FrameFeatures(source, small, network.features(small), ratio != 1)


@torch.inference_mode()
def decode(
    network: MattingNetwork, seen: FrameFeatures, state: State | None
) -> tuple[RecurrentOutput, State]:
    """The decoder's work on the frames after those that left `state`, and what they leave."""
    hidden, state = network.decode(seen.small, seen.features, state, len(seen))
    return RecurrentOutput(seen.source, seen.small, hidden, seen.refine), state


@torch.inference_mode()
def fit(network: MattingNetwork, decoded: RecurrentOutput) -> Matte:
    """The linear maps from the source to what is matted."""
    slope, offset = network.maps(decoded.small, decoded.hidden, refine=decoded.refine)
    return Matte(decoded.source, slope, offset)


def _four(features: Sequence[Tensor]) -> Features:
    f1, f2, f3, f4 = features
    return f1, f2, f3, f4
