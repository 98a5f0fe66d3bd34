"""Convolutions as they run: bias, sum and activation in the same pass over memory.

On processors torch has these in one operation, which its own compiler calls; a pass by itself for
each takes as long there as the convolution. Elsewhere, or without that operation, it is done in
several.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "none": lambda x: x,
    "relu": torch.relu_,
    "hardswish": lambda x: F.hardswish(x, inplace=True),
    "hardsigmoid": lambda x: F.hardsigmoid(x, inplace=True),
    "sigmoid": torch.sigmoid_,
}
NAMES: Mapping[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.Hardswish: "hardswish",
    nn.Hardsigmoid: "hardsigmoid",
    nn.Sigmoid: "sigmoid",
}


class Convolution(nn.Module):
    """A convolution and what is done to its result."""

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None = None,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        activation: str = "none",
    ) -> None:
        """
        Args:
            weight, bias: as for `conv2d`, as are the numbers, which hold for both directions.
            activation: a key of ACTIVATIONS.
        """
        super().__init__()
        self.weight = fixed(weight)
        self.bias = None if bias is None else fixed(bias)
        self._where = ([stride] * 2, [padding] * 2, [dilation] * 2, groups)
        self._activation = activation

    @classmethod
    def of(cls, convolution: nn.Conv2d, activation: nn.Module | None = None) -> Convolution:
        """The same as a layer of a network, and one of NAMES after it."""
        return cls(
            convolution.weight,
            convolution.bias,
            stride=convolution.stride[0],
            padding=int(convolution.padding[0]),
            dilation=convolution.dilation[0],
            groups=convolution.groups,
            activation="none" if activation is None else NAMES[type(activation)],
        )

    def forward(self, x: Tensor) -> Tensor:
        return self._of(x, self.weight)

    def weighted(self, x: Tensor, channels: Tensor) -> Tensor:
        """The result for `x`, its channels weighted by `channels` [1, C_in, 1, 1]."""
        return self._of(x, self.weight * channels)

    def _of(self, x: Tensor, weight: Tensor) -> Tensor:
        stride, padding, dilation, groups = self._where
        if not _in_one(x):
            y = F.conv2d(x, weight, self.bias, stride, padding, dilation, groups)
            return ACTIVATIONS[self._activation](y)
        given: tuple[Any, ...] = (padding, stride, dilation, groups, self._activation, [], "")
        made: Tensor = _operation("_convolution_pointwise")(x, weight, self.bias, *given)
        return made

    def add_to(self, y: Tensor, x: Tensor) -> Tensor:
        """`y`, to which the convolution of `x` was added, and then the activation was done.

        Args:
            y: as large as the result, its channels last in memory.
        """
        stride, padding, dilation, groups = self._where
        if not _in_one(x):
            y += F.conv2d(x, self.weight, self.bias, stride, padding, dilation, groups)
            return ACTIVATIONS[self._activation](y)
        after = None if self._activation == "none" else self._activation
        given: tuple[Any, ...] = (padding, stride, dilation, groups, "add", 1.0, after, [], "")
        _operation("_convolution_pointwise_")(y, x, self.weight, self.bias, *given)
        return y


def arranged(layers: nn.Sequential) -> nn.Sequential:
    """The same with every convolution, the norm folded into it, and its activation as one layer.

    Sequences within it become part of it.
    """
    made: list[nn.Module] = []
    waiting: nn.Conv2d | None = None
    for layer in layers:
        if isinstance(layer, nn.Identity):
            continue
        if isinstance(layer, nn.Sequential):
            made += arranged(layer)
            continue
        if waiting is not None:
            follows = type(layer) in NAMES
            made.append(Convolution.of(waiting, layer if follows else None))
            waiting = None
            if follows:
                continue
        if isinstance(layer, nn.Conv2d):
            waiting = layer
        else:
            made.append(layer)
    if waiting is not None:
        made.append(Convolution.of(waiting))
    return nn.Sequential(*made)


def fixed(values: Tensor) -> nn.Parameter:
    """A weight that nobody trains."""
    return nn.Parameter(values.detach().clone(), requires_grad=False)


@cache
def _operation(name: str) -> Any:
    """One of torch's operations for processors; None where it has none of that name."""
    return getattr(torch.ops.mkldnn, name, None) if torch.backends.mkldnn.is_available() else None


def _in_one(x: Tensor) -> bool:
    return x.device.type == "cpu" and _has_operations(x.dtype)


@cache
def _has_operations(dtype: torch.dtype) -> bool:
    names = ("_convolution_pointwise", "_convolution_pointwise_")
    if any(_operation(name) is None for name in names):
        return False
    if dtype != torch.bfloat16:
        return dtype == torch.float32
    supported = _operation("_is_mkldnn_bf16_supported")
    return supported is not None and bool(supported())
