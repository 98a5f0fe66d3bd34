"""How large a video's frames are, as they are encoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from matting.media.door import open_video, reading


@dataclass(frozen=True)
class FrameSizes:
    """Of some frames, how many there were and their bytes.

    Attributes:
        key: those that can be decoded alone: (how many, bytes).
        other: all others.
    """

    key: tuple[int, int] = (0, 0)
    other: tuple[int, int] = (0, 0)

    def __add__(self, more: FrameSizes) -> FrameSizes:
        return FrameSizes(_sum(self.key, more.key), _sum(self.other, more.other))

    def bytes_of(self, frames: int, key_frames: int) -> float:
        """What so many frames take, so many key frames among them."""
        key, other = _mean(self.key), _mean(self.other)
        return key_frames * key + (frames - key_frames) * (other or key)


def frame_sizes(path: Path) -> FrameSizes:
    """Those of a video.

    Raises:
        InputError: no such file.
        MediaError: it is no video.
    """
    sizes = FrameSizes()
    with open_video(path) as (container, stream), reading(path):
        for packet in container.demux(stream):
            if packet.size:
                one = (1, packet.size)
                sizes += FrameSizes(key=one) if packet.is_keyframe else FrameSizes(other=one)
    return sizes


def _sum(one: tuple[int, int], two: tuple[int, int]) -> tuple[int, int]:
    return one[0] + two[0], one[1] + two[1]


def _mean(some: tuple[int, int]) -> float:
    return some[1] / some[0] if some[0] else 0.0
