"""A source that is to be cut, and the segments that it is cut into."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from matting.cutting.packet_index import SourceIndex
from matting.media.frame_filters import FrameFilters
from matting.media.video_info import VideoInfo


@dataclass(frozen=True)
class CutJob:
    """A source, and how and where it is to be cut.

    Attributes:
        index: its packets.
        seconds: the segment length to aim at.
        work: an existing folder, for the segments.
        filters: what its frames need when they are re-encoded, as far as is known before they
            are decoded.
    """

    info: VideoInfo
    index: SourceIndex
    seconds: Fraction
    work: Path
    filters: FrameFilters

    @property
    def segment_ticks(self) -> Fraction:
        """The segment length to aim at, in ticks of the source."""
        return self.seconds / self.info.time_base

    @property
    def says_when_presented(self) -> bool:
        """Whether the container says when frames are presented; AVI says only when to decode."""
        return not (self.info.container == "avi" and self.info.reorders)

    @property
    def is_timed(self) -> bool:
        """Whether every frame has a time of its own at which it is presented."""
        return self.index.is_timed and self.says_when_presented

    @cached_property
    def corrupt_pts(self) -> frozenset[int]:
        """The PTS of frames of which the container itself says that parts are missing."""
        return frozenset(
            packet.pts
            for packet in self.index.packets
            if packet.corrupt and packet.presented and packet.pts is not None
        )


@dataclass(frozen=True)
class CutSegment:
    """A segment as it was written and decoded through.

    Attributes:
        path: its file.
        times: the source's PTS of its frames, rising.
        suspect: those of `times` at which a strict decoder gives no intact frame.
        doubtful: those whose frame is kept as a tolerant decoder shows it, damaged as it is.
        missing: the PTS of damaged frames that no decoder shows; they are not among `times`.
        repeated: those of `times` at which another frame was put.
        copied: whether it holds the source's own packets.
        shots: the source's PTS of its frames at which a shot starts, rising, but for the source's
            first frame; None: nobody looked for them.
    """

    path: Path
    times: tuple[int, ...]
    suspect: tuple[int, ...] = ()
    doubtful: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    repeated: tuple[int, ...] = ()
    copied: bool = True
    shots: tuple[int, ...] | None = None

    @property
    def damaged(self) -> tuple[int, ...]:
        """The PTS of all that is doubtful or missing."""
        return tuple(sorted({*self.doubtful, *self.missing}))
