"""All that a session remembers: of each part of the picture the network's state, and further ones.

Further states are known by names. In a file they follow a header; a state by itself is saved as the
network saves it, as it was by earlier versions. So is that of a single part; those of several
follow their lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Annotated, TypeVar

import msgspec
import torch
from msgspec import Meta, Struct

from matting.imaging.sample_format import Size
from matting.inference.base import RecurrentState, UnusableStateError
from matting.inference.people_boxes import People
from matting.inference.state_parts import join_parts, split_parts

MAGIC = b"RVM on Segments: states\n"
PARTS_MAGIC = b"RVM on Segments: parts\n"
MOST_HEADER_BYTES = 1 << 20
MOST_PARTS = 16

Name = Annotated[str, Meta(max_length=100)]
ByteCount = Annotated[int, Meta(ge=0, le=1 << 40)]

_Lengths = Annotated[tuple[ByteCount, ...], Meta(min_length=1, max_length=MOST_PARTS)]
HeaderT = TypeVar("HeaderT")


class _Header(Struct, frozen=True, kw_only=True):
    """What a file of several states begins with.

    Attributes:
        main_bytes: the length of the main state.
        further: the names of those that follow it, in order, and their lengths.
        people: who is followed; None: nobody was looked for.
    """

    main_bytes: ByteCount
    further: Annotated[dict[Name, ByteCount], Meta(max_length=64)] = {}
    people: People | None = None


@dataclass(frozen=True)
class PartState(RecurrentState):
    """What is remembered of a part of the frames so far, or of all of their picture; immutable.

    Attributes:
        main: the network's, of all that is seen of it.
        further: others of the same network, by name.
        people: who is followed in it; None: nobody has been looked for.
    """

    main: RecurrentState
    further: Mapping[str, RecurrentState] = field(default_factory=dict)
    people: People | None = None

    def to(self, device: torch.device) -> PartState:
        further = {name: state.to(device) for name, state in self.further.items()}
        return PartState(self.main.to(device), further, self.people)

    def fits(self, size: Size, ratio: float) -> bool:
        return self.main.fits(size, ratio)

    def to_bytes(self) -> bytes:
        main = self.main.to_bytes()
        if not self.further and self.people is None:
            return main
        further = {name: state.to_bytes() for name, state in self.further.items()}
        sizes = {name: len(content) for name, content in further.items()}
        header = msgspec.json.encode(
            _Header(main_bytes=len(main), further=sizes, people=self.people)
        )
        return join_parts(MAGIC, header, main, *further.values())


@dataclass(frozen=True)
class SessionState(RecurrentState):
    """What a session remembers of the frames so far; immutable.

    Attributes:
        parts: what it remembers of each part of the picture; a single one: it is not divided.
    """

    parts: tuple[PartState, ...]

    def to(self, device: torch.device) -> SessionState:
        return SessionState(tuple(part.to(device) for part in self.parts))

    def fits(self, size: Size, ratio: float) -> bool:
        return self.fits_parts([size], ratio)

    def fits_parts(self, sizes: Sequence[Size], ratio: float) -> bool:
        """Return whether it belongs to parts of those sizes, at that ratio."""
        pairs = zip(self.parts, sizes, strict=False)
        return len(self.parts) == len(sizes) and all(own.fits(size, ratio) for own, size in pairs)

    def to_bytes(self) -> bytes:
        if len(self.parts) == 1:
            return self.parts[0].to_bytes()
        contents = [part.to_bytes() for part in self.parts]
        return join_parts(PARTS_MAGIC, msgspec.json.encode([*map(len, contents)]), *contents)


def load_session_state(content: bytes, load: Callable[[bytes], RecurrentState]) -> SessionState:
    """Return what `SessionState.to_bytes` or a network's own state saved.

    Args:
        load: reads a state of the network.
    Raises:
        UnusableStateError: `content` is none, or one of its states cannot be used.
    """
    if not content.startswith(PARTS_MAGIC):
        return SessionState((_load_part(content, load),))
    lengths, body = _split(PARTS_MAGIC, content, _Lengths)
    return SessionState(tuple(_load_part(own, load) for own in _cut(body, lengths)))


def _load_part(content: bytes, load: Callable[[bytes], RecurrentState]) -> PartState:
    if not content.startswith(MAGIC):
        return PartState(load(content))
    header, body = _split(MAGIC, content, _Header)
    main, *further = _cut(body, [header.main_bytes, *header.further.values()])
    states = dict(zip(header.further, map(load, further), strict=True))
    return PartState(load(main), states, header.people)


def _split(magic: bytes, content: bytes, kind: type[HeaderT]) -> tuple[HeaderT, bytes]:
    """Return the header, and what follows it."""
    parts = split_parts(magic, content)
    if parts is None or len(parts[0]) > MOST_HEADER_BYTES:
        raise UnusableStateError("it cannot be read")
    header, body = parts
    try:
        return msgspec.json.decode(header, type=kind), body
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UnusableStateError("it cannot be read") from error


def _cut(body: bytes, lengths: Sequence[int]) -> list[bytes]:
    """Return the parts of those lengths, of which `body` consists."""
    if sum(lengths) != len(body):
        raise UnusableStateError("it is cut off")
    ends = [*accumulate(lengths)]
    return [body[end - length : end] for end, length in zip(ends, lengths, strict=True)]
