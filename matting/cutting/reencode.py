"""."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from av.video.frame import VideoFrame

from matting.cutting.lossless_writer import FrameWriter
from matting.errors import DecodeError, writing
from matting.media.decode_check import Decoding, decoded
from matting.media.hdr_metadata import HdrMetadata
from matting.media.probe import VideoInfo
from matting.system import atomic_files

# A decoded frame; for those who only hand it on.
Frame = VideoFrame
# Frames, each with its time in ticks of the source, rising.
Frames = Generator[tuple[int, VideoFrame], None, None]


def decode_frames(
    files: Sequence[Path],
    time_of: Callable[[int, int | None], int | None],
    *,
    strict: bool,
    threads: int = 1,
) -> Frames:
    """The frames that the last of some files shows, decoded as the continuation of the others.

    Args:
        time_of: a frame's time in the source, from its packet's number and PTS in that file;
            None: leave it out. Times that do not rise are left out, too.
        strict: refuse damaged packets; else conceal damage as well as can be, for the sake of
            the frames that refer to it.
        threads: how many; 0: as many as there are cores. With more than one, sound frames
            beside damaged ones are lost.
    """
    last: int | None = None
    for file, number, frame in decoded(files, Decoding(), strict=strict, threads=threads):
        time = time_of(number, frame.pts) if file == len(files) - 1 else None
        if time is not None and (last is None or time > last):
            last = time
            yield time, frame


def first_frame(path: Path, damaged: Collection[int]) -> VideoFrame | None:
    """The first frame of a file; not one whose packet's number is among `damaged`."""
    frames = decode_frames(
        [path], lambda number, pts: None if number in damaged else pts, strict=False
    )
    with closing(frames):
        return next((frame for _, frame in frames), None)


def last_frame(path: Path) -> VideoFrame | None:
    """The last frame of a file."""
    last = None
    for _, frame in decode_frames([path], lambda _, pts: pts, strict=True, threads=0):
        last = frame
    return last


def encode_segments(
    info: VideoInfo,
    groups: Mapping[Path, Sequence[int]],
    frames: Frames,
    *,
    damaged: Collection[int],
    before: VideoFrame | None = None,
    crf: int | None,
    on_frames: Callable[[int], None],
) -> None:
    """Encodes frames to files; each file is closed and decoded through before the next begins.

    Args:
        groups: the files, and the times of each one's frames, rising.
        frames: the good frames there are, in order.
        damaged: the times of those there are not.
        before: the frame that stands in for missing ones at the start; None: the first one.
        crf: the encoder's constant rate factor; None: without loss.
        on_frames: told how many more frames are encoded.
    Raises:
        DecodeError: there is not one frame, or one that is not damaged does not come.
        EncodeError: a file does not hold what was written to it.
        StorageError: a file cannot be written.
    """
    wanted = [time for times in groups.values() for time in times]
    hdr: HdrMetadata | None = None
    with closing(frames):
        filled = fill_gaps(wanted, frames, damaged, before, info.path)
        for path, times in groups.items():
            partial = atomic_files.partial(path)
            try:
                # Some decoders say it with the source's first frame only.
                segment = islice(filled, len(times))
                hdr = _encode_file(partial, info, segment, crf=crf, hdr=hdr, on_frames=on_frames)
                atomic_files.publish(partial, path)
            finally:
                with writing(partial):
                    partial.unlink(missing_ok=True)


def _encode_file(
    path: Path,
    info: VideoInfo,
    frames: Iterator[tuple[int, VideoFrame]],
    *,
    crf: int | None,
    hdr: HdrMetadata | None,
    on_frames: Callable[[int], None],
) -> HdrMetadata | None:
    time, first = next(frames)
    hdr = HdrMetadata.of(first) or hdr
    with FrameWriter(path, info, first, crf, hdr) as writer:
        writer.write(first, time)
        on_frames(1)
        for time, frame in frames:
            writer.write(frame, time)
            on_frames(1)
        writer.finish()
    return hdr


def fill_gaps(
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
