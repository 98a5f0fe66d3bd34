"""Mattes as pictures of 8 bits, for a codec that has no better place for what they consist of.

A matte is laid out as a strip: its parts one below the other, as wide as itself or a little wider.
From the top: the upper 8 bits of alpha; its lower 2, those of four lines in one byte; the
correction of luma, or of R', G', B'; that of Cb and Cr; and a stamp, which says which frame it is.
A long strip is cut into several pictures.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from matting.imaging.matte_planes import MattePlanes
from matting.imaging.sample_format import SampleFormat, Size

LOW_BITS = 2
LINES_A_BYTE = 8 // LOW_BITS
LOW_MASK = (1 << LOW_BITS) - 1
# FFmpeg's encoder of FFV1 takes 21 bytes of memory a pixel, and no picture of over 2**28 pixels.
MOST_PICTURE_PX = 6 << 20
NO_CORRECTION = 0x80  # what stands for 0, so that codes near each other are near in value

Strip = NDArray[np.uint8]


@dataclass(frozen=True)
class Stamp:
    """Which frame a strip is.

    Attributes:
        index: from 0.
        pts: its time, in ticks of the source's time base.
        is_last: whether no other follows.
    """

    index: int
    pts: int
    is_last: bool

    def to_bytes(self) -> bytes:
        return STAMP.pack(self.index, self.pts, self.is_last)

    @classmethod
    def from_bytes(cls, content: bytes) -> Stamp:
        index, pts, is_last = STAMP.unpack(content)
        return cls(index, pts, bool(is_last))


STAMP = struct.Struct("<Iqi")  # 16 bytes: they fit into one line of the smallest picture


@dataclass(frozen=True)
class MatteLayout:
    """Where the parts of a matte lie in its strip.

    Args:
        size_px: of the matte.
        sample_format: of the source.
        has_chroma: whether the source has any: grey has none, nor has R'G'B'.
    """

    size_px: Size
    sample_format: SampleFormat
    has_chroma: bool
    corrections: int = field(init=False)

    def __post_init__(self) -> None:
        is_rgb = self.sample_format.luma_coefficients is None
        if is_rgb and self.has_chroma:
            raise ValueError("R'G'B' has no chroma")
        object.__setattr__(self, "corrections", 3 if is_rgb else 1)

    @property
    def picture_size(self) -> Size:
        """The size of the pictures, all alike, that a strip is cut into from the top."""
        width, lines = self._strip_size
        return Size(width, -(-lines // self.pictures))

    @property
    def pictures(self) -> int:
        """How many pictures a strip is cut into."""
        width, lines = self._strip_size
        return -(-width * lines // MOST_PICTURE_PX)

    def allocate_strip(self) -> Strip:
        """Return a strip, [h, w], with nothing in it yet."""
        width, lines = self.picture_size
        return np.empty((self.pictures * lines, width), np.uint8)

    def cut(self, strip: Strip) -> list[Strip]:
        """Return the pictures of a strip, in the same memory."""
        return np.split(strip, self.pictures)

    def pack(self, matte: MattePlanes, frame: int, strip: Strip) -> None:
        """Fill a strip, but for its stamp.

        Args:
            matte: on the CPU.
            frame: which of its frames.
            strip: of `allocate_strip`.
        """
        width, height = self.size_px
        strip[: self._low_bottom, width:] = 0
        alpha = matte.alpha[frame, 0].numpy()
        np.right_shift(alpha, LOW_BITS, out=strip[:height, :width], casting="unsafe")
        self._pack_low_bits(alpha.astype(np.uint8), strip[height : self._low_bottom, :width])
        top = self._low_bottom
        for plane in matte.luma_or_rgb[frame].numpy():
            _pack_correction(plane, strip[top : top + height])
            top += height
        if matte.chroma is not None:
            for plane, (rows, columns) in zip(
                matte.chroma[frame].numpy(), self._chroma_places, strict=True
            ):
                _pack_correction(plane, strip[rows, columns])
            if self._is_chroma_side_by_side:
                strip[self._chroma_top : self._stamp_top, 2 * self._chroma_size.width :] = (
                    NO_CORRECTION
                )

    def put_stamp(self, stamp: Stamp, strip: Strip) -> None:
        """Write a stamp into a strip."""
        place = strip[self._stamp_top :]
        content = stamp.to_bytes().ljust(place.size, b"\0")
        place[:] = np.frombuffer(content, np.uint8).reshape(place.shape)

    def stamp_of(self, strip: Strip) -> Stamp:
        """Return a strip's stamp."""
        return Stamp.from_bytes(strip[self._stamp_top :].tobytes()[: STAMP.size])

    def allocate(self, frames: int) -> MattePlanes:
        """Return mattes of so many frames, on the CPU, with nothing in them yet."""
        width, height = self.size_px
        alpha = torch.empty(frames, 1, height, width, dtype=torch.uint16)
        luma_or_rgb = torch.empty(frames, self.corrections, height, width, dtype=torch.int8)
        chroma = None
        if self.has_chroma:
            columns, rows = self._chroma_size
            chroma = torch.empty(frames, 2, rows, columns, dtype=torch.int8)
        return MattePlanes(alpha, luma_or_rgb, chroma, self.sample_format)

    def unpack(self, strip: Strip, matte: MattePlanes, frame: int) -> None:
        """Put what a strip holds into the place of one of the frames of `allocate`."""
        width, height = self.size_px
        alpha = matte.alpha[frame, 0].numpy()
        np.left_shift(strip[:height, :width], LOW_BITS, out=alpha, dtype=np.uint16)
        low = strip[height : self._low_bottom, :width]
        for line in range(LINES_A_BYTE):
            lines = alpha[line::LINES_A_BYTE]
            lines |= low[: len(lines)] >> LOW_BITS * line & LOW_MASK
        top = self._low_bottom
        for plane in matte.luma_or_rgb[frame].numpy():
            _unpack_correction(strip[top : top + height], plane)
            top += height
        if matte.chroma is not None:
            for plane, (rows, columns) in zip(
                matte.chroma[frame].numpy(), self._chroma_places, strict=True
            ):
                _unpack_correction(strip[rows, columns], plane)

    @property
    def _strip_size(self) -> Size:
        """Without what makes the pictures alike."""
        width = self.size_px.width
        if self._is_chroma_side_by_side:
            width = max(width, 2 * self._chroma_size.width)
        return Size(width, self._stamp_top - (-STAMP.size // width))

    @property
    def _is_chroma_side_by_side(self) -> bool:
        return self.has_chroma and self.sample_format.subsampling[0] > 1

    @property
    def _chroma_size(self) -> Size:
        return self.sample_format.chroma_size(self.size_px)

    @property
    def _low_bottom(self) -> int:
        height = self.size_px.height
        return height + -(-height // LINES_A_BYTE)

    @property
    def _chroma_top(self) -> int:
        return self._low_bottom + self.corrections * self.size_px.height

    @property
    def _stamp_top(self) -> int:
        if not self.has_chroma:
            return self._chroma_top
        planes = 1 if self._is_chroma_side_by_side else 2
        return self._chroma_top + planes * self._chroma_size.height

    @property
    def _chroma_places(self) -> list[tuple[slice, slice]]:
        """Rows and columns of Cb and of Cr."""
        columns, rows = self._chroma_size
        beside = self._is_chroma_side_by_side
        places = []
        for plane in (0, 1):
            top = self._chroma_top + (0 if beside else plane * rows)
            left = plane * columns if beside else 0
            places.append((slice(top, top + rows), slice(left, left + columns)))
        return places

    def _pack_low_bits(self, low: Strip, packed: Strip) -> None:
        """Pack the lowest bits of [H, W] into [ceil(H / 4), W], whose last lines may lack some."""
        np.bitwise_and(low[::LINES_A_BYTE], LOW_MASK, out=packed)
        for line in range(1, LINES_A_BYTE):
            lines = low[line::LINES_A_BYTE]
            packed[: len(lines)] |= (lines & LOW_MASK) << LOW_BITS * line


def _pack_correction(plane: NDArray[np.int8], place: Strip) -> None:
    """Store one plane; what is wider than that is padded."""
    width = plane.shape[1]
    np.bitwise_xor(plane.view(np.uint8), NO_CORRECTION, out=place[:, :width])
    place[:, width:] = NO_CORRECTION


def _unpack_correction(place: Strip, plane: NDArray[np.int8]) -> None:
    np.bitwise_xor(place[:, : plane.shape[1]], NO_CORRECTION, out=plane.view(np.uint8))
