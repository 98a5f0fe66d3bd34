"""Files for headsets, through the encoder: a player sees the mattes, and the people as filmed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from benchmarks.vr.pictures import YUV420, alpha_of, in_circles, noise_planes
from benchmarks.vr.player import BT601, Floats, read_mattes, red_of
from matting.delivery.vr_plan import VrPlan
from matting.delivery.vr_writer import VrWriter
from matting.imaging.matte_planes import MattePlanes
from matting.imaging.planes import Planes
from matting.imaging.renderer import StoredFrames
from matting.imaging.sample_format import Size
from matting.media.mp4.boxes import entries, read_moov, split_entry
from matting.options import CodecBackend, EncodingOptions, FormatName, OutputOptions
from matting.view import parse_view
from matting.vr_options import VrOptions
from tests.support.pictured_source import PicturedSource

SIDE, FRAMES, RATE = 192, 5, Fraction(2)
LEVEL_6_1, MAIN_PROFILE = 183, 1
ENCODING = EncodingOptions(encoder=CodecBackend.SOFTWARE)
GREEN = (0, 177, 64)


@dataclass(frozen=True)
class Written:
    """What came out of an encoder: code values, [T, H, W] and [T, 2, h, w]."""

    path: Path
    luma: NDArray[np.uint8]
    chroma: NDArray[np.uint8]

    def red(self, frame: int = 0) -> Floats:
        return red_of(self.luma[frame], self.chroma[frame, 1])


def person(side: int, column: float) -> Floats:
    """Return a matte: a disc with a soft edge."""
    rows, columns = np.mgrid[0:side, 0:side] + 0.5
    distance = np.hypot(columns - column * side, rows - 0.55 * side)
    soft: Floats = np.clip((0.25 * side - distance) / (0.02 * side) + 0.5, 0, 1)
    return soft


def stored(mattes: list[Floats], picture: Planes | None = None) -> StoredFrames:
    """Return a frame of both eyes, side by side, as it was filmed and matted."""
    alpha = alpha_of(np.concatenate(mattes, axis=1))
    height, width = alpha.shape[2:]
    source = picture or noise_planes(Size(width, height), 3)
    correction = torch.zeros((1, 1, height, width), dtype=torch.int8)
    chroma = torch.zeros((1, 2, height // 2, width // 2), dtype=torch.int8)
    return StoredFrames(source, MattePlanes(alpha, correction, chroma, YUV420))


def write(
    path: Path,
    frames: list[StoredFrames],
    name: FormatName = FormatName.VR_ALPHA,
    *,
    view: str = "left-right,fisheye190",
    options: OutputOptions | None = None,
) -> Written:
    options = options or OutputOptions(background=GREEN, encoding=ENCODING)
    plan = VrPlan.of(name, parse_view(view), options.vr, path)
    source = PicturedSource(size_px=frames[0].source.size, rate=RATE, frames=len(frames))
    samples = plan.samples(source, options.encoding)
    with VrWriter(path, plan, source=source, options=options, samples=samples) as writer:
        for number, frame in enumerate(frames):
            writer.write(frame, [number * 45_000])
        writer.finish()
    return read(path)


def read(path: Path) -> Written:
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(video=0)]
    height = frames[0].shape[0] * 2 // 3
    lumas = np.stack([frame[:height] for frame in frames])
    chromas = np.stack([f[height:].reshape(2, height // 2, -1) for f in frames])
    return Written(path, lumas, chromas)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A film of two people, one in each eye."""
    people = stored([person(SIDE, 0.4), person(SIDE, 0.6)])
    return write(tmp_path_factory.mktemp("vr") / "film.mp4", [people] * FRAMES)


def flat(folder: Path, value: int) -> Written:
    """Return a film of one frame with the same matte everywhere, 0 to 255."""
    frame = stored([np.full((SIDE, SIDE), value / 255)] * 2)
    return write(folder / f"{value}.mp4", [frame])


@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_mattes_come_back_within_3_levels(value: int, tmp_path: Path) -> None:
    places = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
    inner = np.hypot(places, places[:, None]) < 0.8
    for matte in read_mattes(flat(tmp_path, value).red(), SIDE):
        assert np.abs(matte[inner] * 255 - value).max() <= 3


def test_read_by_another_matrix_they_do_not(tmp_path: Path) -> None:
    own = flat(tmp_path, 255)
    left, _ = read_mattes(red_of(own.luma[0], own.chroma[0, 1], BT601), SIDE)
    middle = slice(SIDE // 2 - 20, SIDE // 2 + 20)
    assert left[middle, middle].mean() * 255 < 245


def test_people_come_back_with_their_outline(written: Written) -> None:
    for matte, column in zip(read_mattes(written.red(FRAMES - 1), SIDE), (0.4, 0.6), strict=True):
        wanted, found = person(SIDE, column) > 0.5, matte > 0.5
        assert (wanted & found).sum() / (wanted | found).sum() >= 0.97


def test_eyes_are_not_swapped(written: Written) -> None:
    left, right = read_mattes(written.red(FRAMES - 1), SIDE)
    columns = np.arange(SIDE)
    assert np.average(columns, weights=left.sum(0)) < np.average(columns, weights=right.sum(0)) - 10


def test_the_file_is_what_headsets_decode(written: Written) -> None:
    with av.open(str(written.path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec.canonical_name, stream.codec_context.codec_tag) == ("hevc", "hvc1")
        assert (stream.width, stream.height) == (2 * SIDE, SIDE)
        assert stream.width % 32 == stream.height % 32 == 0
        assert stream.codec_context.format.name == "yuv420p"
        assert (stream.codec_context.colorspace, stream.codec_context.color_range) == (1, 1)
        keys = [p.pts * p.time_base for p in container.demux(stream) if p.is_keyframe]
    assert max(np.diff(keys)) <= 1
    moov = read_moov(written.path)
    assert moov is not None
    [config] = [
        box
        for trak in moov.all(b"trak")
        for entry in entries(trak)
        for box in split_entry(entry).children
        if box.kind == b"hvcC"
    ]
    assert config.head[12] <= LEVEL_6_1
    assert config.head[1] & 31 == MAIN_PROFILE


def test_the_picture_is_as_it_was_filmed_and_black_around(tmp_path: Path) -> None:
    """Without loss by the encoder, so that every sample can be asked for."""
    lossless = replace(ENCODING, quality=0)
    source = noise_planes(Size(2 * SIDE, SIDE), 5)
    frame = stored([person(SIDE, 0.5)] * 2, source)
    options = OutputOptions(encoding=lossless)
    own = write(tmp_path / "film.mp4", [frame], options=options)
    circles = in_circles(SIDE)
    difference = own.luma[0].astype(int) - source.luma_or_rgb[0, 0].numpy()
    assert np.abs(difference[circles]).max() <= 2
    middle_of_the_left_edge = own.luma[0, :8, :8]
    assert middle_of_the_left_edge.min() >= 16


@pytest.mark.parametrize("fringe", [False, True])
def test_colours_of_the_people_replace_those_behind_them_only_if_asked(
    fringe: bool, tmp_path: Path
) -> None:
    half = np.full((SIDE, SIDE), 0.5)
    frame = stored([half, half])
    frame.matte.luma_or_rgb.fill_(20)  # the people are brighter by 40
    own = [
        write(
            tmp_path / f"{number}.mp4",
            [f],
            options=OutputOptions(
                encoding=replace(ENCODING, quality=0), vr=VrOptions(fringe=fringe)
            ),
        )
        .luma[0]
        .astype(int)
        for number, f in enumerate([stored([half, half]), frame])
    ]
    brighter = (own[1] - own[0])[SIDE // 2 - 20 : SIDE // 2 + 20, SIDE // 2 - 20 : SIDE // 2 + 20]
    assert abs(np.median(brighter) - (40 if fringe else 0)) <= 2


def test_over_green_both_eyes_lie_side_by_side(tmp_path: Path) -> None:
    """Of eyes above each other, the lower of which is the left one's."""
    flat = [np.zeros((SIDE, SIDE)), np.ones((SIDE, SIDE))]
    beside = stored(flat, noise_planes(Size(2 * SIDE, SIDE), 9))
    frame = _above_each_other(beside)
    own = write(tmp_path / "film.mp4", [frame], FormatName.VR_GREEN, view="bottom-top,180")
    assert own.luma.shape[1:] == (SIDE, 2 * SIDE)
    left, right = own.luma[0, :, 8 : SIDE - 8], own.luma[0, :, SIDE + 8 :]
    assert left.std() > 10
    assert right.std() < 2


def _above_each_other(frame: StoredFrames) -> StoredFrames:
    """Return a frame whose right half lies below its left one."""

    def stack(plane: torch.Tensor) -> torch.Tensor:
        left, right = plane.view(torch.int16 if plane.dtype == torch.uint16 else plane.dtype).chunk(
            2, 3
        )
        return torch.cat([left, right], dim=2).view(plane.dtype)

    source, matte = frame.source, frame.matte
    assert source.chroma is not None
    assert matte.chroma is not None
    return StoredFrames(
        Planes(YUV420, stack(source.luma_or_rgb), stack(source.chroma)),
        MattePlanes(
            stack(matte.alpha), stack(matte.luma_or_rgb), stack(matte.chroma), matte.sample_format
        ),
    )


def test_equirectangular_video_becomes_a_fisheye_with_its_matte(tmp_path: Path) -> None:
    frame = stored([person(SIDE, 0.5)] * 2)
    own = write(tmp_path / "film.mp4", [frame], view="left-right,180")
    assert own.luma[0, 2:8, 20:40].max() < 24  # outside of the circle, and of mattes
    left, right = read_mattes(own.red(), SIDE)
    for matte in (left, right):
        assert matte[SIDE // 2, SIDE // 2] > 0.97
        # A quarter of the height is 45 degrees there, and here 45 / 95 of the radius.
        width = (matte[round(0.55 * SIDE)] > 0.5).sum()
        assert abs(width - 0.5 * SIDE * 180 / 190) < 0.04 * SIDE
