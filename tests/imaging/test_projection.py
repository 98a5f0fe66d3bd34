"""Pictures of one lens as another sees them: each direction where it belongs, and nothing else."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from benchmarks.vr.pictures import (
    CPU,
    EQUIRECTANGULAR,
    FISHEYE_180,
    FISHEYE_190,
    YUV420,
    flat_planes,
    in_circles,
    noise_planes,
    part,
)
from benchmarks.vr.player import Floats
from matting.imaging.lenses import Lens
from matting.imaging.planes import Planes, dtype_of
from matting.imaging.projection import EyeProjector
from matting.imaging.sample_format import SampleFormat, Size
from matting.media import ffmpeg
from matting.view import Projection

SIDE = 128
SIZE = Size(SIDE, SIDE)
OUTSIDE = flat_planes(Size(1, 1))
ANGLES = [(45, 0), (90, 0), (-60, 0), (0, 70), (20, -50), (-35, -35)]  # right and up, in degrees


def directions_to_equirectangular(
    longitude: float, latitude: float, side: int
) -> tuple[float, float]:
    """Return the column and row, in pixels from the edges."""
    return (longitude / 180 + 0.5) * side, (0.5 - latitude / 180) * side


def directions_to_fisheye(
    longitude: float, latitude: float, field_of_view: float, side: int
) -> tuple[float, float]:
    """Return the column and row of an equidistant fisheye, in pixels from the edges."""
    around, up = np.radians([longitude, latitude])
    x, y, z = np.cos(up) * np.sin(around), np.sin(up), np.cos(up) * np.cos(around)
    radius = np.degrees(np.arctan2(np.hypot(x, y), z)) / (field_of_view / 2) * side / 2
    towards = np.arctan2(y, x)
    return side / 2 + radius * np.cos(towards), side / 2 - radius * np.sin(towards)


def blob(column: float, row: float, side: int = SIDE) -> NDArray[np.uint8]:
    """Return a soft dot, 16 to 235; places are in pixels from the edges."""
    rows, columns = np.mgrid[0:side, 0:side] + 0.5
    distance = np.hypot(columns - column, rows - row)
    bright: NDArray[np.uint8] = np.rint(16 + 219 * np.exp(-((distance / 2.5) ** 2))).astype(
        np.uint8
    )
    return bright


def middle(luma: NDArray[np.uint8]) -> tuple[float, float]:
    """Return where a dot's middle is: column and row, in pixels from the edges."""
    weights = luma.astype(float) - 16
    rows, columns = np.mgrid[0 : luma.shape[0], 0 : luma.shape[1]] + 0.5
    return (columns * weights).sum() / weights.sum(), (rows * weights).sum() / weights.sum()


def with_luma(luma: NDArray[np.uint8]) -> Planes:
    flat = flat_planes(Size(luma.shape[1], luma.shape[0]))
    return Planes(YUV420, torch.from_numpy(luma.copy())[None, None], flat.chroma)


def projected(
    eyes: list[Planes],
    source: Lens,
    target: Lens,
    side: int = SIDE,
    layout: SampleFormat = YUV420,
) -> Planes:
    own = part(source, eyes[0].height)
    outside = replace_format(OUTSIDE, layout)
    return EyeProjector(own, part(target, side), layout, CPU).project(eyes, layout, outside)


def replace_format(pixel: Planes, layout: SampleFormat) -> Planes:
    """Return a flat picture in as many bits as a format has."""
    step, dtype = 1 << (layout.bits - 8), dtype_of(layout)
    assert pixel.chroma is not None
    scaled = [(own.to(torch.int32) * step).to(dtype) for own in (pixel.luma_or_rgb, pixel.chroma)]
    return Planes(layout, *scaled)


def luma_of(planes: Planes) -> NDArray[np.uint8]:
    return planes.luma_or_rgb[0, 0].numpy()


@pytest.mark.parametrize(("longitude", "latitude"), ANGLES)
@pytest.mark.parametrize("degrees", [190.0, 180.0, 220.0])
def test_a_dot_lies_at_its_angle(longitude: float, latitude: float, degrees: float) -> None:
    dot = with_luma(blob(*directions_to_equirectangular(longitude, latitude, SIDE)))
    frame = projected([dot, flat_planes(SIZE)], EQUIRECTANGULAR, Lens(Projection.FISHEYE, degrees))
    left, right = luma_of(frame)[:, :SIDE], luma_of(frame)[:, SIDE:]
    column, row = directions_to_fisheye(longitude, latitude, degrees, SIDE)
    # Stretched at the edges, where half of a dot is not seen.
    tolerance = 2.5 if abs(longitude) == 90 else 1
    assert np.hypot(*np.subtract(middle(left), (column, row))) < tolerance
    assert right.max() == 16


def test_a_fisheye_becomes_another() -> None:
    dot = with_luma(blob(*directions_to_fisheye(-40, 30, 220, SIDE)))
    frame = projected([dot, dot], Lens(Projection.FISHEYE, 220), FISHEYE_190)
    wanted = directions_to_fisheye(-40, 30, 190, SIDE)
    assert np.hypot(*np.subtract(middle(luma_of(frame)[:, :SIDE]), wanted)) < 0.5


def test_the_known_radii_are_those_of_the_players() -> None:
    assert directions_to_fisheye(45, 0, 190, 2)[0] - 1 == pytest.approx(45 / 95)
    assert directions_to_fisheye(90, 0, 190, 2)[0] - 1 == pytest.approx(0.9474, abs=1e-4)


def test_180_degrees_taken_for_190_are_noticed() -> None:
    dot = with_luma(blob(*directions_to_equirectangular(60, 0, SIDE)))
    frame = projected([dot, dot], EQUIRECTANGULAR, FISHEYE_180)
    column, row = directions_to_fisheye(60, 0, 190, SIDE)
    assert np.hypot(*np.subtract(middle(luma_of(frame)[:, :SIDE]), (column, row))) > 2


def by_ffmpeg(luma: NDArray[np.uint8], filters: str) -> NDArray[np.uint8]:
    """Return a picture that FFmpeg has filtered."""
    size = f"{luma.shape[1]}x{luma.shape[0]}"
    raw = ["-f", "rawvideo", "-pix_fmt", "gray"]
    command = [str(ffmpeg.program()), "-v", "error", *raw, "-s", size, "-i", "-"]
    command += ["-vf", filters, *raw, "-"]
    result = subprocess.run(command, input=luma.tobytes(), capture_output=True, check=True)
    return np.frombuffer(result.stdout, np.uint8).reshape(luma.shape)


@pytest.mark.parametrize(("longitude", "latitude"), [a for a in ANGLES if a != (90, 0)])
def test_it_agrees_with_ffmpegs_v360(longitude: float, latitude: float) -> None:
    dot = blob(*directions_to_equirectangular(longitude, latitude, SIDE))
    theirs = by_ffmpeg(dot, "v360=hequirect:fisheye:h_fov=190:v_fov=190")
    frame = projected([with_luma(dot)] * 2, EQUIRECTANGULAR, FISHEYE_190)
    mine = luma_of(frame)[:, :SIDE]
    theirs = np.where(theirs > 16, theirs, 16).astype(np.uint8)
    assert np.hypot(*np.subtract(middle(mine), middle(theirs))) < 1


def test_nothing_is_shown_where_the_source_sees_nothing() -> None:
    white = flat_planes(SIZE, luma=235, chroma=200)
    frame = projected([white, white], EQUIRECTANGULAR, FISHEYE_190)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    radius = np.hypot(columns / SIDE * 2 - 1, rows / SIDE * 2 - 1)
    for luma in (luma_of(frame)[:, :SIDE], luma_of(frame)[:, SIDE:]):
        assert luma[radius > 90.9 / 95].max() == 16
        assert luma[radius < 89 / 95].min() == 235
    assert frame.chroma is not None
    chroma = frame.chroma[0, :, :, : SIDE // 2].numpy()
    small = radius[::2, ::2]
    assert (chroma[:, small > 93 / 95] == 128).all()
    assert (chroma[:, small < 87 / 95] == 200).all()


def test_what_stays_in_its_place_stays_as_it_is_and_the_rest_is_black() -> None:
    eyes = [noise_planes(SIZE, seed) for seed in (0, 1)]
    frame = projected(eyes, FISHEYE_190, FISHEYE_190)
    assert frame.chroma is not None
    luma = torch.cat([eye.luma_or_rgb for eye in eyes], dim=3)
    circles = torch.from_numpy(in_circles(SIDE))
    assert torch.equal(frame.luma_or_rgb[0, 0][circles], luma[0, 0][circles])
    assert (frame.luma_or_rgb[0, 0][~circles] == 16).all()
    sites = torch.from_numpy(in_circles(SIDE, step=2, siting=YUV420.siting))
    chroma = torch.cat([eye.chroma for eye in eyes if eye.chroma is not None], dim=3)
    assert torch.equal(frame.chroma[0][:, sites], chroma[0][:, sites])
    assert (frame.chroma[0][:, ~sites] == 128).all()
    whole = projected(eyes, EQUIRECTANGULAR, EQUIRECTANGULAR)
    assert torch.equal(whole.luma_or_rgb, luma)


@pytest.mark.parametrize("siting", [(0.0, 0.5), (0.5, 0.5), (0.0, 0.0)])
def test_chroma_stays_where_luma_is(siting: tuple[float, float]) -> None:
    """Of a ramp, each chroma sample is the luma of the place where it lies."""
    layout = replace(YUV420, siting=siting)
    ramp = np.tile(np.linspace(40, 200, SIDE), (SIDE, 1)) + np.linspace(-20, 20, SIDE)[:, None]
    step = 160 / (SIDE - 1), 40 / (SIDE - 1)
    at_sites = ramp[::2, ::2] + siting[0] * step[0] + siting[1] * step[1]
    samples = [torch.from_numpy(np.rint(own).astype(np.uint8)) for own in (ramp, at_sites)]
    eye = Planes(layout, samples[0][None, None], samples[1].expand(1, 2, -1, -1))
    frame = projected([eye, eye], EQUIRECTANGULAR, FISHEYE_190, layout=layout)
    assert frame.chroma is not None
    luma = frame.luma_or_rgb[0, 0].double()
    across, down = siting
    near = [luma[y::2, x::2] for y, x in ((0, 0), (0, 1), (1, 0), (1, 1))]
    between = (1 - down) * ((1 - across) * near[0] + across * near[1])
    between += down * ((1 - across) * near[2] + across * near[3])
    inside = torch.from_numpy(in_circles(SIDE, step=2) & in_circles(SIDE)[::2, ::2])
    rows, columns = np.mgrid[0 : SIDE // 2, 0:SIDE] * 2 + 1
    radius = np.hypot((columns % SIDE) / SIDE * 2 - 1, rows / SIDE * 2 - 1)
    inside &= torch.from_numpy(radius < 0.85)
    assert (frame.chroma[0, 0].double() - between)[inside].abs().max() <= 1.3


@pytest.mark.parametrize("bits", [8, 10])
def test_bits_are_kept_or_rounded_once(bits: int) -> None:
    deep = replace(YUV420, bits=10)
    generator = np.random.default_rng(2)
    luma = generator.integers(64, 941, (1, 1, SIDE, SIDE)).astype(np.uint16)
    chroma = generator.integers(64, 961, (1, 2, SIDE // 2, SIDE // 2)).astype(np.uint16)
    eye = Planes(deep, torch.from_numpy(luma), torch.from_numpy(chroma))
    target = replace(YUV420, bits=bits)
    own = part(EQUIRECTANGULAR, SIDE)
    outside = replace_format(OUTSIDE, target)
    frame = EyeProjector(own, own, YUV420, CPU).project([eye, eye], target, outside)
    assert frame.chroma is not None
    step = 1 << (10 - bits)
    for result, source in ((frame.luma_or_rgb, luma), (frame.chroma, chroma)):
        assert result.dtype == dtype_of(target)
        one = result[..., : source.shape[3]].numpy().astype(int)
        assert np.abs(one - source / step).max() <= 0.5


@pytest.mark.parametrize("lens", [EQUIRECTANGULAR, FISHEYE_190])
def test_what_is_finer_than_the_result_becomes_grey(lens: Lens) -> None:
    """Without a mean over areas, every second line would be left: white, or black."""
    fine = np.where(np.indices((4 * SIDE, 4 * SIDE)).sum(0) % 2 == 0, 216, 40).astype(np.uint8)
    frame = projected([with_luma(fine)] * 2, lens, lens)
    inside = in_circles(SIDE - 8)[:, : SIDE - 8]
    grey = luma_of(frame)[4 : SIDE - 4, 4 : SIDE - 4][inside]
    assert np.abs(grey.astype(int) - 128).max() < 8


def test_near_the_poles_nothing_flickers() -> None:
    """There the columns of an equirectangular picture crowd together in the fisheye."""
    stripes = np.where(np.arange(SIDE) % 2 == 0, 216, 40).astype(np.uint8)
    frame = projected([with_luma(np.tile(stripes, (SIDE, 1)))] * 2, EQUIRECTANGULAR, FISHEYE_190)
    at_70_degrees = luma_of(frame)[
        round(SIDE / 2 - 70 / 95 * SIDE / 2), SIDE // 2 - 8 : SIDE // 2 + 8
    ]
    assert np.abs(at_70_degrees.astype(int) - 128).max() < 25


def test_there_and_back_a_picture_is_the_same() -> None:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    smooth = np.rint(120 + 60 * np.sin(6 * columns) * np.cos(5 * rows)).astype(np.uint8)
    there = projected([with_luma(smooth)] * 2, EQUIRECTANGULAR, FISHEYE_190)
    eyes = [there.window(left, 0, SIZE) for left in (0, SIDE)]
    back = luma_of(projected(eyes, FISHEYE_190, EQUIRECTANGULAR))[:, :SIDE]
    inner: Floats = back[16:-16, 16:-16].astype(float) - smooth[16:-16, 16:-16]
    assert np.abs(inner).max() <= 3


def test_results_do_not_depend_on_how_many_frames_are_made_at_once() -> None:
    eyes = [noise_planes(SIZE, seed) for seed in range(2)]
    others = [noise_planes(SIZE, seed) for seed in range(2, 4)]
    both = [
        Planes(YUV420, torch.cat([a.luma_or_rgb, b.luma_or_rgb]), torch.cat([a.chroma, b.chroma]))
        for a, b in zip(eyes, others, strict=True)
        if a.chroma is not None and b.chroma is not None
    ]
    together = projected(both, EQUIRECTANGULAR, FISHEYE_190)
    for number, own in enumerate((eyes, others)):
        alone = projected(own, EQUIRECTANGULAR, FISHEYE_190)
        assert torch.equal(together.between(number, number + 1).luma_or_rgb, alone.luma_or_rgb)
