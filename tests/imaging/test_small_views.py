"""Small pictures of a frame: as people see it, also of HDR."""

from __future__ import annotations

import pytest
import torch

from matting.imaging.display_light import DisplayLight, Gamut
from matting.imaging.matte_planes import MAX_ALPHA, MattePlanes
from matting.imaging.renderer import StoredFrames
from matting.imaging.sample_format import TransferFunction
from matting.imaging.small_views import small_views
from tests.support.frames import GREEN
from tests.support.hdr import PATCH_PX, patches

COLOURS = [(128, 128, 128), (170, 40, 40), (40, 160, 60), (50, 60, 170)]


@pytest.mark.parametrize("transfer", [TransferFunction.PQ, TransferFunction.HLG])
def test_hdr_is_shown_as_its_sdr_version(transfer: TransferFunction) -> None:
    source = patches(COLOURS, transfer)
    alpha = torch.full((1, 1, *source.luma_or_rgb.shape[2:]), MAX_ALPHA, dtype=torch.int32)
    blank = torch.zeros(alpha.shape, dtype=torch.int8)
    matte = MattePlanes(alpha.to(torch.uint16), blank, None, source.sample_format)
    views = small_views(StoredFrames(source, matte), GREEN, DisplayLight(transfer, Gamut.BT2020))
    for view in (views.source, views.composite):
        centres = view[PATCH_PX // 2, PATCH_PX // 2 :: PATCH_PX].int()
        assert (centres - torch.tensor(COLOURS)).abs().max() <= 8  # of 8 bits of HDR
    assert bool((views.matte == 255).all())
