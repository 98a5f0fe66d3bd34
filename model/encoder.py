"""The encoders, which are torchvision's, and the LR-ASPP head on their deepest features."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Features = tuple[Tensor, Tensor, Tensor, Tensor]  # f1 .. f4

TAPS = (1, 3, 6, 16)  # the blocks after which f1 .. f4 are taken


class MobileNetV3Encoder(nn.Module):
    """MobileNetV3-Large without pooling and classifier, its last stage dilated by two.

    Source: Howard et al. 2019, "Searching for MobileNetV3"; Lin et al. 2021, section 3.1.
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        # Imported here: it takes as long as torch itself, and most commands need no network.
        from torchvision.models import mobilenet_v3_large  # noqa: PLC0415

        super().__init__()
        self.features = mobilenet_v3_large(weights=None, dilated=True).features
        # ImageNet's statistics; not persistent, since the checkpoint does not hold them.
        mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)

    def forward(self, src: Tensor) -> Features:
        """Return f1 (1/2), f2 (1/4), f3 (1/8) and f4 (1/16) of `src` [N, 3, H, W] in [0, 1].

        Their sizes are rounded up.
        """
        return run_with_taps(self.features, (src.to(self.mean.dtype) - self.mean) / self.std)


def run_with_taps(blocks: Iterable[nn.Module], x: Tensor) -> Features:
    """Run `x` through all blocks, and return what it is after those of TAPS."""
    taps = []
    for index, block in enumerate(blocks):
        x = block(x)
        if index in TAPS:
            taps.append(x)
    f1, f2, f3, f4 = taps
    return f1, f2, f3, f4


def is_squeeze_excitation(block: nn.Module) -> bool:
    """Return whether a block is torchvision's SqueezeExcitation."""
    from torchvision.ops import SqueezeExcitation  # noqa: PLC0415 - as above

    return isinstance(block, SqueezeExcitation)


class ResNet50Encoder(nn.Module):
    """ResNet50 without pooling and classifier, its last stage dilated instead of reduced.

    Source: He et al. 2016, "Deep Residual Learning for Image Recognition".
    """

    def __init__(self) -> None:
        from torchvision.models import resnet50  # noqa: PLC0415 - as above

        super().__init__()
        dilated = [False, False, True]
        network = resnet50(weights=None, replace_stride_with_dilation=dilated)
        self.conv1, self.bn1 = network.conv1, network.bn1
        self.layer1, self.layer2 = network.layer1, network.layer2
        self.layer3, self.layer4 = network.layer3, network.layer4

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


class LRASPP(nn.Module):
    """Lite reduced atrous spatial pyramid pooling.

    Source: Howard et al. 2019, "Searching for MobileNetV3", section 6.4.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.aspp1 = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
        )
        self.aspp2 = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels_in, channels_out, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, f4: Tensor) -> Tensor:
        """Return `f4` [N, channels_in, h, w], weighted by its global context.

        [N, channels_out, h, w].
        """
        return cast(Tensor, self.aspp1(f4) * self.aspp2(f4))
