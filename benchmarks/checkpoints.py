"""Checkpoints of stand-in networks: random weights, or one alpha everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn

from model import MattingNetwork
from model.encoder import initialise

ALPHA_CONTRAST = 150  # so that random weights find much, little and all between


def write_random_checkpoint(path: Path, seed: int) -> Path:
    """Write a checkpoint of random weights: useless, but every part of the network has its say."""
    weights = random_network(seed).state_dict()
    torch.save({name: value.half() for name, value in weights.items()}, path)
    return path


def write_constant_checkpoint(path: Path, alpha: float) -> Path:
    """Write weights that give every pixel this alpha, and the source as its foreground."""
    network = MattingNetwork()
    with torch.no_grad():
        network.project_mat.conv.weight.zero_()
        network.get_parameter("project_mat.conv.bias").copy_(torch.tensor([0.0, 0.0, 0.0, alpha]))
        # Make the guided filter pass it on: no smoothing, and nothing of the guide.
        network.refiner.box_filter.weight.zero_()[:, :, 1, 1] = 1
        network.get_parameter("refiner.conv.6.weight").zero_()
        network.get_parameter("refiner.conv.6.bias").zero_()
    torch.save(network.state_dict(), path)
    return path


def write_varied_checkpoint(path: Path, seed: int) -> Path:
    """Write weights that give soft alphas all over, and the source as its foreground."""
    weights = torch.load(write_constant_checkpoint(path, 0.5), weights_only=True)
    random = random_network(seed).state_dict()
    mine = {name: value for name, value in random.items() if not name.startswith("refiner")}
    mine["project_mat.conv.weight"][:3] = 0
    mine["project_mat.conv.weight"][3] *= ALPHA_CONTRAST
    mine["project_mat.conv.bias"] = weights["project_mat.conv.bias"]
    torch.save({**weights, **mine}, path)
    return path


def random_network(seed: int) -> MattingNetwork:
    """Return a network of random weights.

    They are drawn in the order of a network that had a classifier, whose weights are drawn too and
    left: so they are still those with which bounds were set, and figures measured.
    """
    network = MattingNetwork()
    encoder = set(network.backbone.modules())
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        _draw(layer for layer in network.modules() if layer in encoder)
        classifier = nn.Linear(960, 1280), nn.Linear(1280, 1000)
        initialise(network.backbone)
        for layer in classifier:
            nn.init.normal_(layer.weight)
        _draw(layer for layer in network.modules() if layer not in encoder)
    return network


def _draw(layers: Iterable[nn.Module]) -> None:
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            layer.reset_parameters()
