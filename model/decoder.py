"""The recurrent decoder: four ConvGRUs from 1/16 up to the small copy's own size.

Shapes: N = B * T frames, ordered by batch entry, then by time.
Source: Lin et al. 2021, section 3.2.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.encoder import Features
from model.variant import Variant

# The recurrent states r1 (1/2) .. r4 (1/16), [B, c, h, w] each; None stands for zeros.
Recurrent = tuple[Tensor | None, Tensor | None, Tensor | None, Tensor | None]


class ConvGRU(nn.Module):
    """A convolutional gated recurrent unit of `channels` channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.ih = nn.Sequential(nn.Conv2d(2 * channels, 2 * channels, 3, padding=1), nn.Sigmoid())
        self.hh = nn.Sequential(nn.Conv2d(2 * channels, channels, 3, padding=1), nn.Tanh())

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        """Return the state after one more frame: `x`, `h` and the result are [B, c, h, w]."""
        r, z = self.ih(torch.cat((x, h), dim=1)).chunk(2, dim=1)
        n = self.hh(torch.cat((x, r * h), dim=1))
        return cast(Tensor, (1 - z) * h + z * n)

    def forward(self, x: Tensor, h: Tensor | None, frames: int) -> tuple[Tensor, Tensor]:
        """Run over `frames` frames of each batch entry.

        Args:
            x: [B * frames, c, h, w].
            h: [B, c, h, w], the state before the first frame, in float32: errors add up in it.
        Returns:
            The state after every frame [B * frames, c, h, w], and after the last one [B, c, h, w].
        """
        steps = x.unflatten(0, (-1, frames))  # [B, T, c, h, w]
        if h is None:
            h = torch.zeros_like(steps[:, 0], dtype=torch.float32)
        states = []
        for t in range(frames):
            h = self.step(steps[:, t], h)
            states.append(h)
        return torch.stack(states, dim=1).flatten(0, 1), h


class BottleneckBlock(nn.Module):
    """`decode4`: half of the channels pass through, the other half goes through a ConvGRU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gru = ConvGRU(channels // 2)

    def forward(self, x: Tensor, r: Tensor | None, frames: int) -> tuple[Tensor, Tensor]:
        a, b = x.chunk(2, dim=1)
        b, r = self.gru(b, r, frames)
        return torch.cat((a, b), dim=1), r


class UpsamplingBlock(nn.Module):
    """`decode3` .. `decode1`: upsamples, joins the encoder's features and the source, recurs."""

    def __init__(self, channels_in: int, channels_skip: int, channels_out: int) -> None:
        super().__init__()
        self.channels_in = channels_in
        self.conv = nn.Sequential(
            nn.Conv2d(channels_in + channels_skip + 3, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
        )
        self.gru = ConvGRU(channels_out // 2)

    def forward(
        self, x: Tensor, f: Tensor, s: Tensor, r: Tensor | None, frames: int
    ) -> tuple[Tensor, Tensor]:
        a, b = self.conv(torch.cat((upsample(x, *s.shape[2:]), f, s.to(f.dtype)), dim=1)).chunk(
            2, dim=1
        )
        b, r = self.gru(b, r, frames)
        return torch.cat((a, b), dim=1), r


class OutputBlock(nn.Module):
    """`decode0`: upsamples to the small copy's own size; not recurrent."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.channels_in = channels_in
        self.conv = nn.Sequential(
            nn.Conv2d(channels_in + 3, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor, s: Tensor) -> Tensor:
        return cast(Tensor, self.conv(torch.cat((upsample(x, *s.shape[2:]), s.to(x.dtype)), dim=1)))


class RecurrentDecoder(nn.Module):
    """From the features of T frames, in order, to 16 channels as large as the small copy."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        # ceil_mode keeps s1 .. s3 as large as the encoder's features where a size is odd.
        self.avgpool = nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False)
        f1, f2, f3, _ = variant.features
        d3, d2, d1 = variant.decoded
        self.decode4 = BottleneckBlock(variant.context)
        self.decode3 = UpsamplingBlock(variant.context, f3, d3)
        self.decode2 = UpsamplingBlock(d3, f2, d2)
        self.decode1 = UpsamplingBlock(d2, f1, d1)
        self.decode0 = OutputBlock(d1, 16)

    def forward(
        self, src_sm: Tensor, features: Features, rec: Recurrent, frames: int
    ) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor, Tensor]]:
        """Decode `frames` frames of each batch entry.

        Args:
            src_sm: [N, 3, h, w], the small copy, in [0, 1].
            features: f1, f2, f3 of the encoder, and LR-ASPP's output in place of f4.
            rec: the states before the first frame.
            frames: T, the frames of a batch entry.
        Returns:
            hid [N, 16, h, w], and the states after the last frame, [B, c, h, w] each.
        """
        f1, f2, f3, f4 = features
        r1, r2, r3, r4 = rec
        s1 = self.avgpool(src_sm)
        s2 = self.avgpool(s1)
        s3 = self.avgpool(s2)
        x, r4 = self.decode4(f4, r4, frames)
        x, r3 = self.decode3(x, f3, s3, r3, frames)
        x, r2 = self.decode2(x, f2, s2, r2, frames)
        x, r1 = self.decode1(x, f1, s1, r1, frames)
        return self.decode0(x, src_sm), (r1, r2, r3, r4)


def upsample(x: Tensor, height: int, width: int) -> Tensor:
    """Upsample `x` bilinearly to twice its size; crop to `height` x `width`, as sizes round up."""
    x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    return x[..., :height, :width]
