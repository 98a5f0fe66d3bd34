"""All that a session remembers: the network's state of the whole picture, and further ones.

Further states are known by names. In a file they follow a header; a state by itself is saved as the
network saves it, as it was by earlier versions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
import torch
from msgspec import Meta, Struct

from matting.imaging.sample_format import Size
from matting.inference.base import RecurrentState, UnusableStateError
from matting.inference.people_boxes import People
from matting.inference.state_parts import join_parts, split_parts

MAGIC = b"RVM on Segments: states\n"
MOST_HEADER_BYTES = 1 << 20

Name = Annotated[str, Meta(max_length=100)]
ByteCount = Annotated[int, Meta(ge=0, le=1 << 40)]


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
class SessionState(RecurrentState):
    """What a session remembers of the frames so far; immutable.

    Attributes:
        main: the network's, of the whole picture.
        further: others of the same network, by name.
        people: who is followed in the picture; None: nobody has been looked for.
    """

    main: RecurrentState
    further: Mapping[str, RecurrentState] = field(default_factory=dict)
    people: People | None = None

    def to(self, device: torch.device) -> SessionState:
        further = {name: state.to(device) for name, state in self.further.items()}
        return SessionState(self.main.to(device), further, self.people)

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


def load_session_state(content: bytes, load: Callable[[bytes], RecurrentState]) -> SessionState:
    """Return what `SessionState.to_bytes` or a network's own state saved.

    Args:
        load: reads a state of the network.
    Raises:
        UnusableStateError: `content` is none, or one of its states cannot be used.
    """
    if not content.startswith(MAGIC):
        return SessionState(load(content))
    header, body = _header(content)
    if header.main_bytes + sum(header.further.values()) != len(body):
        raise UnusableStateError("it is cut off")
    main, at = load(body[: header.main_bytes]), header.main_bytes
    further = {}
    for name, length in header.further.items():
        further[name], at = load(body[at : at + length]), at + length
    return SessionState(main, further, header.people)


def _header(content: bytes) -> tuple[_Header, bytes]:
    """Return the header, and what follows it."""
    parts = split_parts(MAGIC, content)
    if parts is None or len(parts[0]) > MOST_HEADER_BYTES:
        raise UnusableStateError("it cannot be read")
    header, body = parts
    try:
        return msgspec.json.decode(header, type=_Header), body
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UnusableStateError("it cannot be read") from error
