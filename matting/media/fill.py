"""A frame for every time: damaged ones are stood in for by their neighbours, and only these."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from av.video.frame import VideoFrame

from matting.errors import DecodeError


def fill(
    wanted: Sequence[int],
    frames: Iterable[tuple[int, VideoFrame]],
    damaged: Collection[int],
    before: VideoFrame | None,
    source: Path,
) -> Iterator[tuple[int, VideoFrame]]:
    """A frame for every time: its own; for a damaged one the last before, else the first after.

    Args:
        wanted: the times, rising.
        frames: those there are, at their times, rising.
        damaged: the times that have none of their own.
        before: the last good frame before all of them.
        source: the file that the error names.
    Raises:
        DecodeError: there is not one frame, or one that is not damaged does not come.
    """
    waiting = iter(wanted)
    time = next(waiting, None)
    last = before
    for own, frame in frames:
        while time is not None and time < own:
            _require_damaged(time, damaged, source)
            yield time, frame if last is None else last
            time = next(waiting, None)
        if time == own:
            yield own, frame
            time = next(waiting, None)
            last = frame
    while time is not None:
        if last is None:
            raise DecodeError(
                f"Not one frame of {source} can be decoded.", "Copy or download it again."
            )
        _require_damaged(time, damaged, source)
        yield time, last
        time = next(waiting, None)


def _require_damaged(time: int, damaged: Collection[int], source: Path) -> None:
    if time not in damaged:
        raise DecodeError(
            f"{source}: a frame does not come out of the decoder at its time ({time} ticks).",
            "Its times are in disorder: convert it with a video converter first.",
        )
