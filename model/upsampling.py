"""The decoder arranged for running: nothing is upsampled before it is convolved."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.convolution import Convolution, arranged, fixed
from model.decoder import ConvGRU, OutputBlock, UpsamplingBlock, upsample

# Twice as large, the pixels -1 .. 2 around the two that one becomes: their shares of that one's
# neighbours and of itself. Bilinear, pixels as areas.
SHARES = ((0.75, 0.25, 0.0), (0.25, 0.75, 0.0), (0.0, 0.75, 0.25), (0.0, 0.25, 0.75))
EDGE_PX = 2  # how many pixels at an edge depend on what lies beyond it
AROUND_EDGE = 3  # smaller pixels that those depend on


class RunningGRU(nn.Module):
    """ConvGRU with the convolutions of its input apart from those of its state."""

    def __init__(self, gru: ConvGRU) -> None:
        super().__init__()
        gates, new = cast(nn.Conv2d, gru.ih[0]), cast(nn.Conv2d, gru.hh[0])
        half = new.weight.shape[0]
        self.gates_of_x = Convolution(gates.weight[:, :half], gates.bias, padding=1)
        self.gates_of_h = Convolution(gates.weight[:, half:], padding=1)
        # tanh(v) = 2 sigmoid(2v) - 1, which a processor computes faster.
        self.new_of_x = Convolution(2 * new.weight[:, :half], 2 * _bias(new), padding=1)
        self.new_of_h = Convolution(2 * new.weight[:, half:], padding=1)

    def forward(self, x: Tensor, h: Tensor | None, frames: int) -> tuple[Tensor, Tensor]:
        """As `ConvGRU.forward`."""
        dtype = x.dtype
        x = _channels_last(x)
        gates_of_x = self.gates_of_x(x).unflatten(0, (-1, frames))
        new_of_x = self.new_of_x(x).unflatten(0, (-1, frames))
        if h is None:
            h = torch.zeros_like(x.unflatten(0, (-1, frames))[:, 0], dtype=torch.float32)
        states = []
        for t in range(frames):
            gates = self.gates_of_h.add_to(_channels_last(gates_of_x[:, t]), h.to(dtype))
            r, z = gates.float().sigmoid_().chunk(2, dim=1)
            new = self.new_of_h.add_to(_channels_last(new_of_x[:, t]), (r * h).to(dtype))
            n = new.float().sigmoid_().mul_(2).sub_(1)
            h = torch.lerp(h, n, z)
            states.append(h.to(dtype))
        return states[0] if frames == 1 else torch.stack(states, dim=1).flatten(0, 1), h


class RunningUpsampling(nn.Module):
    """UpsamplingBlock without anything upsampled."""

    def __init__(self, block: UpsamplingBlock) -> None:
        super().__init__()
        self.upsampled, self.rest = _split(block.conv, block.channels_in)
        self.gru = RunningGRU(block.gru)

    def forward(
        self, x: Tensor, f: Tensor, s: Tensor, r: Tensor | None, frames: int
    ) -> tuple[Tensor, Tensor]:
        y = self.upsampled(x, s.shape[2], s.shape[3])
        y = self.rest.add_to(y, torch.cat((f, _channels_last(s.to(f.dtype))), dim=1))
        recurrent = y.chunk(2, dim=1)[1]
        found, r = self.gru(recurrent, r, frames)
        recurrent.copy_(found)
        return y, r


class RunningOutput(nn.Module):
    """OutputBlock without anything upsampled."""

    def __init__(self, block: OutputBlock) -> None:
        super().__init__()
        self.upsampled, self.of_source = _split(block.conv, block.channels_in)
        self.last = arranged(block.conv[3:])

    def forward(self, x: Tensor, s: Tensor) -> Tensor:
        y = self.upsampled(x, s.shape[2], s.shape[3])
        y = self.of_source.add_to(y, _channels_last(s.to(x.dtype)))
        found: Tensor = self.last(y)
        return found


class Halved(nn.Module):
    """The decoder's average pool, on planes."""

    def forward(self, x: Tensor) -> Tensor:
        # Beyond an odd edge there is nothing to be averaged: as if it were there twice.
        x = F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2), mode="replicate")
        rows = x[:, :, ::2] + x[:, :, 1::2]
        return (rows[..., ::2] + rows[..., 1::2]).mul_(0.25)


class ConvolutionAfterUpsampling(nn.Module):
    """A 3x3 convolution, without bias, of what was brought to twice its size.

    It is convolved at its own size, once for each of the four pixels that one becomes, with kernels
    that hold the interpolation.
    """

    def __init__(self, weight: Tensor) -> None:
        """
        Args:
            weight: [C_out, C_in, 3, 3], of the convolution.
        """
        super().__init__()
        self.weight = fixed(weight)
        shares = weight.new_tensor(SHARES)
        shares = torch.stack((shares[0:3], shares[1:4]))  # of which pixel, from where, of which
        kernels = torch.einsum("ocyx,pyi,qxj->pqocij", weight, shares, shares)
        # Of two rows; the two pixels beside each other lie so in memory, too.
        self.rows = nn.ModuleList(Convolution(row.flatten(0, 1), padding=1) for row in kernels)

    def forward(self, x: Tensor, height: int, width: int) -> Tensor:
        """The result for `x` [N, C_in, h, w]: [N, C_out, height, width], channels last in memory.

        Both are twice h and w, or one less.
        """
        if min(x.shape[2:]) < AROUND_EDGE:
            return _channels_last(self._directly(x, height, width))
        channels = self.weight.shape[0]
        y = x.new_empty((len(x), height, width, channels))
        for first, convolution in enumerate(self.rows):
            row = convolution(x).permute(0, 2, 3, 1).unflatten(3, (2, channels)).flatten(2, 3)
            share = y[:, first::2]
            share.copy_(row[:, : share.shape[1], :width])
        y = y.permute(0, 3, 1, 2)
        for where, value in self._edges(x, height, width):
            y[where] = value
        return y

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


def _split(layers: nn.Sequential, channels: int) -> tuple[ConvolutionAfterUpsampling, Convolution]:
    """A convolution, whose norm is folded into it: of what was upsampled, and of all else.

    The latter is added to the former, and then comes the ReLU.
    """
    convolution = cast(nn.Conv2d, layers[0])
    weight = convolution.weight
    rest = Convolution(weight[:, channels:], convolution.bias, padding=1, activation="relu")
    return ConvolutionAfterUpsampling(weight[:, :channels]), rest


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def _bias(convolution: nn.Conv2d) -> Tensor:
    return cast(Tensor, convolution.bias)
