"""The checksums that FFV1 keeps of its own bytes, which FFmpeg's decoder looks at but passes over.

Source: RFC 9043, sections 4.3.2 (the header) and 4.8 to 4.9 (a frame's slices).
"""

from __future__ import annotations

import zlib

# At the end of each slice: its length without these, whether it is known to be bad, its CRC.
LENGTH_BYTES, STATUS_BYTES, CRC_BYTES = 3, 1, 4
FOOTER_BYTES = LENGTH_BYTES + STATUS_BYTES + CRC_BYTES

# FFV1's CRC-32 takes the bits of a byte from the highest on, zlib's from the lowest.
REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
ALL_BITS = 0xFFFFFFFF


def is_intact(content: bytes) -> bool:
    """Return whether a header, or a slice, with the CRC at its end is as it was written."""
    # With its own CRC, of any content the remainder is zero; zlib inverts it before and after.
    return zlib.crc32(content.translate(REVERSED_BITS), ALL_BITS) == ALL_BITS


def is_frame_intact(packet: bytes) -> bool:
    """Return whether each byte of a frame, in slices with CRCs, is as it was written."""
    end = len(packet)
    while end > 0:
        length = packet[max(0, end - FOOTER_BYTES) :][:LENGTH_BYTES]
        start = end - int.from_bytes(length, "big") - FOOTER_BYTES
        if start < 0 or not is_intact(packet[start:end]):
            return False
        end = start
    return len(packet) > 0
