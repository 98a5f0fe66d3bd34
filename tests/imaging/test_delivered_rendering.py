"""Foregrounds with their alpha, and mattes whose edges are made for keying."""

from __future__ import annotations

import pytest
import torch

from matting.imaging.delivered_rendering import straight_foregrounds, with_edges
from matting.imaging.edges import KeyEdges, cut_off, steepen
from matting.imaging.matte_planes import MAX_ALPHA, MattePlanes
from matting.imaging.matte_renderer import render_planes
from matting.imaging.planes import same_samples
from matting.imaging.renderer import StoredFrames
from matting.imaging.sample_format import SampleFormat, Size
from matting.imaging.stored_compositor import compose, straight_foreground
from matting.options import OutputKind
from tests.support.frames import BT709
from tests.support.soft_edges import smooth_source, soft_edged

GREEN = (0, 255, 0)
RGB = SampleFormat(16)


VIDEO = SampleFormat(8, BT709, False, (2, 2), (0.0, 0.5))


def soft_frames(sample_format: SampleFormat) -> StoredFrames:
    source = smooth_source(sample_format, 3, Size(96, 64))
    return StoredFrames(source, render_planes(soft_edged(source)))


@pytest.fixture(scope="module", params=[VIDEO, SampleFormat()], ids=["video", "rgb"])
def stored(request: pytest.FixtureRequest) -> StoredFrames:
    return soft_frames(request.param)


def codes(matte: MattePlanes) -> torch.Tensor:
    return matte.alpha.to(torch.int32)


def test_each_format_gets_its_foreground_and_all_the_stored_alpha(stored: StoredFrames) -> None:
    own = stored.source.sample_format
    colours, alpha = straight_foregrounds(stored, {own, RGB})
    assert torch.equal(alpha.to(torch.int32), codes(stored.matte))
    for target in (own, RGB):
        expected = straight_foreground(stored.source, stored.matte, target)
        assert same_samples(colours[target], expected)


def test_edges_shape_the_alpha_and_leave_the_foreground(stored: StoredFrames) -> None:
    edges = KeyEdges(cutoff=0.2, contrast=2.0)
    keyed = with_edges(stored, edges, GREEN)
    expected = steepen(cut_off(stored.matte.alpha, 0.2), 2.0).to(torch.int32)
    assert (codes(keyed.matte) - expected).abs().max() == 1  # at what would be quite opaque
    opaque = codes(stored.matte) == MAX_ALPHA
    assert torch.equal(codes(keyed.matte) == MAX_ALPHA, opaque)
    assert same_samples(keyed.source, stored.source)
    before = straight_foreground(stored.source, stored.matte, RGB).luma_or_rgb.to(torch.float32)
    after = straight_foreground(keyed.source, keyed.matte, RGB).luma_or_rgb.to(torch.float32)
    seen = (codes(keyed.matte) > 128).expand_as(before)
    assert float((after - before).abs()[seen].mean()) <= 2 * 257  # codes of 8 bits


def test_what_is_cut_off_shows_the_background_alone() -> None:
    stored = soft_frames(SampleFormat())
    keyed = with_edges(stored, KeyEdges(cutoff=0.5), GREEN)
    gone = ((codes(stored.matte) > 0) & (codes(keyed.matte) == 0)).expand(-1, 3, -1, -1)
    assert gone.any()
    formats = {OutputKind.COMPOSITE: RGB}
    composite = compose(keyed.source, keyed.matte, formats, GREEN)[OutputKind.COMPOSITE]
    shown = composite.luma_or_rgb.to(torch.int32)
    green = torch.tensor([0, 65535, 0], dtype=torch.int32).view(1, 3, 1, 1).expand_as(shown)
    assert torch.equal(shown[gone], green[gone])
