"""Ranges of frames that were done again: which they are, by what settings, and what was found.

The mattes of a range are files of their own. What the network had found before stays beside them,
so that ranges can be taken back, and put in again where a segment is matted anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from fractions import Fraction
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from matting.project.entry import MOST_RANGES, OutputFile, RecordedSettings
from matting.project.plan import MOST_SEGMENTS, FrameCount
from matting.project.records import Count, FileName
from matting.range_options import Rectangle
from matting.system.fingerprint import Fingerprint
from matting.system.humanize import exact_clock

MOST_RECTANGLES = 1000

RangeNumber = Annotated[int, Meta(ge=1, le=MOST_RANGES)]
Rectangles = Annotated[tuple[Rectangle, ...], Meta(max_length=MOST_RECTANGLES)]


class RangeStatus(str, Enum):
    """How far a range has come."""

    BEGUN = "begun"  # not all of its mattes are found: it does not count yet
    WHOLE = "whole"
    UNDONE = "undone"  # it does not count any more; its files go when nothing is made of them


class RangePart(Struct, frozen=True):
    """What of a range is in a segment.

    Attributes:
        first_frame: the first of the segment's frames that is in the range, from 0.
        source: the content of the segment; of another, the range is none.
        matte: what the network found for these frames; None: nothing yet, or it was not asked.
    """

    first_frame: Count
    frames: FrameCount
    source: Fingerprint
    matte: OutputFile | None = None

    @property
    def stop(self) -> int:
        """The number of the frame after the last."""
        return self.first_frame + self.frames

    def overlaps(self, other: RangePart) -> bool:
        return self.first_frame < other.stop and other.first_frame < self.stop


class MattingRange(Struct, frozen=True, kw_only=True):
    """A range of frames.

    Attributes:
        start_seconds: as it was asked for; None: it holds all frames.
        end_seconds: the same; None: it ends with the video.
        parts: of each segment that it touches, by name, in order.
        settings: by which its mattes are found; None: only what may not stay is taken away.
        blend_frames: as asked for.
        blend_in, blend_out: over how many frames it is blended; none where a shot starts or ends.
        mask: a copy of the picture of what is never matted.
        made: when it was asked for, as ISO 8601 has it.
    """

    version: Literal[1] = 1
    number: RangeNumber
    status: RangeStatus = RangeStatus.BEGUN
    start_seconds: Fraction | None = None
    end_seconds: Fraction | None = None
    parts: Annotated[dict[FileName, RangePart], Meta(max_length=MOST_SEGMENTS)]
    settings: RecordedSettings | None = None
    blend_frames: Count = 0
    blend_in: Count = 0
    blend_out: Count = 0
    mask: OutputFile | None = None
    keep_out: Rectangles = ()
    hold_in: Rectangles = ()
    made: Annotated[str, Meta(max_length=40)] = ""

    def __post_init__(self) -> None:
        if any(min(part) < 0 for part in (*self.keep_out, *self.hold_in)):
            raise ValueError("Expected rectangles within the picture")

    @property
    def has_limits(self) -> bool:
        """Whether it says where in the picture there are people."""
        return self.mask is not None or bool(self.keep_out or self.hold_in)

    @property
    def is_found(self) -> bool:
        """Whether the network has nothing left to find of it."""
        return self.settings is None or all(part.matte for part in self.parts.values())

    @property
    def files(self) -> list[OutputFile]:
        """All that is stored of it, in the folder of the ranges."""
        own = [self.mask, *(part.matte for part in self.parts.values())]
        return [file for file in own if file is not None]

    def asks_same(self, other: MattingRange) -> bool:
        """Return whether both were asked for alike, whatever came of them."""
        return self._question() == other._question()

    def weights(self, name: str) -> tuple[float, ...]:
        """Return how far it holds at each of its frames in a segment, 0..1."""
        before = 0
        for part_name, part in self.parts.items():
            if part_name == name:
                break
            before += part.frames
        total = sum(part.frames for part in self.parts.values())
        places = range(before, before + self.parts[name].frames)
        return tuple(
            min(1, (p + 1) / (self.blend_in + 1), (total - p) / (self.blend_out + 1))
            for p in places
        )

    def with_matte(self, name: str, matte: OutputFile) -> MattingRange:
        """Return the same with what was found in a segment."""
        part = replace(self.parts[name], matte=matte)
        return replace(self, parts={**self.parts, name: part})

    def __str__(self) -> str:
        if self.start_seconds is None:
            return f"{self.number} (all frames)"
        start, end = exact_clock(self.start_seconds), self.end_seconds
        times = f"from {start} on" if end is None else f"{start} to {exact_clock(end)}"
        return f"{self.number} ({times})"

    def _question(self) -> tuple[object, ...]:
        parts = {n: (p.first_frame, p.frames, p.source) for n, p in self.parts.items()}
        mask = None if self.mask is None else self.mask.fingerprint
        limits = mask, self.keep_out, self.hold_in
        return parts, self.settings, self.blend_frames, self.blend_in, self.blend_out, *limits


Ranges = Annotated[tuple[MattingRange, ...], Meta(max_length=MOST_RANGES)]


def ranges_in(
    ranges: Iterable[MattingRange], name: str, source: Fingerprint | None
) -> list[MattingRange]:
    """Return the ranges that count in a segment of some content."""
    return [own for own in ranges if own.status is RangeStatus.WHOLE and _is_of(own, name, source)]


def with_range(ranges: Iterable[MattingRange], own: MattingRange) -> tuple[MattingRange, ...]:
    """Return ranges in order, with one in the place of that of its number."""
    others = [other for other in ranges if other.number != own.number]
    return tuple(sorted([*others, own], key=lambda one: one.number))


def overlapping(ranges: Iterable[MattingRange], new: MattingRange) -> MattingRange | None:
    """Return a range in which the network is to find what it finds in the new one, too.

    What only takes away may overlap anything: it is taken from whatever was found.
    """
    for own in ranges:
        if own.status is RangeStatus.UNDONE or own.settings is None or new.settings is None:
            continue
        both = own.parts.keys() & new.parts.keys()
        if any(own.parts[name].overlaps(new.parts[name]) for name in both):
            return own
    return None


def listed(ranges: Iterable[MattingRange]) -> str:
    """Return the ranges as a message lists them."""
    return ", ".join(str(own) for own in ranges if own.status is not RangeStatus.UNDONE)


def stored_files(ranges: Iterable[MattingRange]) -> Iterator[OutputFile]:
    """Yield all that is stored of ranges."""
    for own in ranges:
        yield from own.files


def _is_of(own: MattingRange, name: str, source: Fingerprint | None) -> bool:
    part = own.parts.get(name)
    return part is not None and part.source == source
