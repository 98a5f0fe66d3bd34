"""The matting network: encoder, LR-ASPP, recurrent decoder, projection, guided filter."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from model.decoder import Recurrent, RecurrentDecoder
from model.deep_guided_filter import DeepGuidedFilter
from model.encoder import CHANNELS, LRASPP, Features, MobileNetV3Encoder

State = tuple[Tensor, Tensor, Tensor, Tensor]
NO_STATE: Recurrent = (None, None, None, None)


class Projection(nn.Module):
    """A 1x1 convolution under the name the checkpoint gives it."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        projected: Tensor = self.conv(x)
        return projected


class MattingNetwork(nn.Module):
    """Robust Video Matting on MobileNetV3; strict loading of the published checkpoint succeeds.

    `project_seg` is a head used in training only; it is kept because checkpoints hold it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.backbone = MobileNetV3Encoder()
        self.aspp = LRASPP(CHANNELS[-1], 128)
        self.decoder = RecurrentDecoder()
        self.project_mat = Projection(16, 4)
        self.project_seg = Projection(16, 1)
        self.refiner = DeepGuidedFilter()

    @property
    def state_channels(self) -> tuple[int, ...]:
        """How many channels r1 .. r4 have."""
        return self.decoder.state_channels

    def forward(
        self, src: Tensor, rec: State | None = None, downsample_ratio: float = 1.0
    ) -> tuple[Tensor, Tensor, State]:
        """Foreground, alpha and the states after the last frame.

        Args:
            src: [B, 3, H, W] or [B, T, 3, H, W], RGB in [0, 1]; any H and W.
            rec: r1 .. r4 as returned for the frame before; None before the first.
            downsample_ratio: in (0, 1]; stage one runs on a copy of that size. At 1 there is
                no second stage.
        Returns:
            fgr [.., 3, H, W] and pha [.., 1, H, W], both in [0, 1], leading dimensions as in
            `src`; (r1, r2, r3, r4), [B, c, h, w] each, float32.
        Source: Lin et al. 2021, section 3.
        """
        frames = src.shape[1] if src.ndim == 5 else 1
        flat = src.flatten(0, 1) if src.ndim == 5 else src  # [N, 3, H, W]
        small = _resize(flat, downsample_ratio)
        a, b, rec = self.run_small(small, rec, frames, refine=downsample_ratio != 1)
        y = b if a is None else self.refiner.apply_to(flat, a, b)
        residual, pha = y.split((3, 1), dim=1)
        fgr, pha = (residual + flat).clamp(0, 1), pha.clamp(0, 1)
        if src.ndim == 5:
            fgr, pha = fgr.unflatten(0, (-1, frames)), pha.unflatten(0, (-1, frames))
        return fgr, pha, rec

    def run_small(
        self, small: Tensor, rec: State | None, frames: int, *, refine: bool
    ) -> tuple[Tensor | None, Tensor, State]:
        """All that is computed on the small copy: `extract_features`, `run_recurrent` and
        `fit_guided_filter` in one.

        Args:
            small: [N, 3, h, w], N = B * `frames`, RGB in [0, 1].
            rec: as for `forward`.
            refine: whether the full size is another than this.
        Returns:
            What `fit_guided_filter` returns, and the states after the last frame.
        """
        hid, state = self.run_recurrent(small, self.extract_features(small), rec, frames)
        return *self.fit_guided_filter(small, hid, refine=refine), state

    def extract_features(self, small: Tensor) -> Features:
        """What is in each frame by itself: at 1/2, 1/4, 1/8 and 1/16 of the size of `small`."""
        f1, f2, f3, f4 = self.backbone(small)
        return f1, f2, f3, self.aspp(f4)

    def run_recurrent(
        self, small: Tensor, features: Features, rec: State | None, frames: int
    ) -> tuple[Tensor, State]:
        """What the frames before have to do with it: [N, 16, h, w], the states after the last."""
        hid, state = self.decoder(small, features, rec or NO_STATE, frames)
        return hid, state

    def fit_guided_filter(
        self, small: Tensor, hid: Tensor, *, refine: bool
    ) -> tuple[Tensor | None, Tensor]:
        """A and b, [N, 4, h, w] each: residual and pha are A * guide + b at full size.

        Without refinement, None and both themselves. Of each frame by itself.
        """
        # Alpha of half precision would be off by more than a step of 8 bits.
        y = self.project_mat(hid.float())  # [N, 4, h, w]
        return self.refiner.fit(small, y, hid) if refine else (None, y)


def _resize(src: Tensor, ratio: float) -> Tensor:
    if ratio == 1:
        return src
    return F.interpolate(
        src, scale_factor=ratio, mode="bilinear", align_corners=False, recompute_scale_factor=False
    )
