"""The Triton kernel of the full-size pictures.

The same arithmetic as in `composite`, sample by sample: each program makes a tile of pixels and of
the chroma samples in it. Where the small maps show that nobody is, it reads nothing else.
"""

from __future__ import annotations

import triton
import triton.language as tl

from matting.imaging.tone_mapping import STEPS

ROUNDING = tl.constexpr(12582912.0)  # 1.5 * 2^23: beside it a float32 has no place for fractions
TABLE = tl.constexpr(STEPS)


@triton.jit
def kernel(
    source,  # main and chroma
    maps,  # slope and offset
    tables,  # view and gain; read where `hdr`
    composite,  # main and chroma, as `foreground`; either is read where it has `numbers`
    foreground,
    alpha,
    main_strides,
    chroma_strides,  # of the source, the composite and the foreground
    size,  # height, width
    small,  # height and width of the maps, and their scale to `size`
    sample_format: tl.constexpr,  # see `fused._constants`
    numbers: tl.constexpr,  # of the composite, the foreground and the alpha; None: not wanted
    behind: tl.constexpr,
    tile: tl.constexpr,
    near: tl.constexpr,
    nothing: tl.constexpr,
    sloped: tl.constexpr,
    hdr: tl.constexpr,
):
    """One tile of one frame."""
    levels: tl.constexpr = sample_format[0]
    matrix: tl.constexpr = sample_format[1]
    step: tl.constexpr = sample_format[2]
    siting: tl.constexpr = sample_format[3]
    first: tl.constexpr = sample_format[4]
    rest: tl.constexpr = sample_format[5]
    down: tl.constexpr = sample_format[6]
    across: tl.constexpr = sample_format[7]
    frame = tl.program_id(2).to(tl.int64)
    top, left = tl.program_id(1) * tile[0], tl.program_id(0) * tile[1]
    area = small[0] * small[1]
    slope, offset = maps[0] + frame * 4 * area, maps[1] + frame * 4 * area
    main = source[0] + frame * main_strides[0]
    chroma = source[1] + frame * chroma_strides[0][0]
    chroma_row, chroma_column = chroma_strides[0][2], chroma_strides[0][3]
    height, width = size[0], size[1]
    cells_y, cells_x = tl.cdiv(height, step[0]), tl.cdiv(width, step[1])

    y, x = top + tl.arange(0, tile[0])[:, None], left + tl.arange(0, tile[1])[None, :]
    inside = (y < height) & (x < width)
    at = frame * height * width + y * width + x
    cy = top // step[0] + tl.arange(0, tile[0] // step[0])[:, None]
    cx = left // step[1] + tl.arange(0, tile[1] // step[1])[None, :]
    cell = (cy < cells_y) & (cx < cells_x)
    composite_at = composite[1] + _place(chroma_strides[1], frame, cy, cx)
    foreground_at = foreground[1] + _place(chroma_strides[2], frame, cy, cx)

    somebody = True
    if numbers[1] is None:
        # The most that alpha can be, whatever the source: that is in [0, 1].
        sy = tl.maximum(tl.floor((top + 0.5) * small[2] - 0.5), 0.0).to(tl.int32)
        sx = tl.maximum(tl.floor((left + 0.5) * small[3] - 0.5), 0.0).to(tl.int32)
        sy = tl.minimum(sy + tl.arange(0, near[0])[:, None], small[0] - 1)
        sx = tl.minimum(sx + tl.arange(0, near[1])[None, :], small[1] - 1)
        bound = tl.load(offset + 3 * area + sy * small[1] + sx)
        if sloped:
            bound = tl.maximum(bound, bound + tl.load(slope + 3 * area + sy * small[1] + sx))
        somebody = tl.max(tl.max(bound, 1), 0) > nothing

    if somebody:
        # Luma, at the pixels.
        number = tl.load(main + y * main_strides[2] + x * main_strides[3], inside)
        luma = (number.to(tl.float32) - levels[0]) * levels[1]
        y0, y1, wy = _between((y - siting[0]) / step[0], cells_y)
        x0, x1, wx = _between((x - siting[1]) / step[1], cells_x)
        rows, columns = (y0 * chroma_row, y1 * chroma_row), (x0 * chroma_column, x1 * chroma_column)
        cb = _bilinear(chroma, rows, wy, columns, wx)
        cr = _bilinear(chroma + chroma_strides[0][1], rows, wy, columns, wx)
        rgb = _rgb(luma, cb, cr, levels, matrix)
        red, green, blue, share = _applied(
            (slope, offset), area, tables, rgb, (y, x, y, x), (0.0, 0.0), small, sloped, hdr
        )
        luma = red * matrix[0] + green * matrix[1] + blue * matrix[2]
        if numbers[0] is not None:
            mixed = behind[0] + share * (luma - behind[0])
            _store(composite[0] + at, mixed, inside, numbers[0], 0)
        if numbers[1] is not None:
            _store(foreground[0] + at, luma, inside, numbers[1], 0)
        if numbers[2] is not None:
            _store(alpha + at, share, inside, numbers[2], 0)

        # Chroma, at its own places.
        if numbers[0] is not None or numbers[1] is not None:
            luma = tl.zeros([tile[0] // step[0], tile[1] // step[1]], tl.float32)
            for j in tl.static_range(len(down[0])):
                row = tl.minimum(tl.maximum(cy * step[0] + down[0][j], 0), height - 1)
                for i in tl.static_range(len(across[0])):
                    column = tl.minimum(tl.maximum(cx * step[1] + across[0][i], 0), width - 1)
                    number = tl.load(main + row * main_strides[2] + column * main_strides[3], cell)
                    level = (number.to(tl.float32) - levels[0]) * levels[1]
                    luma += level * (down[1][j] * across[1][i])
            here = chroma + cy * chroma_row + cx * chroma_column
            cb = tl.load(here, cell).to(tl.float32)
            cr = tl.load(here + chroma_strides[0][1], cell).to(tl.float32)
            rgb = _rgb(luma, cb, cr, levels, matrix)
            y0 = tl.minimum(cy * step[0] + first[0], height - 1)
            x0 = tl.minimum(cx * step[1] + first[1], width - 1)
            places = (y0, x0, tl.minimum(y0 + 1, height - 1), tl.minimum(x0 + 1, width - 1))
            red, green, blue, share = _applied(
                (slope, offset), area, tables, rgb, places, rest, small, sloped, hdr
            )
            luma = red * matrix[0] + green * matrix[1] + blue * matrix[2]
            cb, cr = (blue - luma) / matrix[4], (red - luma) / matrix[3]
            if numbers[0] is not None:
                mixed = behind[1] + share * (cb - behind[1])
                _store(composite_at, mixed, cell, numbers[0], 2)
                mixed = behind[2] + share * (cr - behind[2])
                _store(composite_at + chroma_strides[1][1], mixed, cell, numbers[0], 2)
            if numbers[1] is not None:
                _store(foreground_at, cb, cell, numbers[1], 2)
                _store(foreground_at + chroma_strides[2][1], cr, cell, numbers[1], 2)
    else:
        flat = tl.zeros([tile[0], tile[1]], tl.float32)
        if numbers[2] is not None:
            _store(alpha + at, flat, inside, numbers[2], 0)
        if numbers[0] is not None:
            _store(composite[0] + at, flat + behind[0], inside, numbers[0], 0)
            flat = tl.zeros([tile[0] // step[0], tile[1] // step[1]], tl.float32)
            _store(composite_at, flat + behind[1], cell, numbers[0], 2)
            _store(composite_at + chroma_strides[1][1], flat + behind[2], cell, numbers[0], 2)


@triton.jit
def _place(strides, frame, row, column):
    return frame * strides[0] + row * strides[2] + column * strides[3]


@triton.jit
def _store(where, level, inside, numbers: tl.constexpr, plane: tl.constexpr):
    """Writes levels as the nearest numbers, halves to the even one."""
    number = level * numbers[plane + 1] + numbers[plane]
    number = tl.minimum(tl.maximum(number, 0.0), numbers[4])
    number = ((number + ROUNDING) - ROUNDING) * numbers[5]
    tl.store(where, number.to(tl.int32).to(where.dtype.element_ty), inside)


@triton.jit
def _between(place, count):
    """The samples before and after a place, and the latter's share; the edge goes on."""
    place = tl.minimum(tl.maximum(place, 0.0), count - 1.0)
    before = place.to(tl.int32)
    return before, tl.minimum(before + 1, count - 1), place - before


@triton.jit
def _bilinear(plane, rows, wy, columns, wx):
    """A plane between four of its samples; rows and columns as places in memory."""
    a = tl.load(plane + (rows[0] + columns[0])).to(tl.float32)
    b = tl.load(plane + (rows[1] + columns[0])).to(tl.float32)
    c = tl.load(plane + (rows[0] + columns[1])).to(tl.float32)
    d = tl.load(plane + (rows[1] + columns[1])).to(tl.float32)
    a += wy * (b - a)
    c += wy * (d - c)
    return a + wx * (c - a)


@triton.jit
def _rgb(luma, cb, cr, levels: tl.constexpr, matrix: tl.constexpr):
    """R'G'B' of luma's levels and chroma's numbers."""
    cb, cr = (cb - levels[2]) * levels[3], (cr - levels[2]) * levels[3]
    return luma + matrix[3] * cr, luma + matrix[5] * cr + matrix[6] * cb, luma + matrix[4] * cb


@triton.jit
def _point(plane, y, x, small):
    """A small map at pixels."""
    y0, y1, wy = _between((y + 0.5) * small[2] - 0.5, small[0])
    x0, x1, wx = _between((x + 0.5) * small[3] - 0.5, small[1])
    return _bilinear(plane, (y0 * small[1], y1 * small[1]), wy, (x0, x1), wx)


@triton.jit
def _map(plane, places, rest: tl.constexpr, small):
    """A small map at pixels, or between these and their neighbours."""
    y, x, y_next, x_next = places
    found = _point(plane, y, x, small)
    if rest[0] > 0:
        found += rest[0] * (_point(plane, y_next, x, small) - found)
    if rest[1] > 0:
        other = _point(plane, y, x_next, small)
        if rest[0] > 0:
            other += rest[0] * (_point(plane, y_next, x_next, small) - other)
        found += rest[1] * (other - found)
    return found


@triton.jit
def _applied(
    maps,
    area,
    tables,
    rgb,
    places,
    rest: tl.constexpr,
    small,
    sloped: tl.constexpr,
    hdr: tl.constexpr,
):
    """The foreground in the source's code values, and alpha."""
    r, g, b = _unit(rgb[0]), _unit(rgb[1]), _unit(rgb[2])
    r0, g0, b0 = r, g, b
    if hdr:
        r, g, b = _looked_up(tables[0], r), _looked_up(tables[0], g), _looked_up(tables[0], b)
    r1 = _map(maps[1], places, rest, small)
    g1 = _map(maps[1] + area, places, rest, small)
    b1 = _map(maps[1] + 2 * area, places, rest, small)
    alpha = _map(maps[1] + 3 * area, places, rest, small)
    if sloped:
        r1 += r * _map(maps[0], places, rest, small)
        g1 += g * _map(maps[0] + area, places, rest, small)
        b1 += b * _map(maps[0] + 2 * area, places, rest, small)
        alpha += (r + g + b) / 3 * _map(maps[0] + 3 * area, places, rest, small)
    r1, g1, b1 = _unit(r1 + r) - r, _unit(g1 + g) - g, _unit(b1 + b) - b
    if hdr:
        r1 *= _looked_up(tables[1], r0)
        g1 *= _looked_up(tables[1], g0)
        b1 *= _looked_up(tables[1], b0)
    return rgb[0] + r1, rgb[1] + g1, rgb[2] + b1, _unit(alpha)


@triton.jit
def _unit(value):
    return tl.minimum(tl.maximum(value, 0.0), 1.0)


@triton.jit
def _looked_up(table, value):
    """A table of 0 .. 1 in equal steps, linear between them."""
    place = value * TABLE
    below = tl.minimum(place.to(tl.int32), TABLE - 1)
    low = tl.load(table + below)
    return low + (place - below) * (tl.load(table + below + 1) - low)
