"""The matting network: encoder, LR-ASPP, recurrent decoder, projection, guided filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch.nn.functional as F
from torch import Tensor, nn

from model.decoder import Recurrent, RecurrentDecoder
from model.deep_guided_filter import DeepGuidedFilter
from model.encoder import LRASPP, Features
from model.mobilenetv3 import MobileNetV3Encoder
from model.resnet50 import ResNet50Encoder
from model.variant import MOBILENETV3, RESNET50, Variant

State = tuple[Tensor, Tensor, Tensor, Tensor]  # r1 .. r4, [B, c, h, w] each, float32
NO_STATE: Recurrent = (None, None, None, None)
ENCODERS: Mapping[Variant, Callable[[], nn.Module]] = {
    MOBILENETV3: MobileNetV3Encoder,
    RESNET50: ResNet50Encoder,
}


class Projection(nn.Module):
    """A 1x1 convolution, under the name that checkpoints give it."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        projected: Tensor = self.conv(x)
        return projected


class MattingNetwork(nn.Module):
    """Robust Video Matting on one of its encoders; the published checkpoint loads strictly.

    `project_seg` is a head used in training only; it is here because checkpoints hold it.
    """

    def __init__(self, variant: Variant = MOBILENETV3) -> None:
        super().__init__()
        self.variant = variant
        self.backbone = ENCODERS[variant]()
        self.aspp = LRASPP(variant.features[-1], variant.context)
        self.decoder = RecurrentDecoder(variant)
        self.project_mat = Projection(16, 4)
        self.project_seg = Projection(16, 1)
        self.refiner = DeepGuidedFilter()

    def forward(
        self, src: Tensor, rec: State | None = None, downsample_ratio: float = 1.0
    ) -> tuple[Tensor, Tensor, State]:
        """Return foreground, alpha, and the states after the last frame.

        Args:
            src: [B, 3, H, W] or [B, T, 3, H, W], RGB in [0, 1]; any H and W.
            rec: r1 .. r4 as returned for the frame before; None before the first.
            downsample_ratio: in (0, 1]; stage one runs on a copy of that size. At 1 there is no
                second stage.
        Returns:
            fgr [.., 3, H, W] and pha [.., 1, H, W], both in [0, 1], leading dimensions as in
            `src`; (r1, r2, r3, r4), [B, c, h, w] each, float32.
        Source: Lin et al. 2021, section 3.
        """
        frames = src.shape[1] if src.ndim == 5 else 1
        flat = src.flatten(0, 1) if src.ndim == 5 else src  # [N, 3, H, W]
        src_sm = _resize(flat, downsample_ratio)
        a, b, rec = self.run_small(src_sm, rec, frames, refine=downsample_ratio != 1)
        y = b if a is None else self.refiner.apply_to(flat, a, b)
        residual, pha = y.split((3, 1), dim=1)
        fgr, pha = (residual + flat).clamp(0, 1), pha.clamp(0, 1)
        if src.ndim == 5:
            fgr, pha = fgr.unflatten(0, (-1, frames)), pha.unflatten(0, (-1, frames))
        return fgr, pha, rec

    def run_small(
        self, src_sm: Tensor, rec: State | None, frames: int, *, refine: bool
    ) -> tuple[Tensor | None, Tensor, State]:
        """Do all that is computed on the small copy: the three steps below in one.

        Args:
            src_sm: [N, 3, h, w], N = B * `frames`, RGB in [0, 1].
            rec: as for `forward`.
            refine: whether the source is larger than this.
        Returns:
            What `fit_guided_filter` returns, and the states after the last frame.
        """
        hid, rec = self.run_recurrent(src_sm, self.extract_features(src_sm), rec, frames)
        y = self.project(hid)
        return *self.fit_guided_filter(src_sm, y, hid, refine=refine), rec

    def extract_features(self, src_sm: Tensor) -> Features:
        """Return the features of each frame by itself.

        f1, f2 and f3 at 1/2, 1/4 and 1/8 of the size of `src_sm` [N, 3, h, w], and LR-ASPP's
        output at 1/16.
        """
        f1, f2, f3, f4 = self.backbone(src_sm)
        return f1, f2, f3, self.aspp(f4)

    def run_recurrent(
        self, src_sm: Tensor, features: Features, rec: State | None, frames: int
    ) -> tuple[Tensor, State]:
        """Return the decoder's output hid [N, 16, h, w], and the states after the last frame."""
        hid, rec = self.decoder(src_sm, features, rec or NO_STATE, frames)
        return hid, rec

    def project(self, hid: Tensor) -> Tensor:
        """Return residual and alpha on the small copy [N, 4, h, w], float32, of hid."""
        # Alpha of half precision would be off by more than a step of 8 bits.
        y: Tensor = self.project_mat(hid.float())
        return y

    def fit_guided_filter(
        self, src_sm: Tensor, y: Tensor, hid: Tensor, *, refine: bool
    ) -> tuple[Tensor | None, Tensor]:
        """Return A and b, [N, 4, h, w] each: at full size, A * guide + b is residual and pha.

        Each frame by itself. Without refinement, return None, and residual and pha themselves.

        Args:
            y: what `project` returns for `hid`.
        """
        return self.refiner.fit(src_sm, y, hid) if refine else (None, y)


def _resize(src: Tensor, ratio: float) -> Tensor:
    if ratio == 1:
        return src
    return F.interpolate(
        src, scale_factor=ratio, mode="bilinear", align_corners=False, recompute_scale_factor=False
    )
