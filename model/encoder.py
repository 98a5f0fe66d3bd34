"""The encoder: torchvision's MobileNetV3-Large, and the LR-ASPP head on its deepest features."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn

Features = tuple[Tensor, Tensor, Tensor, Tensor]  # f1 .. f4

TAPS = (1, 3, 6, 16)  # the blocks after which f1 .. f4 are taken
CHANNELS = (16, 24, 40, 960)  # of f1 .. f4, at 1/2, 1/4, 1/8 and 1/16 of the input's size


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
