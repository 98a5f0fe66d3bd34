"""Image sequences as a source of frames."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import torch

from matting.errors import DecodeError, MediaError
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.media.colour_tags import ColourTags
from matting.media.foreign_files import read_guarded
from matting.media.frame_chunks import in_chunks
from matting.media.hdr_metadata import HdrMetadata
from matting.media.images.png import Values, bits
from matting.media.images.still import read_facts, read_picture, size_of, to_16_bits
from matting.media.source import FrameChunk
from matting.progress import ignore
from matting.system.files import image_files


class ImageSequence:
    """A folder of pictures of one size as a source of frames at a fixed rate.

    Attributes:
        depth: bits a channel of the first picture, 8 or 16, and so of all.
        profile: the ICC profile of the first picture, empty where it has none.
    Raises:
        MediaError: there are no pictures, or the first cannot be read.
    """

    def __init__(self, folder: Path, rate: Fraction) -> None:
        self.path = folder
        self.rate = rate
        self._files = image_files(folder)
        if not self._files:
            raise MediaError(f"{folder} holds no pictures.", "Give PNG, JPEG or TIFF files.")
        first = read_guarded(self._files[0], partial(read_facts, self._files[0]))
        self.size_px = first.size_px
        self.depth = first.depth
        self.profile = first.profile
        self._is_transparent = first.is_transparent

    @property
    def time_base(self) -> Fraction:
        return 1 / self.rate

    @property
    def pixel_aspect(self) -> Fraction:
        return Fraction(1)

    @property
    def colour(self) -> ColourTags:
        return ColourTags()

    @property
    def sample_format(self) -> SampleFormat:
        return SampleFormat(self.depth)

    @property
    def hdr(self) -> HdrMetadata | None:
        return None

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user, by the first picture."""
        if not self._is_transparent:
            return ()
        return ("The pictures are transparent: what is, is put over black.",)

    @property
    def frames(self) -> int:
        return len(self._files)

    @property
    def result_names(self) -> tuple[str, ...]:
        """The file names of the matted pictures."""
        return result_names(self._files)

    def chunks(
        self, size: int, last: int | None = None, on_skip: Callable[[], None] = ignore
    ) -> Generator[FrameChunk, None, None]:
        """Yield all pictures, or only the last `last`, in chunks of `size`.

        Raises:
            DecodeError: one cannot be read, has another size, or more bits than the first.
        """
        skip = 0 if last is None else max(0, self.frames - last)
        return in_chunks(self._planes(skip), size)

    def _planes(self, skip: int) -> Generator[tuple[int, Planes], None, None]:
        for index, rgb in self.pictures(skip):
            channels = np.ascontiguousarray(rgb.transpose(2, 0, 1))[None]
            yield index, Planes(self.sample_format, torch.from_numpy(channels))

    def pictures(self, skip: int = 0) -> Iterator[tuple[int, Values]]:
        """Yield (number, RGB [H, W, 3]) of every picture from `skip` on, `depth` bits a channel.

        Raises:
            DecodeError: as for `chunks`.
        """
        for index, path in enumerate(self._files[skip:], start=skip):
            rgb = read_picture(path)
            if size_of(rgb) != self.size_px:
                size, first = ("x".join(map(str, each)) for each in (size_of(rgb), self.size_px))
                raise DecodeError(
                    f"{path} is {size}, the first picture is {first}.",
                    "Give every picture the same size.",
                )
            if bits(rgb) > self.depth:
                raise DecodeError(
                    f"{path} has 16 bits a channel, the first picture has 8.",
                    "Give every picture the same number of bits.",
                )
            yield index, to_16_bits(rgb) if self.depth == 16 else rgb


def result_names(files: Sequence[Path]) -> tuple[str, ...]:
    """Return what the matted pictures of a sequence are called: as its own, as PNG.

    Where two differ only in their suffix (a.jpg, a.png), all keep that, too: a.jpg.png.
    """
    stems = [file.stem for file in files]
    unique = len({stem.casefold() for stem in stems}) == len(stems)
    return tuple(f"{file.stem if unique else file.name}.png" for file in files)
