"""The encoder rewritten for inference, by the principles of `inference`."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.convolution import Convolution, frozen, fuse
from model.encoder import Features
from model.mobilenetv3 import MobileNetV3Encoder, SqueezeExcitation, run_with_taps


class MobileNetV3Inference(nn.Module):
    """MobileNetV3Encoder whose first convolution takes colours that are not normalised."""

    mean: Tensor

    def __init__(self, encoder: MobileNetV3Encoder) -> None:
        super().__init__()
        self.register_buffer("mean", encoder.mean)
        self.blocks = nn.ModuleList(_optimise_block(block) for block in encoder.features)
        first = cast(Convolution, cast(nn.Sequential, self.blocks[0])[0])
        weight = first.weight / encoder.std
        # A fourth channel of ones subtracts the mean; the padding is 0 in it, as in the others.
        less = -(weight * encoder.mean).sum(dim=1, keepdim=True)
        first.weight = frozen(torch.cat((weight, less), dim=1))

    def forward(self, src: Tensor) -> Features:
        """As `MobileNetV3Encoder.forward`."""
        size = (len(src), 4, *src.shape[2:])
        x = torch.empty(
            size, dtype=self.mean.dtype, device=src.device, memory_format=torch.channels_last
        )
        x[:, :3] = src.to(x.dtype)
        x[:, 3] = 1
        return run_with_taps(self.blocks, x)


class GlobalMean(nn.Module):
    """The mean of all pixels, [N, C, 1, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu":
            return F.adaptive_avg_pool2d(x, 1)  # in half precision, the sum could be too large
        pixels = x.permute(0, 2, 3, 1).flatten(1, 2)  # [N, h * w, C]
        sums = torch.bmm(pixels.new_ones((len(x), 1, pixels.shape[1])), pixels)
        return (sums / pixels.shape[1]).view(len(x), -1, 1, 1)


class _SqueezeExcitation(nn.Module):
    """A SqueezeExcitation, which scales each channel by a weight computed from the whole picture,
    and the 1x1 convolution after it.

    For a single picture the convolution's weights are scaled instead, which are few.
    """

    def __init__(self, block: SqueezeExcitation, convolution: Convolution) -> None:
        super().__init__()
        self.scale = nn.Sequential(
            GlobalMean(),
            Convolution.of(block.fc1, block.activation),
            Convolution.of(block.fc2, block.scale_activation),
        )
        self.convolution = convolution

    def forward(self, x: Tensor) -> Tensor:
        scale: Tensor = self.scale(x)
        if len(x) == 1:
            return self.convolution.forward_scaled(x, scale)
        y: Tensor = self.convolution(x.mul_(scale))
        return y


def _optimise_block(block: nn.Module) -> nn.Module:
    """Return one of MobileNetV3's blocks, its layers fused."""
    if isinstance(block, nn.Sequential):
        return _fuse_squeezes(fuse(block))
    own: Any = block
    own.block = _fuse_squeezes(fuse(own.block))
    return block


def _fuse_squeezes(layers: nn.Sequential) -> nn.Sequential:
    """Return the same layers with each SqueezeExcitation and the convolution after it as one."""
    fused: list[nn.Module] = []
    for layer in layers:
        previous = fused[-1] if fused else None
        if isinstance(previous, SqueezeExcitation) and isinstance(layer, Convolution):
            fused[-1] = _SqueezeExcitation(previous, layer)
        else:
            fused.append(layer)
    return nn.Sequential(*fused)
