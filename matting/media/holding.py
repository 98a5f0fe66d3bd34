"""What holds which pixels: the encoder and the pixel format for frames that are written anew."""

from __future__ import annotations

from dataclasses import dataclass

import av
from av.video.format import VideoFormat

from matting.media.pixel_formats import SAME_SAMPLES, chroma_cells

# Every frame shown when it is decoded: then its decoding time needs no thought.
X264 = {"preset": "veryfast", "bf": "0"}
X265 = {"preset": "fast"}
X265_PARAMS = "open-gop=0:bframes=0:info=0:log-level=error"
# Each frame for itself, with a checksum for each of its slices.
FFV1 = {"level": "3", "slicecrc": "1"}


@dataclass(frozen=True)
class Holding:
    """How frames are encoded: FFmpeg's encoder, the pixel format it is given, its options."""

    encoder: str
    pixel_format: str
    options: dict[str, str]


def holding(pixel_format: str, size_px: tuple[int, int], crf: int | None) -> Holding:
    """How frames of that format and size are encoded to mp4.

    H.264 where it can, else H.265, else FFV1; the other way round at a constant quality.

    Args:
        crf: the encoder's constant rate factor; None: without loss.
    """
    same = SAME_SAMPLES.get(pixel_format, pixel_format)
    x265 = X265_PARAMS + (":lossless=1" if crf is None else "")
    constant = {} if crf is None else {"crf": str(crf)}
    h264 = X264 | (constant or {"qp": "0"})
    h265 = X265 | constant | {"x265-params": x265}
    if crf is not None:
        return Holding("libx265", nearest(same, size_px), h265)
    if _fits(same, size_px):
        for encoder, options in (("libx264", h264), ("libx265", h265)):
            if same in formats_of(encoder):
                return Holding(encoder, same, options)
    wide = "gbrp16le" if VideoFormat(same, 2, 2).is_rgb else "yuv444p16le"
    return Holding("ffv1", same if same in formats_of("ffv1") else wide, FFV1)


def keeps(pixel_format: str) -> bool:
    """Whether frames of that format can be written without loss."""
    same = SAME_SAMPLES.get(pixel_format, pixel_format)
    return holding(pixel_format, (2, 2), None).pixel_format == same


def nearest(pixel_format: str, size_px: tuple[int, int]) -> str:
    """The format of H.265 that keeps most of another one, for that size of picture."""
    if pixel_format in formats_of("libx265") and _fits(pixel_format, size_px):
        return pixel_format
    known = VideoFormat(pixel_format, 8, 8)
    deepest = max(component.bits for component in known.components)
    bits = 8 if deepest <= 8 else 10 if deepest <= 10 else 12
    depth = "" if bits == 8 else f"{bits}le"
    if known.is_rgb or known.has_palette:
        return f"gbrp{depth}"
    columns, rows = chroma_cells(pixel_format)
    for name in (f"yuv420p{depth}", f"yuv422p{depth}"):
        own_columns, own_rows = chroma_cells(name)
        if own_columns <= columns and own_rows <= rows and _fits(name, size_px):
            return name
    return f"yuv444p{depth}"


def formats_of(encoder: str) -> frozenset[str]:
    """The pixel formats that an encoder takes and gives back."""
    formats = {known.name for known in av.Codec(encoder, "w").video_formats or []}
    # x265 lists formats with transparency, but the decoder gives none back.
    return frozenset(name for name in formats if encoder == "ffv1" or not name.startswith("yuva"))


def _fits(pixel_format: str, size_px: tuple[int, int]) -> bool:
    """Whether x264 and x265 take pictures of that size: whole cells of chroma only."""
    cells = chroma_cells(pixel_format)
    return all(side % cell == 0 for side, cell in zip(size_px, cells, strict=True))
