"""Eyes as parts of a picture: where each is, and that what is put together is each eye's own."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from matting.imaging.compositor import Matte
from matting.imaging.frame_parts import (
    WHOLE_PICTURE,
    FrameParts,
    PicturePart,
    RectanglePart,
    eye_parts,
    put_together,
    whole_frames,
)
from matting.imaging.matte_planes import MattePlanes
from matting.imaging.planes import Planes
from matting.imaging.renderer import between_views
from matting.imaging.sample_format import SampleFormat, Size
from matting.range_options import Rectangle
from matting.view import StereoLayout
from tests.support.frames import NV12, RGB8, random_rgb, random_video
from tests.support.mattes import YUV420, random_mattes

BESIDE, STACKED = StereoLayout.LEFT_RIGHT, StereoLayout.TOP_BOTTOM
CHROMA_411 = SampleFormat(8, (0.2126, 0.0722), False, (4, 1))


def areas(parts: tuple[PicturePart, ...]) -> list[tuple[Rectangle, Rectangle]]:
    assert all(isinstance(part, RectanglePart) for part in parts)
    return [(part.area, part.owned) for part in parts if isinstance(part, RectanglePart)]


@pytest.mark.parametrize(
    ("layout", "size", "sample_format", "expected"),
    [
        (BESIDE, (80, 40), NV12, [((0, 0, 40, 40),) * 2, ((40, 0, 40, 40),) * 2]),
        (STACKED, (80, 40), NV12, [((0, 0, 80, 20),) * 2, ((0, 20, 80, 20),) * 2]),
        # A column in the middle goes to the left one; as an index, rounding could put it anywhere.
        (BESIDE, (81, 40), RGB8, [((0, 0, 40, 40), (0, 0, 41, 40)), ((41, 0, 40, 40),) * 2]),
        # Columns 40 and 41 share a chroma sample, of which each eye has one.
        (
            BESIDE,
            (82, 40),
            NV12,
            [((0, 0, 40, 40), (0, 0, 41, 40)), ((42, 0, 40, 40), (41, 0, 41, 40))],
        ),
        (
            STACKED,
            (80, 45),
            YUV420,
            [((0, 0, 80, 22), (0, 0, 80, 23)), ((0, 24, 80, 21), (0, 23, 80, 22))],
        ),
        (STACKED, (80, 45), CHROMA_411, [((0, 0, 80, 22), (0, 0, 80, 23)), ((0, 23, 80, 22),) * 2]),
        (
            BESIDE,
            (44, 9),
            CHROMA_411,
            [((0, 0, 20, 9), (0, 0, 22, 9)), ((24, 0, 20, 9), (22, 0, 22, 9))],
        ),
    ],
)
def test_each_eye_has_whole_chroma_samples_and_every_pixel_belongs_to_one(
    layout: StereoLayout,
    size: tuple[int, int],
    sample_format: SampleFormat,
    expected: list[tuple[Rectangle, Rectangle]],
) -> None:
    assert areas(eye_parts(layout, Size(*size), sample_format)) == expected


@pytest.mark.parametrize("layout", [None, StereoLayout.MONO, BESIDE, STACKED])
def test_one_eye_or_too_few_pixels_are_not_divided(layout: StereoLayout | None) -> None:
    assert eye_parts(layout, Size(3, 3), YUV420) == WHOLE_PICTURE
    if layout in {None, StereoLayout.MONO}:
        assert eye_parts(layout, Size(80, 40), YUV420) == WHOLE_PICTURE


@pytest.mark.parametrize("layout", [BESIDE, STACKED])
@pytest.mark.parametrize("size", [(64, 36), (82, 46), (81, 45)])
@pytest.mark.parametrize("sample_format", [YUV420, RGB8])
def test_mattes_of_parts_are_put_together(
    layout: StereoLayout, size: tuple[int, int], sample_format: SampleFormat
) -> None:
    parts = eye_parts(layout, Size(*size), sample_format)
    source = frames(sample_format, Size(*size))
    mattes = tuple(
        random_mattes(part.size(source.size), sample_format, 2, seed=seed)
        for seed, part in enumerate(parts)
    )
    whole = put_together(FrameParts(source, parts, mattes))
    for (area, owned), own in zip(areas(parts), mattes, strict=True):
        there = [p.window(area.left, area.top, own.size) for p in planes_of(whole)]
        for plane, expected in zip(there, planes_of(own), strict=True):
            assert torch.equal(plane.luma_or_rgb, expected.luma_or_rgb)
            assert plane.chroma is None or torch.equal(plane.chroma, some(expected.chroma))
        # Beside it, alpha is that of the nearest pixel; the picture's own colours are seen there.
        around = whole.alpha_planes.window(owned.left, owned.top, Size(owned.width, owned.height))
        nearest = own.alpha_planes.window(
            owned.left - area.left, owned.top - area.top, Size(owned.width, owned.height)
        )
        assert torch.equal(around.luma_or_rgb, nearest.luma_or_rgb)
    if sum(area.width * area.height for area, _ in areas(parts)) < size[0] * size[1]:
        outside = whole.luma_or_rgb.clone()
        for area, _ in areas(parts):
            outside[..., area.top : area.top + area.height, area.left :][..., : area.width] = 0
        assert not outside.any()


def test_what_is_not_divided_is_handed_on_as_it_is() -> None:
    source = frames(YUV420, Size(48, 32))
    matte = random_mattes(frames=2)
    assert put_together(whole_frames(source, matte)) is matte
    divided = FrameParts(source, eye_parts(BESIDE, source.size, YUV420), (matte, matte))
    with pytest.raises(ValueError, match="divided"):
        _ = divided.whole


def test_what_two_views_differ_by_counts_by_the_size_of_the_parts() -> None:
    source = frames(RGB8, Size(80, 40))
    boxes = (Rectangle(0, 0, 60, 40), Rectangle(60, 0, 20, 40))
    parts = tuple(RectanglePart(box, box) for box in boxes)

    def between(*values: float | None) -> torch.Tensor | None:
        mattes = (
            Matte(part.cut(source), None, torch.zeros(2, 4, 40, part.area.width)) for part in parts
        )
        known = (None if value is None else torch.tensor([value, 0.5]) for value in values)
        contents = (
            replace(matte, between_views=own) for matte, own in zip(mattes, known, strict=True)
        )
        return between_views(FrameParts(source, parts, tuple(contents)))

    assert some(between(0.25, 0.5)).tolist() == [0.3125, 0.5]
    assert between(None, None) is None


def frames(sample_format: SampleFormat, size: Size) -> Planes:
    if sample_format is RGB8:
        return random_rgb(2, size.height, size.width)
    return random_video(sample_format, 2, size.height, size.width)


def planes_of(matte: MattePlanes) -> tuple[Planes, Planes]:
    return matte.alpha_planes, matte.corrections


def some(plane: torch.Tensor | None) -> torch.Tensor:
    assert plane is not None
    return plane
