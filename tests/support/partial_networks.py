"""Networks of which only a part is computed, for jobs whose frames tell nothing of the rest.

What is left out is the encoder and the decoder, which take most of the time of a tiny job.
"""

from __future__ import annotations

import io
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.checkpoints import write_random_checkpoint
from matting.imaging.colour_conversion import downsample_to_rgb
from matting.imaging.compositor import Matte
from matting.imaging.planes import Planes
from matting.imaging.sample_format import Size
from matting.imaging.tone_mapping import tone_map
from matting.inference.base import (
    FrameFeatures,
    InferenceNetwork,
    RecurrentOutput,
    RecurrentState,
)
from matting.inference.rvm import STATE_STEPS, RvmNetwork, RvmState

HIDDEN_CHANNELS = 16
SHOWN_CHANNELS = HIDDEN_CHANNELS // len(STATE_STEPS)  # of each state
LIGHT_SEED = 20  # of those weights that are loaded before they are asked for
NEW_SHARE = 0.3  # of a frame in the states after it
# A parameter that plays no part in inference says so: this, and the share of what is new.
MARK, MARK_VALUE = "project_seg.conv.bias", 20.0


class PartialNetwork(InferenceNetwork):
    """RVM without its encoder and decoder; a subclass says what the latter gives."""

    def __init__(self, whole: InferenceNetwork, network: RvmNetwork, dtype: torch.dtype) -> None:
        self._whole, self._dtype = whole, dtype
        self._state_channels = network.network.variant.state_channels
        self.smallest_px = whole.smallest_px

    def frame_bytes(self, size: Size, ratio: float) -> float:
        return self._whole.frame_bytes(size, ratio)

    @torch.inference_mode()
    def extract_features(
        self, source: Planes, ratio: float, *, mirrored: bool = False
    ) -> FrameFeatures:
        small = tone_map(downsample_to_rgb(source, ratio), source.sample_format)
        return FrameFeatures(source, ratio, (small.flip(3) if mirrored else small,))

    def fit_guided_filter(self, output: RecurrentOutput) -> Matte:
        return self._whole.fit_guided_filter(output)

    def coarse_alpha(self, output: RecurrentOutput) -> Tensor:
        return self._whole.coarse_alpha(output)

    def shift_state(self, state: RecurrentState, columns: int, rows: int) -> RecurrentState:
        return self._whole.shift_state(state, columns, rows)

    def load_state(self, content: bytes) -> RecurrentState:
        return self._whole.load_state(content)

    def _first_state(self, small: Tensor) -> RvmState:
        height, width = small.shape[2:]
        r1, r2, r3, r4 = (
            small.new_zeros((1, channels, -(-height // step), -(-width // step)))
            for channels, step in zip(self._state_channels, STATE_STEPS, strict=True)
        )
        return RvmState((r1, r2, r3, r4))

    def _output(self, features: FrameFeatures, small: Tensor, hidden: Tensor) -> RecurrentOutput:
        hidden = hidden.to(self._dtype).contiguous(memory_format=torch.channels_last)
        return RecurrentOutput(features.source, features.ratio, (small, hidden))


class ConstantNetwork(PartialNetwork):
    """A network that gives every pixel the same: what its decoder gives has no say, and is 0."""

    @torch.inference_mode()
    def run_recurrent(
        self, features: FrameFeatures, state: RecurrentState | None
    ) -> tuple[RecurrentOutput, RecurrentState]:
        (small,) = features.tensors
        hidden = small.new_zeros((len(small), HIDDEN_CHANNELS, *small.shape[2:]))
        return self._output(features, small, hidden), state or self._first_state(small)


class LightNetwork(PartialNetwork):
    """A network in whose place a light one remembers how bright the frames were, by and by less.

    Its states are of RVM's shapes and in RVM's bounds. What is seen depends on every pixel, on the
    frames before, and on the weights, by which RVM's own last layers make alpha of it.
    """

    def __init__(self, whole: InferenceNetwork, network: RvmNetwork, dtype: torch.dtype) -> None:
        super().__init__(whole, network, dtype)
        self._new_share = _new_share(network)

    @torch.inference_mode()
    def run_recurrent(
        self, features: FrameFeatures, state: RecurrentState | None
    ) -> tuple[RecurrentOutput, RecurrentState]:
        (small,) = features.tensors
        before = state or self._first_state(small)
        assert isinstance(before, RvmState)
        hidden = []
        for frame in _with_left_neighbours(small.mean(1, keepdim=True)).split(1):
            r1, r2, r3, r4 = (
                torch.lerp(r, _seen(frame, step, r.shape[1]), self._new_share)
                for r, step in zip(before.tensors, STATE_STEPS, strict=True)
            )
            before = RvmState((r1, r2, r3, r4))
            shown = [
                F.interpolate(r[:, :SHOWN_CHANNELS], size=frame.shape[2:]) for r in before.tensors
            ]
            hidden.append(torch.cat(shown, 1) + frame)
        return self._output(features, small, torch.cat(hidden)), before


def _with_left_neighbours(frames: Tensor) -> Tensor:
    """Return the mean of each pixel and the one left of it: so what is mirrored differs."""
    return (frames + torch.cat((frames[..., :1], frames[..., :-1]), 3)) / 2


def _seen(frame: Tensor, step: int, channels: int) -> Tensor:
    """Return what a state of that step and so many channels takes in of a frame, in -1..1."""
    pooled = F.avg_pool2d(frame, step, ceil_mode=True, count_include_pad=False)
    return (2 * pooled - 1) * torch.linspace(-1, 1, channels).view(1, -1, 1, 1)


def write_light_checkpoint(path: Path, seed: int, new_share: float = NEW_SHARE) -> Path:
    """Write random weights that a light network may take the place of; the same for each seed.

    Args:
        new_share: of a frame in the states after it, in 0..1.
    """
    weights = torch.load(write_random_checkpoint(path, seed), weights_only=True)
    weights[MARK] = torch.full(weights[MARK].shape, MARK_VALUE + new_share)
    content = io.BytesIO()
    torch.save(weights, content)  # in a file, its name would be part of it
    path.write_bytes(content.getvalue())
    return path


def gives_a_constant(network: RvmNetwork) -> bool:
    """Return whether what the decoder computes has no say in the result."""
    last = "project_mat.conv.weight", "refiner.conv.6.weight"
    return not any(bool(network.network.get_parameter(name).any()) for name in last)


def is_marked(network: RvmNetwork) -> bool:
    """Return whether the weights say that a light network may take their network's place."""
    return 0 <= _new_share(network) <= 1


def _new_share(network: RvmNetwork) -> float:
    return network.network.get_parameter(MARK).item() - MARK_VALUE
