"""A picture cut into tiles of one size, which are drawn together as if each were a picture.

So a picture takes as long as there is in it, and little for each piece. Tiles are given as their
places [N, 2]: row and column of each, counted in tiles, in order from top to bottom.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from matting.imaging.planes import Planes, signed_view
from matting.imaging.resampling import clamped_rows
from matting.imaging.sample_format import SampleFormat

ROWS, COLUMNS = 16, 32  # pixels of a tile: whole cells of chroma in all codings


def whole_tiles(width: int, height: int) -> tuple[int, int]:
    """The least width and height of whole tiles that hold a picture."""
    rows, columns = _counts(width, height)
    return columns * COLUMNS, rows * ROWS


def every_tile(width: int, height: int) -> Tensor:
    """The places of all tiles of a picture."""
    rows, columns = _counts(width, height)
    return torch.cartesian_prod(torch.arange(rows), torch.arange(columns))


def cut(picture: Planes, places: Tensor, margin: tuple[int, int]) -> Planes:
    """Tiles of one picture with what is around them; beyond its edge the edge goes on.

    Args:
        margin: how many columns and rows of pixels there are at each side; whole cells of chroma.
    Returns:
        As many pictures as there are places.
    """
    main = _cut(picture.luma_or_rgb, places, (COLUMNS, ROWS), margin)
    if picture.chroma is None:
        return Planes(picture.sample_format, main)
    (across, down), (columns, rows) = picture.sample_format.subsampling, margin
    cells, more = (COLUMNS // across, ROWS // down), (columns // across, rows // down)
    return Planes(picture.sample_format, main, _cut(picture.chroma, places, cells, more))


def put(tiles: Planes, picture: Planes, places: Tensor) -> None:
    """Writes tiles without margins to a picture of whole tiles, in memory of its own."""
    _put(tiles.luma_or_rgb, picture.luma_or_rgb, places)
    if tiles.chroma is not None and picture.chroma is not None:
        _put(tiles.chroma, picture.chroma, places)


def alike(source: SampleFormat, targets: Collection[SampleFormat]) -> bool:
    """Whether the samples of all colours lie in the same places."""
    return all((source.subsampling, source.siting) == (t.subsampling, t.siting) for t in targets)


def fits(source: Planes, targets: Collection[SampleFormat]) -> bool:
    """Whether pictures can be cut so that the results are the same.

    Not where colours lie in other places and the picture ends within a cell of chroma: of that
    cell a tile has pixels that the picture has not.
    """
    across, down = source.sample_format.subsampling
    whole = source.width % across == 0 and source.height % down == 0
    return whole or alike(source.sample_format, targets)


def halo_of(source: SampleFormat, targets: Collection[SampleFormat]) -> tuple[int, int]:
    """The columns and rows around a tile that its own samples depend on, in whole cells."""
    if alike(source, targets):
        return source.subsampling
    # Half of the other's cell, and from there one of our own.
    steps = zip(source.subsampling, *(t.subsampling for t in targets), strict=True)
    across, down = (2 * max(of_all) for of_all in steps)
    return across, down


def windows(planes: Tensor, tops: Tensor, lefts: Tensor, size: tuple[int, int]) -> Tensor:
    """Parts of planes [C, H, W], each of `size` (width, height): [N, C, height, width].

    Line by line as they lie in memory, many times as fast as by an index of each sample.
    """
    planes = planes.contiguous()
    channels, height, width = planes.shape
    first = torch.arange(channels)[:, None] * height + torch.arange(size[1])
    starts = (first + tops[:, None, None]) * width + lefts[:, None, None]
    lines = planes.as_strided((planes.numel() - size[0] + 1, size[0]), (1, 1))
    return lines.index_select(0, starts.flatten()).view(-1, channels, size[1], size[0])


def _counts(width: int, height: int) -> tuple[int, int]:
    """The rows and columns of a picture's tiles."""
    return -(-height // ROWS), -(-width // COLUMNS)


def _cut(plane: Tensor, places: Tensor, size: tuple[int, int], margin: tuple[int, int]) -> Tensor:
    """Tiles of `size` (width, height) of a plane [1, C, H, W], and the margin around them."""
    (columns, rows), (left, above), (y, x) = size, margin, places.unbind(1)
    top, bottom = int(y[0]) * rows - above, int(y[-1] + 1) * rows + above
    strip = signed_view(clamped_rows(plane, slice(top, bottom)))[0]
    width = strip.shape[2]
    padded = strip.new_empty((*strip.shape[:2], -(-width // columns) * columns + 2 * left))
    padded[..., left : left + width] = strip
    padded[..., :left] = strip[..., :1]
    padded[..., left + width :] = strip[..., -1:]
    whole = columns + 2 * left, rows + 2 * above
    return windows(padded, y * rows - above - top, x * columns, whole).view(plane.dtype)


def _put(tiles: Tensor, plane: Tensor, places: Tensor) -> None:
    """Writes tiles [N, C, n, m] to a plane [1, C, H, W], its lines one after the other."""
    if plane.shape[1] > 1 and plane.stride(1) == 1:  # interleaved: one line holds all channels
        tiles, plane = (each.permute(0, 2, 3, 1).flatten(2)[:, None] for each in (tiles, plane))
    _, channels, rows, columns = tiles.shape
    down, across = plane.shape[2] // rows, plane.shape[3] // columns
    # As words of eight bytes, several of which make a line of any tile: that is faster.
    grid = plane.view(torch.int64).view(channels, down, rows, across, -1).permute(1, 3, 0, 2, 4)
    y, x = places.unbind(1)
    grid[y, x] = tiles.contiguous().view(torch.int64)
