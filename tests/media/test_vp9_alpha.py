"""Encoded one after the other, colours and alpha are the same file as encoded side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import pytest

from matting.errors import EncodeError
from matting.imaging.delivered_frames import DeliveredFrames
from matting.imaging.planes import Planes
from matting.imaging.sample_format import Size
from matting.media.alpha_encoders import AlphaCodec, alpha_input
from matting.media.alpha_proof import require_alpha
from matting.media.alpha_writer import AlphaVideoWriter
from matting.media.colour_tags import BT709_TAGS, ColourRange, ColourTags
from matting.media.probe import probe
from matting.media.vp9_alpha import Vp9AlphaWriter
from tests.support.soft_disc import DISC_SIZE, TIME_BASE, delivered, disc

FRAMES = 70  # more than one key frame
TIMES = [3000 * number + 500 * (number % 3) for number in range(FRAMES)]
FULL_RANGE = replace(BT709_TAGS, range=ColourRange.FULL)
ODD = Size(DISC_SIZE.width - 1, DISC_SIZE.height - 1)


def packets(path: Path) -> list[tuple[object, ...]]:
    """Return all that a file holds of each frame."""
    with av.open(str(path)) as container:
        (stream,) = container.streams.video
        return [
            (
                packet.pts,
                packet.dts,
                packet.duration,
                packet.is_keyframe,
                bytes(packet),
                *(bytes(beside) for beside in packet.iter_sidedata()),
            )
            for packet in container.demux(stream)
            if packet.size
        ]


def write(
    create: Callable[..., AlphaVideoWriter | Vp9AlphaWriter],
    path: Path,
    colour: ColourTags,
    size_px: Size,
) -> None:
    samples = alpha_input(
        AlphaCodec.VP9, colour.sample_format(8, (2, 2), size_px.height), colour, size_px.height
    )
    frames = delivered(*disc(frames=FRAMES), samples.sample_format)
    cropped = DeliveredFrames(
        frames.require_colour().crop(size_px),
        frames.require_alpha()[..., : size_px.height, : size_px.width],
    )
    with create(
        path,
        size_px=size_px,
        time_base=TIME_BASE,
        rate=Fraction(30),
        colour=colour,
        samples=samples,
        most_frames=FRAMES,
    ) as writer:
        writer.write(cropped, TIMES)
        writer.finish()


@pytest.mark.parametrize(
    ("colour", "size_px"),
    [
        pytest.param(BT709_TAGS, DISC_SIZE, id="limited range"),
        pytest.param(FULL_RANGE, DISC_SIZE, id="full range"),
        pytest.param(BT709_TAGS, ODD, id="odd size"),
    ],
)
def test_the_files_hold_the_same(colour: ColourTags, size_px: Size, tmp_path: Path) -> None:
    together, apart = tmp_path / "together.webm", tmp_path / "apart.webm"
    write(partial(AlphaVideoWriter, codec=AlphaCodec.VP9), together, colour, size_px)
    write(Vp9AlphaWriter, apart, colour, size_px)
    assert packets(apart) == packets(together)
    require_alpha(apart)
    one, other = probe(apart), probe(together)
    assert (one.rate, one.colour, one.has_alpha) == (other.rate, other.colour, other.has_alpha)
    assert sorted(tmp_path.iterdir()) == [apart, together]


def test_what_is_not_finished_leaves_nothing_beside_it(tmp_path: Path) -> None:
    samples = alpha_input(
        AlphaCodec.VP9, BT709_TAGS.sample_format(8, (2, 2), DISC_SIZE.height), BT709_TAGS, 64
    )
    frames = delivered(*disc(), samples.sample_format)
    first = DeliveredFrames(_first(frames.require_colour()), frames.require_alpha()[:1])
    with (
        pytest.raises(EncodeError, match="not later"),
        Vp9AlphaWriter(
            tmp_path / "x.webm",
            size_px=DISC_SIZE,
            time_base=TIME_BASE,
            rate=Fraction(30),
            colour=BT709_TAGS,
            samples=samples,
        ) as writer,
    ):
        writer.write(first, [3000])
        writer.write(first, [3000])
    assert not list(tmp_path.iterdir())


def _first(planes: Planes) -> Planes:
    return planes.split(1)[0]
