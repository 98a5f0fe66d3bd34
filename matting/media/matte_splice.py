"""A stored matte with others in the place of some of its frames, as a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from matting.errors import MediaError
from matting.imaging.matte_blending import blend_mattes, limit_matte
from matting.imaging.matte_planes import MattePlanes
from matting.media.matte_file import MatteChunk, MatteFile, MatteWriter
from matting.media.media_index import IndexPart, index_of
from matting.progress import ignore


@dataclass(frozen=True)
class MattePatch:
    """What becomes of some consecutive frames of a matte.

    Attributes:
        first_frame: the first of them, from 0.
        weights: of each of them, how far it becomes that, 0..1.
        matte: the file of the mattes that take their place, a frame for each; None: their own stay.
        allowed: how much of the matte may stay where, as `limit_matte` takes it; None: all.
    """

    first_frame: int
    weights: tuple[float, ...]
    matte: Path | None = None
    allowed: Tensor | None = None


def write_spliced(
    base: Path,
    patches: Sequence[MattePatch],
    target: Path,
    on_frames: Callable[[int], None] = ignore,
) -> None:
    """Write a matte with its patches to `target`, and decode it through; other frames stay as is.

    Mattes take each other's places first, in the order of the patches; then what may not stay goes.

    Args:
        on_frames: told how many more frames are written, and again when they are checked.
    Raises:
        DecodeError: a matte is damaged; names file and frame.
        MediaError: a patch is of other frames than the matte.
        EncodeError, StorageError: as `MatteWriter`.
    """
    stored = MatteFile.open(base)
    with ExitStack() as files:
        parts = [_Part(patch, stored, files) for patch in patches]
        chunks = files.enter_context(closing(stored.chunks(1)))
        writer = files.enter_context(
            MatteWriter(
                target,
                size_px=stored.size_px,
                time_base=stored.time_base,
                rate=index_of(base, IndexPart.PACKETS).info.rate,
                sample_format=stored.sample_format,
            )
        )
        for frame, chunk in enumerate(chunks):
            matte = chunk.matte
            for part in parts:
                matte = part.replace(frame, matte)
            for part in parts:
                matte = part.limit(frame, matte)
            writer.write(matte, chunk.pts)
            on_frames(1)
        writer.finish(on_frames)


class _Part:
    """A patch, whose own mattes are read frame by frame.

    Raises:
        MediaError: they are of other frames than those of `stored`.
    """

    def __init__(self, patch: MattePatch, stored: MatteFile, files: ExitStack) -> None:
        self._patch = patch
        self._mattes: Iterator[MatteChunk] = iter(())
        if patch.first_frame + len(patch.weights) > stored.frames:
            raise MediaError(f"{stored.path} has fewer frames than were to be replaced in it.")
        if patch.matte is None:
            return
        own = MatteFile.open(patch.matte)
        if (own.header.layout, own.frames) != (stored.header.layout, len(patch.weights)):
            raise MediaError(
                f"{own.path} is the matte of other frames than those of {stored.path}."
            )
        self._mattes = files.enter_context(closing(own.chunks(1)))

    def replace(self, frame: int, matte: MattePlanes) -> MattePlanes:
        """Return the matte of a frame, the next in order, with the patch's own in its place."""
        patch, weight = self._patch, self._weight(frame)
        if patch.matte is None or weight is None:
            return matte
        own = next(self._mattes).matte
        if patch.allowed is not None:
            own = limit_matte(own, patch.allowed, [1])
        return own if weight == 1 else blend_mattes(matte, own, [weight])

    def limit(self, frame: int, matte: MattePlanes) -> MattePlanes:
        """Return the matte of a frame without what may not stay, where its own matte stays."""
        patch, weight = self._patch, self._weight(frame)
        if patch.matte is not None or patch.allowed is None or weight is None:
            return matte
        return limit_matte(matte, patch.allowed, [weight])

    def _weight(self, frame: int) -> float | None:
        """Return how far the patch holds at a frame; None: it is of others."""
        place = frame - self._patch.first_frame
        weights = self._patch.weights
        return weights[place] if 0 <= place < len(weights) else None
