"""Alpha of 10 bits in samples of 8: its upper bits, and bytes that hold the lower two.

A sample is soft where alpha is neither 0 nor full, and only of those the lower bits are kept. The
upper ones tell which they are: they are never 0 or 255 there. That moves the few alphas that would
have them by a step, which a bit each says.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matting.imaging.matte_planes import MAX_ALPHA

LOW_BITS = 2
LOW_MASK = (1 << LOW_BITS) - 1
LINES = 8 // LOW_BITS  # a byte holds the lower bits of so many samples
OPAQUE = MAX_ALPHA >> LOW_BITS
LEAST_SOFT, MOST_SOFT = 1, OPAQUE - 1

Bytes = NDArray[np.uint8]
Alpha = NDArray[np.uint16]


def split_alpha(alpha: Alpha) -> tuple[Bytes, Bytes]:
    """Return the upper bits, of alpha's shape, and the bytes [n] with all else."""
    soft = (alpha > 0) & (alpha < MAX_ALPHA)
    softs = alpha[soft]
    true_high = (softs >> LOW_BITS).astype(np.uint8)
    high = np.where(alpha == 0, 0, OPAQUE).astype(np.uint8)
    kept = np.clip(true_high, LEAST_SOFT, MOST_SOFT)
    high[soft] = kept
    low = np.zeros(-(-len(softs) // LINES) * LINES, np.uint8)
    low[: len(softs)] = softs & LOW_MASK
    moved = (kept != true_high)[_is_ambiguous(kept)]
    return high, np.concatenate([_pack_pairs(low), np.packbits(moved)])


def join_alpha(high: Bytes, content: Bytes) -> Alpha:
    """Return what `split_alpha` was given.

    Args:
        content: the bytes [n] that belong to the upper bits, and what comes after them.
    Raises:
        ValueError: there are fewer bytes than belong to these upper bits.
    """
    soft = _is_soft(high)
    softs = high[soft]
    ambiguous = np.flatnonzero(_is_ambiguous(softs))
    pairs_end = _pairs_bytes(len(softs))
    end = pairs_end - (-len(ambiguous) // 8)
    if len(content) < end:
        raise ValueError("lower bits are missing")
    moved = np.unpackbits(content[pairs_end:end], count=len(ambiguous)).astype(bool)
    outermost = ambiguous[moved]
    softs[outermost] = np.where(softs[outermost] == LEAST_SOFT, 0, OPAQUE)
    alpha = high.astype(np.uint16)
    alpha <<= LOW_BITS
    alpha |= alpha >> 8  # the lower bits of what is full, too
    low = _unpack_pairs(content[:pairs_end])[: len(softs)]
    alpha[soft] = softs.astype(np.uint16) << LOW_BITS | low
    return alpha


def _is_soft(high: Bytes) -> NDArray[np.bool_]:
    return np.asarray((high > 0) & (high < OPAQUE))


def _is_ambiguous(softs: Bytes) -> NDArray[np.bool_]:
    return np.asarray((softs == LEAST_SOFT) | (softs == MOST_SOFT))


def _pairs_bytes(count: int) -> int:
    return -(-count // LINES)


def _pack_pairs(low: Bytes) -> Bytes:
    pairs = low.reshape(-1, LINES) << np.arange(0, 8, LOW_BITS, dtype=np.uint8)
    return np.asarray(np.bitwise_or.reduce(pairs, axis=1), np.uint8)


def _unpack_pairs(packed: Bytes) -> Bytes:
    pairs = np.empty((len(packed), LINES), np.uint8)
    for line in range(LINES):
        pairs[:, line] = packed >> line * LOW_BITS & LOW_MASK
    return pairs.reshape(-1)
