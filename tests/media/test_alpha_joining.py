"""Videos with alpha joined without encoding: each frame at its time, with all of its alpha."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from matting.delivery.format_writers import create_format_writer, format_input
from matting.delivery.formats import FORMATS
from matting.errors import EncodeError
from matting.media.concat import JoinPart, check_joined, join
from matting.media.probe import probe
from matting.options import EncodingOptions, FormatName
from matting.progress import Progress
from tests.support.pictured_source import PicturedSource
from tests.support.soft_disc import (
    DISC_SIZE,
    FRAMES,
    PTS,
    TIME_BASE,
    delivered,
    disc,
    read_rgba,
    worst_mean_error,
)

FIRST = 1001  # of the second part, in ticks: no whole number of milliseconds
LATER = PTS[-1] + FIRST
CONTAINERS = {
    FormatName.PRORES: "mov",
    FormatName.WEBM: "webm",
    FormatName.FFV1: "matroska",
}


def write_part(name: FormatName, path: Path) -> Path:
    row, source = FORMATS[name], PicturedSource()
    samples = format_input(row, source, EncodingOptions())
    with create_format_writer(
        row, path, source=source, encoding=EncodingOptions(), samples=samples
    ) as writer:
        writer.write(delivered(*disc(), samples.sample_format), PTS)
        writer.finish()
    return path


@pytest.mark.parametrize("name", CONTAINERS, ids=str)
def test_every_frame_at_its_time_with_its_alpha(name: FormatName, tmp_path: Path) -> None:
    suffix = FORMATS[name].suffix
    part = write_part(name, tmp_path / f"part{suffix}")
    joined = tmp_path / f"joined{suffix}"
    parts = [JoinPart(part, 0, PTS), JoinPart(part, LATER, PTS)]
    expected = join(parts, TIME_BASE, joined, Progress(), container=CONTAINERS[name])
    assert expected == [*PTS, *(LATER + pts for pts in PTS)]
    check_joined(joined, expected, TIME_BASE, Progress(), container=CONTAINERS[name])
    exact = [pts * TIME_BASE for pts in expected]
    nearest = [Fraction(math.floor(time * 1000 + Fraction(1, 2)), 1000) for time in exact]
    with av.open(str(joined)) as container:
        times = [
            packet.pts * packet.time_base
            for packet in container.demux(video=0)
            if packet.size and packet.pts is not None
        ]
    assert times == (exact if name is FormatName.PRORES else nearest)
    assert probe(joined).has_alpha
    decoder = ("-c:v", "libvpx-vp9") if name is FormatName.WEBM else ()
    shown = read_rgba(joined, DISC_SIZE, *decoder)
    assert len(shown) == 2 * FRAMES
    np.testing.assert_array_equal(shown[:FRAMES], read_rgba(part, DISC_SIZE, *decoder))
    np.testing.assert_array_equal(shown[FRAMES:], shown[:FRAMES])
    assert worst_mean_error(shown[:FRAMES], *disc()) <= 2


def test_a_frame_a_millisecond_off_is_noticed(tmp_path: Path) -> None:
    part = write_part(FormatName.FFV1, tmp_path / "part.mkv")
    joined = tmp_path / "joined.mkv"
    expected = join([JoinPart(part, 0, PTS)], TIME_BASE, joined, Progress(), container="matroska")
    moved = [*expected[:-1], expected[-1] + round(Fraction(1, 1000) / TIME_BASE)]
    with pytest.raises(EncodeError, match="other times"):
        check_joined(joined, moved, TIME_BASE, Progress(), container="matroska")


def test_alpha_that_does_not_decode_is_noticed(tmp_path: Path) -> None:
    part = write_part(FormatName.WEBM, tmp_path / "part.webm")
    with av.open(str(part)) as container:
        packet = next(p for p in container.demux(video=0) if p.size)
        (beside,) = packet.iter_sidedata()
        alpha = bytes(beside)[8:]
    content = part.read_bytes()
    part.write_bytes(content.replace(alpha, bytes(len(alpha))))
    joined = tmp_path / "joined.webm"
    expected = join([JoinPart(part, 0, PTS)], TIME_BASE, joined, Progress(), container="webm")
    with pytest.raises(EncodeError, match="damaged"):
        check_joined(joined, expected, TIME_BASE, Progress(), container="webm")
