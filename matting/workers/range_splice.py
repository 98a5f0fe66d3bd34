"""A segment's stored matte with the ranges in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from matting.imaging.picture_parts import allowed_parts
from matting.media.matte_file import MatteFile
from matting.media.matte_splice import MattePatch, write_spliced
from matting.media.static_mask import read_mask
from matting.project.ranges import MattingRange


def splice(
    base: Path,
    ranges: Sequence[MattingRange],
    name: str,
    target: Path,
    *,
    folder: Path,
    on_frames: Callable[[int], None],
) -> None:
    """Write the matte `base` of a segment with ranges put in, over the file `target`.

    Args:
        name: the segment's.
        folder: where the ranges' files are.
        on_frames: told how many more frames have been done.
    Raises:
        EncodeError, StorageError: it cannot be written.
    """
    patches = [_patch(own, name, base, folder) for own in ranges]
    write_spliced(base, patches, target, on_frames)


def _patch(own: MattingRange, name: str, base: Path, folder: Path) -> MattePatch:
    """Return what a range does to a segment's matte."""
    part = own.parts[name]
    allowed = None
    if own.has_limits:
        allowed = allowed_parts(
            MatteFile.open(base).size_px,
            keep_out=own.keep_out,
            hold_in=own.hold_in,
            forbidden=None if own.mask is None else read_mask(folder / own.mask.file),
        )
    matte = None if part.matte is None else folder / part.matte.file
    return MattePatch(part.first_frame, own.weights(name), matte, allowed)
