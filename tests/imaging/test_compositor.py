"""Full-size frames from small maps: in bands and in tiles they are what the whole network gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from benchmarks.layers import render_layers
from matting.imaging.colour_conversion import convert_planes, downsample_to_rgb
from matting.imaging.compositor import (
    Matte,
    render,
    render_in_bands,
    render_in_tiles,
)
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.inference.rvm import RvmNetwork
from matting.inference.session import MattingSession
from matting.options import OutputKind, Precision
from model import MattingNetwork, load_network
from tests.support.frames import BT709, CHROMA_LAYOUTS, GREEN, RGB8, random_rgb, random_video
from tests.support.stages import matte_and_render

CPU = torch.device("cpu")
RenderInParts = Callable[
    [Matte, dict[OutputKind, SampleFormat], tuple[int, int, int], int], dict[OutputKind, Planes]
]
ALL_OUTPUTS = dict.fromkeys((OutputKind.COMPOSITE, OutputKind.ALPHA, OutputKind.FOREGROUND), RGB8)


@pytest.fixture(scope="module")
def network(random_checkpoint: Path) -> MattingNetwork:
    return load_network(random_checkpoint)


def constant_matte(source: Planes, alpha: float) -> Matte:
    """Return a matte whose foreground is the source, with one alpha everywhere."""
    offset = torch.tensor([0.0, 0.0, 0.0, alpha]).view(1, 4, 1, 1)
    small = offset.expand(len(source), 4, 9, 14).contiguous()
    return Matte(source, torch.zeros_like(small), small)


@pytest.mark.parametrize("ratio", [1.0, 0.5, 0.31])
@pytest.mark.parametrize("band_px", [1, 1000, 1 << 30])
def test_bands_hold_the_networks_own_layers(
    network: MattingNetwork, ratio: float, band_px: int
) -> None:
    source = random_rgb(2, 99, 130)
    with torch.inference_mode():
        foreground, alpha, _ = network(source.luma_or_rgb[None].float() / 255, None, ratio)
        (matte,) = MattingSession(RvmNetwork(network), CPU, Precision.FP32, 2).mattes(source, ratio)
        bands = list(render_layers(matte, band_px))
    assert [y for rows, _, _ in bands for y in range(99)[rows]] == list(range(99))
    assert (torch.cat([band[1] for band in bands], dim=2) - foreground[0]).abs().max() < 1e-5
    assert (torch.cat([band[2] for band in bands], dim=2) - alpha[0]).abs().max() < 1e-5


def test_outputs_are_the_networks_layers_blended_and_rounded(network: MattingNetwork) -> None:
    source = random_rgb(2, 64, 96)
    with torch.inference_mode():
        foreground, alpha, _ = network(source.luma_or_rgb[None].float() / 255, None, 0.5)
    (matte,) = MattingSession(RvmNetwork(network), CPU, Precision.FP32, 2).mattes(source, 0.5)
    outputs = render(matte, ALL_OUTPUTS, GREEN)
    background = torch.tensor(GREEN).view(3, 1, 1) / 255
    exact = {
        OutputKind.COMPOSITE: foreground[0] * alpha[0] + background * (1 - alpha[0]),
        OutputKind.ALPHA: alpha[0],
        # Black where nobody sees it, and all of it from the first alpha that is not 0.
        OutputKind.FOREGROUND: foreground[0] * ((alpha[0] * 255 - 0.2) / 0.3).clamp(0, 1),
    }
    for kind, values in exact.items():
        assert outputs[kind].luma_or_rgb.shape == values.shape
        assert (outputs[kind].luma_or_rgb.float() - values * 255).abs().max() <= 0.501


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_half_precision_gives_nearly_the_same_outputs(
    network: MattingNetwork, ratio: float
) -> None:
    source = random_rgb(1, 64, 96)
    exact, half = (
        matte_and_render(
            MattingSession(RvmNetwork(network), CPU, precision), source, ratio, ALL_OUTPUTS, GREEN
        )
        for precision in (Precision.FP32, Precision.BF16)
    )
    for kind in ALL_OUTPUTS:
        difference = exact[kind].luma_or_rgb.int() - half[kind].luma_or_rgb.int()
        assert difference.abs().float().mean() < 8


@pytest.mark.parametrize(("subsampling", "siting"), CHROMA_LAYOUTS)
@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("full_range", [False, True])
def test_an_opaque_source_comes_out_as_it_went_in(
    subsampling: tuple[int, int], siting: tuple[float, float], bits: int, full_range: bool
) -> None:
    """Also code values that no colour has, such as whiter than white."""
    sample_format = SampleFormat(bits, BT709, full_range, subsampling, siting)
    for height, width in ((48, 64), (49, 65)):
        source = random_video(sample_format, 2, height, width)
        for render_parts in (render_in_bands, render_in_tiles):
            composite = render_parts(
                constant_matte(source, 1.0), {OutputKind.COMPOSITE: sample_format}, GREEN, 640
            )[OutputKind.COMPOSITE]
            assert composite.chroma is not None and source.chroma is not None
            assert torch.equal(composite.luma_or_rgb.int(), source.luma_or_rgb.int())
            assert torch.equal(composite.chroma.int(), source.chroma.int())


@pytest.mark.parametrize(("subsampling", "siting"), CHROMA_LAYOUTS)
@pytest.mark.parametrize("batch_px", [1, 1 << 30])
@pytest.mark.parametrize("render_parts", [render_in_bands, render_in_tiles])
def test_half_an_alpha_is_half_way_to_the_background(
    render_parts: RenderInParts,
    subsampling: tuple[int, int],
    siting: tuple[float, float],
    batch_px: int,
) -> None:
    sample_format = SampleFormat(10, BT709, False, subsampling, siting)
    source = random_video(sample_format, 1, 31, 45)
    background, half = (
        render_parts(
            constant_matte(source, alpha), {OutputKind.COMPOSITE: sample_format}, GREEN, batch_px
        )[OutputKind.COMPOSITE]
        for alpha in (0.0, 0.5)
    )
    for mixed, behind, own in (
        (half.luma_or_rgb, background.luma_or_rgb, source.luma_or_rgb),
        (half.chroma, background.chroma, source.chroma),
    ):
        assert mixed is not None and behind is not None and own is not None
        assert len(torch.unique(behind[:, :1].int())) == 1
        assert (mixed.float() - (behind.float() + own.float()) / 2).abs().max() <= 1


@pytest.mark.parametrize(("subsampling", "siting"), CHROMA_LAYOUTS)
@pytest.mark.parametrize("ratio", [1.0, 0.5, 0.37])
def test_the_small_copy_of_video_is_that_of_the_same_frame_in_rgb(
    subsampling: tuple[int, int], siting: tuple[float, float], ratio: float
) -> None:
    """Smooth, so that the order of interpolations does not matter."""
    rows, columns = torch.meshgrid(torch.arange(96), torch.arange(160), indexing="ij")
    rgb = torch.stack((columns, rows * 2, 200 - columns)).add(20).to(torch.uint8)
    frame = Planes(RGB8, rgb[None])
    video = convert_planes(frame, SampleFormat(12, BT709, False, subsampling, siting))
    small, expected = (downsample_to_rgb(planes, ratio) for planes in (video, frame))
    assert small.shape == expected.shape
    inner = (small - expected)[:, :, 2:-2, 4:-4].abs()  # beyond the edge nothing is known
    assert inner.max() < 1 / 255
