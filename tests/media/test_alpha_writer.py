"""Videos with alpha look over any colour as they should, and have every frame at its time."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from matting.errors import EncodeError, StorageError
from matting.imaging.sample_format import SampleFormat, TransferFunction
from matting.media.alpha_encoders import AlphaCodec, alpha_input
from matting.media.alpha_writer import AlphaVideoWriter
from matting.media.colour_tags import (
    BT709_TAGS,
    ColourRange,
    ColourTags,
    Matrix,
    Primaries,
    Transfer,
)
from matting.media.probe import probe
from tests.support.ffmpeg_frames import frames_by_ffmpeg
from tests.support.file_size_limit import largest_file
from tests.support.soft_disc import (
    DISC_SIZE,
    PTS,
    TIME_BASE,
    alpha_codes,
    delivered,
    disc,
    read_alpha,
    read_rgba,
    worst_mean_error,
)

VIDEO_8 = BT709_TAGS.sample_format(8, (2, 2), DISC_SIZE.height)
VIDEO_12 = BT709_TAGS.sample_format(12, (2, 1), DISC_SIZE.height)
FULL_RANGE = replace(BT709_TAGS, range=ColourRange.FULL)
FULL_8 = FULL_RANGE.sample_format(8, (1, 1), DISC_SIZE.height)
SUFFIXES = {AlphaCodec.PRORES: ".mov", AlphaCodec.VP9: ".webm", AlphaCodec.FFV1: ".mkv"}
# FFmpeg's own decoder of VP9 does not look at alpha.
DECODERS = {AlphaCodec.VP9: ("-c:v", "libvpx-vp9")}
LOSSLESS, LOSSY = 1.0, 2.0  # mean errors in 1/255


def write(
    path: Path,
    codec: AlphaCodec,
    source: SampleFormat,
    colour: ColourTags = BT709_TAGS,
    *,
    premultiplied: bool = False,
    pts: tuple[int, ...] = PTS,
    pixel_aspect: Fraction = Fraction(1),
) -> None:
    samples = alpha_input(codec, source, colour, DISC_SIZE.height)
    foreground, alpha = disc()
    frames = delivered(foreground, alpha, samples.sample_format, premultiplied=premultiplied)
    with AlphaVideoWriter(
        path,
        codec,
        size_px=DISC_SIZE,
        time_base=TIME_BASE,
        rate=Fraction(30),
        colour=colour,
        samples=samples,
        pixel_aspect=pixel_aspect,
        most_frames=len(pts),
    ) as writer:
        writer.write(frames, pts)
        writer.finish()


@pytest.fixture(params=SUFFIXES, ids=lambda codec: codec.value)
def codec(request: pytest.FixtureRequest) -> AlphaCodec:
    assert isinstance(request.param, AlphaCodec)
    return request.param


@pytest.fixture
def path(codec: AlphaCodec, tmp_path: Path) -> Path:
    return tmp_path / f"disc{SUFFIXES[codec]}"


@pytest.mark.parametrize(
    ("source", "colour"),
    [
        pytest.param(VIDEO_8, BT709_TAGS, id="4:2:0 in 8 bits"),
        pytest.param(VIDEO_12, BT709_TAGS, id="4:2:2 in 12 bits"),
        pytest.param(FULL_8, FULL_RANGE, id="4:4:4 of full range"),
        pytest.param(SampleFormat(16), ColourTags().assumed(DISC_SIZE.height), id="RGB"),
    ],
)
def test_ffmpeg_shows_over_any_colour_what_went_in(
    source: SampleFormat, colour: ColourTags, codec: AlphaCodec, path: Path
) -> None:
    write(path, codec, source, colour)
    shown = read_rgba(path, DISC_SIZE, *DECODERS.get(codec, ()))
    bound = LOSSLESS if codec is AlphaCodec.FFV1 else LOSSY
    assert worst_mean_error(shown, *disc()) <= bound


def test_colours_multiplied_by_alpha_would_be_noticed(codec: AlphaCodec, path: Path) -> None:
    write(path, codec, VIDEO_8, premultiplied=True)
    assert worst_mean_error(read_rgba(path, DISC_SIZE, *DECODERS.get(codec, ())), *disc()) > LOSSY


@pytest.mark.parametrize(("codec", "bits"), [(AlphaCodec.PRORES, 12), (AlphaCodec.FFV1, 10)])
def test_alpha_of_ten_bits_comes_out_again(codec: AlphaCodec, bits: int, tmp_path: Path) -> None:
    path = tmp_path / f"disc{SUFFIXES[codec]}"
    write(path, codec, VIDEO_8)
    stored = alpha_codes(disc()[1]).numpy()[:, 0]
    assert np.array_equal(read_alpha(path, bits, DISC_SIZE) >> (bits - 10), stored)


def test_each_alpha_of_a_long_webm_belongs_to_its_own_frame(tmp_path: Path) -> None:
    """Frames that VP9 never shows would leave alpha behind."""
    frames, path = 40, tmp_path / "disc.webm"
    samples = alpha_input(AlphaCodec.VP9, VIDEO_8, BT709_TAGS, DISC_SIZE.height)
    foreground, alpha = disc(frames=frames)
    with AlphaVideoWriter(
        path,
        AlphaCodec.VP9,
        size_px=DISC_SIZE,
        time_base=TIME_BASE,
        rate=Fraction(30),
        colour=BT709_TAGS,
        samples=samples,
    ) as writer:
        writer.write(delivered(foreground, alpha, samples.sample_format), range(0, 120_000, 3000))
        writer.finish()
    shown = read_rgba(path, DISC_SIZE, *DECODERS[AlphaCodec.VP9])
    assert len(shown) == frames
    errors = [
        worst_mean_error(*(part[number : number + 1] for part in (shown, foreground, alpha)))
        for number in range(frames)
        if alpha[number].any()
    ]
    assert max(errors) <= LOSSY


def test_frames_of_varying_length_keep_their_times(codec: AlphaCodec, path: Path) -> None:
    write(path, codec, VIDEO_8)
    times = [time for time, _ in frames_by_ffmpeg(path)]
    exact = [pts * TIME_BASE for pts in PTS]
    if codec is AlphaCodec.PRORES:
        assert times == exact
    else:  # Matroska and WebM have whole milliseconds
        assert times == [Fraction(round(time * 1000), 1000) for time in exact]


def test_two_frames_at_one_time_are_refused(codec: AlphaCodec, path: Path) -> None:
    pts = (0, 3003, 3003, 6006) if codec is AlphaCodec.PRORES else (0, 3003, 3004, 6006)
    with pytest.raises(EncodeError, match="not later"):
        write(path, codec, VIDEO_8, pts=pts)


def test_colour_tags_are_kept(codec: AlphaCodec, path: Path) -> None:
    colour = ColourTags(Matrix.BT2020, ColourRange.LIMITED, Transfer.PQ, Primaries.BT2020)
    source = colour.sample_format(10, (2, 2), DISC_SIZE.height)
    assert source.transfer is TransferFunction.PQ
    write(path, codec, source, colour, pixel_aspect=Fraction(4, 3))
    info = probe(path)
    assert info.has_alpha
    assert (info.width_px, info.height_px) == DISC_SIZE
    # PyAV cannot tell Matroska's muxer.
    aspect = Fraction(4, 3) if codec is AlphaCodec.PRORES else Fraction(1)
    assert info.pixel_aspect == aspect
    assert replace(info.colour, location=0) == colour


@pytest.mark.parametrize(
    ("codec", "source", "bits", "subsampling"),
    [
        (AlphaCodec.PRORES, VIDEO_8, 10, (1, 1)),
        (AlphaCodec.PRORES, FULL_8, 10, (1, 1)),
        (AlphaCodec.VP9, VIDEO_12, 8, (2, 2)),
        (AlphaCodec.FFV1, VIDEO_8, 10, (2, 2)),
        (AlphaCodec.FFV1, VIDEO_12, 12, (2, 1)),
        (AlphaCodec.FFV1, replace(VIDEO_12, subsampling=(2, 2)), 16, (2, 2)),
        (AlphaCodec.FFV1, replace(VIDEO_8, subsampling=(1, 2)), 10, (1, 1)),
        (AlphaCodec.FFV1, SampleFormat(16), 16, (1, 1)),
    ],
)
def test_samples_hold_the_source_as_well_as_the_codec_can(
    codec: AlphaCodec, source: SampleFormat, bits: int, subsampling: tuple[int, int]
) -> None:
    colour = FULL_RANGE if source.full_range else BT709_TAGS
    samples = alpha_input(codec, source, colour, DISC_SIZE.height)
    found = samples.sample_format
    assert (found.bits, found.subsampling) == (bits, subsampling)
    assert (found.luma_coefficients is None) == (source.luma_coefficients is None)
    loses = found.bits < source.bits or subsampling > source.subsampling
    assert bool(samples.note) == loses


def test_a_matrix_that_prores_has_no_name_for_becomes_one_that_it_has() -> None:
    for matrix, kept in ((Matrix.BT470BG, True), (Matrix.SMPTE240M, False)):
        colour = replace(BT709_TAGS, matrix=matrix)
        own = colour.sample_format(8, (2, 2), 576).luma_coefficients
        samples = alpha_input(AlphaCodec.PRORES, VIDEO_8, colour, 576)
        assert (samples.sample_format.luma_coefficients == own) == kept


def test_a_full_disk_is_named(codec: AlphaCodec, path: Path) -> None:
    with largest_file(200), pytest.raises(StorageError, match="full"):
        write(path, codec, VIDEO_8)


def test_the_same_frames_make_the_same_file_each_time(codec: AlphaCodec, path: Path) -> None:
    contents = []
    for _ in range(2):
        write(path, codec, VIDEO_8)
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
