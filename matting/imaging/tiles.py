"""A frame as tiles of one size, which are computed together as if each were a frame.

So a frame takes time by how much there is in it, and little is spent on each tile by itself. Tiles
are named by their positions, an int64 tensor [N, 2] on the CPU: the row and column of each in the
grid of tiles, ordered by rows.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from matting.imaging.planes import Planes, signed_view
from matting.imaging.sample_format import SampleFormat, Size

TILE = Size(32, 16)  # in pixels: a multiple of the pixels that share a chroma sample in any format


def tiled_size(size: Size) -> Size:
    """Return the least size of whole tiles that holds a frame of `size`."""
    rows, columns = _grid(size)
    return Size(columns * TILE.width, rows * TILE.height)


def all_tiles(size: Size) -> Tensor:
    """Return the positions of all tiles of a frame."""
    rows, columns = _grid(size)
    return torch.cartesian_prod(torch.arange(rows), torch.arange(columns))


def gather_tiles(frame: Planes, positions: Tensor, halo: Size) -> Planes:
    """Return copies of tiles with a halo around each; beyond the frame's edge the edge is repeated.

    Args:
        frame: one frame, on the CPU.
        positions: [N, 2], at least one.
        halo: pixels at the left and right, and at the top and bottom; whole chroma samples.
    Returns:
        N frames of TILE and twice the halo.
    """
    luma_or_rgb = _gather(frame.luma_or_rgb, positions, TILE, halo)
    if frame.chroma is None:
        return Planes(frame.sample_format, luma_or_rgb)
    tile, chroma_halo = frame.sample_format.chroma_size(TILE), frame.sample_format.chroma_size(halo)
    chroma = _gather(frame.chroma, positions, tile, chroma_halo)
    return Planes(frame.sample_format, luma_or_rgb, chroma)


def scatter_tiles(tiles: Planes, frame: Planes, positions: Tensor) -> None:
    """Write tiles to their positions in a frame.

    Args:
        tiles: N frames of TILE, without halo.
        frame: one frame of whole tiles, in contiguous memory of its own.
        positions: [N, 2].
    """
    _scatter(tiles.luma_or_rgb, frame.luma_or_rgb, positions)
    if tiles.chroma is not None and frame.chroma is not None:
        _scatter(tiles.chroma, frame.chroma, positions)


def can_be_tiled(source: Planes, targets: Collection[SampleFormat]) -> bool:
    """Return whether tiles give the same results as the whole frame.

    They do not where source and target have other chroma sites and the frame ends between pixels
    that share a chroma sample: of these a tile has some that the frame has not.
    """
    columns, rows = source.sample_format.subsampling
    ends_whole = source.width % columns == 0 and source.height % rows == 0
    return ends_whole or _all_share_chroma_sites(source.sample_format, targets)


def halo_size(source: SampleFormat, targets: Collection[SampleFormat]) -> Size:
    """Return the halo of a tile that its results depend on, in pixels, whole chroma samples."""
    if _all_share_chroma_sites(source, targets):
        return Size(*source.subsampling)
    # Half of the other's box, and from there one of our own chroma samples.
    steps = zip(source.subsampling, *(target.subsampling for target in targets), strict=True)
    return Size(*(2 * max(steps_of_all) for steps_of_all in steps))


def gather_windows(planes: Tensor, tops: Tensor, lefts: Tensor, size: Size) -> Tensor:
    """Return copies of N windows of planes; those beyond the edge repeat it: [N, C, height, width].

    Line by line as they lie in memory, many times as fast as by an index of each sample.

    Args:
        planes: [C, H, W], on the CPU.
        tops, lefts: [N] each, int64: the first row and column of every window.
        size: of each window.
    """
    channels, height, width = planes.shape
    missing = size.width - width
    if missing > 0:
        planes = torch.cat([planes, planes[..., -1:].expand(-1, -1, missing)], 2)
        width = size.width
    if planes.stride(2) != 1:
        planes = planes.contiguous()
    channel_stride, row_stride, _ = planes.stride()
    rows = (tops[:, None] + torch.arange(size.height)).clamp_(0, height - 1) * row_stride
    inside = lefts.clamp(0, width - size.width)
    first = torch.arange(channels)[:, None] * channel_stride
    starts = first + (rows + inside[:, None])[:, None]
    end = (channels - 1) * channel_stride + (height - 1) * row_stride + width
    lines = planes.as_strided((end - size.width + 1, size.width), (1, 1))
    windows = lines.index_select(0, starts.flatten()).view(-1, channels, size.height, size.width)
    _repeat_sides(windows, lefts - inside)
    return windows


def _all_share_chroma_sites(source: SampleFormat, targets: Collection[SampleFormat]) -> bool:
    return all(source.has_chroma_sites_of(target) for target in targets)


def _grid(size: Size) -> tuple[int, int]:
    """Return the rows and columns of a frame's tiles."""
    return -(-size.height // TILE.height), -(-size.width // TILE.width)


def _gather(plane: Tensor, positions: Tensor, tile: Size, halo: Size) -> Tensor:
    """Return tiles of that size, with that halo, of a plane [1, C, H, W]: [N, C, n, m]."""
    rows, columns = positions.unbind(1)
    size = Size(tile.width + 2 * halo.width, tile.height + 2 * halo.height)
    tops, lefts = rows * tile.height - halo.height, columns * tile.width - halo.width
    return gather_windows(signed_view(plane)[0], tops, lefts, size).view(plane.dtype)


def _repeat_sides(windows: Tensor, beyond: Tensor) -> None:
    """Shift the samples of windows that were kept inside, and repeat the edge where they were.

    Args:
        windows: [N, C, n, m].
        beyond: [N], int64: by how many columns each should lie farther to the right.
    """
    chosen = beyond.nonzero()[:, 0]
    if len(chosen):
        width = windows.shape[3]
        columns = (torch.arange(width) + beyond[chosen, None]).clamp_(0, width - 1)
        moved = windows[chosen]
        windows[chosen] = moved.gather(3, columns[:, None, None].expand_as(moved))


def _scatter(tiles: Tensor, plane: Tensor, positions: Tensor) -> None:
    """Write tiles [N, C, n, m] to a plane [1, C, H, W], whose lines lie one after the other."""
    if plane.shape[1] > 1 and plane.stride(1) == 1:  # interleaved: one line holds all channels
        tiles, plane = (each.permute(0, 2, 3, 1).flatten(2)[:, None] for each in (tiles, plane))
    _, channels, height, width = tiles.shape
    # As words of eight bytes, several of which make a line of any tile: that is faster.
    tile_lines = tiles.contiguous().view(torch.int64)
    words = tile_lines.shape[3]
    lines = plane.view(torch.int64).view(-1, words)
    rows, columns = positions.unbind(1)
    first = torch.arange(channels)[:, None] * plane.shape[2] + torch.arange(height)
    row_starts = (first + (rows * height)[:, None, None]) * (plane.shape[3] // width)
    lines.index_copy_(
        0, (row_starts + columns[:, None, None]).flatten(), tile_lines.view(-1, words)
    )
