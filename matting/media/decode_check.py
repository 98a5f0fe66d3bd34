"""Decoding files through, as strictly as the decoders can, to know that every frame is intact."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from collections.abc import Set as AbstractSet
from fractions import Fraction
from functools import partial
from pathlib import Path

from av.video.frame import VideoFrame

from matting.errors import DecodeError
from matting.media.frame_decoding import Decoding, Shape, decode_files, pixel_hash
from matting.progress import ignore

# Is shown frames that come out whole, in the order of presentation, with their packets' numbers.
ShowFrame = Callable[[int, VideoFrame], None]

HINT = "Make it again, or copy it again from where it came."


def decode_through(path: Path, on_frames: Callable[[int], None] = ignore) -> list[Fraction]:
    """Return when every frame is presented that a strict decoder gives, in seconds, in order.

    Args:
        on_frames: told how many more frames have been decoded.
    Raises:
        DecodeError: a frame is damaged, missing or out of order; names file and frame.
        InputError: no such file.
        MediaError: it is no video.
    """
    decoding = decode_all(path, on_frames)
    times = sorted(time for time in decoding.indexed.values() if time is not None)
    if decoding.damaged:
        damaged_times = [decoding.indexed[number] for number in decoding.damaged]
        first = min((time for time in damaged_times if time is not None), default=None)
        index = min(decoding.damaged) if first is None else times.index(first)
        count = len(decoding.damaged)
        more = f" nor can {count - 1} others" if count > 1 else ""
        raise DecodeError(
            f"{path}: frame {index} of {len(decoding.indexed)} cannot be decoded{more}.", HINT
        )
    if not decoding.is_intact or not times:
        raise DecodeError(f"{path}: its frames do not come out in the order of their times.", HINT)
    return [time * decoding.time_base for time in times]


def decode_all(
    path: Path,
    on_frames: Callable[[int], None] = ignore,
    *,
    hash_first: int = 0,
    following: Path | None = None,
    hash_next: int = 0,
    only: Container[int] | None = None,
    watch: Callable[[Decoding], ShowFrame] | None = None,
) -> Decoding:
    """Decode all of `path`, and say what came of it; damage is no error here.

    Args:
        on_frames: told how many more frames have been decoded; of none, for every packet.
        hash_first: how many frames to hash at the start.
        following: the file whose own frames continue this one's.
        hash_next: how many frames to hash of that.
        only: the numbers of the packets to decode; None: all.
        watch: called whenever the decoding begins, with what is going to be returned if it is not
            begun again; returns what is shown the frames.
    Raises:
        InputError: no such file.
        MediaError: it is no video.
    """
    files = [path] if following is None or not hash_next else [path, following]
    decode = partial(
        _decode, files, hash_first=hash_first, hash_next=hash_next, only=only, watch=watch
    )
    decoding = decode(threads=0, on_frames=on_frames)
    if decoding.is_intact:
        return decoding
    # An error may belong to a hidden frame or to the next file, and PyAV loses frames after one;
    # with one thread it is known whose it is, and nothing else is lost.
    slow = decode(threads=1, on_frames=lambda _: on_frames(0))
    slow.failed &= set(slow.indexed)  # what is hidden harms nobody
    slow.errors = len(slow.failed)
    if slow.failed:
        # A decoder that refuses a packet keeps back another, intact frame. A lenient one does not.
        lenient = decode_files(
            [path], Decoding(), strict=False, threads=1, only=only, alive=lambda: on_frames(0)
        )
        came = [(number, frame.dts) for _, number, frame in lenient]
        slow.presented = [number for number, _ in came]
        slow.brought_by = dict(came)
    return slow


def first_frame_hashes(
    files: Sequence[Path], count: int, alive: Callable[[], None] = ignore
) -> list[bytes]:
    """Return `first_hashes` of the last file, decoded as the continuation of the others.

    Args:
        alive: called for every packet.
    Raises:
        InputError: no such file.
        MediaError: it is no video.
    """
    decoding = Decoding()
    hashes: list[bytes] = []
    numbers: list[int] = []
    frames = decode_files(files, decoding, strict=True, threads=1, alive=alive)
    for file, number, frame in frames:
        if file == len(files) - 1:
            hashes.append(pixel_hash(frame))
            numbers.append(number)
            if len(hashes) == count:
                break
    return hashes + _refusal_note(decoding.next_failed, numbers)


def _decode(
    files: Sequence[Path],
    *,
    threads: int,
    hash_first: int,
    hash_next: int,
    only: Container[int] | None,
    watch: Callable[[Decoding], ShowFrame] | None,
    on_frames: Callable[[int], None],
) -> Decoding:
    decoding = Decoding()
    show_frame = watch(decoding) if watch is not None else None
    next_numbers: list[int] = []
    frames = decode_files(
        files, decoding, strict=True, threads=threads, only=only, alive=lambda: on_frames(0)
    )
    for file, number, frame in frames:
        if file == 1:
            decoding.next_hashes.append(pixel_hash(frame))
            next_numbers.append(number)
            if len(decoding.next_hashes) == hash_next:
                break
            continue
        decoding.presented.append(number)
        decoding.brought_by.setdefault(number, frame.dts)
        decoding.interlaced += frame.interlaced_frame
        decoding.shapes[Shape.of(frame)] += 1
        if frame.is_corrupt:
            decoding.failed.add(number)
        elif show_frame is not None and number in decoding.indexed:
            show_frame(number, frame)
        if len(decoding.first_hashes) < hash_first:
            decoding.first_hashes.append(pixel_hash(frame))
        on_frames(1)
    failed = decoding.failed & set(decoding.indexed)
    hashed = decoding.presented[: len(decoding.first_hashes)]
    decoding.first_hashes += _refusal_note(failed, hashed)
    decoding.next_hashes += _refusal_note(decoding.next_failed, next_numbers)
    return decoding


def _refusal_note(failed: AbstractSet[int], hashed: Sequence[int]) -> list[bytes]:
    """Note how many packets were refused up to the last hashed frame; nothing where none was."""
    count = sum(number <= max(hashed, default=-1) for number in failed)
    return [f"{count} refused".encode()] if count else []
