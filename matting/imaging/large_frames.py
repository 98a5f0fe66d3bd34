"""Which frames are so large that encoders of them are used one after the other."""

from __future__ import annotations

from matting.imaging.sample_format import Size

# Two encoders of larger frames would take more memory at once than one of 8192x4096.
LARGE_PX = 8192 * 4096 // 2


def is_large(size_px: Size) -> bool:
    """Return whether two encoders of such frames at once take too much memory."""
    return size_px.width * size_px.height > LARGE_PX
