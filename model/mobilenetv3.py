"""MobileNetV3-Large without pooling and classifier, as a table of its blocks.

Source: Howard et al. 2019, "Searching for MobileNetV3", sections 5 and 6.4, and table 1. The names
are those that torchvision gives the parameters, as do checkpoints; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.encoder import Features, initialise

TAPS = (1, 3, 6, 16)  # the layers after which f1 .. f4 are taken

Norm = partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)


class Block(NamedTuple):
    """A row of the table: expand, convolve each channel by itself, weigh channels, project.

    Attributes:
        kernel: the side of the depthwise convolution, whose stride and dilation those below are.
        expanded, channels: after the expansion, and after the projection.
        squeezed: the channels in between, where channels are weighed; 0: they are not.
    """

    kernel: int
    expanded: int
    channels: int
    squeezed: int
    activation: type[nn.Module]
    stride: int = 1
    dilation: int = 1


STEM = 16  # channels of the first convolution
BLOCKS = (  # [channels, height, width]
    Block(3, 16, 16, 0, nn.ReLU),  # [16, 1/2, 1/2]: f1
    Block(3, 64, 24, 0, nn.ReLU, stride=2),  # [24, 1/4, 1/4]
    Block(3, 72, 24, 0, nn.ReLU),  # f2
    Block(5, 72, 40, 24, nn.ReLU, stride=2),  # [40, 1/8, 1/8]
    Block(5, 120, 40, 32, nn.ReLU),
    Block(5, 120, 40, 32, nn.ReLU),  # f3
    Block(3, 240, 80, 0, nn.Hardswish, stride=2),  # [80, 1/16, 1/16]
    Block(3, 200, 80, 0, nn.Hardswish),
    Block(3, 184, 80, 0, nn.Hardswish),
    Block(3, 184, 80, 0, nn.Hardswish),
    Block(3, 480, 112, 120, nn.Hardswish),  # [112, 1/16, 1/16]
    Block(3, 672, 112, 168, nn.Hardswish),
    Block(5, 672, 160, 168, nn.Hardswish, dilation=2),  # [160, 1/16, 1/16], instead of 1/32
    Block(5, 960, 160, 240, nn.Hardswish, dilation=2),
    Block(5, 960, 160, 240, nn.Hardswish, dilation=2),
)
LAST = 960  # channels of the last convolution: [960, 1/16, 1/16], f4


class MobileNetV3Encoder(nn.Module):
    """MobileNetV3-Large, its last stage dilated by two, on pictures that it normalises.

    Source: Lin et al. 2021, section 3.1.
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [_convolution(3, STEM, 3, nn.Hardswish, stride=2)]
        channels = STEM
        for block in BLOCKS:
            layers.append(InvertedResidual(channels, block))
            channels = block.channels
        layers.append(_convolution(channels, LAST, 1, nn.Hardswish))
        self.features = nn.Sequential(*layers)
        initialise(self)
        # ImageNet's statistics; not persistent, since the checkpoint does not hold them.
        mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)

    def forward(self, src: Tensor) -> Features:
        """Return f1 (1/2), f2 (1/4), f3 (1/8) and f4 (1/16) of `src` [N, 3, H, W] in [0, 1].

        Their sizes are rounded up.
        """
        return run_with_taps(self.features, (src.to(self.mean.dtype) - self.mean) / self.std)


def run_with_taps(layers: Iterable[nn.Module], x: Tensor) -> Features:
    """Run `x` through all layers, and return what it is after those of TAPS."""
    taps = []
    for index, layer in enumerate(layers):
        x = layer(x)
        if index in TAPS:
            taps.append(x)
    f1, f2, f3, f4 = taps
    return f1, f2, f3, f4


class InvertedResidual(nn.Module):
    """A block of the table; where input and output are alike, the input is added to the output."""

    def __init__(self, channels: int, row: Block) -> None:
        """
        Args:
            channels: of its input.
        """
        super().__init__()
        layers: list[nn.Module] = []
        if row.expanded != channels:
            layers.append(_convolution(channels, row.expanded, 1, row.activation))
        layers.append(_depthwise(row))
        if row.squeezed:
            layers.append(SqueezeExcitation(row.expanded, row.squeezed))
        layers.append(_convolution(row.expanded, row.channels, 1))
        self.block = nn.Sequential(*layers)
        self.is_residual = row.stride == 1 and row.channels == channels

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.block(x)
        if self.is_residual:
            y += x
        return y


class SqueezeExcitation(nn.Module):
    """Scale each channel by a weight in [0, 1], computed from the means of all channels.

    Source: Hu et al. 2018, "Squeeze-and-Excitation Networks".
    """

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.activation = nn.ReLU()
        self.fc2 = nn.Conv2d(squeezed, channels, 1)
        self.scale_activation = nn.Hardsigmoid()

    def forward(self, x: Tensor) -> Tensor:
        squeezed = self.activation(self.fc1(self.avgpool(x)))  # [N, squeezed, 1, 1]
        scale: Tensor = self.scale_activation(self.fc2(squeezed))  # [N, C, 1, 1]
        return x * scale


def _depthwise(row: Block) -> nn.Sequential:
    return _convolution(
        row.expanded,
        row.expanded,
        row.kernel,
        row.activation,
        stride=row.stride,
        dilation=row.dilation,
        groups=row.expanded,
    )


def _convolution(
    channels_in: int,
    channels_out: int,
    kernel: int,
    activation: type[nn.Module] | None = None,
    *,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
) -> nn.Sequential:
    """Return a convolution that keeps the size but for its stride, its norm, its activation."""
    convolution = nn.Conv2d(
        channels_in,
        channels_out,
        kernel,
        stride,
        padding=kernel // 2 * dilation,
        dilation=dilation,
        groups=groups,
        bias=False,
    )
    activations = [] if activation is None else [activation(inplace=True)]
    return nn.Sequential(convolution, Norm(channels_out), *activations)
