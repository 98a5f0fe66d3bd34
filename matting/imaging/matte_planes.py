"""The matte of frames at full size, as it is stored, and all that is shown is made from it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from matting.imaging.sample_format import SampleFormat

ALPHA_BITS = 10
MAX_ALPHA = (1 << ALPHA_BITS) - 1


@dataclass(frozen=True)
class MattePlanes:
    """The matte of T frames at full size, as it is stored; on any device.

    Attributes:
        alpha: [T, 1, H, W], uint16, 0..MAX_ALPHA.
        luma_or_rgb: [T, 1 or 3, H, W], int8: the correction of luma, or of R'G'B' where the source
            has no luma.
        chroma: [T, 2, h, w], int8, of the source's own chroma subsampling; None where it has none.
        sample_format: the source's.
    """

    alpha: Tensor
    luma_or_rgb: Tensor
    chroma: Tensor | None
    sample_format: SampleFormat
