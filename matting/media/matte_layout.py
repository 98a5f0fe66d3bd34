"""Mattes as pictures of 8 bits, for a codec that has no better place for what they consist of.

Most of a matte is flat. So it is cut into blocks, and of those that are flat nothing is stored but
that they are. The others stand in pictures of one size, as many as they need, from the top of the
first: a stamp, which says which frame it is; what each block is; the upper 8 bits of alpha, block
beside block; the correction of luma, or of R', G', B', likewise, and that of Cb and Cr; and the
lower 2 bits of alpha, four to a byte, of the samples that are neither 0 nor full: these are noise.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.imaging.matte_planes import MAX_ALPHA, MattePlanes
from matting.imaging.sample_format import SampleFormat, Size
from matting.media.matte_alpha import join_alpha, split_alpha

BLOCK_PX = 32  # smaller ones leave out more that is flat, but part more that is alike
EMPTY, FULL, STORED = range(3)  # alpha 0; MAX_ALPHA; neither all over, or there are corrections
FULL_PAIR = MAX_ALPHA << 16 | MAX_ALPHA  # two samples of alpha
NO_CORRECTION = 0x80  # what stands for 0, so that codes near each other are near in value
STAMP = struct.Struct("<IIqII")

# Each slice of a picture has a coder of its own, which takes time to learn, and may have a thread.
# Narrow pictures, so that a block lies over one that is near it in the frame, too.
PICTURE, SLICES = Size(256, 1024), 4
LARGE_PX = 1 << 22
LARGE_PICTURE, LARGE_SLICES = Size(512, 2048), 16

Strip = NDArray[np.uint8]
Blocks = NDArray[Any]


@dataclass(frozen=True)
class Stamp:
    """Which frame a strip is, and of which file.

    Attributes:
        header: a checksum of the file's header, without which a strip means something else.
        index: from 0.
        pts: its time, in ticks of the source's time base.
        is_last: whether no other follows.
    """

    header: int
    index: int
    pts: int
    is_last: bool


@dataclass(frozen=True)
class MatteLayout:
    """How mattes lie in pictures; those of one frame, one below the other, are its strip.

    Args:
        size_px: of the mattes.
        sample_format: of the source.
        has_chroma: whether the source has any: grey has none, nor has R'G'B'.
    """

    size_px: Size
    sample_format: SampleFormat
    has_chroma: bool

    def __post_init__(self) -> None:
        if self.has_chroma and self.sample_format.luma_coefficients is None:
            raise ValueError("R'G'B' has no chroma")

    @property
    def picture_size(self) -> Size:
        return LARGE_PICTURE if self._is_large else PICTURE

    @property
    def slices(self) -> int:
        """How many slices to encode a picture in."""
        return LARGE_SLICES if self._is_large else SLICES

    @property
    def most_pictures(self) -> int:
        """How many pictures a frame takes at most: with five bytes for every pixel, and a few."""
        rows, columns = self._grid
        width, lines = self.picture_size
        return 3 + 5 * rows * columns * BLOCK_PX**2 // (width * lines)

    def pack(self, matte: MattePlanes, frame: int) -> Strip:
        """Return the strip of one frame, but for its stamp.

        Args:
            matte: on the CPU.
            frame: which of its frames.
        """
        if (matte.chroma is not None) != self.has_chroma:
            raise ValueError("some mattes have chroma, others none")
        alpha = self._blocks_of(matte.alpha[frame, 0], (1, 1))
        planes = [
            self._blocks_of(plane, sharing).view(np.uint8)
            for plane, sharing in self._corrections(matte, frame)
        ]
        is_empty = _reduce(np.bitwise_or, alpha) == 0
        is_full = _reduce(np.bitwise_and, alpha) == FULL_PAIR
        blocks = np.where(is_empty, EMPTY, np.where(is_full, FULL, STORED)).astype(np.uint8)
        for plane in planes:
            blocks[_reduce(np.bitwise_or, plane) != 0] = STORED
        where = np.nonzero(blocks == STORED)
        high, low = split_alpha(_gather(alpha, where))
        head = np.concatenate([np.zeros(STAMP.size, np.uint8), blocks.ravel()])
        sections = [self._rows(head), self._mosaic(high)]
        sections += [self._mosaic(_offset(_gather(plane, where))) for plane in planes]
        sections.append(self._rows(low))
        width, lines = self.picture_size
        used = sum(map(len, sections))
        strip = np.zeros((-(-used // lines) * lines, width), np.uint8)
        np.concatenate(sections, out=strip[:used])
        return strip

    def put_stamp(self, stamp: Stamp, strip: Strip) -> None:
        """Write into a strip which frame it is."""
        pictures = len(strip) // self.picture_size.height
        content = STAMP.pack(stamp.header, stamp.index, stamp.pts, stamp.is_last, pictures)
        strip[0, : STAMP.size] = np.frombuffer(content, np.uint8)

    def cut(self, strip: Strip) -> list[Strip]:
        """Return the pictures of a strip, in the same memory."""
        return np.split(strip, len(strip) // self.picture_size.height)

    def stamp_of(self, strip: Strip) -> Stamp:
        """Return a strip's stamp.

        Raises:
            ValueError: it has none, or has not all its pictures.
        """
        header, index, pts, is_last, pictures = STAMP.unpack(strip[0, : STAMP.size].tobytes())
        if pictures * self.picture_size.height != len(strip) or is_last not in {0, 1}:
            raise ValueError("parts are missing")
        return Stamp(header, index, pts, bool(is_last))

    def blank(self, frames: int) -> MattePlanes:
        """Return room for the mattes of so many frames, on the CPU, grown to whole blocks.

        Their corrections are 0, and their alpha is anything: `unpack` puts it everywhere.
        """
        rows, columns = self._grid
        luma_or_rgb = 3 if self.sample_format.luma_coefficients is None else 1

        def planes(count: int, sharing: tuple[int, int]) -> Tensor:
            width, height = self._block_size(sharing)
            return torch.zeros(frames, count, rows * height, columns * width, dtype=torch.int8)

        chroma = None
        if self.has_chroma:
            chroma = planes(2, self.sample_format.subsampling)
        alpha = torch.empty(frames, 1, rows * BLOCK_PX, columns * BLOCK_PX, dtype=torch.uint16)
        corrections = planes(luma_or_rgb, (1, 1))
        return MattePlanes(alpha, corrections, chroma, self.sample_format)

    def crop(self, mattes: MattePlanes) -> MattePlanes:
        """Return the mattes of `blank` without what they had been grown by, in the same memory."""
        width, height = self.size_px
        chroma = mattes.chroma
        if chroma is not None:
            columns, rows = self.sample_format.chroma_size(self.size_px)
            chroma = chroma[:, :, :rows, :columns]
        alpha = mattes.alpha[:, :, :height, :width]
        corrections = mattes.luma_or_rgb[:, :, :height, :width]
        return MattePlanes(alpha, corrections, chroma, self.sample_format)

    def unpack(self, strip: Strip, mattes: MattePlanes, frame: int) -> None:
        """Put what a strip holds into the place of one of the frames of `blank`.

        Raises:
            ValueError: it is no such strip.
        """
        rows, columns = self._grid
        head_end = STAMP.size + rows * columns
        content = strip.reshape(-1)
        blocks = content[STAMP.size : head_end].reshape(rows, columns)
        if int(blocks.max()) > STORED:
            raise ValueError("a block of no known kind")
        where = np.nonzero(blocks == STORED)
        count, at = len(where[0]), self._lines_of(head_end)
        high, at = self._read_mosaic(strip, at, count, (1, 1))
        for plane, sharing in self._corrections(mattes, frame):
            codes, at = self._read_mosaic(strip, at, count, sharing)
            self._blocks_of(plane, sharing)[where[0], :, where[1]] = (codes ^ NO_CORRECTION).view(
                np.int8
            )
        alpha = self._blocks_of(mattes.alpha[frame, 0], (1, 1))
        # A line of blocks is one line of samples, many times.
        lines = np.repeat(np.where(blocks == FULL, MAX_ALPHA, 0).astype(np.uint16), BLOCK_PX, 1)
        alpha.reshape(rows, BLOCK_PX, -1)[:] = lines[:, None]
        low = content[at * self.picture_size.width :]
        alpha[where[0], :, where[1]] = join_alpha(high, low)

    @property
    def _is_large(self) -> bool:
        return self.size_px.width * self.size_px.height > LARGE_PX

    @property
    def _grid(self) -> tuple[int, int]:
        """Rows and columns of blocks."""
        width, height = self.size_px
        return -(-height // BLOCK_PX), -(-width // BLOCK_PX)

    def _corrections(
        self, matte: MattePlanes, frame: int
    ) -> Iterator[tuple[Tensor, tuple[int, int]]]:
        """Yield each plane of corrections, and how many columns and rows share a sample of it."""
        for plane in matte.luma_or_rgb[frame]:
            yield plane, (1, 1)
        if matte.chroma is not None:
            for plane in matte.chroma[frame]:
                yield plane, self.sample_format.subsampling

    def _block_size(self, sharing: tuple[int, int]) -> Size:
        return Size(BLOCK_PX // sharing[0], BLOCK_PX // sharing[1])

    def _blocks_of(self, plane: Tensor, sharing: tuple[int, int]) -> Blocks:
        """Return a plane [h, w] as [rows, block h, columns, block w], grown by its edges.

        In the same memory where it consists of whole blocks.
        """
        (rows, columns), (width, height) = self._grid, self._block_size(sharing)
        samples = plane.numpy()
        missing = rows * height - samples.shape[0], columns * width - samples.shape[1]
        if any(missing):
            samples = np.pad(samples, ((0, missing[0]), (0, missing[1])), mode="edge")
        return np.ascontiguousarray(samples).reshape(rows, height, columns, width)

    def _lines_of(self, size_bytes: int) -> int:
        return -(-size_bytes // self.picture_size.width)

    def _rows(self, content: Strip) -> Strip:
        """Return bytes as whole lines, zeros after them."""
        lines = np.zeros((self._lines_of(len(content)), self.picture_size.width), np.uint8)
        lines.reshape(-1)[: len(content)] = content
        return lines

    def _mosaic(self, blocks: Strip) -> Strip:
        """Return blocks [n, h, w] beside each other in whole lines, zeros after them."""
        count, height, width = blocks.shape
        across = self.picture_size.width // width
        bands = -(-count // across)
        mosaic = np.zeros((bands * across, height, width), np.uint8)
        mosaic[:count] = blocks
        joined: Strip = mosaic.reshape(bands, across, height, width).swapaxes(1, 2)
        return joined.reshape(bands * height, self.picture_size.width)

    def _read_mosaic(
        self, strip: Strip, at: int, count: int, sharing: tuple[int, int]
    ) -> tuple[Strip, int]:
        """Return what `_mosaic` was given, and the line after it."""
        width, height = self._block_size(sharing)
        across = self.picture_size.width // width
        bands = -(-count // across)
        end = at + bands * height
        joined = strip[at:end].reshape(bands, height, across, width).swapaxes(1, 2)
        return joined.reshape(-1, height, width)[:count], end


def _reduce(combine: np.ufunc, blocks: Blocks) -> NDArray[np.uint32]:
    """Combine all bits of each block, four bytes at a time, which no block's lines are short of."""
    rows, height, columns, _ = blocks.shape
    words = blocks.reshape(rows, height, -1).view(np.uint32)
    lines = combine.reduce(words, axis=1).reshape(rows, columns, -1)
    return np.asarray(combine.reduce(lines, axis=2))


def _offset(corrections: Blocks) -> Strip:
    """Return corrections as what stands for them, or the other way about."""
    return np.asarray(np.bitwise_xor(corrections, NO_CORRECTION), np.uint8)


def _gather(blocks: Blocks, where: tuple[NDArray[np.intp], ...]) -> Blocks:
    """Return the blocks at some rows and columns, [n, h, w]."""
    return np.asarray(blocks[where[0], :, where[1]])
