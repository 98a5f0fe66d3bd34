"""What a packet's units say of it, with start codes between them or their lengths before them."""

from __future__ import annotations

import pytest

from matting.media.packet_content import PacketContent

CAPTIONS = b"\x06\x04\x0e\xb5\0\x31GA94\x03\x41\xff\xfc\x94\x2c\xff\x80"
MESSAGE, PICTURE = b"\x06\x05\x01\xaa\x80", b"\x65\x88\x84"
PICTURE_LIKE_CAPTIONS = PICTURE + CAPTIONS
LENGTHS = b"\x01\x64\0\x1e\xff"  # avcC, with lengths of 4 bytes


@pytest.mark.parametrize("has_lengths", [False, True])
def test_captions_are_found_in_messages_only(has_lengths: bool) -> None:
    def content(*units: bytes) -> PacketContent:
        starts = ((len(unit).to_bytes(4, "big") if has_lengths else b"\0\0\1") for unit in units)
        data = b"".join(start + unit for start, unit in zip(starts, units, strict=True))
        return PacketContent(data, "h264", LENGTHS if has_lengths else b"")

    assert content(CAPTIONS, PICTURE).holds_captions()
    assert content(MESSAGE, PICTURE, CAPTIONS).holds_captions()  # of the second field
    assert not content(MESSAGE, PICTURE_LIKE_CAPTIONS).holds_captions()
    assert content(PICTURE).starts_closed_gop()
    assert content(MESSAGE).is_superfluous() and not content(MESSAGE).may_hold_picture()
    assert content(MESSAGE, PICTURE).may_hold_picture()


def test_captions_of_codecs_without_units_are_found_anywhere() -> None:
    assert PacketContent(b"\0\0\1\xb2GA94\x03", "mpeg2video", b"").holds_captions()
    assert PacketContent(b"\0\0\1\xb2CC\x01\xf8", "mpeg2video", b"").holds_captions()
    assert not PacketContent(b"\0\0\1\xb2", "mpeg2video", b"").holds_captions()
