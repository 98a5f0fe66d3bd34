"""Convolutions for inference: bias, sum and activation in the same pass over memory.

On CPUs torch has these as one operation, which its own compiler calls; a pass of its own for each
takes as long there as the convolution. Elsewhere, or in a torch without that operation, several
operations do the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Activation = Literal["none", "relu", "hardswish", "hardsigmoid", "sigmoid"]  # oneDNN's names

MOST_SHAPES = 3  # of a layer's inputs, for which its weight is kept in oneDNN's order
ACTIVATIONS: Mapping[Activation, Callable[[Tensor], Tensor]] = {
    "none": lambda x: x,
    "relu": torch.relu_,
    "hardswish": lambda x: F.hardswish(x, inplace=True),
    "hardsigmoid": lambda x: F.hardsigmoid(x, inplace=True),
    "sigmoid": torch.sigmoid_,
}
ACTIVATION_LAYERS: Mapping[type[nn.Module], Activation] = {
    nn.ReLU: "relu",
    nn.Hardswish: "hardswish",
    nn.Hardsigmoid: "hardsigmoid",
    nn.Sigmoid: "sigmoid",
}


class Convolution(nn.Module):
    """A convolution and its activation."""

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None = None,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        activation: Activation = "none",
    ) -> None:
        """
        Args:
            weight, bias: as for `conv2d`, as are the numbers, which hold for both directions.
        """
        super().__init__()
        self.weight = frozen(weight)
        self.bias = None if bias is None else frozen(bias)
        self._geometry = ([stride] * 2, [padding] * 2, [dilation] * 2, groups)
        self._activation: Activation = activation
        self._reordered: dict[torch.Size, Tensor] = {}

    @classmethod
    def of(cls, convolution: nn.Conv2d, activation: nn.Module | None = None) -> Convolution:
        """Return a layer of a network, and the one of ACTIVATION_LAYERS after it, as one."""
        return cls(
            convolution.weight,
            convolution.bias,
            stride=convolution.stride[0],
            padding=int(convolution.padding[0]),
            dilation=convolution.dilation[0],
            groups=convolution.groups,
            activation="none" if activation is None else ACTIVATION_LAYERS[type(activation)],
        )

    def forward(self, x: Tensor) -> Tensor:
        return self._convolve(x, self._reordered_weight(x) if _is_fused(x) else self.weight)

    def forward_scaled(self, x: Tensor, scale: Tensor) -> Tensor:
        """Return the result for `x` with each of its channels times `scale` [1, C_in, 1, 1]."""
        return self._convolve(x, self.weight * scale)

    def _convolve(self, x: Tensor, weight: Tensor) -> Tensor:
        stride, padding, dilation, groups = self._geometry
        if not _is_fused(x):
            y = F.conv2d(x, weight, self.bias, stride, padding, dilation, groups)
            return ACTIVATIONS[self._activation](y)
        arguments: tuple[Any, ...] = (padding, stride, dilation, groups, self._activation, [], "")
        fused: Tensor = _operation("_convolution_pointwise")(x, weight, self.bias, *arguments)
        return fused

    def add_to(self, y: Tensor, x: Tensor) -> Tensor:
        """Add the convolution of `x` to `y`, apply the activation, and return `y`.

        Args:
            y: as large as the result, channels last in memory; it is overwritten.
        """
        stride, padding, dilation, groups = self._geometry
        if not _is_fused(x):
            y += F.conv2d(x, self.weight, self.bias, stride, padding, dilation, groups)
            return ACTIVATIONS[self._activation](y)
        activation = None if self._activation == "none" else self._activation
        arguments: tuple[Any, ...] = (padding, stride, dilation, groups)
        arguments += ("add", 1.0, activation, [], "")
        weight = self._reordered_weight(x)
        _operation("_convolution_pointwise_")(y, x, weight, self.bias, *arguments)
        return y

    def _reordered_weight(self, x: Tensor) -> Tensor:
        """Return the weight in the order in which oneDNN takes it for inputs like `x`.

        Else oneDNN reorders it each time: 5 % of a frame's time at 512x288, 20 % at 64x48.
        """
        known = self._reordered.get(x.shape)
        if known is not None:
            return known
        reorder = _operation("_reorder_convolution_weight")
        if reorder is None:
            return self.weight
        stride, padding, dilation, groups = self._geometry
        reordered: Tensor = reorder(self.weight, padding, stride, dilation, groups, list(x.shape))
        # A new one, since several threads may be here.
        latest = list(self._reordered.items())[1 - MOST_SHAPES :]
        self._reordered = {**dict(latest), x.shape: reordered}
        return reordered


def fuse(layers: nn.Sequential) -> nn.Sequential:
    """Return the same layers, flattened, with each convolution and its activation as one.

    Batch norms must have been folded into the convolutions before them.
    """
    fused: list[nn.Module] = []
    pending: nn.Conv2d | None = None
    for layer in layers:
        if isinstance(layer, nn.Identity):
            continue
        if isinstance(layer, nn.Sequential):
            fused += fuse(layer)
            continue
        if pending is not None:
            is_activation = type(layer) in ACTIVATION_LAYERS
            fused.append(Convolution.of(pending, layer if is_activation else None))
            pending = None
            if is_activation:
                continue
        if isinstance(layer, nn.Conv2d):
            pending = layer
        else:
            fused.append(layer)
    if pending is not None:
        fused.append(Convolution.of(pending))
    return nn.Sequential(*fused)


def frozen(values: Tensor) -> nn.Parameter:
    """Return a copy of `values` as a parameter that is not trained."""
    return nn.Parameter(values.detach().clone(), requires_grad=False)


@cache
def has_fused_operations(dtype: torch.dtype) -> bool:
    """Return whether this torch can convolve, add and activate in one pass on this CPU."""
    names = ("_convolution_pointwise", "_convolution_pointwise_")
    if any(_operation(name) is None for name in names):
        return False
    if dtype != torch.bfloat16:
        return dtype == torch.float32
    supported = _operation("_is_mkldnn_bf16_supported")
    return supported is not None and bool(supported())


@cache
def _operation(name: str) -> Any:
    """Return one of torch's operations for CPUs; None where it has none of that name."""
    return getattr(torch.ops.mkldnn, name, None) if torch.backends.mkldnn.is_available() else None


def _is_fused(x: Tensor) -> bool:
    return x.device.type == "cpu" and has_fused_operations(x.dtype)
