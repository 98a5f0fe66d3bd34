"""The larger variant's encoder rewritten for inference, by the principles of `inference`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from model.convolution import Convolution
from model.encoder import Features
from model.resnet50 import ResNet50Encoder, pool


class ResNet50Inference(nn.Module):
    """ResNet50Encoder with its batch norms folded, and its sums and activations fused."""

    def __init__(self, encoder: ResNet50Encoder) -> None:
        """
        Args:
            encoder: the norms of its shortcuts, which are sequences, may be folded already.
        """
        super().__init__()
        self.first = _folded(encoder.conv1, encoder.bn1, nn.ReLU())
        stages = (encoder.layer1, encoder.layer2, encoder.layer3, encoder.layer4)
        self.stages = nn.ModuleList(nn.Sequential(*map(_Bottleneck, stage)) for stage in stages)

    def forward(self, src: Tensor) -> Features:
        """As `ResNet50Encoder.forward`."""
        dtype = self.first.weight.dtype
        f1: Tensor = self.first(src.to(dtype, memory_format=torch.channels_last))
        f2 = self.stages[0](pool(f1))
        f3 = self.stages[1](f2)
        return f1, f2, f3, self.stages[3](self.stages[2](f3))


class _Bottleneck(nn.Module):
    """A Bottleneck: what three convolutions make of the input is added to it."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.first = _folded(block.conv1, block.bn1, block.relu)
        self.second = _folded(block.conv2, block.bn2, block.relu)
        self.last = _folded(block.conv3, block.bn3, block.relu)
        self.shortcut = None if block.downsample is None else _folded(*block.downsample)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output; without a shortcut of its own, `x` is overwritten by it.

        That is always what the block before gave, which nothing else reads: the features that the
        decoder takes go into blocks with a shortcut.
        """
        residual = self.second(self.first(x))
        return self.last.add_to(x if self.shortcut is None else self.shortcut(x), residual)


def _folded(
    convolution: nn.Conv2d, norm: nn.Module, activation: nn.Module | None = None
) -> Convolution:
    """Return a convolution, its norm (unless folded in already) and its activation as one."""
    if isinstance(norm, nn.BatchNorm2d):
        convolution = fuse_conv_bn_eval(convolution, norm)
    return Convolution.of(convolution, activation)
