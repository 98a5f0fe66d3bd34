"""Loading a trusted checkpoint of one of the variants."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from model.network import MattingNetwork
from model.variant import variant_of


def load_network(path: Path) -> MattingNetwork:
    """Return the network with the weights of `path`, in float32 and evaluation mode, on the CPU.

    The variant is the one that their names are of.

    Raises:
        RuntimeError: a parameter is missing, superfluous or misshapen.
    """
    weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    network = MattingNetwork(variant_of(weights))
    network.load_state_dict(weights, strict=True)
    return network.eval()
