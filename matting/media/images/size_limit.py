"""How large a picture may be: what a header says is believed only so far."""

from __future__ import annotations

from pathlib import Path

from matting.errors import DecodeError

# As many as FFmpeg decodes of a PNG: somewhat more than 16000 x 16000.
LARGEST_PIXELS = 1 << 28
MOST_CHANNELS = 16  # of a TIFF: more than four are refused later, by what they are


def require_size(path: Path, width_px: int, height_px: int, channels: int = 1) -> None:
    """Refuse a picture that is larger than any that is taken, before its pixels are unpacked.

    A file of a few kilobytes can unpack to terabytes.

    Raises:
        DecodeError: names its size.
    """
    if width_px * height_px > LARGEST_PIXELS or channels > MOST_CHANNELS:
        size = f"{width_px}x{height_px}" + (f" with {channels} channels" if channels > 4 else "")
        side = round(LARGEST_PIXELS**0.5)
        raise DecodeError(
            f"{path} is {size}, and a picture may have {side}x{side}.", "Make it smaller."
        )
