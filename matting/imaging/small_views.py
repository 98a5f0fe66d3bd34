"""Small pictures of a frame for people: as it was filmed, its matte, and over a colour."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from matting.imaging.colour_conversion import resize_to_rgb
from matting.imaging.display_light import DisplayLight, convert_light
from matting.imaging.matte_planes import MAX_ALPHA
from matting.imaging.planes import Planes, signed_view
from matting.imaging.renderer import StoredFrames
from matting.imaging.sample_format import SampleFormat, Size
from matting.imaging.stored_compositor import compose
from matting.options import OutputKind

LONG_SIDE_PX = 640
WHITE = 255


@dataclass(frozen=True)
class SmallViews:
    """A frame as people see it, uint8, on the CPU.

    Attributes:
        source, matte, composite: [h, w, 3], R'G'B'; the matte is grey.
    """

    source: Tensor
    matte: Tensor
    composite: Tensor

    @property
    def pictures(self) -> tuple[Tensor, Tensor, Tensor]:
        """All of them, in that order."""
        return self.source, self.matte, self.composite


@torch.inference_mode()
def small_views(
    frame: StoredFrames, colour: tuple[int, int, int], light: DisplayLight
) -> SmallViews:
    """Return small pictures of a frame.

    Args:
        frame: one, on any device.
        colour: behind the composite, R'G'B', 0..WHITE.
        light: what the colours of the frame, and this one, stand for.
    """
    source = frame.source
    scale = min(1.0, LONG_SIDE_PX / max(source.size))
    size = Size(*(max(1, round(side * scale)) for side in source.size))
    matte = frame.matte.to(source.device)
    target = SampleFormat(transfer=source.sample_format.transfer)
    composed = compose(source, matte, {OutputKind.COMPOSITE: target}, colour)
    alpha = signed_view(matte.alpha).float() / MAX_ALPHA
    small_alpha = F.interpolate(alpha, (size.height, size.width), mode="area")
    return SmallViews(
        _shown(source, size, light),
        _codes(small_alpha)[0].permute(1, 2, 0).expand(-1, -1, 3),
        _shown(composed[OutputKind.COMPOSITE], size, light),
    )


def _shown(frame: Planes, size: Size, light: DisplayLight) -> Tensor:
    """Return a frame as an SDR screen shows it, [h, w, 3]."""
    rgb = convert_light(resize_to_rgb(frame, size), light, DisplayLight())
    return _codes(rgb)[0].permute(1, 2, 0)


def _codes(values: Tensor) -> Tensor:
    """Return values in [0, 1] as codes, uint8, on the CPU."""
    return (values.clamp(0, 1) * WHITE).round_().to(torch.uint8).cpu()
