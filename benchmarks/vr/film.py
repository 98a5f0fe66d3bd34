"""Pictures for headsets as a film, by the program's own encoder."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from benchmarks.vr.pictures import YUV420
from matting.imaging.planes import Planes
from matting.media.colour_tags import BT709_TAGS
from matting.media.encoders import EncoderInput
from matting.media.video_writer import VideoWriter
from matting.options import EncodingOptions


def write_film(
    path: Path, pictures: Sequence[Planes], encoding: EncodingOptions, *, rate: int
) -> None:
    """Encode pictures of YUV420, one frame each, and prove the file.

    Args:
        rate: frames a second.
    """
    with VideoWriter(
        path,
        size_px=pictures[0].size,
        time_base=Fraction(1, rate),
        rate=Fraction(rate),
        colour=BT709_TAGS,
        encoding=encoding,
        samples=EncoderInput("yuv420p", YUV420),
    ) as writer:
        for number, picture in enumerate(pictures):
            writer.write(picture, [number])
        writer.finish()
