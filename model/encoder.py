"""What the encoders have in common, and the LR-ASPP head on their deepest features."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

Features = tuple[Tensor, Tensor, Tensor, Tensor]  # f1 .. f4


def initialise(encoder: nn.Module) -> None:
    """Give all convolutions random weights that keep the variance of gradients, and no bias.

    Source: He et al. 2015, "Delving Deep into Rectifiers", section 2.2.
    """
    for layer in encoder.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


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
