"""What every part of the bench works with: the clips that were asked for, and how to matte them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.quality import made_clips
from benchmarks.quality.clips import HD, SMALL, Clip, true_clip, truth_names
from benchmarks.quality.matting import Matted, matte_clip
from matting.imaging.sample_format import Size
from matting.options import MattingOptions


@dataclass(frozen=True)
class Bench:
    """The means of a run.

    Attributes:
        folder: for the clips that are made.
        options: what clips are matted by, where a part asks for nothing else.
        names: of the true clips to use; none: all.
    """

    folder: Path
    options: MattingOptions = field(default_factory=MattingOptions)
    names: Sequence[str] = ()

    def truth(self, size: Size = SMALL) -> Iterator[Clip]:
        """Yield the true clips of that size that were asked for."""
        for name in truth_names(size):
            if not self.names or name in self.names:
                yield true_clip(name, size)

    def drawn(
        self,
        seed: int,
        size: Size = HD,
        frames: int = 48,
        *,
        cuts: tuple[int, ...] = (),
        flashes: tuple[int, ...] = (),
    ) -> Clip:
        """Draw a film, as `made_clips.drawn`."""
        return made_clips.drawn(self.folder, seed, size, frames, cuts=cuts, flashes=flashes)

    def placed_small(
        self, clip: Clip, height_px: int, size: Size = HD, frames: int | None = None
    ) -> Clip:
        """Place a clip's person small, as `made_clips.placed_small`."""
        return made_clips.placed_small(self.folder, clip, height_px, size, frames)

    def joined(self, clips: Sequence[Clip]) -> Clip:
        """Put clips one after another, as `made_clips.joined`."""
        return made_clips.joined(self.folder, clips)

    def first_frames(self, clip: Clip, frames: int) -> Clip:
        """Return the beginning of a clip, as `made_clips.first_frames`."""
        return made_clips.first_frames(self.folder, clip, frames)

    def matte(self, clip: Clip, options: MattingOptions | None = None) -> Matted:
        """Matte a clip through the program, as `matting.matte_clip`.

        Args:
            options: None: those of the bench.
        """
        return matte_clip(clip, options or self.options)
