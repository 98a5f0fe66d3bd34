"""Robust Video Matting as one of the program's networks.

Source: Lin et al. 2021, "Robust High-Resolution Video Matting with Temporal Guidance".
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from matting.imaging.colour_conversion import downsample_to_rgb
from matting.imaging.compositor import Matte
from matting.imaging.planes import Planes
from matting.imaging.sample_format import Size
from matting.imaging.tone_mapping import tone_map
from matting.inference import torch_files
from matting.inference.base import (
    FrameFeatures,
    InferenceNetwork,
    RecurrentOutput,
    RecurrentState,
    TrainedNetwork,
    WrongWeightsError,
)
from model import MattingNetwork, State, optimise_for_inference

# For each pixel of the small copy: the network's at its peak (measured, all precisions); what waits
# between its three steps, five chunks at each of two places (counted, in half precision).
NETWORK_BYTES, WAITING_BYTES = 500, 350
STATE_STEPS = (2, 4, 8, 16)  # how many pixels of the small copy make one of r1 .. r4


@dataclass(frozen=True)
class RvmState(RecurrentState):
    """The recurrent states r1 .. r4, [1, c, h, w] each, float32."""

    tensors: State

    def to(self, device: torch.device) -> RvmState:
        r1, r2, r3, r4 = (
            r.to(device, torch.float32, memory_format=torch.channels_last) for r in self.tensors
        )
        return RvmState((r1, r2, r3, r4))

    def to_bytes(self) -> bytes:
        content = io.BytesIO()
        torch.save(tuple(r.float().cpu() for r in self.tensors), content)
        return content.getvalue()

    def fits(self, size: Size, ratio: float) -> bool:
        width, height = int(size.width * ratio), int(size.height * ratio)
        sizes = [(1, -(-height // step), -(-width // step)) for step in STATE_STEPS]
        return [(len(r), *r.shape[2:]) for r in self.tensors] == sizes


class RvmInference(InferenceNetwork):
    """RVM on its device. Tensors between its steps: the small copy [T, 3, h, w] in [0, 1], then
    f1 .. f4 after the first step, the decoder's output [T, 16, h, w] after the second."""

    smallest_px = 16

    def __init__(self, network: MattingNetwork, device: torch.device) -> None:
        """
        Args:
            network: as `optimise_for_inference` returns it, on `device`.
        """
        self._network = network
        self._device = device

    def frame_bytes(self, size: Size, ratio: float) -> float:
        return (NETWORK_BYTES + WAITING_BYTES) * size.width * size.height * ratio**2

    @torch.inference_mode()
    def extract_features(self, source: Planes, ratio: float) -> FrameFeatures:
        small = tone_map(downsample_to_rgb(source, ratio), source.sample_format)
        return FrameFeatures(source, ratio, (small, *self._network.extract_features(small)))

    @torch.inference_mode()
    def run_recurrent(
        self, features: FrameFeatures, state: RecurrentState | None
    ) -> tuple[RecurrentOutput, RecurrentState]:
        small, f1, f2, f3, f4 = features.tensors
        before = None if state is None else _rvm_state(state).tensors
        hidden, after = self._network.run_recurrent(small, (f1, f2, f3, f4), before, len(features))
        output = RecurrentOutput(features.source, features.ratio, (small, hidden))
        return output, RvmState(after)

    @torch.inference_mode()
    def fit_guided_filter(self, output: RecurrentOutput) -> Matte:
        small, hidden = output.tensors
        slope, offset = self._network.fit_guided_filter(small, hidden, refine=output.ratio != 1)
        return Matte(output.source, slope, offset)

    def load_state(self, content: bytes) -> RvmState | None:
        try:
            tensors = torch_files.load_tensors(content)
        except torch_files.UnreadableError:
            return None
        if not isinstance(tensors, tuple) or not all(isinstance(r, Tensor) for r in tensors):
            return None
        channels = [r.shape[1] if r.ndim == 4 else 0 for r in tensors]
        if channels != list(self._network.state_channels):
            return None
        return RvmState(tensors).to(self._device)


@dataclass(frozen=True)
class RvmNetwork(TrainedNetwork):
    """RVM with its weights, in float32 and evaluation mode."""

    network: MattingNetwork

    @classmethod
    def of(cls, weights: Mapping[str, object]) -> RvmNetwork:
        """Return the network with these parameters; half-precision ones are widened to float32.

        Raises:
            WrongWeightsError: names the first parameter that is missing, superfluous or misshapen.
        """
        network = MattingNetwork()
        parameters: dict[str, Tensor] = {}
        for name, expected in network.state_dict().items():
            tensor = weights.get(name)
            if not isinstance(tensor, Tensor):
                raise WrongWeightsError(f"{name} is missing")
            if tensor.shape != expected.shape:
                raise WrongWeightsError(
                    f"{name} has shape {tuple(tensor.shape)} instead of {tuple(expected.shape)}"
                )
            parameters[name] = tensor
        for name in weights:
            if name not in parameters:
                raise WrongWeightsError(f"{name} is not part of the network")
        network.load_state_dict(parameters, strict=True)
        return cls(network.eval())

    def for_inference(self, dtype: torch.dtype, device: torch.device) -> RvmInference:
        return RvmInference(optimise_for_inference(self.network, dtype).to(device), device)


def _rvm_state(state: RecurrentState) -> RvmState:
    if not isinstance(state, RvmState):
        raise TypeError(f"the state of another network: {type(state).__name__}")
    return state
