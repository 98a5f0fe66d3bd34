"""The deep guided filter: upsamples the small result along the source's own edges.

Source: Wu et al. 2018, "Fast End-to-End Trainable Guided Filter"; Lin et al. 2021, section 3.3.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DeepGuidedFilter(nn.Module):
    """Fits y = A * x + b on the small copy, where x is the guide, and applies it at full size."""

    def __init__(self, hidden: int = 16) -> None:
        super().__init__()
        # Trained weights, not a plain mean of nine pixels.
        self.box_filter = nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False)
        self.conv = nn.Sequential(
            nn.Conv2d(4 * 2 + hidden, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, 4, 1),
        )

    def fit(self, src_sm: Tensor, y: Tensor, hid: Tensor) -> tuple[Tensor, Tensor]:
        """Return A and b, the linear map from guide to result, [N, 4, h, w] each.

        Args:
            src_sm: [N, 3, h, w], the small copy.
            y: [N, 4, h, w], residual and alpha on the small copy.
            hid: [N, 16, h, w], the decoder's output.
        """
        x = guide(src_sm)
        mean_x, mean_y = self.box_filter(x), self.box_filter(y)
        cov_xy = self.box_filter(x * y) - mean_x * mean_y
        var_x = self.box_filter(x * x) - mean_x * mean_x
        a = self.conv(torch.cat((cov_xy, var_x, hid), dim=1))
        return a, mean_y - a * mean_x

    @staticmethod
    def apply_to(src: Tensor, a: Tensor, b: Tensor) -> Tensor:
        """Return residual and alpha [N, 4, H, W] at the size of `src` [N, 3, H, W]."""
        size = src.shape[-2:]
        a = F.interpolate(a, size, mode="bilinear", align_corners=False)
        b = F.interpolate(b, size, mode="bilinear", align_corners=False)
        return a * guide(src) + b


def guide(src: Tensor) -> Tensor:
    """Return `src` [N, 3, H, W] with its channel mean as a fourth channel, [N, 4, H, W]."""
    return torch.cat((src, src.mean(dim=1, keepdim=True)), dim=1)
