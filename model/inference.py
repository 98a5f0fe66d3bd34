"""The network rewritten for inference: the same function, in fewer passes over memory.

- Batch norms are folded into their convolutions, the normalisation of colours into the first.
- A convolution, its bias and its activation are one pass where torch has an operation for that.
- What is upsampled and then convolved is convolved at its own size.
- What a ConvGRU convolves of its input is convolved for all frames at once.
- The layers compute in the given precision; the states, the projection, and the guided filter's
  means and variances are float32, the latter as planes (channels first in memory).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from model.convolution import Convolution, frozen, fuse
from model.deep_guided_filter import DeepGuidedFilter
from model.encoder import Features, MobileNetV3Encoder, is_squeeze_excitation, run_with_taps
from model.network import MattingNetwork
from model.upsampling import (
    InferenceGRU,
    InferenceOutputBlock,
    InferenceUpsamplingBlock,
    PlanarAveragePool,
)


def optimise_for_inference(network: MattingNetwork, dtype: torch.dtype) -> MattingNetwork:
    """Return a copy of `network`, in evaluation mode, that computes faster.

    Args:
        dtype: float32, float16 or bfloat16.
    Returns:
        The same function but for rounding, without gradients, and only by `run_small` and its
        three steps.
    """
    network = copy.deepcopy(network).eval().requires_grad_(False)
    for block in list(network.modules()):
        _fold_norms(block)
    _replace(network, "backbone", _Encoder)
    _replace(network.aspp, "aspp1", fuse)
    network.aspp.aspp2 = nn.Sequential(_GlobalMean(), *fuse(network.aspp.aspp2[1:]))
    _replace(network.decoder, "avgpool", lambda _: PlanarAveragePool())
    _replace(network.decoder.decode4, "gru", InferenceGRU)
    for name in ("decode3", "decode2", "decode1"):
        _replace(network.decoder, name, InferenceUpsamplingBlock)
    _replace(network.decoder, "decode0", InferenceOutputBlock)
    _replace(network.project_mat, "conv", _PlanarProjection)
    _replace(network, "refiner", _GuidedFilter)
    for part in (network.backbone, network.aspp, network.decoder, network.refiner.layers):
        part.to(dtype).to(memory_format=torch.channels_last)
    return network


class _Encoder(nn.Module):
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


class _GlobalMean(nn.Module):
    """The mean of all pixels, [N, C, 1, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu":
            return F.adaptive_avg_pool2d(x, 1)  # in half precision, the sum could be too large
        pixels = x.permute(0, 2, 3, 1).flatten(1, 2)  # [N, h * w, C]
        sums = torch.bmm(pixels.new_ones((len(x), 1, pixels.shape[1])), pixels)
        return (sums / pixels.shape[1]).view(len(x), -1, 1, 1)


class _SqueezeExcitation(nn.Module):
    """torchvision's SqueezeExcitation, which scales each channel by a weight computed from the
    whole picture, and the 1x1 convolution after it.

    For a single picture the convolution's weights are scaled instead, which are few.
    """

    def __init__(self, block: Any, convolution: Convolution) -> None:
        super().__init__()
        self.scale = nn.Sequential(
            _GlobalMean(),
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
    _replace(block, "block", lambda layers: _fuse_squeezes(fuse(layers)))
    return block


def _fuse_squeezes(layers: nn.Sequential) -> nn.Sequential:
    """Return the same layers with each SqueezeExcitation and the convolution after it as one."""
    fused: list[nn.Module] = []
    for layer in layers:
        if fused and is_squeeze_excitation(fused[-1]) and isinstance(layer, Convolution):
            fused.append(_SqueezeExcitation(fused.pop(), layer))
        else:
            fused.append(layer)
    return nn.Sequential(*fused)


class _PlanarProjection(nn.Module):
    """A 1x1 convolution whose result is planes."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight = frozen(convolution.weight.flatten(1))
        self.bias = frozen(cast(Tensor, convolution.bias).view(-1, 1))

    def forward(self, x: Tensor) -> Tensor:
        pixels = x.permute(0, 2, 3, 1).flatten(1, 2).transpose(1, 2)  # as they lie in memory
        weight, bias = (each.expand(len(x), -1, -1) for each in (self.weight, self.bias))
        planes: Tensor = torch.baddbmm(bias, weight, pixels)
        return planes.view(len(x), -1, *x.shape[2:])


class _GuidedFilter(nn.Module):
    """DeepGuidedFilter on planes, with all its means computed at once."""

    def __init__(self, guided: DeepGuidedFilter) -> None:
        super().__init__()
        first = cast(nn.Conv2d, guided.conv[0])
        weight = first.weight
        self.box = frozen(guided.box_filter.weight.repeat(4, 1, 1, 1))
        self.layers = nn.ModuleDict(
            {
                "hidden": Convolution(weight[:, 8:], first.bias),
                "variances": Convolution(weight[:, :8], activation="relu"),
                "rest": fuse(guided.conv[3:]),
            }
        )

    def fit(self, src_sm: Tensor, y: Tensor, hid: Tensor) -> tuple[Tensor, Tensor]:
        """As `DeepGuidedFilter.fit`."""
        means, variances = self._moments(src_sm, y)
        variances = variances.to(hid.dtype, memory_format=torch.channels_last)
        of_variances = cast(Convolution, self.layers["variances"])
        first = of_variances.add_to(self.layers["hidden"](hid), variances)
        a = torch.empty_like(y)
        a.copy_(self.layers["rest"](first))
        mean_x, mean_y = means.split(4, dim=1)
        return a, torch.addcmul(mean_y, a, mean_x, value=-1)

    def _moments(self, src_sm: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean_x and mean_y, and cov_xy and var_x: [N, 8, h, w] each pair."""
        values = y.new_empty((len(y), 16, *y.shape[2:]))
        x, result, products, squares = values.split(4, dim=1)
        x[:, :3] = src_sm
        torch.mean(x[:, :3], dim=1, keepdim=True, out=x[:, 3:])
        result.copy_(y)
        torch.mul(x, y, out=products)
        torch.mul(x, x, out=squares)
        means = F.conv2d(values, self.box, padding=1, groups=16)
        mean_x, mean_y, variances = means.split((4, 4, 8), dim=1)
        variances[:, :4].addcmul_(mean_x, mean_y, value=-1)
        variances[:, 4:].addcmul_(mean_x, mean_x, value=-1)
        return means[:, :8], variances


def _fold_norms(block: nn.Module) -> None:
    """Fold every batch norm of a sequence into the convolution before it."""
    if not isinstance(block, nn.Sequential):
        return
    for index in range(len(block) - 1):
        convolution, norm = block[index], block[index + 1]
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            block[index] = fuse_conv_bn_eval(convolution, norm)
            block[index + 1] = nn.Identity()


def _replace(block: nn.Module, name: str, by: Callable[[Any], nn.Module]) -> None:
    setattr(block, name, by(getattr(block, name)))
