"""A source of frames that has only what is known of one before it is decoded."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from matting.imaging.sample_format import SampleFormat, Size
from matting.media.colour_tags import BT709_TAGS, ColourTags
from matting.media.hdr_metadata import HdrMetadata
from matting.media.source import FrameChunk
from matting.progress import ignore
from tests.support.soft_disc import DISC_SIZE, FRAMES, TIME_BASE

VIDEO = BT709_TAGS.sample_format(8, (2, 2), DISC_SIZE.height)


@dataclass(frozen=True)
class PicturedSource:
    """What a writer asks of a source, of the disc's size and times."""

    colour: ColourTags = BT709_TAGS
    sample_format: SampleFormat = VIDEO
    size_px: Size = DISC_SIZE
    path: Path = Path("disc.mp4")
    time_base: Fraction = TIME_BASE
    rate: Fraction = Fraction(30)
    pixel_aspect: Fraction = Fraction(1)
    hdr: HdrMetadata | None = None
    notes: tuple[str, ...] = ()
    frames: int = FRAMES

    def chunks(
        self, size: int, last: int | None = None, on_skip: Callable[[], None] = ignore
    ) -> Generator[FrameChunk, None, None]:
        raise AssertionError("a writer is given its pictures, and reads none of its source")
