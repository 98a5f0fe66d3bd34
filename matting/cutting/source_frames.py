"""Decoded frames at their times in the source, and a frame for every time that has none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from av.video.frame import VideoFrame

from matting.errors import DecodeError
from matting.media.frame_decoding import Decoding, decode_files
from matting.media.frame_filters import TimedFrame
from matting.progress import ignore

# Frames, each with its time in ticks of the source, rising.
TimedFrames = Generator[TimedFrame, None, None]
# Gives a frame's time in the source, from its packet's number and PTS in a file; None: none.
SourceTime = Callable[[int, int | None], int | None]


def decode_frames(
    files: Sequence[Path],
    source_time: SourceTime,
    *,
    strict: bool,
    threads: int = 1,
    only: Container[int] | None = None,
    alive: Callable[[], None] = ignore,
) -> TimedFrames:
    """Yield the frames that the last file presents, decoded as the continuation of the others.

    Args:
        source_time: frames to which it gives no time are left out; so are those whose times do
            not rise.
        strict: refuse damaged packets; else conceal damage as well as possible, for the sake of
            the frames that refer to it.
        threads: how many; 0: as many as there are cores. With more than one, intact frames next
            to damaged ones are lost.
        only: the numbers of the first file's packets to decode; None: all.
        alive: called for every packet.
    """
    last: int | None = None
    decoded = decode_files(
        files, Decoding(), strict=strict, threads=threads, only=only, alive=alive
    )
    for file, number, frame in decoded:
        time = source_time(number, frame.pts) if file == len(files) - 1 else None
        if time is not None and (last is None or time > last):
            last = time
            yield time, frame


def first_frame(path: Path, damaged: Collection[int]) -> VideoFrame | None:
    """Return a file's first frame whose packet's number is not among `damaged`."""
    frames = decode_frames(
        [path], lambda number, pts: None if number in damaged else pts, strict=False
    )
    with closing(frames):
        return next((frame for _, frame in frames), None)


def last_frame(path: Path, alive: Callable[[], None] = ignore) -> VideoFrame | None:
    """Return a file's last frame.

    Args:
        alive: called for every packet.
    """
    last = None
    frames = decode_frames([path], lambda _, pts: pts, strict=True, threads=0, alive=alive)
    for _, frame in frames:
        last = frame
    return last


def fill_gaps(
    times: Sequence[int],
    frames: Iterable[TimedFrame],
    damaged: Collection[int],
    before: VideoFrame | None,
    source: Path,
) -> Iterator[TimedFrame]:
    """Yield a frame for every time: its own; for a damaged one the last before, or the first after.

    Args:
        times: rising.
        frames: the good ones, at their times, rising.
        damaged: the times that have no good frame.
        before: the last good frame before all of them.
        source: the file that the error names.
    Raises:
        DecodeError: there is not one frame, or one that is not damaged does not come.
    """
    remaining = iter(times)
    time = next(remaining, None)
    last = before
    for frame_time, frame in frames:
        while time is not None and time < frame_time:
            _require_damaged(time, damaged, source)
            yield time, frame if last is None else last
            time = next(remaining, None)
        if time == frame_time:
            yield frame_time, frame
            time = next(remaining, None)
            last = frame
    while time is not None:
        if last is None:
            raise no_good_frame(source)
        _require_damaged(time, damaged, source)
        yield time, last
        time = next(remaining, None)


def no_good_frame(source: Path) -> DecodeError:
    """Return the error for a source without one frame that can be shown."""
    return DecodeError(f"Not one frame of {source} can be decoded.", "Copy or download it again.")


def _require_damaged(time: int, damaged: Collection[int], source: Path) -> None:
    if time not in damaged:
        raise DecodeError(
            f"{source}: a frame does not come out of the decoder at its time ({time} ticks).",
            "Its times are in disorder: convert it with a video converter first.",
        )
