"""The network arranged for running: the same function, in fewer passes over memory.

- Batch norms are part of their convolutions, the normalisation of colours is part of the first.
- A convolution, its bias and its activation are one pass where torch has an operation for that.
- What is upsampled and then convolved is convolved at its own size.
- What a recurrent unit convolves of its input is convolved for all frames at once.
- The layers have the precision that is asked for; the states, the projection, and the means and
  variances of the guided filter are float32, the latter with their channels one after the other.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from model.convolution import Convolution, arranged, fixed
from model.deep_guided_filter import DeepGuidedFilter
from model.encoder import Features, MobileNetV3Encoder, is_squeeze, taken
from model.network import MattingNetwork
from model.upsampling import Halved, RunningGRU, RunningOutput, RunningUpsampling


def inference_network(network: MattingNetwork, dtype: torch.dtype) -> MattingNetwork:
    """A copy of `network`, in evaluation mode, that computes faster.

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
    _replace(network.aspp, "aspp1", arranged)
    network.aspp.aspp2 = nn.Sequential(_Mean(), *arranged(network.aspp.aspp2[1:]))
    _replace(network.decoder, "avgpool", lambda _: Halved())
    _replace(network.decoder.decode4, "gru", RunningGRU)
    for name in ("decode3", "decode2", "decode1"):
        _replace(network.decoder, name, RunningUpsampling)
    _replace(network.decoder, "decode0", RunningOutput)
    _replace(network.project_mat, "conv", _Planar)
    _replace(network, "refiner", _Filter)
    for part in (network.backbone, network.aspp, network.decoder, network.refiner.layers):
        part.to(dtype).to(memory_format=torch.channels_last)
    return network


class _Encoder(nn.Module):
    """MobileNetV3Encoder whose first convolution takes colours as they are."""

    mean: Tensor

    def __init__(self, encoder: MobileNetV3Encoder) -> None:
        super().__init__()
        self.register_buffer("mean", encoder.mean)
        self.blocks = nn.ModuleList(_block(block) for block in encoder.features)
        first = cast(Convolution, cast(nn.Sequential, self.blocks[0])[0])
        weight = first.weight / encoder.std
        # A fourth colour of 1 takes the mean off. Around the picture it is 0, as all are then.
        less = -(weight * encoder.mean).sum(dim=1, keepdim=True)
        first.weight = fixed(torch.cat((weight, less), dim=1))

    def forward(self, src: Tensor) -> Features:
        """As `MobileNetV3Encoder.forward`."""
        size = (len(src), 4, *src.shape[2:])
        x = torch.empty(
            size, dtype=self.mean.dtype, device=src.device, memory_format=torch.channels_last
        )
        x[:, :3] = src.to(x.dtype)
        x[:, 3] = 1
        return taken(self.blocks, x)


class _Mean(nn.Module):
    """The mean of all pixels, [N, C, 1, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu":
            return F.adaptive_avg_pool2d(x, 1)  # in half precision, the sum could be too large
        pixels = x.permute(0, 2, 3, 1).flatten(1, 2)  # [N, h * w, C]
        sums = torch.bmm(pixels.new_ones((len(x), 1, pixels.shape[1])), pixels)
        return (sums / pixels.shape[1]).view(len(x), -1, 1, 1)


class _Squeeze(nn.Module):
    """SqueezeExcitation, which weights channels by what is in all of the picture, and what follows.

    That is a 1x1 convolution; for a single picture its weights are weighted instead, which are few.
    """

    def __init__(self, block: Any, convolution: Convolution) -> None:
        super().__init__()
        self.weights = nn.Sequential(
            _Mean(),
            Convolution.of(block.fc1, block.activation),
            Convolution.of(block.fc2, block.scale_activation),
        )
        self.convolution = convolution

    def forward(self, x: Tensor) -> Tensor:
        weights: Tensor = self.weights(x)
        if len(x) == 1:
            return self.convolution.weighted(x, weights)
        found: Tensor = self.convolution(x.mul_(weights))
        return found


def _block(block: nn.Module) -> nn.Module:
    """One of MobileNetV3's, arranged."""
    if isinstance(block, nn.Sequential):
        return _squeezed(arranged(block))
    _replace(block, "block", lambda layers: _squeezed(arranged(layers)))
    return block


def _squeezed(layers: nn.Sequential) -> nn.Sequential:
    """The same with every SqueezeExcitation and the convolution after it as one layer."""
    made: list[nn.Module] = []
    for layer in layers:
        if made and is_squeeze(made[-1]) and isinstance(layer, Convolution):
            made.append(_Squeeze(made.pop(), layer))
        else:
            made.append(layer)
    return nn.Sequential(*made)


class _Planar(nn.Module):
    """A 1x1 convolution that gives planes."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight = fixed(convolution.weight.flatten(1))
        self.bias = fixed(cast(Tensor, convolution.bias).view(-1, 1))

    def forward(self, x: Tensor) -> Tensor:
        pixels = x.permute(0, 2, 3, 1).flatten(1, 2).transpose(1, 2)  # as they lie in memory
        weight, bias = (each.expand(len(x), -1, -1) for each in (self.weight, self.bias))
        planes: Tensor = torch.baddbmm(bias, weight, pixels)
        return planes.view(len(x), -1, *x.shape[2:])


class _Filter(nn.Module):
    """DeepGuidedFilter on planes, all its means at once."""

    def __init__(self, guided: DeepGuidedFilter) -> None:
        super().__init__()
        first = cast(nn.Conv2d, guided.conv[0])
        weight = first.weight
        self.box = fixed(guided.box_filter.weight.repeat(4, 1, 1, 1))
        self.layers = nn.ModuleDict(
            {
                "hidden": Convolution(weight[:, 8:], first.bias),
                "variances": Convolution(weight[:, :8], activation="relu"),
                "rest": arranged(guided.conv[3:]),
            }
        )

    def fit(self, src_sm: Tensor, y: Tensor, hid: Tensor) -> tuple[Tensor, Tensor]:
        """As `DeepGuidedFilter.fit`."""
        means, variances = self._moments(src_sm, y)
        variances = variances.to(hid.dtype, memory_format=torch.channels_last)
        of_variances = cast(Convolution, self.layers["variances"])
        found = of_variances.add_to(self.layers["hidden"](hid), variances)
        a = torch.empty_like(y)
        a.copy_(self.layers["rest"](found))
        mean_x, mean_y = means.split(4, dim=1)
        return a, torch.addcmul(mean_y, a, mean_x, value=-1)

    def _moments(self, src_sm: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Means of guide and result, and their covariances and variances: [N, 8, h, w] each."""
        values = y.new_empty((len(y), 16, *y.shape[2:]))
        x, result, products, squares = values.split(4, dim=1)
        x[:, :3] = src_sm
        torch.mean(x[:, :3], dim=1, keepdim=True, out=x[:, 3:])
        result.copy_(y)
        torch.mul(x, y, out=products)
        torch.mul(x, x, out=squares)
        found = F.conv2d(values, self.box, padding=1, groups=16)
        mean_x, mean_y, variances = found.split((4, 4, 8), dim=1)
        variances[:, :4].addcmul_(mean_x, mean_y, value=-1)
        variances[:, 4:].addcmul_(mean_x, mean_x, value=-1)
        return found[:, :8], variances


def _fold_norms(block: nn.Module) -> None:
    """Makes every batch norm of a sequence part of the convolution before it."""
    if not isinstance(block, nn.Sequential):
        return
    for index in range(len(block) - 1):
        convolution, norm = block[index], block[index + 1]
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            block[index] = fuse_conv_bn_eval(convolution, norm)
            block[index + 1] = nn.Identity()


def _replace(block: nn.Module, name: str, by: Callable[[Any], nn.Module]) -> None:
    setattr(block, name, by(getattr(block, name)))
