"""Robust Video Matting as one of the program's networks.

Source: Lin et al. 2021, "Robust High-Resolution Video Matting with Temporal Guidance".
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
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
    UnusableStateError,
    WrongWeightsError,
)
from matting.inference.crop_window import CELL_SIDE
from model import MattingNetwork, State, optimise_for_inference
from model.variant import MOBILENETV3, RESNET50, Variant

# For each pixel of the small copy: the network's at its peak (measured on a GPU, all precisions; of
# ResNet50 on a CPU, whose features take 150 more than the other's, with room for cuDNN's); what
# waits between its three steps, five chunks at each of two places (counted, in half precision).
NETWORK_BYTES = {MOBILENETV3: 500, RESNET50: 700}
WAITING_BYTES = {MOBILENETV3: 350, RESNET50: 700}
LARGEST_WEIGHT = torch.finfo(torch.float16).max  # the layers' numbers on a GPU
LARGEST_STATE = 1.01  # 1, and what rounding may add
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
        tensors = tuple(r.float().cpu() for r in self.tensors)
        _require_bounded(tensors)
        torch.save(tensors, content)
        return content.getvalue()

    def fits(self, size: Size, ratio: float) -> bool:
        width, height = int(size.width * ratio), int(size.height * ratio)
        sizes = [(1, -(-height // step), -(-width // step)) for step in STATE_STEPS]
        return [(len(r), *r.shape[2:]) for r in self.tensors] == sizes


class RvmInference(InferenceNetwork):
    """RVM on its device. Tensors between its steps: the small copy [T, 3, h, w] in [0, 1], then
    f1 .. f4 after the first step, the decoder's output [T, 16, h, w] after the second; then, on a
    CPU, its projection [T, 4, h, w], which alpha is told by and the third step needs again."""

    smallest_px = 16

    def __init__(self, network: MattingNetwork, device: torch.device) -> None:
        """
        Args:
            network: as `optimise_for_inference` returns it, on `device`.
        """
        self._network = network
        self._device = device

    def frame_bytes(self, size: Size, ratio: float) -> float:
        variant = self._network.variant
        pixel_bytes = NETWORK_BYTES[variant] + WAITING_BYTES[variant]
        return pixel_bytes * size.width * size.height * ratio**2

    @torch.inference_mode()
    def extract_features(
        self, source: Planes, ratio: float, *, mirrored: bool = False
    ) -> FrameFeatures:
        small = tone_map(downsample_to_rgb(source, ratio), source.sample_format).to(self._device)
        small = small.flip(3) if mirrored else small
        return FrameFeatures(source, ratio, (small, *self._network.extract_features(small)))

    @torch.inference_mode()
    def run_recurrent(
        self, features: FrameFeatures, state: RecurrentState | None
    ) -> tuple[RecurrentOutput, RecurrentState]:
        small, f1, f2, f3, f4 = features.tensors
        before = None if state is None else _rvm_state(state).tensors
        hidden, after = self._network.run_recurrent(small, (f1, f2, f3, f4), before, len(features))
        tensors = [small, hidden]
        if self._device.type == "cpu":  # a GPU has more time than memory for it
            tensors.append(self._network.project(hidden))
        output = RecurrentOutput(features.source, features.ratio, tuple(tensors))
        return output, RvmState(after)

    @torch.inference_mode()
    def fit_guided_filter(self, output: RecurrentOutput) -> Matte:
        small, hidden = output.tensors[:2]
        slope, offset = self._network.fit_guided_filter(
            small, self._projected(output), hidden, refine=output.ratio != 1
        )
        frames = output.source.device  # where the maps are applied
        return Matte(output.source, None if slope is None else slope.to(frames), offset.to(frames))

    @torch.inference_mode()
    def coarse_alpha(self, output: RecurrentOutput) -> Tensor:
        return self._projected(output)[:, 3:].clamp(0, 1)

    def _projected(self, output: RecurrentOutput) -> Tensor:
        """Return residual and alpha on the small copy, [T, 4, h, w]."""
        _, hidden, *projected = output.tensors
        return projected[0] if projected else self._network.project(hidden)

    @torch.inference_mode()
    def shift_state(self, state: RecurrentState, columns: int, rows: int) -> RvmState:
        steps = (CELL_SIDE // step for step in STATE_STEPS)
        moved = (
            _shift(r, columns * step, rows * step)
            for r, step in zip(_rvm_state(state).tensors, steps, strict=True)
        )
        r1, r2, r3, r4 = moved
        return RvmState((r1, r2, r3, r4))

    def load_state(self, content: bytes) -> RvmState:
        try:
            tensors = torch_files.load_tensors(content)
        except torch_files.UnreadableError as error:
            raise UnusableStateError("it cannot be read") from error
        if not isinstance(tensors, tuple) or not all(isinstance(r, Tensor) for r in tensors):
            raise UnusableStateError("it holds something else")
        if not all(map(_is_plain, tensors)) or {r.dtype for r in tensors} != {torch.float32}:
            raise UnusableStateError("its values are of another kind")
        if [r.shape[1] if r.ndim == 4 else 0 for r in tensors] != [
            *self._network.variant.state_channels
        ]:
            raise UnusableStateError("it is that of another network")
        if sum(r.numel() * r.element_size() for r in tensors) > len(content):
            raise UnusableStateError("it would be larger than its file")
        _require_bounded(tensors)
        return RvmState(tensors).to(self._device)


@dataclass(frozen=True)
class RvmNetwork(TrainedNetwork):
    """RVM with its weights, in float32 and evaluation mode."""

    network: MattingNetwork

    @classmethod
    def of(cls, weights: Mapping[str, object], variant: Variant) -> RvmNetwork:
        """Return the network with these parameters; half-precision ones are widened to float32.

        Raises:
            WrongWeightsError: names the first parameter that is missing, superfluous, misshapen, or
                holds what cannot be computed with.
        """
        network = MattingNetwork(variant)
        parameters: dict[str, Tensor] = {}
        for name, expected in network.state_dict().items():
            tensor = weights.get(name)
            if not isinstance(tensor, Tensor):
                raise WrongWeightsError(f"{name} is missing")
            if tensor.shape != expected.shape:
                raise WrongWeightsError(
                    f"{name} has shape {tuple(tensor.shape)} instead of {tuple(expected.shape)}"
                )
            problem = _problem(name, tensor, expected)
            if problem:
                raise WrongWeightsError(f"{name} {problem}")
            parameters[name] = tensor
        for name in weights:
            if name not in parameters:
                raise WrongWeightsError(f"{name} is not part of the network")
        network.load_state_dict(parameters, strict=True)
        return cls(network.eval())

    def for_inference(self, dtype: torch.dtype, device: torch.device) -> RvmInference:
        return RvmInference(optimise_for_inference(self.network, dtype).to(device), device)


def _problem(name: str, tensor: Tensor, expected: Tensor) -> str:
    """Return why a parameter cannot be computed with, as a predicate; "" where it can."""
    counts = not expected.is_floating_point()  # they play no part
    if not _is_plain(tensor) or not (counts or tensor.is_floating_point()):
        return f"holds values of another kind ({tensor.dtype})"
    if counts:
        return ""
    if not bool(tensor.abs().max() <= LARGEST_WEIGHT):  # NaN is not, either
        return "holds values that are no numbers, or are far too large"
    if name.endswith("running_var") and bool(tensor.min() < 0):
        return "holds negative variances"
    return ""


def _is_plain(tensor: Tensor) -> bool:
    """Return whether a tensor holds its values as such: dense, real, in memory."""
    return (
        tensor.layout is torch.strided
        and tensor.device.type == "cpu"
        and not tensor.is_nested
        and not tensor.is_quantized
        and not tensor.is_complex()
    )


def _require_bounded(state: Sequence[Tensor]) -> None:
    """Refuse values that a state cannot have.

    It begins at 0 and stays within [-1, 1]: each step is a mean of the one before and of a tanh.

    Raises:
        UnusableStateError: one is no number, or outside.
    """
    if not all(bool(r.abs().max() <= LARGEST_STATE) for r in state if r.numel()):
        raise UnusableStateError("there are values that are no numbers, or are far too large")


def _shift(state: Tensor, columns: int, rows: int) -> Tensor:
    """Return a state [1, c, h, w] as seen from further on; what comes into view is as its edge."""
    for dim, distance in ((2, rows), (3, columns)):
        if distance:
            index = torch.arange(state.shape[dim], device=state.device).add_(distance)
            state = state.index_select(dim, index.clamp_(0, state.shape[dim] - 1))
    return state.contiguous(memory_format=torch.channels_last)


def _rvm_state(state: RecurrentState) -> RvmState:
    if not isinstance(state, RvmState):
        raise TypeError(f"the state of another network: {type(state).__name__}")
    return state
