"""A saved state that consists of two parts, of which the length of the first is told."""

from __future__ import annotations

LENGTH_BYTES = 8


def join_parts(magic: bytes, first: bytes, *rest: bytes) -> bytes:
    """Return what `split_parts` takes apart.

    Args:
        magic: what such a state begins with, and no other.
    """
    return b"".join((magic, len(first).to_bytes(LENGTH_BYTES, "big"), first, *rest))


def split_parts(magic: bytes, content: bytes) -> tuple[bytes, bytes] | None:
    """Return the first part, and the rest; None where `content` is none such, or is cut off."""
    begin = len(magic) + LENGTH_BYTES
    if not content.startswith(magic):
        return None
    end = begin + int.from_bytes(content[len(magic) : begin], "big")
    return (content[begin:end], content[end:]) if begin <= end <= len(content) else None
