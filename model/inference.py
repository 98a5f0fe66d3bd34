"""The network arranged for running: the same function, in fewer passes over memory.

- Batch norms are part of their convolutions; 1x1 convolutions are matrix products.
- What is upsampled and then convolved is convolved at its own size, once for each of the four
  pixels that one becomes, with kernels that hold the interpolation.
- What a recurrent unit convolves of its input is convolved for all frames at once.
- The layers have the precision that is asked for; the states, the projection and the guided
  filter are float32, and their channels lie one after the other: four are too few to lie last.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from model.decoder import ConvGRU, OutputBlock, UpsamplingBlock, upsample
from model.deep_guided_filter import DeepGuidedFilter
from model.network import MattingNetwork

# Twice as large, the pixels -1 .. 2 around the two that one becomes: their shares of that one's
# neighbours and of itself. Bilinear, pixels as areas.
SHARES = ((0.75, 0.25, 0.0), (0.25, 0.75, 0.0), (0.0, 0.75, 0.25), (0.0, 0.25, 0.75))
EDGE_PX = 2  # how many pixels at an edge depend on what lies beyond it
AROUND_EDGE = 3  # smaller pixels that those depend on
CACHED_PX = 1 << 14  # whose 16 channels stay in a processor's caches from layer to layer


def inference_network(network: MattingNetwork, dtype: torch.dtype) -> MattingNetwork:
    """A copy of `network`, in evaluation mode, that computes faster.

    Args:
        dtype: float32, float16 or bfloat16.
    Returns:
        What takes and gives the same, but for rounding; without gradients, and only by `fit` and
        `forward`. Fastest with pictures whose channels lie last in memory.
    """
    network = copy.deepcopy(network).eval().requires_grad_(False)
    for block in list(network.modules()):
        _fold_norms(block)
    _replace(network.decoder.decode4, "gru", _GRU)
    for name in ("decode3", "decode2", "decode1"):
        _replace(network.decoder, name, _Upsampling)
    _replace(network.decoder, "decode0", _Output)
    _replace(network.project_mat, "conv", _Planar)
    _replace(network, "refiner", _Filter)
    for block in list(network.modules()):
        for name, part in block.named_children():
            if isinstance(part, nn.Conv2d) and part.kernel_size == (1, 1):
                _replace(block, name, _Pointwise)
    for part in (network.backbone, network.aspp, network.decoder):
        part.to(dtype).to(memory_format=torch.channels_last)
    return network


class _Pointwise(nn.Module):
    """A 1x1 convolution as the matrix product that it is."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight = _fixed(convolution.weight.flatten(1))
        self.bias = None if convolution.bias is None else _fixed(convolution.bias)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x.movedim(1, -1), self.weight, self.bias).movedim(-1, 1)


class _ConvolutionAfterUpsampling(nn.Module):
    """A 3x3 convolution, without bias, of what was brought to twice its size."""

    def __init__(self, weight: Tensor) -> None:
        """
        Args:
            weight: [C_out, C_in, 3, 3], of the convolution.
        """
        super().__init__()
        self.weight = _fixed(weight)
        shares = weight.new_tensor(SHARES)
        shares = torch.stack((shares[0:3], shares[1:4]))  # of which pixel, from where, of which
        kernels = torch.einsum("ocyx,pyi,qxj->pqocij", weight, shares, shares)
        self.kernels = _fixed(kernels.flatten(0, 2))

    def add_to(self, y: Tensor, x: Tensor) -> None:
        """Adds the result for `x` [N, C_in, h, w] to `y` [N, C_out, H, W].

        H and W are twice h and w, or one less.
        """
        if min(x.shape[2:]) < AROUND_EDGE:
            y += self._directly(x, y.shape[2], y.shape[3])
            return
        edges = [(where, y[where] + value) for where, value in self._edges(x, *y.shape[2:])]
        phases = F.conv2d(x, self.kernels, padding=1).unflatten(1, (2, 2, -1))
        for row in range(2):
            for column in range(2):
                share = y[:, :, row::2, column::2]
                share += phases[:, row, column, :, : share.shape[2], : share.shape[3]]
        for where, value in edges:
            y[where] = value

    def _edges(self, x: Tensor, height: int, width: int) -> list[tuple[tuple[Any, ...], Tensor]]:
        """Where the edges are, and the result there: outside, a convolution finds zeros."""
        n, every = AROUND_EDGE, slice(None)
        first, last = slice(EDGE_PX), slice(-EDGE_PX, None)
        top = self._directly(x[:, :, :n], 2 * n, width)
        bottom = self._directly(x[:, :, -n:], height - 2 * (x.shape[2] - n), width)
        left = self._directly(x[..., :n], height, 2 * n)
        right = self._directly(x[..., -n:], height, width - 2 * (x.shape[3] - n))
        return [
            ((..., first, every), top[..., first, :]),
            ((..., last, every), bottom[..., last, :]),
            ((..., every, first), left[..., first]),
            ((..., every, last), right[..., last]),
        ]

    def _directly(self, x: Tensor, height: int, width: int) -> Tensor:
        return F.conv2d(upsample(x, height, width), self.weight, padding=1)


class _GRU(nn.Module):
    """ConvGRU with the convolutions of its input apart from those of its state."""

    def __init__(self, gru: ConvGRU) -> None:
        super().__init__()
        gates, new = _convolution(gru.ih), _convolution(gru.hh)
        half = new.weight.shape[0]
        # tanh(v) = 2 sigmoid(2v) - 1, which a processor computes faster.
        self.x_weight = _fixed(torch.cat((gates.weight[:, :half], 2 * new.weight[:, :half])))
        self.x_bias = _fixed(torch.cat((_bias(gates), 2 * _bias(new))))
        self.gates_weight = _fixed(gates.weight[:, half:])
        self.new_weight = _fixed(2 * new.weight[:, half:])

    def forward(self, x: Tensor, h: Tensor | None, frames: int) -> tuple[Tensor, Tensor]:
        """As `ConvGRU.forward`."""
        dtype, channels = x.dtype, x.shape[1]
        x = x.contiguous(memory_format=torch.channels_last)
        of_x = F.conv2d(x, self.x_weight, self.x_bias, padding=1).unflatten(0, (-1, frames))
        if h is None:
            h = torch.zeros_like(x.unflatten(0, (-1, frames))[:, 0], dtype=torch.float32)
        states = []
        for t in range(frames):
            gates_x, new_x = of_x[:, t].split((2 * channels, channels), dim=1)
            gates = F.conv2d(h.to(dtype), self.gates_weight, padding=1)
            r, z = gates.add_(gates_x).float().sigmoid_().chunk(2, dim=1)
            new = F.conv2d((r * h).to(dtype), self.new_weight, padding=1)
            n = new.add_(new_x).float().sigmoid_().mul_(2).sub_(1)
            h = torch.lerp(h, n, z)
            states.append(h.to(dtype))
        return states[0] if frames == 1 else torch.stack(states, dim=1).flatten(0, 1), h


class _Upsampling(nn.Module):
    """UpsamplingBlock without anything upsampled."""

    def __init__(self, block: UpsamplingBlock) -> None:
        super().__init__()
        convolution, channels = _convolution(block.conv), block.channels_in
        self.upsampled = _ConvolutionAfterUpsampling(convolution.weight[:, :channels])
        self.weight = _fixed(convolution.weight[:, channels:])
        self.bias = _fixed(_bias(convolution))
        self.gru = _GRU(block.gru)

    def forward(
        self, x: Tensor, f: Tensor, s: Tensor, r: Tensor | None, frames: int
    ) -> tuple[Tensor, Tensor]:
        y = F.conv2d(torch.cat((f, s), dim=1), self.weight, self.bias, padding=1)
        self.upsampled.add_to(y, x)
        _, recurrent = y.relu_().chunk(2, dim=1)
        found, r = self.gru(recurrent, r, frames)
        recurrent.copy_(found)
        return y, r


class _Output(nn.Module):
    """OutputBlock without anything upsampled."""

    def __init__(self, block: OutputBlock) -> None:
        super().__init__()
        convolution, channels = _convolution(block.conv), block.channels_in
        self.upsampled = _ConvolutionAfterUpsampling(convolution.weight[:, :channels])
        self.weight = _fixed(convolution.weight[:, channels:])
        self.bias = _fixed(_bias(convolution))
        self.rest = block.conv[3:]

    def forward(self, x: Tensor, s: Tensor) -> Tensor:
        y = F.conv2d(s, self.weight, self.bias, padding=1)
        self.upsampled.add_to(y, x)
        found: Tensor = self.rest(y.relu_())
        return found


class _Planar(nn.Module):
    """A 1x1 convolution that gives planes."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias = _on_planes(convolution)

    def forward(self, x: Tensor) -> Tensor:
        pixels = x.flatten(2)
        weight, bias = (each.expand(len(x), -1, -1) for each in (self.weight, self.bias))
        planes: Tensor = torch.baddbmm(bias, weight, pixels)
        return planes.view(len(x), -1, *x.shape[2:])


class _Filter(nn.Module):
    """DeepGuidedFilter on planes, all its means at once, and its layers a few pixels at a time."""

    def __init__(self, guided: DeepGuidedFilter) -> None:
        super().__init__()
        first, second, third = (_convolution(guided.conv, index) for index in (0, 3, 6))
        self.box = _fixed(guided.box_filter.weight.repeat(4, 1, 1, 1))
        weight, self.first_bias = _on_planes(first)
        self.variances_weight, self.hidden_weight = _fixed(weight[:, :8]), _fixed(weight[:, 8:])
        self.second, self.second_bias = _on_planes(second)
        self.third, self.third_bias = _on_planes(third)

    def fit(self, src_sm: Tensor, y: Tensor, hid: Tensor) -> tuple[Tensor, Tensor]:
        """As `DeepGuidedFilter.fit`."""
        means, variances = self._moments(src_sm, y)
        a = torch.empty_like(y)
        step = CACHED_PX if y.device.type == "cpu" else y.shape[2] * y.shape[3]
        for n in range(len(y)):
            planes = (hid[n].flatten(1), variances[n].flatten(1), a[n].flatten(1))
            for h, v, out in zip(*(each.split(step, dim=1) for each in planes), strict=True):
                x = torch.mm(self.hidden_weight, h).addmm_(self.variances_weight, v)
                x = x.add_(self.first_bias).relu_()
                x = torch.addmm(self.second_bias, self.second, x).relu_()
                out.copy_(torch.addmm(self.third_bias, self.third, x))
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


def _convolution(layers: nn.Sequential, index: int = 0) -> nn.Conv2d:
    return cast(nn.Conv2d, layers[index])


def _bias(convolution: nn.Conv2d) -> Tensor:
    return cast(Tensor, convolution.bias)  # folding a norm gives it one


def _on_planes(convolution: nn.Conv2d) -> tuple[nn.Parameter, nn.Parameter]:
    """A 1x1 convolution's weight [C_out, C_in] and bias [C_out, 1], for pixels [C_in, H * W]."""
    return _fixed(convolution.weight.flatten(1)), _fixed(_bias(convolution).view(-1, 1))


def _fixed(values: Tensor) -> nn.Parameter:
    return nn.Parameter(values.detach().clone(), requires_grad=False)
