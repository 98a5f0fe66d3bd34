"""What the program asks of a matting network: three steps from frames to mattes, and a state.

Only a network's own module knows which tensors it passes from step to step, which it remembers, in
which shapes, and how its weights are named.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor

from matting.imaging.compositor import Matte
from matting.imaging.crops import Crop, split_crops
from matting.imaging.planes import Planes
from matting.imaging.sample_format import Size

R = TypeVar("R", bound="_StepResult")


@dataclass(frozen=True)
class _StepResult:
    """T frames after one of the steps.

    Attributes:
        source: the frames.
        ratio: the downsample ratio; in (0, 1], of crops also above.
        tensors: the network's own, [T, ...] each.
    """

    source: Planes
    ratio: float
    tensors: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.source)

    def split(self: R, frames: int) -> Sequence[R]:
        """Return the same in parts of at most `frames` frames."""
        tensors = zip(*(tensor.split(frames) for tensor in self.tensors), strict=True)
        parts = zip(self.source.split(frames), tensors, strict=True)
        return [replace(self, source=source, tensors=own) for source, own in parts]

    def between(self: R, first: int, stop: int) -> R:
        """Return the frames from `first` up to, but not with, `stop`, in the same memory."""
        tensors = tuple(tensor[first:stop] for tensor in self.tensors)
        return replace(self, source=self.source.between(first, stop), tensors=tensors)


@dataclass(frozen=True)
class FrameFeatures(_StepResult):
    """T frames, and what a network extracts from each of them by itself."""


@dataclass(frozen=True)
class RecurrentOutput(_StepResult):
    """T frames, and what a network makes of their features and of the frames before.

    Attributes:
        crops: the same of parts of the frames, seen by themselves.
    """

    crops: tuple[Crop[RecurrentOutput], ...] = ()

    @property
    def frames_with_crops(self) -> set[int]:
        """The numbers of those of the frames that have any that counts."""
        counting = ((c.first + i, share) for c in self.crops for i, share in enumerate(c.shares))
        return {frame for frame, share in counting if share}

    def split(self, frames: int) -> Sequence[RecurrentOutput]:
        parts = super().split(frames)
        crops = split_crops(self.crops, [len(part) for part in parts])
        return [replace(part, crops=own) for part, own in zip(parts, crops, strict=True)]

    def between(self, first: int, stop: int) -> RecurrentOutput:
        _, crops = split_crops(self.crops, [first, stop - first])
        return replace(super().between(first, stop), crops=crops)


class RecurrentState(ABC):
    """What a network remembers of the frames so far; immutable."""

    @abstractmethod
    def to(self, device: torch.device) -> RecurrentState:
        """Return a copy on `device`; the state itself where it is there already."""

    @abstractmethod
    def to_bytes(self) -> bytes:
        """Return it in float32, for `InferenceNetwork.load_state`.

        Raises:
            UnusableStateError: no such network can have come to it.
        """

    @abstractmethod
    def fits(self, size: Size, ratio: float) -> bool:
        """Return whether it belongs to frames of that size at that ratio."""


class InferenceNetwork(ABC):
    """A network on its device, optimised for inference.

    `extract_features` and `fit_guided_filter` take each frame by itself, in any thread; only
    `run_recurrent` needs the frames in order.

    Attributes:
        smallest_px: the shortest side that a small copy may have.
    """

    smallest_px: int

    @abstractmethod
    def frame_bytes(self, size: Size, ratio: float) -> float:
        """Return how much of a GPU's memory the steps need for a frame, without its samples."""

    @abstractmethod
    def extract_features(
        self, source: Planes, ratio: float, *, mirrored: bool = False
    ) -> FrameFeatures:
        """Return the features of frames for a ratio in (0, 1], on the network's device.

        Args:
            source: on that device or on the CPU.
            mirrored: whether the frames are seen with left and right exchanged; all that comes of
                these features is mirrored, too.
        """

    @abstractmethod
    def run_recurrent(
        self, features: FrameFeatures, state: RecurrentState | None
    ) -> tuple[RecurrentOutput, RecurrentState]:
        """Return what comes of the frames after those that left `state`, and the state they leave.

        Args:
            state: of this very kind of network; None: there are no frames before.
        """

    @abstractmethod
    def fit_guided_filter(self, output: RecurrentOutput) -> Matte:
        """Return the mattes: linear maps from the source to foreground and alpha, on its device."""

    @abstractmethod
    def coarse_alpha(self, output: RecurrentOutput) -> Tensor:
        """Return about the alpha of each pixel of the small copy, [T, 1, h, w], float32."""

    @abstractmethod
    def shift_state(self, state: RecurrentState, columns: int, rows: int) -> RecurrentState:
        """Return what is remembered, for a view of the same place from further on.

        Args:
            columns, rows: by how many cells the view has moved to the right, and down; CELL_SIDE
                pixels of the small copy are the side of a cell.
        """

    @abstractmethod
    def load_state(self, content: bytes) -> RecurrentState:
        """Return the state that `to_bytes` saved, on the network's device.

        Raises:
            UnusableStateError: `content` cannot be read, is the state of another network, or one
                to which this network cannot have come.
        """


class TrainedNetwork(ABC):
    """A network with its weights, on the CPU."""

    @abstractmethod
    def for_inference(self, dtype: torch.dtype, device: torch.device) -> InferenceNetwork:
        """Return a copy optimised for inference.

        Args:
            dtype: float32, float16 or bfloat16, for the layers; states stay float32 in all.
        """


class WrongWeightsError(ValueError):
    """A checkpoint holds the weights of something else; the message says what differs."""


class UnusableStateError(ValueError):
    """A state cannot be gone on from; the message says why, as a clause."""
