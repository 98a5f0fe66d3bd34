"""The decoder rewritten for inference: nothing is upsampled before it is convolved."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.convolution import Convolution, frozen, fuse
from model.decoder import ConvGRU, OutputBlock, UpsamplingBlock, upsample

# Bilinear, pixels as areas: of the upsampled pixels -1 .. 2, where 0 and 1 are those that one pixel
# becomes, the weights of that pixel's left neighbour, of itself and of its right neighbour.
INTERPOLATION = ((0.75, 0.25, 0.0), (0.25, 0.75, 0.0), (0.0, 0.75, 0.25), (0.0, 0.25, 0.75))
EDGE_PX = 2  # how many upsampled pixels at an edge depend on what lies beyond it
EDGE_SUPPORT_PX = 3  # how many pixels those are computed from


class InferenceGRU(nn.Module):
    """ConvGRU with the convolutions of its input apart from those of its state.

    The former are computed for all frames at once.
    """

    def __init__(self, gru: ConvGRU) -> None:
        super().__init__()
        gates, new = cast(nn.Conv2d, gru.ih[0]), cast(nn.Conv2d, gru.hh[0])
        half = new.weight.shape[0]
        self.gates_of_x = Convolution(gates.weight[:, :half], gates.bias, padding=1)
        self.gates_of_h = Convolution(gates.weight[:, half:], padding=1)
        # tanh(v) = 2 sigmoid(2v) - 1, which a CPU computes faster.
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


class InferenceUpsamplingBlock(nn.Module):
    """UpsamplingBlock without anything upsampled."""

    def __init__(self, block: UpsamplingBlock) -> None:
        super().__init__()
        self.upsampled, self.rest = _split(block.conv, block.channels_in)
        self.gru = InferenceGRU(block.gru)

    def forward(
        self, x: Tensor, f: Tensor, s: Tensor, r: Tensor | None, frames: int
    ) -> tuple[Tensor, Tensor]:
        """As `UpsamplingBlock.forward`."""
        y = self.upsampled(x, s.shape[2], s.shape[3])
        y = self.rest.add_to(y, torch.cat((f, _channels_last(s.to(f.dtype))), dim=1))
        b = y.chunk(2, dim=1)[1]
        states, r = self.gru(b, r, frames)
        b.copy_(states)
        return y, r


class InferenceOutputBlock(nn.Module):
    """OutputBlock without anything upsampled."""

    def __init__(self, block: OutputBlock) -> None:
        super().__init__()
        self.upsampled, self.of_source = _split(block.conv, block.channels_in)
        self.last = fuse(block.conv[3:])

    def forward(self, x: Tensor, s: Tensor) -> Tensor:
        """As `OutputBlock.forward`."""
        y = self.upsampled(x, s.shape[2], s.shape[3])
        y = self.of_source.add_to(y, _channels_last(s.to(x.dtype)))
        hid: Tensor = self.last(y)
        return hid


class PlanarAveragePool(nn.Module):
    """The decoder's 2x2 average pool, on planes."""

    def forward(self, x: Tensor) -> Tensor:
        # An odd edge is averaged with nothing beyond it, and so with itself.
        x = F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2), mode="replicate")
        rows = x[:, :, ::2] + x[:, :, 1::2]
        return (rows[..., ::2] + rows[..., 1::2]).mul_(0.25)


class ConvolutionAfterUpsampling(nn.Module):
    """A 3x3 convolution, without bias, of what was upsampled to twice its size.

    It is computed at the input's own size, once for each of the four pixels that one becomes, with
    kernels that hold the interpolation.
    """

    def __init__(self, weight: Tensor) -> None:
        """
        Args:
            weight: [C_out, C_in, 3, 3], of the convolution.
        """
        super().__init__()
        self.weight = frozen(weight)
        taps = weight.new_tensor(INTERPOLATION)
        taps = torch.stack((taps[0:3], taps[1:4]))  # [pixel of the two, kernel tap, neighbour]
        kernels = torch.einsum("ocyx,pyi,qxj->pqocij", weight, taps, taps)
        # One for each of two rows; two pixels side by side are so in memory, too.
        self.rows = nn.ModuleList(Convolution(row.flatten(0, 1), padding=1) for row in kernels)

    def forward(self, x: Tensor, height: int, width: int) -> Tensor:
        """Return the result for `x` [N, C_in, h, w].

        Args:
            height, width: twice h and w, or one less.
        Returns:
            [N, C_out, height, width], channels last in memory.
        """
        if min(x.shape[2:]) < EDGE_SUPPORT_PX:
            return _channels_last(self._upsample_first(x, height, width))
        channels = self.weight.shape[0]
        y = x.new_empty((len(x), height, width, channels))
        for first, convolution in enumerate(self.rows):
            row = convolution(x).permute(0, 2, 3, 1).unflatten(3, (2, channels)).flatten(2, 3)
            target = y[:, first::2]
            target.copy_(row[:, : target.shape[1], :width])
        y = y.permute(0, 3, 1, 2)
        for region, value in self._edges(x, height, width):
            y[region] = value
        return y

    def _edges(self, x: Tensor, height: int, width: int) -> list[tuple[tuple[Any, ...], Tensor]]:
        """Return where the edges are, and the result there: past them a convolution finds zeros."""
        n, every = EDGE_SUPPORT_PX, slice(None)
        first, last = slice(EDGE_PX), slice(-EDGE_PX, None)
        top = self._upsample_first(x[:, :, :n], 2 * n, width)
        bottom = self._upsample_first(x[:, :, -n:], height - 2 * (x.shape[2] - n), width)
        left = self._upsample_first(x[..., :n], height, 2 * n)
        right = self._upsample_first(x[..., -n:], height, width - 2 * (x.shape[3] - n))
        return [
            ((..., first, every), top[..., first, :]),
            ((..., last, every), bottom[..., last, :]),
            ((..., every, first), left[..., first]),
            ((..., every, last), right[..., last]),
        ]

    def _upsample_first(self, x: Tensor, height: int, width: int) -> Tensor:
        return F.conv2d(upsample(x, height, width), self.weight, padding=1)


def _split(layers: nn.Sequential, channels: int) -> tuple[ConvolutionAfterUpsampling, Convolution]:
    """Split a convolution with its norm folded in: its upsampled channels, and all others.

    The result of the latter is added to that of the former, and then comes the ReLU.
    """
    convolution = cast(nn.Conv2d, layers[0])
    weight = convolution.weight
    rest = Convolution(weight[:, channels:], convolution.bias, padding=1, activation="relu")
    return ConvolutionAfterUpsampling(weight[:, :channels]), rest


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def _bias(convolution: nn.Conv2d) -> Tensor:
    return cast(Tensor, convolution.bias)
