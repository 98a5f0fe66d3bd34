"""ResNet50 without pooling and classifier, as a table of its stages.

Source: He et al. 2016, "Deep Residual Learning for Image Recognition", table 1; the stride is that
of a block's second convolution, not of its first. The names are those that torchvision gives the
parameters, as do checkpoints; a test compares the two.
"""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from model.encoder import Features, initialise

EXPANSION = 4  # a block's output has so many times its width


class Stage(NamedTuple):
    """A row of the table.

    Attributes:
        width: the channels between a block's convolutions.
        stride: of its first block.
        dilation: of its other blocks.
    """

    blocks: int
    width: int
    stride: int = 1
    dilation: int = 1


STEM = 64  # channels of the first convolution: [64, 1/2, 1/2], f1; pooled, [64, 1/4, 1/4]
STAGES = (  # [channels, height, width]
    Stage(3, 64),  # [256, 1/4, 1/4]: f2
    Stage(4, 128, stride=2),  # [512, 1/8, 1/8]: f3
    Stage(6, 256, stride=2),  # [1024, 1/16, 1/16]
    Stage(3, 512, dilation=2),  # [2048, 1/16, 1/16], instead of 1/32: f4
)


class ResNet50Encoder(nn.Module):
    """ResNet50, its last stage dilated instead of reduced."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, STEM, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(STEM)
        channels = [STEM, *(EXPANSION * stage.width for stage in STAGES)]
        stages = map(_stage, channels, STAGES)
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        initialise(self)

    def forward(self, src: Tensor) -> Features:
        """Return f1 (1/2), f2 (1/4), f3 (1/8) and f4 (1/16) of `src` [N, 3, H, W] in [0, 1].

        Their sizes are rounded up. Colours are not normalised.
        """
        f1 = F.relu(self.bn1(self.conv1(src.to(self.conv1.weight.dtype))))
        f2 = self.layer1(pool(f1))
        f3 = self.layer2(f2)
        return f1, f2, f3, self.layer4(self.layer3(f3))


def pool(f1: Tensor) -> Tensor:
    """Return the largest of each 3x3 pixels, of every second one across and down."""
    return F.max_pool2d(f1, 3, stride=2, padding=1)


class Bottleneck(nn.Module):
    """A block: what three convolutions make of the input is added to it.

    Where the two are not alike, the input goes through a convolution of its own.
    """

    def __init__(self, channels: int, width: int, stride: int = 1, dilation: int = 1) -> None:
        """
        Args:
            channels: of its input.
        """
        super().__init__()
        widest = EXPANSION * width
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(
            width, width, 3, stride, padding=dilation, dilation=dilation, bias=False
        )
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, widest, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(widest)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or channels != widest:
            shortcut = nn.Conv2d(channels, widest, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(widest))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        y += x if self.downsample is None else self.downsample(x)
        return F.relu(y, inplace=True)


def _stage(channels: int, stage: Stage) -> nn.Sequential:
    """Return the blocks of a stage whose input has so many channels."""
    first = Bottleneck(channels, stage.width, stage.stride)
    others = (
        Bottleneck(EXPANSION * stage.width, stage.width, dilation=stage.dilation)
        for _ in range(stage.blocks - 1)
    )
    return nn.Sequential(first, *others)
