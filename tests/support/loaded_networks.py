"""Networks that tests load again and again, loaded once in each process.

Loading a checkpoint and rewriting its network for inference takes longer than matting a tiny clip,
and nothing that computes with the result changes it. What cannot be loaded is tried anew each time.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch

from matting.inference.base import InferenceNetwork, TrainedNetwork
from matting.inference.weights import Checkpoint, load_checkpoint


class LoadedNetworks:
    """The networks that were loaded so far, by the SHA-256 of their files."""

    def __init__(self) -> None:
        self._checkpoints: dict[str, Checkpoint] = {}

    def load_checkpoint(self, path: Path) -> Checkpoint:
        """Do what the program's `load_checkpoint` does, but only once for the same content."""
        if path.is_file():
            known = self._checkpoints.get(hashlib.sha256(path.read_bytes()).hexdigest())
            if known:
                return Checkpoint(path, known.sha256, known.network)
        loaded = load_checkpoint(path)
        checkpoint = Checkpoint(path, loaded.sha256, _LoadedNetwork(loaded.network))
        self._checkpoints[loaded.sha256] = checkpoint
        return checkpoint


class _LoadedNetwork(TrainedNetwork):
    """A network that is rewritten for inference once for each precision and device."""

    def __init__(self, network: TrainedNetwork) -> None:
        self._network = network
        self._rewritten: dict[tuple[torch.dtype, torch.device], InferenceNetwork] = {}

    def for_inference(self, dtype: torch.dtype, device: torch.device) -> InferenceNetwork:
        kind = dtype, device
        if kind not in self._rewritten:
            self._rewritten[kind] = self._network.for_inference(dtype, device)
        return self._rewritten[kind]
