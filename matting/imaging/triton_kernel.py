"""The Triton kernel that renders full-size frames.

The same arithmetic as `compositor` and `blending`, sample by sample: each program renders a tile of
pixels, and the chroma samples in it. Where the small maps show that nobody is, it reads nothing
else. Pairs are rows, columns.
"""

from __future__ import annotations

import triton
import triton.language as tl

from matting.imaging.tone_mapping import TABLE_STEPS

ROUNDING = tl.constexpr(12582912.0)  # 1.5 * 2^23: beside it a float32 has no place for fractions
STEPS = tl.constexpr(TABLE_STEPS)


@triton.jit
def render_tile(
    source,  # planes of luma and chroma
    maps,  # slope and offset, [T, 4, h, w], float32, contiguous
    tables,  # tone curve and inverse gain; read where `is_hdr`
    composite,  # planes of luma and chroma, as `foreground`; touched where there is a format
    foreground,
    alpha,
    luma_strides,  # of the source
    chroma_strides,  # of the source, the composite and the foreground
    frame_shape,  # height, width
    map_shape,  # height and width of the maps, and their scale to the frame
    source_format: tl.constexpr,  # see `triton_compositor.source_constants`
    output_formats: tl.constexpr,  # of composite, foreground and alpha; None: not wanted
    background: tl.constexpr,  # normalised luma, Cb, Cr
    tile_shape: tl.constexpr,
    window_shape: tl.constexpr,  # samples of the maps that hold all which a tile depends on
    negligible_alpha: tl.constexpr,
    has_slope: tl.constexpr,
    is_hdr: tl.constexpr,
):
    """Render one tile of one frame: all wanted outputs, luma and chroma."""
    normalise: tl.constexpr = source_format[0]
    matrix: tl.constexpr = source_format[1]
    step: tl.constexpr = source_format[2]
    siting: tl.constexpr = source_format[3]
    whole_pixels: tl.constexpr = source_format[4]
    fraction: tl.constexpr = source_format[5]
    box_down: tl.constexpr = source_format[6]
    box_across: tl.constexpr = source_format[7]
    composite_format: tl.constexpr = output_formats[0]
    foreground_format: tl.constexpr = output_formats[1]
    alpha_format: tl.constexpr = output_formats[2]
    frame = tl.program_id(2).to(tl.int64)
    top, left = tl.program_id(1) * tile_shape[0], tl.program_id(0) * tile_shape[1]
    map_area = map_shape[0] * map_shape[1]
    slope, offset = maps[0] + frame * 4 * map_area, maps[1] + frame * 4 * map_area
    source_luma = source[0] + frame * luma_strides[0]
    source_chroma = source[1] + frame * chroma_strides[0][0]
    cr_stride, row_stride = chroma_strides[0][1], chroma_strides[0][2]
    column_stride = chroma_strides[0][3]
    height, width = frame_shape[0], frame_shape[1]
    chroma_height, chroma_width = tl.cdiv(height, step[0]), tl.cdiv(width, step[1])

    y = top + tl.arange(0, tile_shape[0])[:, None]
    x = left + tl.arange(0, tile_shape[1])[None, :]
    inside = (y < height) & (x < width)
    pixel = frame * height * width + y * width + x
    cy = top // step[0] + tl.arange(0, tile_shape[0] // step[0])[:, None]
    cx = left // step[1] + tl.arange(0, tile_shape[1] // step[1])[None, :]
    chroma_inside = (cy < chroma_height) & (cx < chroma_width)
    composite_cb = composite[1] + _element(chroma_strides[1], frame, cy, cx)
    foreground_cb = foreground[1] + _element(chroma_strides[2], frame, cy, cx)

    # The most that alpha can be, whatever the source: that is in [0, 1].
    my = tl.maximum(tl.floor((top + 0.5) * map_shape[2] - 0.5), 0.0).to(tl.int32)
    mx = tl.maximum(tl.floor((left + 0.5) * map_shape[3] - 0.5), 0.0).to(tl.int32)
    my = tl.minimum(my + tl.arange(0, window_shape[0])[:, None], map_shape[0] - 1)
    mx = tl.minimum(mx + tl.arange(0, window_shape[1])[None, :], map_shape[1] - 1)
    bound = tl.load(offset + 3 * map_area + my * map_shape[1] + mx)
    if has_slope:
        slope_bound = tl.load(slope + 3 * map_area + my * map_shape[1] + mx)
        bound = tl.maximum(bound, bound + slope_bound)
    somebody = tl.max(tl.max(bound, 1), 0) > negligible_alpha

    if somebody:
        # Luma, at the pixels.
        code = tl.load(source_luma + y * luma_strides[2] + x * luma_strides[3], inside)
        luma = (code.to(tl.float32) - normalise[0]) * normalise[1]
        y0, y1, wy = _neighbours((y - siting[0]) / step[0], chroma_height)
        x0, x1, wx = _neighbours((x - siting[1]) / step[1], chroma_width)
        rows = (y0 * row_stride, y1 * row_stride)
        columns = (x0 * column_stride, x1 * column_stride)
        cb = _bilinear(source_chroma, rows, wy, columns, wx)
        cr = _bilinear(source_chroma + cr_stride, rows, wy, columns, wx)
        rgb = _to_rgb(luma, cb, cr, normalise, matrix)
        red, green, blue, opacity = _apply_guided_filter(
            (slope, offset),
            map_area,
            tables,
            rgb,
            (y, x, y, x),
            (0.0, 0.0),
            map_shape,
            has_slope,
            is_hdr,
        )
        luma = red * matrix[0] + green * matrix[1] + blue * matrix[2]
        if composite_format is not None:
            blended = background[0] + opacity * (luma - background[0])
            _store(composite[0] + pixel, blended, inside, composite_format, 0)
        if foreground_format is not None:
            luma *= _visible_share(opacity, foreground_format)
            _store(foreground[0] + pixel, luma, inside, foreground_format, 0)
        if alpha_format is not None:
            _store(alpha + pixel, opacity, inside, alpha_format, 0)

        # Chroma, at its own sites.
        if composite_format is not None or foreground_format is not None:
            luma = tl.zeros([tile_shape[0] // step[0], tile_shape[1] // step[1]], tl.float32)
            for j in tl.static_range(len(box_down[0])):
                row = tl.minimum(tl.maximum(cy * step[0] + box_down[0][j], 0), height - 1)
                for i in tl.static_range(len(box_across[0])):
                    column = tl.minimum(tl.maximum(cx * step[1] + box_across[0][i], 0), width - 1)
                    code = tl.load(
                        source_luma + row * luma_strides[2] + column * luma_strides[3],
                        chroma_inside,
                    )
                    value = (code.to(tl.float32) - normalise[0]) * normalise[1]
                    luma += value * (box_down[1][j] * box_across[1][i])
            source_cb = source_chroma + cy * row_stride + cx * column_stride
            cb = tl.load(source_cb, chroma_inside).to(tl.float32)
            cr = tl.load(source_cb + cr_stride, chroma_inside).to(tl.float32)
            rgb = _to_rgb(luma, cb, cr, normalise, matrix)
            y0 = tl.minimum(cy * step[0] + whole_pixels[0], height - 1)
            x0 = tl.minimum(cx * step[1] + whole_pixels[1], width - 1)
            pixels = (y0, x0, tl.minimum(y0 + 1, height - 1), tl.minimum(x0 + 1, width - 1))
            red, green, blue, opacity = _apply_guided_filter(
                (slope, offset),
                map_area,
                tables,
                rgb,
                pixels,
                fraction,
                map_shape,
                has_slope,
                is_hdr,
            )
            luma = red * matrix[0] + green * matrix[1] + blue * matrix[2]
            cb, cr = (blue - luma) / matrix[4], (red - luma) / matrix[3]
            if composite_format is not None:
                blended = background[1] + opacity * (cb - background[1])
                _store(composite_cb, blended, chroma_inside, composite_format, 2)
                blended = background[2] + opacity * (cr - background[2])
                composite_cr = composite_cb + chroma_strides[1][1]
                _store(composite_cr, blended, chroma_inside, composite_format, 2)
            if foreground_format is not None:
                share = _visible_share(opacity, foreground_format)
                foreground_cr = foreground_cb + chroma_strides[2][1]
                _store(foreground_cb, cb * share, chroma_inside, foreground_format, 2)
                _store(foreground_cr, cr * share, chroma_inside, foreground_format, 2)
    else:
        zero = tl.zeros([tile_shape[0], tile_shape[1]], tl.float32)
        grey = tl.zeros([tile_shape[0] // step[0], tile_shape[1] // step[1]], tl.float32)
        if alpha_format is not None:
            _store(alpha + pixel, zero, inside, alpha_format, 0)
        if composite_format is not None:
            composite_cr = composite_cb + chroma_strides[1][1]
            _store(composite[0] + pixel, zero + background[0], inside, composite_format, 0)
            _store(composite_cb, grey + background[1], chroma_inside, composite_format, 2)
            _store(composite_cr, grey + background[2], chroma_inside, composite_format, 2)
        if foreground_format is not None:
            foreground_cr = foreground_cb + chroma_strides[2][1]
            _store(foreground[0] + pixel, zero, inside, foreground_format, 0)
            _store(foreground_cb, grey, chroma_inside, foreground_format, 2)
            _store(foreground_cr, grey, chroma_inside, foreground_format, 2)


@triton.jit
def _element(strides, frame, row, column):
    """Return where an element of a plane lies, of the first channel."""
    return frame * strides[0] + row * strides[2] + column * strides[3]


@triton.jit
def _store(where, value, inside, output_format: tl.constexpr, plane: tl.constexpr):
    """Write normalised values as the nearest code values, halves as the even one.

    Args:
        plane: where in the format its range stands: 0 for luma and alpha, 2 for chroma.
    """
    code = value * output_format[plane + 1] + output_format[plane]
    code = tl.minimum(tl.maximum(code, 0.0), output_format[4])
    code = ((code + ROUNDING) - ROUNDING) * output_format[5]
    tl.store(where, code.to(tl.int32).to(where.dtype.element_ty), inside)


@triton.jit
def _visible_share(alpha, output_format: tl.constexpr):
    """Return how much of the foreground is shown; see `blending`."""
    return _clamp(alpha * output_format[6] + output_format[7])


@triton.jit
def _neighbours(position, count):
    """Return the samples before and after a position, and the latter's weight; the edge goes on."""
    position = tl.minimum(tl.maximum(position, 0.0), count - 1.0)
    before = position.to(tl.int32)
    return before, tl.minimum(before + 1, count - 1), position - before


@triton.jit
def _bilinear(plane, rows, wy, columns, wx):
    """Return a plane between four samples; rows and columns as distances in memory."""
    a = tl.load(plane + (rows[0] + columns[0])).to(tl.float32)
    b = tl.load(plane + (rows[1] + columns[0])).to(tl.float32)
    c = tl.load(plane + (rows[0] + columns[1])).to(tl.float32)
    d = tl.load(plane + (rows[1] + columns[1])).to(tl.float32)
    a += wy * (b - a)
    c += wy * (d - c)
    return a + wx * (c - a)


@triton.jit
def _to_rgb(luma, cb, cr, normalise: tl.constexpr, matrix: tl.constexpr):
    """Return R'G'B' of normalised luma and of chroma's code values."""
    cb, cr = (cb - normalise[2]) * normalise[3], (cr - normalise[2]) * normalise[3]
    return luma + matrix[3] * cr, luma + matrix[5] * cr + matrix[6] * cb, luma + matrix[4] * cb


@triton.jit
def _map_at_pixels(plane, y, x, map_shape):
    """Return a small map at pixels."""
    y0, y1, wy = _neighbours((y + 0.5) * map_shape[2] - 0.5, map_shape[0])
    x0, x1, wx = _neighbours((x + 0.5) * map_shape[3] - 0.5, map_shape[1])
    return _bilinear(plane, (y0 * map_shape[1], y1 * map_shape[1]), wy, (x0, x1), wx)


@triton.jit
def _map_at(plane, pixels, fraction: tl.constexpr, map_shape):
    """Return a small map at pixels, or at a fraction of the way to their neighbours."""
    y, x, next_y, next_x = pixels
    value = _map_at_pixels(plane, y, x, map_shape)
    if fraction[0] > 0:
        value += fraction[0] * (_map_at_pixels(plane, next_y, x, map_shape) - value)
    if fraction[1] > 0:
        right = _map_at_pixels(plane, y, next_x, map_shape)
        if fraction[0] > 0:
            right += fraction[0] * (_map_at_pixels(plane, next_y, next_x, map_shape) - right)
        value += fraction[1] * (right - value)
    return value


@triton.jit
def _apply_guided_filter(
    maps,
    map_area,
    tables,
    rgb,
    pixels,
    fraction: tl.constexpr,
    map_shape,
    has_slope: tl.constexpr,
    is_hdr: tl.constexpr,
):
    """Return the foreground in the source's R'G'B', and alpha; see `blending`."""
    r, g, b = _clamp(rgb[0]), _clamp(rgb[1]), _clamp(rgb[2])
    r0, g0, b0 = r, g, b
    if is_hdr:
        r, g, b = _look_up(tables[0], r), _look_up(tables[0], g), _look_up(tables[0], b)
    r1 = _map_at(maps[1], pixels, fraction, map_shape)
    g1 = _map_at(maps[1] + map_area, pixels, fraction, map_shape)
    b1 = _map_at(maps[1] + 2 * map_area, pixels, fraction, map_shape)
    alpha = _map_at(maps[1] + 3 * map_area, pixels, fraction, map_shape)
    if has_slope:
        r1 += r * _map_at(maps[0], pixels, fraction, map_shape)
        g1 += g * _map_at(maps[0] + map_area, pixels, fraction, map_shape)
        b1 += b * _map_at(maps[0] + 2 * map_area, pixels, fraction, map_shape)
        alpha += (r + g + b) / 3 * _map_at(maps[0] + 3 * map_area, pixels, fraction, map_shape)
    r1, g1, b1 = _clamp(r1 + r) - r, _clamp(g1 + g) - g, _clamp(b1 + b) - b
    if is_hdr:
        r1 *= _look_up(tables[1], r0)
        g1 *= _look_up(tables[1], g0)
        b1 *= _look_up(tables[1], b0)
    return rgb[0] + r1, rgb[1] + g1, rgb[2] + b1, _clamp(alpha)


@triton.jit
def _clamp(value):
    """Return values in [0, 1]."""
    return tl.minimum(tl.maximum(value, 0.0), 1.0)


@triton.jit
def _look_up(table, value):
    """Return a table of 0 to 1 in equal steps at values, linear between its entries."""
    position = value * STEPS
    below = tl.minimum(position.to(tl.int32), STEPS - 1)
    low = tl.load(table + below)
    return low + (position - below) * (tl.load(table + below + 1) - low)
