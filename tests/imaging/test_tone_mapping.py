"""HDR: the network is shown SDR, and the source's own code values come out."""

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
from matting.imaging.sample_format import TransferFunction
from matting.imaging.tone_mapping import tone_map
from matting.inference.session import MattingSession
from matting.inference.weights import load_checkpoint
from matting.media.video_source import VideoSource
from matting.options import OutputKind, Precision
from tests.support.frames import GREEN, RGB8
from tests.support.hdr import RGB16, WHITE_NITS, bt2020, graded, to_hlg, to_pq
from tests.support.stages import matte_and_render

CPU = torch.device("cpu")
SDR, PQ, HLG = TransferFunction.SDR, TransferFunction.PQ, TransferFunction.HLG


def alphas_of(frames: list[Planes], checkpoint: Path, ratio: float) -> Tensor:
    """Return alpha in [0, 1], [T, 1, H, W], of frames that follow each other."""
    session = MattingSession(load_checkpoint(checkpoint).network, CPU, Precision.FP32)
    formats = {OutputKind.ALPHA: RGB8}
    alphas = [
        matte_and_render(session, frame, ratio, formats, GREEN)[OutputKind.ALPHA]
        for frame in frames
    ]
    return torch.cat([alpha.luma_or_rgb.float() / 255 for alpha in alphas])


def matte_errors(
    film: list[Tensor], transfer: TransferFunction, checkpoint: Path, ratio: float
) -> list[float]:
    """Return the mean error of alpha: of HDR, and of HDR that is taken for SDR.

    Against the alpha of the SDR version.
    """
    expected = alphas_of([Planes(RGB8, rgb) for rgb in film], checkpoint, ratio)
    assert 0.05 < expected.mean() < 0.6  # there is somebody to be found
    hdr = [graded(rgb, transfer) for rgb in film]
    mistaken = [Planes(bt2020(SDR), frame.luma_or_rgb, frame.chroma) for frame in hdr]
    return [
        float((alphas_of(frames, checkpoint, ratio) - expected).abs().mean())
        for frames in (hdr, mistaken)
    ]


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_hdr_has_the_matte_of_its_sdr_version(transfer: TransferFunction) -> None:
    film = Film(DEMO_SEED, 320, 180, frames=6, fps=30)
    frames = [torch.from_numpy(frame.rgb)[None] for frame in film]
    error, mistaken = matte_errors(frames, transfer, CHECKPOINT, 0.5)
    assert error < 0.01
    assert mistaken > 3 * error


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_real_people_in_hdr_have_the_matte_of_their_sdr_version(
    transfer: TransferFunction, shared: Path
) -> None:
    source = VideoSource(shared / "media" / "people" / "eat.mkv")
    chunk = next(source.chunks(8))
    frames = list(convert_planes(chunk.pictures, RGB8).luma_or_rgb.split(1))
    weights = shared / "weights" / "rvm_mobilenetv3.pth"
    error, mistaken = matte_errors(frames, transfer, weights, 0.6)
    assert error < 0.001
    assert mistaken > error


def test_tone_mapping_keeps_darks_and_compresses_what_is_brighter_than_white() -> None:
    nits = torch.tensor([0.0, 20.0, 100.0, 203.0, 1000.0, 10_000.0])
    sdr = tone_map(to_pq(nits).view(1, 1, 1, -1).expand(1, 3, 1, -1), bt2020(PQ))[0, 0, 0]
    assert (sdr[:3] - (nits[:3] / WHITE_NITS) ** (1 / 2.4)).abs().max() < 0.001
    assert 0.92 < sdr[3] < 1
    assert bool((sdr[1:] > sdr[:-1]).all()) and sdr[-1] <= 1


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_code_values_pass_through_where_alpha_is_one(transfer: TransferFunction) -> None:
    sample_format = bt2020(transfer)
    generator = torch.Generator().manual_seed(3)
    planes = [
        torch.randint(64, 941, shape, generator=generator)
        for shape in ((1, 1, 48, 64), (1, 2, 24, 32))
    ]
    source = Planes(sample_format, *(plane.to(torch.uint16) for plane in planes))
    offset = torch.tensor([0.0, 0.0, 0.0, 1.0]).view(1, 4, 1, 1).expand(1, 4, 12, 16)
    matte = Matte(source, torch.zeros_like(offset), offset.contiguous())
    composite = render(matte, {OutputKind.COMPOSITE: sample_format}, GREEN)[OutputKind.COMPOSITE]
    assert torch.equal(composite.luma_or_rgb.int(), source.luma_or_rgb.int())
    assert composite.chroma is not None and source.chroma is not None
    assert torch.equal(composite.chroma.int(), source.chroma.int())


def test_the_foreground_changes_in_hdr_as_it_would_in_sdr() -> None:
    rgb = torch.full((1, 3, 32, 32), 120, dtype=torch.uint8)
    offset = torch.tensor([0.06, -0.04, 0.03, 1.0]).view(1, 4, 1, 1).expand(1, 4, 8, 8).contiguous()
    source = graded(rgb, PQ)
    matte = Matte(source, torch.zeros_like(offset), offset)
    outputs = render(matte, {OutputKind.FOREGROUND: source.sample_format}, GREEN)
    foreground, original = (
        tone_map(_normalised_rgb(planes), source.sample_format)
        for planes in (outputs[OutputKind.FOREGROUND], source)
    )
    change = (foreground - original)[0, :, 16, 16]
    assert (change - offset[0, :3, 0, 0]).abs().max() < 0.01


def _normalised_rgb(planes: Planes) -> Tensor:
    return convert_planes(planes, RGB16).luma_or_rgb.float() / 65535


def test_these_tests_own_transfer_functions_agree_with_the_standard() -> None:
    """Table of ITU-R BT.2408: reference white is 58 % of PQ and 75 % of HLG."""
    white = torch.full((1, 3, 1, 1), float(WHITE_NITS))
    assert abs(float(to_pq(white)[0, 0]) - 0.58) < 0.002
    assert abs(float(to_hlg(white)[0, 0]) - 0.75) < 0.002
