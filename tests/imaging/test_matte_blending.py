"""Stored mattes between two others, and kept out of parts of the picture."""

from __future__ import annotations

import pytest
import torch

from matting.imaging.matte_blending import blend_mattes, limit_matte
from matting.imaging.matte_planes import MAX_ALPHA, MattePlanes
from matting.imaging.picture_parts import allowed_parts
from matting.imaging.sample_format import SampleFormat, Size
from matting.range_options import Rectangle
from tests.support.mattes import YUV420

RGB = SampleFormat(8)
SIDE = 8


def flat(alpha: int, correction: int, frames: int = 1, rgb: bool = False) -> MattePlanes:
    """Return mattes of one alpha and one correction all over."""
    chroma = torch.full((frames, 2, SIDE // 2, SIDE // 2), correction, dtype=torch.int8)
    return MattePlanes(
        torch.full((frames, 1, SIDE, SIDE), alpha, dtype=torch.int16).view(torch.uint16),
        torch.full((frames, 3 if rgb else 1, SIDE, SIDE), correction, dtype=torch.int8),
        None if rgb else chroma,
        RGB if rgb else YUV420,
    )


def values(matte: MattePlanes) -> list[set[int]]:
    planes = matte.alpha.view(torch.int16), matte.luma_or_rgb, matte.chroma
    return [set(plane.flatten().tolist()) for plane in planes if plane is not None]


@pytest.mark.parametrize("rgb", [False, True])
def test_alpha_and_corrections_blend_linearly_frame_by_frame(rgb: bool) -> None:
    blended = blend_mattes(flat(100, 40, 3, rgb), flat(300, -40, 3, rgb), [0.25, 0.5, 1])
    corrections = [[{20}], [{0}], [{-40}]] if rgb else [[{20}] * 2, [{0}] * 2, [{-40}] * 2]
    for frame, (alpha, expected) in enumerate(zip([150, 200, 300], corrections, strict=True)):
        assert values(blended.split(1)[frame]) == [{alpha}, *expected]


def test_where_the_result_is_solid_or_empty_there_is_no_correction() -> None:
    nearly = blend_mattes(flat(MAX_ALPHA, 0), flat(0, 9), [0.0001])
    assert values(nearly) == [{MAX_ALPHA}, {0}, {0}]
    assert values(limit_matte(flat(500, 50), torch.zeros(SIDE, SIDE), [1])) == [{0}, {0}, {0}]


def test_a_limit_takes_away_where_it_holds_and_as_far_as_it_holds() -> None:
    allowed = torch.ones(SIDE, SIDE)
    allowed[:, : SIDE // 2] = 0
    limited = limit_matte(flat(400, 40, 2), allowed, [0.5, 1])
    alpha = limited.alpha.view(torch.int16)[:, 0]
    assert alpha[:, :, : SIDE // 2].unique().tolist() == [0, 200]
    assert alpha[:, :, SIDE // 2 :].unique().tolist() == [400]
    assert limited.chroma is not None
    assert limited.chroma[1, :, :, 0].unique().tolist() == [0]
    assert limited.chroma[0, :, :, 0].unique().tolist() == [20]
    assert limited.chroma[:, :, :, -1].unique().tolist() == [40]


def test_parts_are_held_in_kept_out_and_masked_together() -> None:
    size = Size(SIDE, 4)
    forbidden = torch.zeros(2, 4)
    forbidden[0, -1] = 1
    allowed = allowed_parts(
        size,
        keep_out=[Rectangle(0, 0, 2, 2)],
        hold_in=[Rectangle(0, 0, SIDE, 2), Rectangle(SIDE - 1, 0, 1, 4)],
        forbidden=forbidden,
    )
    assert allowed.shape == (4, SIDE)
    assert allowed[:2, :2].max() == 0
    assert allowed[0, 3:5].min() == 1
    assert allowed[3, :7].max() == 0
    assert allowed[0, 7] == 0
    assert allowed[3, 7] == 1
