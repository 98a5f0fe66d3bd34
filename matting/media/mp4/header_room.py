"""Room for the header at the beginning of an mp4 file, where players look for it first.

The muxer writes the header last, when it knows all packets. With room left for it, nothing has to
be moved then, as `faststart` does; what stays over is a box that players skip.
"""

from __future__ import annotations

# What a header takes at most: for each packet its size, times and place, and for all the rest.
BYTES_PER_PACKET = 48
BYTES_OF_THE_REST = 1 << 13


def header_bytes(packets: int, extradata_bytes: int = 0) -> int:
    """Return what a header takes at most that has no tags."""
    return BYTES_OF_THE_REST + BYTES_PER_PACKET * packets + extradata_bytes


def header_first(packets: int, extradata_bytes: int = 0) -> dict[str, str]:
    """Return the muxer's options for a file of at most so many packets.

    Args:
        extradata_bytes: of a stream that is copied, whose encoder may say much in it.
    """
    return {"moov_size": str(header_bytes(packets, extradata_bytes))}
