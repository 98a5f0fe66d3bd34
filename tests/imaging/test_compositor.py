"""Full-size pictures from small results: in bands, and still what the whole network says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from matting.imaging.colour_conversion import convert_planes, downsample_to_rgb
from matting.imaging.compositor import (
    Matte,
    render,
    render_in_bands,
    render_in_tiles,
    render_layers,
)
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, Size
from matting.inference.rvm import RvmNetwork
from matting.inference.session import MattingSession
from matting.options import OutputKind, Precision
from model import MattingNetwork, load_network
from tests.support.stages import made_by

CPU = torch.device("cpu")
GREEN = (120, 255, 155)
RGB = SampleFormat()
Way = Callable[
    [Matte, dict[OutputKind, SampleFormat], tuple[int, int, int], int], dict[OutputKind, Planes]
]
ALL = dict.fromkeys((OutputKind.COMPOSITE, OutputKind.ALPHA, OutputKind.FOREGROUND), RGB)
BT709 = (0.2126, 0.0722)
STEPS = [((1, 1), (0.0, 0.0)), ((2, 1), (0.0, 0.0)), ((2, 2), (0.0, 0.5)), ((2, 2), (0.5, 0.5))]
STEPS += [((2, 2), (0.0, 0.0)), ((1, 2), (0.0, 0.5)), ((4, 1), (0.0, 0.0))]


@pytest.fixture(scope="module")
def network(random_checkpoint: Path) -> MattingNetwork:
    return load_network(random_checkpoint)


def numbers(*shape: int, bits: int = 8) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    found = torch.randint(0, 1 << bits, shape, generator=generator)
    return found.to(torch.uint8 if bits == 8 else torch.uint16)


def noise(frames: int, height: int, width: int) -> Planes:
    return Planes(RGB, numbers(frames, 3, height, width))


def video(sample_format: SampleFormat, frames: int, height: int, width: int) -> Planes:
    shared = sample_format.chroma_size(Size(width, height))
    main = numbers(frames, 1, height, width, bits=sample_format.bits)
    return Planes(sample_format, main, numbers(frames, 2, *shared[::-1], bits=sample_format.bits))


def everywhere(source: Planes, alpha: float) -> Matte:
    """The source as foreground, with one alpha."""
    offset = torch.tensor([0.0, 0.0, 0.0, alpha]).view(1, 4, 1, 1)
    small = offset.expand(len(source), 4, 9, 14).contiguous()
    return Matte(source, torch.zeros_like(small), small)


@pytest.mark.parametrize("ratio", [1.0, 0.5, 0.31])
@pytest.mark.parametrize("band_px", [1, 1000, 1 << 30])
def test_bands_are_the_networks_own_answer(
    network: MattingNetwork, ratio: float, band_px: int
) -> None:
    source = noise(2, 99, 130)
    with torch.inference_mode():
        foreground, alpha, _ = network(source.luma_or_rgb[None].float() / 255, None, ratio)
        (matte,) = MattingSession(RvmNetwork(network), CPU, Precision.FP32, 2).mattes(source, ratio)
        parts = list(render_layers(matte, band_px))
    assert [y for rows, _, _ in parts for y in range(99)[rows]] == list(range(99))
    assert (torch.cat([p[1] for p in parts], dim=2) - foreground[0]).abs().max() < 1e-5
    assert (torch.cat([p[2] for p in parts], dim=2) - alpha[0]).abs().max() < 1e-5


def test_pictures_are_rounded_composites(network: MattingNetwork) -> None:
    source = noise(2, 64, 96)
    with torch.inference_mode():
        foreground, alpha, _ = network(source.luma_or_rgb[None].float() / 255, None, 0.5)
    (matte,) = MattingSession(RvmNetwork(network), CPU, Precision.FP32, 2).mattes(source, 0.5)
    made = render(matte, ALL, GREEN)
    colour = torch.tensor(GREEN).view(3, 1, 1) / 255
    exact = {
        OutputKind.COMPOSITE: foreground[0] * alpha[0] + colour * (1 - alpha[0]),
        OutputKind.ALPHA: alpha[0],
        OutputKind.FOREGROUND: foreground[0],
    }
    for kind, values in exact.items():
        assert made[kind].luma_or_rgb.shape == values.shape
        assert (made[kind].luma_or_rgb.float() - values * 255).abs().max() <= 0.501


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_half_precision_gives_pictures_too(network: MattingNetwork, ratio: float) -> None:
    source = noise(1, 64, 96)
    full = made_by(
        MattingSession(RvmNetwork(network), CPU, Precision.FP32), source, ratio, ALL, GREEN
    )
    half = made_by(
        MattingSession(RvmNetwork(network), CPU, Precision.BF16), source, ratio, ALL, GREEN
    )
    for kind in ALL:
        assert (
            full[kind].luma_or_rgb.int() - half[kind].luma_or_rgb.int()
        ).abs().float().mean() < 8


@pytest.mark.parametrize(("step", "siting"), STEPS)
@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("full_range", [False, True])
def test_the_source_comes_out_as_it_went_in(
    step: tuple[int, int], siting: tuple[float, float], bits: int, full_range: bool
) -> None:
    """Also numbers that no colour has, such as whiter than white."""
    sample_format = SampleFormat(bits, BT709, full_range, step, siting)
    for height, width in ((48, 64), (49, 65)):
        source = video(sample_format, 2, height, width)
        for way in (render_in_bands, render_in_tiles):
            made = way(everywhere(source, 1.0), {OutputKind.COMPOSITE: sample_format}, GREEN, 640)[
                OutputKind.COMPOSITE
            ]
            assert made.chroma is not None and source.chroma is not None
            assert torch.equal(made.luma_or_rgb.int(), source.luma_or_rgb.int())
            assert torch.equal(made.chroma.int(), source.chroma.int())


@pytest.mark.parametrize(("step", "siting"), STEPS)
@pytest.mark.parametrize("piece_px", [1, 1 << 30])
@pytest.mark.parametrize("way", [render_in_bands, render_in_tiles])
def test_half_an_alpha_is_half_way_to_the_background(
    way: Way, step: tuple[int, int], siting: tuple[float, float], piece_px: int
) -> None:
    sample_format = SampleFormat(10, BT709, False, step, siting)
    source = video(sample_format, 1, 31, 45)
    green = way(everywhere(source, 0.0), {OutputKind.COMPOSITE: sample_format}, GREEN, piece_px)[
        OutputKind.COMPOSITE
    ]
    half = way(everywhere(source, 0.5), {OutputKind.COMPOSITE: sample_format}, GREEN, piece_px)[
        OutputKind.COMPOSITE
    ]
    for mine, colour, own in (
        (half.luma_or_rgb, green.luma_or_rgb, source.luma_or_rgb),
        (half.chroma, green.chroma, source.chroma),
    ):
        assert mine is not None and colour is not None and own is not None
        assert len(torch.unique(colour[:, :1].int())) == 1
        assert (mine.float() - (colour.float() + own.float()) / 2).abs().max() <= 1


@pytest.mark.parametrize(("step", "siting"), STEPS)
@pytest.mark.parametrize("ratio", [1.0, 0.5, 0.37])
def test_the_small_copy_is_that_of_the_picture_in_rgb(
    step: tuple[int, int], siting: tuple[float, float], ratio: float
) -> None:
    """Smooth, so that the order of interpolations does not count."""
    rows, columns = torch.meshgrid(torch.arange(96), torch.arange(160), indexing="ij")
    rgb = torch.stack((columns, rows * 2, 200 - columns)).add(20).to(torch.uint8)
    source = convert_planes(Planes(RGB, rgb[None]), SampleFormat(12, BT709, False, step, siting))
    small = downsample_to_rgb(source, ratio)
    expected = downsample_to_rgb(Planes(RGB, rgb[None]), ratio)
    assert small.shape == expected.shape
    inner = (small - expected)[:, :, 2:-2, 4:-4].abs()  # beyond the edge nothing is known
    assert inner.max() < 1 / 255
