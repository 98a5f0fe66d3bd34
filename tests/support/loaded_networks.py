"""Networks that tests load again and again, loaded once in each process.

Loading a checkpoint and rewriting its network for inference takes longer than matting a tiny clip,
and nothing that computes with the result changes it. What cannot be loaded is tried anew each time.
Of a network that gives every pixel the same alpha, what has no say in that is not computed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import Tensor

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
    TrainedNetwork,
)
from matting.inference.rvm import STATE_STEPS, RvmNetwork, RvmState
from matting.inference.weights import Checkpoint, load_checkpoint

HIDDEN_CHANNELS = 16


class LoadedNetworks:
    """The networks that were loaded so far, by the SHA-256 of their files."""

    def __init__(self) -> None:
        self._checkpoints: dict[str, Checkpoint] = {}
        self._hashes: dict[tuple[int, ...], str] = {}

    def load_checkpoint(self, path: Path) -> Checkpoint:
        """Do what the program's `load_checkpoint` does, but only once for the same content."""
        if path.is_file():
            known = self._checkpoints.get(self._sha256(path))
            if known:
                return Checkpoint(path, known.sha256, known.network)
        loaded = load_checkpoint(path)
        checkpoint = Checkpoint(path, loaded.sha256, _LoadedNetwork(loaded.network))
        self._checkpoints[loaded.sha256] = checkpoint
        return checkpoint

    def _sha256(self, path: Path) -> str:
        """Return a file's hash, computed once for each time that it is written."""
        status = path.stat()
        written = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
        if written not in self._hashes:
            self._hashes[written] = hashlib.sha256(path.read_bytes()).hexdigest()
        return self._hashes[written]


class _LoadedNetwork(TrainedNetwork):
    """A network that is rewritten for inference once for each precision and device."""

    def __init__(self, network: TrainedNetwork) -> None:
        self._network = network
        self._rewritten: dict[tuple[torch.dtype, torch.device], InferenceNetwork] = {}

    def for_inference(self, dtype: torch.dtype, device: torch.device) -> InferenceNetwork:
        kind = dtype, device
        if kind not in self._rewritten:
            rewritten = self._network.for_inference(dtype, device)
            if isinstance(self._network, RvmNetwork) and gives_a_constant(self._network):
                rewritten = ConstantNetwork(rewritten, self._network, dtype)
            self._rewritten[kind] = rewritten
        return self._rewritten[kind]


def gives_a_constant(network: RvmNetwork) -> bool:
    """Return whether what the decoder computes has no say in the result."""
    last = "project_mat.conv.weight", "refiner.conv.6.weight"
    return not any(bool(network.network.get_parameter(name).any()) for name in last)


class ConstantNetwork(InferenceNetwork):
    """Such a network without its encoder and decoder: what these give is 0 throughout."""

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

    @torch.inference_mode()
    def run_recurrent(
        self, features: FrameFeatures, state: RecurrentState | None
    ) -> tuple[RecurrentOutput, RecurrentState]:
        (small,) = features.tensors
        hidden = small.new_zeros(
            (len(small), HIDDEN_CHANNELS, *small.shape[2:]), dtype=self._dtype
        ).contiguous(memory_format=torch.channels_last)
        output = RecurrentOutput(features.source, features.ratio, (small, hidden))
        return output, state or self._first_state(small)

    def _first_state(self, small: Tensor) -> RvmState:
        height, width = small.shape[2:]
        r1, r2, r3, r4 = (
            small.new_zeros((1, channels, -(-height // step), -(-width // step)))
            for channels, step in zip(self._state_channels, STATE_STEPS, strict=True)
        )
        return RvmState((r1, r2, r3, r4))

    def fit_guided_filter(self, output: RecurrentOutput) -> Matte:
        return self._whole.fit_guided_filter(output)

    def coarse_alpha(self, output: RecurrentOutput) -> Tensor:
        return self._whole.coarse_alpha(output)

    def shift_state(self, state: RecurrentState, columns: int, rows: int) -> RecurrentState:
        return self._whole.shift_state(state, columns, rows)

    def load_state(self, content: bytes) -> RecurrentState:
        return self._whole.load_state(content)
