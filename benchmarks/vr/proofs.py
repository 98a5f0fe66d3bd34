"""What is proven of packed alpha and of projection, in figures, each with its bound."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.vr.film import write_film
from benchmarks.vr.pictures import (
    CPU,
    EQUIRECTANGULAR,
    FISHEYE_180,
    FISHEYE_190,
    YUV420,
    both_eyes,
    drawn_eye,
    flat_planes,
    in_circles,
    luma_and_cr,
    packed,
    part,
    person,
    quadrants,
)
from benchmarks.vr.player import BT601, Floats, read_alpha, read_mattes, read_quarters, red_of
from matting.delivery.vr_plan import VrPlan
from matting.delivery.vr_writer import vr_picture
from matting.imaging.lenses import Lens, place_finder
from matting.imaging.planes import Planes
from matting.imaging.projection import EyeProjector
from matting.imaging.sample_format import Size
from matting.imaging.vr_rendering import render_vr
from matting.options import CodecBackend, EncodingOptions, FormatName, OutputOptions
from matting.view import parse_view
from matting.vr_options import VrOptions

SIDE = 1024
VALUES = ((0.2, 0.4, 0.6, 0.8), (0.9, 0.7, 0.5, 0.3))
PROOF_HEAD = ["what", "found", "bound", "holds"]
INNER = 0.9  # of the radius: farther out, a chroma sample shows the edge of a matte
FILM_FRAMES = 3
ROUNDING = 1.7  # levels of red: half a step of luma, and half a step of Cr


class Proof(NamedTuple):
    """A figure, and what it may be.

    Attributes:
        at_least: whether the bound is from below: of mistakes that have to be noticed, and shares.
    """

    what: str
    found: float
    bound: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.found >= self.bound if self.at_least else self.found <= self.bound

    def row(self) -> list[str]:
        sign = "at least" if self.at_least else "at most"
        return [
            self.what,
            f"{self.found:.3g}",
            f"{sign} {self.bound:g}",
            "yes" if self.holds else "NO",
        ]


def proofs() -> list[Proof]:
    """Return all of them."""
    with torch.inference_mode():
        return [*_of_packing(), *_of_pictures(), *_of_the_encoder(), *_of_directions()]


def _worst_quarter(red: Floats) -> float:
    """Return the largest error of what a player reads of each quarter of each eye, in levels."""
    return max(
        255 * float(np.abs(own - values).max())
        for own, values in zip(read_quarters(red), VALUES, strict=True)
    )


def _of_packing() -> Iterator[Proof]:
    frame = packed(quadrants(VALUES[0], SIDE), quadrants(VALUES[1], SIDE))
    samples = luma_and_cr(frame)
    red = red_of(*samples)
    yield Proof(
        "a player's reading of each quarter of each eye: levels of 255",
        _worst_quarter(red),
        ROUNDING,
    )
    mistakes: dict[str, Callable[[Floats], Floats]] = {
        "eyes swapped": lambda own: np.roll(own, SIDE, axis=1),
        "halves swapped": lambda own: np.roll(own, SIDE // 2, axis=0),
        "turned over": lambda own: own[::-1],
        "mirrored": lambda own: own[:, ::-1],
    }
    for name, mistake in mistakes.items():
        yield Proof(f"noticed: {name}, levels", _worst_quarter(mistake(red)), 10, at_least=True)
    opaque = packed(np.ones((SIDE, SIDE)), np.ones((SIDE, SIDE)))
    by_601 = red_of(*luma_and_cr(opaque), BT601)[0, SIDE]
    yield Proof("noticed: BT.601 in place of BT.709, levels", 255 * (1 - by_601), 10, at_least=True)


def _of_pictures() -> Iterator[Proof]:
    plan = VrPlan.of(FormatName.VR_ALPHA, parse_view("left-right,fisheye190"), VrOptions(), Path())
    picture = vr_picture(plan, SIDE, OutputOptions(), YUV420)
    eyes = [drawn_eye(SIDE, seed) for seed in (0, 1)]
    mattes = [np.ones((SIDE, SIDE)), person(SIDE, 0.5)]
    frame = render_vr(both_eyes(eyes, mattes), picture)
    filmed = torch.cat([eye.luma_or_rgb for eye in eyes], dim=3)[0, 0]
    circles = torch.from_numpy(in_circles(SIDE))
    changed = int((frame.luma_or_rgb[0, 0] != filmed)[circles].sum())
    yield Proof("samples changed in the circles", changed, 0)
    by_square = int((_in_squares(SIDE) & circles).sum())
    yield Proof("noticed: squares in place of circles, samples", by_square, 1000, at_least=True)
    nobody = render_vr(both_eyes(eyes, [np.zeros((SIDE, SIDE))] * 2), picture)
    black = int((nobody.luma_or_rgb[0, 0][~circles] != 16).sum())
    yield Proof("samples outside that are not black where nobody is", black, 0)
    luma, cr = luma_and_cr(frame)
    share = (cr.astype(float).repeat(2, 0).repeat(2, 1) - 128) / 112
    is_red = np.abs((luma - 16.0) / 47 - share) < 0.1
    outside = float(is_red[~in_circles(SIDE)].mean())
    yield Proof("share outside that is black or red", outside, 0.8, at_least=True)


def _in_squares(side: int) -> torch.Tensor:
    """Return the samples of a frame that mattes would take if their corners were written, too."""
    reach = round(0.2 * side)
    squares = torch.zeros(side, 2 * side, dtype=torch.bool)
    for rows in (slice(0, reach), slice(side - reach, side)):
        for left in (0, side - reach, side, 2 * side - reach):
            squares[rows, left : left + reach] = True
    return squares


def _of_the_encoder() -> Iterator[Proof]:
    plan = VrPlan.of(FormatName.VR_ALPHA, parse_view("left-right,fisheye190"), VrOptions(), Path())
    encoding = plan.encoding(EncodingOptions(encoder=CodecBackend.SOFTWARE))
    picture = vr_picture(plan, SIDE, OutputOptions(), YUV420)
    eyes = [drawn_eye(SIDE, seed) for seed in (0, 1)]

    def read_back(mattes: list[Floats]) -> tuple[Floats, Floats]:
        frame = render_vr(both_eyes(eyes, mattes), picture)
        return read_mattes(red_of(*_through([frame] * FILM_FRAMES, encoding)[-1]), SIDE)

    places = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
    inner = np.hypot(places, places[:, None]) < INNER
    for value in (0, 128, 255):
        mattes = read_back([np.full((SIDE, SIDE), value / 255)] * 2)
        worst = max(float(np.abs(own[inner] * 255 - value).max()) for own in mattes)
        yield Proof(f"through the encoder, {value} everywhere: levels", worst, 3)
    people = [person(SIDE, 0.4), person(SIDE, 0.6)]
    shares = []
    for found, wanted in zip(read_back(people), people, strict=True):
        union = ((found > 0.5) | (wanted > 0.5)).sum()
        shares.append(float(((found > 0.5) & (wanted > 0.5)).sum() / union))
    what = "through the encoder, outlines: intersection over union"
    yield Proof(what, min(shares), 0.99, at_least=True)


def _through(
    frames: list[Planes], encoding: EncodingOptions
) -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Return luma and Cr of frames that have been encoded and decoded."""
    with tempfile.TemporaryDirectory(prefix="vr_") as folder:
        path = Path(folder) / "film.mp4"
        write_film(path, frames, encoding, rate=30)
        with av.open(str(path)) as container:
            decoded = [own.to_ndarray() for own in container.decode(video=0)]
    height = frames[0].height
    quarter = height // 2
    return [(own[:height], own[height:].reshape(2, quarter, -1)[1]) for own in decoded]


def _of_directions() -> Iterator[Proof]:
    errors = {lens: max(_dot_errors(lens)) for lens in (FISHEYE_190, FISHEYE_180)}
    yield Proof("dots of known directions in 190°: pixels of 1024", errors[FISHEYE_190], 1)
    yield Proof("noticed: 180° taken for 190°, pixels", errors[FISHEYE_180], 3, at_least=True)
    yield from _there_and_back()


def _dot_errors(lens: Lens) -> Iterator[float]:
    """Yield how far dots lie from where a fisheye of 190 degrees has them."""
    projector = EyeProjector(part(EQUIRECTANGULAR, SIDE), part(lens, SIDE), YUV420, CPU)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    for longitude, latitude in ((45, 0), (-70, 0), (0, 60), (30, -50), (-40, 40)):
        column, row = (longitude / 180 + 0.5) * SIDE, (0.5 - latitude / 180) * SIDE
        dot = np.exp(-(((columns - column) ** 2 + (rows - row) ** 2) / 9))
        eye = flat_planes(Size(SIDE, SIDE))
        eye.luma_or_rgb.copy_(torch.from_numpy(np.rint(16 + 219 * dot)))
        luma = projector.project([eye, eye], YUV420, flat_planes(Size(1, 1))).luma_or_rgb
        weights = luma[0, 0, :, :SIDE].double().numpy() - 16
        around, up = np.radians([longitude, latitude])
        x, y, z = np.cos(up) * np.sin(around), np.sin(up), np.cos(up) * np.cos(around)
        radius = np.arctan2(np.hypot(x, y), z) / np.radians(95) * SIDE / 2
        wanted = SIDE / 2 + radius * np.array([x, -y]) / np.hypot(x, y)
        found = [(own * weights).sum() / weights.sum() for own in (columns, rows)]
        yield float(np.hypot(*(found - wanted)))


def _there_and_back() -> Iterator[Proof]:
    """Yield how well a player's matte, bent back to 180 degrees, is the one that was delivered."""
    wanted = person(SIDE, 0.4)
    red = red_of(*luma_and_cr(packed(wanted, wanted, EQUIRECTANGULAR)))
    middle = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
    axis = torch.from_numpy(middle)
    find = place_finder(FISHEYE_190, EQUIRECTANGULAR)
    u, v, _ = (own.numpy() for own in find(axis, axis[:, None]))
    found, _ = read_alpha(red, (u + 1) / 2, (v + 1) / 2)
    union = ((found > 0.5) | (wanted > 0.5)).sum()
    share = float(((found > 0.5) & (wanted > 0.5)).sum() / union)
    yield Proof("unpacked and bent back: intersection over union", share, 0.98, at_least=True)
    flat = (wanted == 0) | (wanted == 1)
    mean = float(np.abs(found - wanted)[flat].mean())
    yield Proof("unpacked and bent back, where flat: mean error, levels", 255 * mean, 1)
