"""What is inside a packet, as far as the headers of its units say it."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

# NAL unit types of the pictures at which the decoder forgets all that came before (IDR), and of
# all coded pictures. Source: ITU-T H.264, table 7-1; H.265, table 7-1.
IDR_TYPES = {"h264": {5}, "hevc": {19, 20}}
PICTURE_TYPES = {"h264": range(1, 6), "hevc": range(32)}
# Of what describes pictures or separates them: parameter sets, delimiters, filler, messages.
DESCRIBING_TYPES = {"h264": range(6, 14), "hevc": range(32, 41)}
# Those of them without which every picture is decoded as with them; the end of a sequence is none.
SUPERFLUOUS_TYPES = {"h264": {6, 9, 12}, "hevc": {35, 38, 39, 40}}
# Messages beside the picture (SEI): the only units that hold captions. What happens to stand in the
# coded picture is none, and to search that takes longer than all else that is done with a packet.
MESSAGE_TYPES = {"h264": {6}, "hevc": {39, 40}}
# CEA-608 and CEA-708: ATSC A/53 part 4, 6.2.3, as user data of MPEG-2 and in messages of later
# codecs; and, before that, DVDs' own.
CAPTIONS = (b"\x00\x31GA94\x03", b"\xb2GA94\x03", b"\xb2CC\x01\xf8")


@dataclass(frozen=True)
class PacketContent:
    """A packet's bytes.

    Attributes:
        codec: FFmpeg's name of it.
        extradata: of the packet's stream.
    """

    data: bytes
    codec: str
    extradata: bytes

    def starts_closed_gop(self) -> bool | None:
        """Return whether its picture is one at which decoding starts anew; None: unknown."""
        if self.codec not in IDR_TYPES:
            return None
        for unit in self._units:
            if unit.kind in PICTURE_TYPES[self.codec]:
                return unit.kind in IDR_TYPES[self.codec]
        return False

    def may_hold_picture(self) -> bool:
        """Return whether there is more in it than what describes and separates pictures."""
        return not self._consists_of(DESCRIBING_TYPES)

    def is_superfluous(self) -> bool:
        """Return whether all pictures are decoded without it as with it."""
        return self._consists_of(SUPERFLUOUS_TYPES)

    def is_well_formed(self) -> bool:
        """Return whether its structure is one that mp4 can hold."""
        return self.codec != "av1" or _is_well_formed_av1(self.data)

    def holds_captions(self) -> bool:
        """Return whether closed captions lie in it."""
        if self.codec not in MESSAGE_TYPES:
            return holds_captions(self.data)
        messages = (unit for unit in self._units if unit.kind in MESSAGE_TYPES[self.codec])
        return any(holds_captions(self.data[unit.start : unit.stop]) for unit in messages)

    def _consists_of(self, types: Mapping[str, Container[int]]) -> bool:
        """Return whether its units are all of those types, and nothing else is in it."""
        if self.codec not in types:
            return False
        if any(unit.kind not in types[self.codec] for unit in self._units):
            return False
        return (self._units[-1].stop if self._units else 0) == len(self.data)

    @cached_property
    def _units(self) -> tuple[_Unit, ...]:
        """The NAL units of H.264 or H.265."""
        data, is_h264 = self.data, self.codec == "h264"
        places = self._nal_units()
        if is_h264:
            return tuple(_Unit(data[start] & 31, start, stop) for start, stop in places)
        return tuple(_Unit(data[start] >> 1 & 63, start, stop) for start, stop in places)

    def _nal_units(self) -> Iterator[tuple[int, int]]:
        """Yield where each NAL unit starts, and where it ends."""
        data = self.data
        if self.extradata[:1] != b"\x01":  # separated by start codes, ITU-T H.264, annex B
            at = data.find(b"\0\0\1")
            while 0 <= at < len(data) - 3:
                following = data.find(b"\0\0\1", at + 3)
                yield at + 3, following if following >= 0 else len(data)
                at = following
            return
        # Each after its length; ISO/IEC 14496-15 says in how many bytes that is written.
        place = 4 if self.codec == "h264" else 21
        width = (self.extradata[place] & 3) + 1 if len(self.extradata) > place else 4
        at = 0
        while at + width < len(data):
            start = at + width
            at = start + int.from_bytes(data[at:start], "big")
            yield start, at


class _Unit(NamedTuple):
    """A NAL unit in a packet's bytes [start, stop)."""

    kind: int
    start: int
    stop: int


def holds_captions(data: bytes) -> bool:
    """Return whether closed captions lie in such bytes of a picture's packet."""
    return any(start in data for start in CAPTIONS)


def _is_well_formed_av1(content: bytes) -> bool:
    """Return whether a packet is a sequence of open bitstream units: AV1 specification, 5.3.

    FFmpeg's mp4 muxer spoils the whole file when one is not.
    """
    at = 0
    while at < len(content):
        header = content[at]
        if header & 0x80:  # a bit that is always zero
            return False
        at += 2 if header & 4 else 1
        if not header & 2:  # no size: the unit extends to the end
            return True
        size = shift = 0
        while True:
            if at >= len(content) or shift > 49:
                return False
            size |= (content[at] & 0x7F) << shift
            shift += 7
            at += 1
            if not content[at - 1] & 0x80:
                break
        at += size
    return at == len(content)
