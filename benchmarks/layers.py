"""What the network found at full size, before it is blended: foreground and alpha."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from matting.imaging.blending import apply_guided_filter
from matting.imaging.colour_conversion import rows_to_rgb
from matting.imaging.compositor import Matte, coefficient_bands


def render_layers(
    matte: Matte, band_px: int | None = None
) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Yield rows from top to bottom, with the foreground and the alpha there, not blended.

    Args:
        band_px: how many pixels to compute at once; None: as suits the device.
    Yields:
        the rows; the foreground [T, 3, n, W], R'G'B' in the source's range, which means something
        only where alpha is above 0; alpha [T, 1, n, W] in [0, 1]. Both float32.
    """
    source = matte.source
    for rows, coefficients in coefficient_bands(matte, band_px):
        rgb = rows_to_rgb(source, rows)
        yield rows, *apply_guided_filter(rgb, coefficients, source.sample_format)
