"""A process that has imported this loads networks for its jobs as the tests' own process does.

What most jobs compute with is loaded at once, so that all processes that are forked have it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import torch

from tests.support.loaded_networks import use_loaded_networks
from tests.support.partial_networks import LIGHT_SEED, write_light_checkpoint


def load_light_network() -> None:
    """Do so in one thread: what is forked from a process with several cannot compute in them."""
    networks = use_loaded_networks(pytest.MonkeyPatch())
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = write_light_checkpoint(Path(folder) / "light.pth", LIGHT_SEED)
        network = networks.load_checkpoint(checkpoint).network
    network.for_inference(torch.float32, torch.device("cpu"))


load_light_network()
