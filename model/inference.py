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
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from model.convolution import Convolution, frozen, fuse
from model.deep_guided_filter import DeepGuidedFilter
from model.inference_encoder import GlobalMean, MobileNetV3Inference
from model.network import MattingNetwork
from model.resnet_inference import ResNet50Inference
from model.upsampling import (
    InferenceGRU,
    InferenceOutputBlock,
    InferenceUpsamplingBlock,
    PlanarAveragePool,
)
from model.variant import MOBILENETV3, RESNET50, Variant

# What the guided filter computes of so many pixels stays in a core's cache: 0.7 of the time that
# the whole maps take (768x432).
STRIP_PX = 36_000
INFERENCE_ENCODERS: Mapping[Variant, Callable[[Any], nn.Module]] = {
    MOBILENETV3: MobileNetV3Inference,
    RESNET50: ResNet50Inference,
}


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
    _replace(network, "backbone", INFERENCE_ENCODERS[network.variant])
    _replace(network.aspp, "aspp1", fuse)
    network.aspp.aspp2 = nn.Sequential(GlobalMean(), *fuse(network.aspp.aspp2[1:]))
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
        a, b = torch.empty_like(y), torch.empty_like(y)
        for rows in _strips(y):
            near = slice(max(0, rows.start - 1), min(y.shape[2], rows.stop + 1))
            inner = slice(rows.start - near.start, rows.stop - near.start)
            means, variances = (
                each[:, :, inner] for each in self._moments(src_sm[:, :, near], y[:, :, near])
            )
            mean_x, mean_y = means.split(4, dim=1)
            strip = a[:, :, rows]
            strip.copy_(self._slopes(variances, hid[:, :, rows]))
            torch.addcmul(mean_y, strip, mean_x, value=-1, out=b[:, :, rows])
        return a, b

    def _slopes(self, variances: Tensor, hid: Tensor) -> Tensor:
        """Return A, in the precision of `hid`."""
        variances = variances.contiguous(memory_format=torch.channels_last).to(hid.dtype)
        of_variances = cast(Convolution, self.layers["variances"])
        slopes: Tensor = self.layers["rest"](
            of_variances.add_to(self.layers["hidden"](hid), variances)
        )
        return slopes

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


def _strips(maps: Tensor) -> list[slice]:
    """Divide the rows of maps [N, C, h, w] into strips of about STRIP_PX, on a CPU."""
    frames, _, height, width = maps.shape
    count = 1
    if maps.device.type == "cpu":
        count = max(1, min(height, round(frames * height * width / STRIP_PX)))
    ends = [height * number // count for number in range(count + 1)]
    return [slice(*pair) for pair in pairwise(ends)]


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
