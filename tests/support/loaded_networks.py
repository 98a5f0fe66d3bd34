"""Networks that tests load again and again, loaded once in each process.

Loading a checkpoint and rewriting its network for inference takes longer than matting a tiny clip,
and nothing that computes with the result changes it. What cannot be loaded is tried anew each time.
Of some networks only a part is computed: see `partial_networks`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch

from matting.inference.base import InferenceNetwork, TrainedNetwork
from matting.inference.rvm import RvmNetwork
from matting.inference.weights import Checkpoint, load_checkpoint
from tests.support.partial_networks import (
    ConstantNetwork,
    LightNetwork,
    gives_a_constant,
    is_marked,
)


def use_loaded_networks(patch: pytest.MonkeyPatch) -> LoadedNetworks:
    """Load the same weights only once for all the jobs that are run in this process."""
    networks = LoadedNetworks()
    for module in ("matting.workers.worker", "matting.run"):
        patch.setattr(f"{module}.load_checkpoint", networks.load_checkpoint)
    return networks


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
            self._rewritten[kind] = _partial(rewritten, self._network, dtype)
        return self._rewritten[kind]


def _partial(
    whole: InferenceNetwork, network: TrainedNetwork, dtype: torch.dtype
) -> InferenceNetwork:
    """Return what is computed of a network."""
    if isinstance(network, RvmNetwork):
        if gives_a_constant(network):
            return ConstantNetwork(whole, network, dtype)
        if is_marked(network):
            return LightNetwork(whole, network, dtype)
    return whole
