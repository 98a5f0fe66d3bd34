"""HEVC with alpha: what it keeps, and what it says where it cannot be written."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from matting.errors import EncodeError, MissingError
from matting.imaging.sample_format import Size
from matting.media import ffmpeg
from matting.media.alpha_encoders import AlphaCodec, alpha_input
from matting.media.colour_tags import BT709_TAGS, ColourRange
from matting.media.container import open_video
from matting.media.hevc_alpha import (
    HevcAlphaWriter,
    has_alpha_layer,
    require_alpha_layers,
)
from matting.media.mp4.hevc_layers import keep_layers
from matting.media.probe import probe
from tests.support.ffmpeg_frames import frames_by_ffmpeg
from tests.support.recorder import carry_on
from tests.support.soft_disc import (
    DISC_SIZE,
    PTS,
    TIME_BASE,
    delivered,
    disc,
    read_rgba,
    worst_mean_error,
)
from tests.support.stand_in_programs import posix_only

TAGS = replace(BT709_TAGS, range=ColourRange.FULL)


def open_writer(path: Path) -> HevcAlphaWriter:
    source = TAGS.sample_format(8, (2, 2), DISC_SIZE.height)
    return HevcAlphaWriter(
        path,
        size_px=DISC_SIZE,
        time_base=TIME_BASE,
        rate=Fraction(30),
        colour=TAGS,
        samples=alpha_input(AlphaCodec.HEVC, source, TAGS, DISC_SIZE.height),
        pixel_aspect=Fraction(4, 3),
    )


def write(writer: HevcAlphaWriter, pts: tuple[int, ...] = PTS) -> None:
    source = TAGS.sample_format(8, (2, 2), DISC_SIZE.height)
    samples = alpha_input(AlphaCodec.HEVC, source, TAGS, DISC_SIZE.height)
    writer.write(delivered(*disc(), samples.sample_format), pts)


def test_times_tags_and_the_shape_of_pixels_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "disc.mp4"
    with open_writer(path) as writer:
        write(writer)
        told: list[int] = []
        writer.finish(told.append)
    assert sum(told) == len(PTS)
    assert list(tmp_path.iterdir()) == [path]
    assert has_alpha_layer(path)
    assert [time for time, _ in frames_by_ffmpeg(path)] == [pts * TIME_BASE for pts in PTS]
    info = probe(path)
    assert (info.width_px, info.height_px) == Size(98, 66)
    assert info.pixel_aspect == Fraction(4, 3)
    assert replace(info.colour, location=0) == TAGS


def test_files_of_other_times_have_the_same_header(tmp_path: Path) -> None:
    headers = set()
    for number, pts in enumerate(((0, 3000, 6000, 9000), PTS)):
        path = tmp_path / f"{number}.mp4"
        with open_writer(path) as writer:
            write(writer, pts)
            writer.finish()
        with open_video(path) as (_, stream):
            headers.add(stream.codec_context.extradata)
    assert len(headers) == 1


@pytest.mark.parametrize("kept", [False, True])
def test_a_copy_has_alpha_only_with_its_layers(kept: bool, tmp_path: Path) -> None:
    path, copy = tmp_path / "disc.mp4", tmp_path / "copy.mp4"
    with open_writer(path) as writer:
        write(writer)
        writer.finish()
    arguments = [*ffmpeg.input_file(path), "-c", "copy", str(copy)]
    ffmpeg.run(arguments, folder=tmp_path, subject=path, hint="", on_frames=carry_on)
    if kept:
        keep_layers(path, copy)
    assert has_alpha_layer(copy) == kept
    shown = read_rgba(copy, Size(98, 66))[:, : DISC_SIZE.height, : DISC_SIZE.width]
    assert (worst_mean_error(shown, *disc()) <= 2) == kept


def test_what_breaks_off_leaves_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "disc.mp4"
    with pytest.raises(EncodeError, match="not later"), open_writer(path) as writer:
        write(writer, (0, 1, 1, 2))
    assert set(tmp_path.iterdir()) <= {path}


@posix_only
def test_a_program_that_cannot_is_named_with_what_else_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_alpha_layers()
    old = tmp_path / "ffmpeg"
    old.write_text("#!/bin/sh\necho Unknown encoder libx265 >&2\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    monkeypatch.setenv(ffmpeg.VARIABLE, str(old))
    with pytest.raises(MissingError, match="Unknown encoder") as raised:
        require_alpha_layers()
    assert "prores4444" in raised.value.hint
