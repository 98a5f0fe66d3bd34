"""How a stream's numbers mean colours, and the two conversions between them and RGB.

The integers are those of ITU-T H.273, as FFmpeg numbers them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

UNSPECIFIED = 2
BT709, BT470BG, SMPTE170M, BT2020 = 1, 5, 6, 9
SD_HEIGHT_PX = 576
LIMITED, FULL = 1, 2
BT601 = 5  # libswscale's number for both of BT.601's systems

# libswscale's flags: bicubic, full chroma both ways, accurate rounding. Without them it rounds
# down and averages chroma with the nearest lines only. PyAV names them from version 18 on.
EXACT = 0x4 | 0x2000 | 0x4000 | 0x40000


@dataclass(frozen=True)
class Colour:
    """A stream's colour tags, as they stand in the file (UNSPECIFIED where there are none)."""

    matrix: int
    range: int
    transfer: int
    primaries: int

    @classmethod
    def of(cls, context: VideoCodecContext, pixel_format: str) -> Colour:
        """The tags of an opened stream. The old yuvj formats mean full range by their name."""
        full = pixel_format.startswith("yuvj") or context.color_range == FULL
        return cls(
            int(context.colorspace),
            FULL if full else LIMITED,
            int(context.color_trc),
            int(context.color_primaries),
        )

    def matrix_for(self, height_px: int) -> int:
        """The matrix to compute with, in libswscale's numbers.

        An untagged stream higher than 576 lines is taken as BT.709, any other as BT.601: what
        players do.
        """
        if self.matrix in {BT709, BT2020}:
            return self.matrix
        if self.matrix in {BT470BG, SMPTE170M}:
            return BT601
        return BT709 if height_px > SD_HEIGHT_PX else BT601

    def apply_to(self, context: CodecContext) -> None:
        """Writes the tags into an encoder that is not open yet.

        A matrix that `matrix_for` replaces (RGB's, say) is tagged as what it was replaced by.
        """
        if not isinstance(context, VideoCodecContext):
            raise TypeError(f"not a video encoder: {context!r}")
        known = {BT709, BT470BG, SMPTE170M, BT2020, UNSPECIFIED}
        used = SMPTE170M if self.matrix_for(context.height) == BT601 else BT709
        context.colorspace = self.matrix if self.matrix in known else used
        context.color_range = self.range
        context.color_trc = self.transfer
        context.color_primaries = self.primaries


class ToRGB:
    """Decoded frames to 8-bit RGB by the stream's own matrix and range."""

    def __init__(self, colour: Colour) -> None:
        self._colour = colour
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """RGB [H, W, 3], 0..255."""
        rgb = self._reformatter.reformat(
            frame,
            format="rgb24",
            src_colorspace=self._colour.matrix_for(frame.height),
            src_color_range=self._colour.range,
            dst_color_range=FULL,
            interpolation=EXACT,
        )
        return np.asarray(rgb.to_ndarray(), dtype=np.uint8)


class FromGrey:
    """8-bit grey to 4:2:0 frames for an encoder: brightness alone, without a colour's detour."""

    def __init__(self, colour: Colour) -> None:
        self._range = colour.range
        steps = np.arange(256) if colour.range == FULL else 16 + np.arange(256) * (219 / 255)
        self._luma = np.rint(steps).astype(np.uint8)  # ITU-R BT.709, quantisation of 8 bits

    def __call__(self, grey: NDArray[np.uint8]) -> VideoFrame:
        """A frame of grey [H, W], 0..255, both sides even; its PTS is the caller's to set."""
        height, width = grey.shape
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        np.take(self._luma, grey, out=planes[:height])
        frame = VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.color_range = self._range
        return frame


class FromRGB:
    """8-bit RGB to frames for an encoder, by the matrix and range of its stream's tags."""

    def __init__(self, colour: Colour, pixel_format: str) -> None:
        self._colour = colour
        self._pixel_format = pixel_format
        self._reformatter = VideoReformatter()

    def __call__(self, rgb: NDArray[np.uint8]) -> VideoFrame:
        """A frame of RGB [H, W, 3], 0..255; its PTS is the caller's to set."""
        matrix = self._colour.matrix_for(rgb.shape[0])
        picture = VideoFrame.from_ndarray(rgb, format="rgb24")
        # PyAV 17 does not know BT.2020 by argument, but the result takes over the picture's tag.
        picture.colorspace = matrix
        frame = self._reformatter.reformat(
            picture,
            format=self._pixel_format,
            dst_colorspace=matrix,
            src_color_range=FULL,
            dst_color_range=self._colour.range,
            interpolation=EXACT,
        )
        frame.color_range = self._colour.range
        return frame
