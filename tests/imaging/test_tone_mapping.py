"""HDR: the network is shown an SDR view, and the source's own code values come out."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from demo.film import DEMO_SEED, Film
from matting.demo import CHECKPOINT
from matting.imaging.colour_conversion import convert_planes
from matting.imaging.compositor import Matte, render
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, TransferFunction
from matting.imaging.tone_mapping import tone_map
from matting.inference.session import MattingSession
from matting.inference.weights import load_checkpoint
from matting.media.video_source import VideoSource
from matting.options import OutputKind, Precision
from tests.support.stages import made_by

CPU = torch.device("cpu")
GREEN = (120, 255, 155)
SDR, PQ, HLG = TransferFunction
WHITE_NITS = 203  # ITU-R BT.2408
LUMA = torch.tensor([0.2627, 0.6780, 0.0593]).view(1, 3, 1, 1)


def bt2020(transfer: TransferFunction) -> SampleFormat:
    return SampleFormat(10, (0.2627, 0.0593), False, (2, 2), (0.0, 0.0), transfer)


def pq(nits: Tensor) -> Tensor:
    """Source: SMPTE ST 2084."""
    power = (nits / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def hlg(nits: Tensor) -> Tensor:
    """For a display of 1,000 candela per square metre. Source: ITU-R BT.2100, table 5."""
    luminance = (LUMA * nits).sum(dim=1, keepdim=True).clamp(min=1e-6) / 1000
    scene = nits / 1000 / (luminance ** (1 / 1.2)) ** 0.2
    bright = 0.17883277 * torch.log((12 * scene - 0.28466892).clamp(min=1e-9)) + 0.55991073
    return torch.where(scene <= 1 / 12, (3 * scene).sqrt(), bright)


def graded(rgb: Tensor, transfer: TransferFunction) -> Planes:
    """SDR pictures uint8 [T, 3, H, W] of BT.2020's primaries as HDR of the same look.

    Source: ITU-R BT.2408.
    """
    light = (rgb.float() / 255) ** 2.4 * WHITE_NITS
    code = pq(light) if transfer == PQ else hlg(light)
    whole = (code.clamp(0, 1) * 65535).round().to(torch.uint16)
    return convert_planes(Planes(SampleFormat(16), whole), bt2020(transfer))


def alphas(frames: list[Planes], checkpoint: Path, ratio: float) -> Tensor:
    session = MattingSession(load_checkpoint(checkpoint).network, CPU, Precision.FP32)
    made = [
        made_by(session, each, ratio, {OutputKind.ALPHA: SampleFormat()}, GREEN)[OutputKind.ALPHA]
        for each in frames
    ]
    return torch.cat([each.luma_or_rgb.float() / 255 for each in made])


def matte_errors(
    film: list[Tensor], transfer: TransferFunction, checkpoint: Path, ratio: float
) -> list[float]:
    """Mean difference of alpha from the SDR version's: of the HDR one, and of it taken for SDR."""
    expected = alphas([Planes(SampleFormat(), rgb) for rgb in film], checkpoint, ratio)
    assert 0.05 < expected.mean() < 0.6  # there is somebody to be found
    hdr = [graded(rgb, transfer) for rgb in film]
    mistaken = [Planes(bt2020(SDR), each.luma_or_rgb, each.chroma) for each in hdr]
    return [
        float((alphas(frames, checkpoint, ratio) - expected).abs().mean())
        for frames in (hdr, mistaken)
    ]


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_the_matte_is_that_of_the_sdr_version(transfer: TransferFunction) -> None:
    film = [torch.from_numpy(f.rgb)[None] for f in Film(DEMO_SEED, 320, 180, frames=6, fps=30)]
    error, mistaken = matte_errors(film, transfer, CHECKPOINT, 0.5)
    assert error < 0.01
    assert mistaken > 3 * error


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_the_matte_of_real_people_is_that_of_the_sdr_version(
    transfer: TransferFunction, shared: Path
) -> None:
    source = VideoSource(shared / "media" / "people" / "eat.mkv")
    chunk = next(source.chunks(8))
    film = list(convert_planes(chunk.pictures, SampleFormat()).luma_or_rgb.split(1))
    error, mistaken = matte_errors(film, transfer, shared / "weights" / "rvm_mobilenetv3.pth", 0.6)
    assert error < 0.001
    assert mistaken > error


def test_the_view_of_white_and_of_more() -> None:
    nits = torch.tensor([0.0, 20.0, 100.0, 203.0, 1000.0, 10_000.0])
    shown = tone_map(pq(nits).view(1, 1, 1, -1).expand(1, 3, 1, -1), bt2020(PQ))[0, 0, 0]
    assert (shown[:3] - (nits[:3] / WHITE_NITS) ** (1 / 2.4)).abs().max() < 0.001
    assert 0.92 < shown[3] < 1
    assert bool((shown[1:] > shown[:-1]).all()) and shown[-1] <= 1


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_code_values_pass_through(transfer: TransferFunction) -> None:
    sample_format = bt2020(transfer)
    generator = torch.Generator().manual_seed(3)
    numbers = [
        torch.randint(64, 941, shape, generator=generator)
        for shape in ((1, 1, 48, 64), (1, 2, 24, 32))
    ]
    source = Planes(sample_format, *(each.to(torch.uint16) for each in numbers))
    offset = torch.tensor([0.0, 0.0, 0.0, 1.0]).view(1, 4, 1, 1).expand(1, 4, 12, 16)
    matte = Matte(source, torch.zeros_like(offset), offset.contiguous())
    made = render(matte, {OutputKind.COMPOSITE: sample_format}, GREEN)[OutputKind.COMPOSITE]
    assert torch.equal(made.luma_or_rgb.int(), source.luma_or_rgb.int())
    assert made.chroma is not None and source.chroma is not None
    assert torch.equal(made.chroma.int(), source.chroma.int())


def test_a_foreground_found_in_the_view_is_one_of_the_source() -> None:
    """What the network would change of an SDR picture is changed by as much in its HDR version."""
    rgb = torch.full((1, 3, 32, 32), 120, dtype=torch.uint8)
    offset = torch.tensor([0.06, -0.04, 0.03, 1.0]).view(1, 4, 1, 1).expand(1, 4, 8, 8).contiguous()
    source = graded(rgb, PQ)
    made = render(
        Matte(source, torch.zeros_like(offset), offset),
        {OutputKind.FOREGROUND: source.sample_format},
        GREEN,
    )
    shown = tone_map(_rgb(made[OutputKind.FOREGROUND]), source.sample_format) - tone_map(
        _rgb(source), source.sample_format
    )
    assert (shown[0, :, 16, 16] - offset[0, :3, 0, 0]).abs().max() < 0.01


def _rgb(planes: Planes) -> Tensor:
    return convert_planes(planes, SampleFormat(16)).luma_or_rgb.float() / 65535


def test_the_reference_of_these_tests_agrees_with_the_standard() -> None:
    """Table of ITU-R BT.2408: reference white is 58 % of PQ and 75 % of HLG."""
    white = torch.full((1, 3, 1, 1), float(WHITE_NITS))
    assert abs(float(pq(white)[0, 0]) - 0.58) < 0.002
    assert abs(float(hlg(white)[0, 0]) - 0.75) < 0.002
