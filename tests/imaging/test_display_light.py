"""Colours of one transfer function and gamut look the same in another."""

from __future__ import annotations

import pytest
import torch

from matting.imaging.display_light import DisplayLight, Gamut, convert_light, gamut_matrix
from matting.imaging.sample_format import TransferFunction
from tests.support.hdr import WHITE_NITS, to_hlg, to_pq

SDR = DisplayLight()
PQ = DisplayLight(TransferFunction.PQ, Gamut.BT2020)
HLG = DisplayLight(TransferFunction.HLG, Gamut.BT2020)
P3 = DisplayLight(gamut=Gamut.P3)


def pixel(*rgb: float) -> torch.Tensor:
    return torch.tensor(rgb).view(1, 3, 1, 1)


def converted(rgb: tuple[float, ...], own: DisplayLight, wanted: DisplayLight) -> list[float]:
    return convert_light(pixel(*rgb), own, wanted).flatten().tolist()


def test_the_same_light_keeps_its_values() -> None:
    beyond = pixel(-0.1, 0.5, 1.1)
    assert convert_light(beyond, SDR, SDR) is beyond


@pytest.mark.parametrize(("hdr", "white"), [(PQ, 0.5807), (HLG, 0.75)])
def test_white_becomes_reference_white(hdr: DisplayLight, white: float) -> None:
    """Source: ITU-R BT.2408, table 1: 58 % of PQ and 75 % of HLG."""
    assert converted((1.0, 1.0, 1.0), SDR, hdr) == pytest.approx([white] * 3, abs=0.003)
    assert converted((0.0, 0.0, 0.0), SDR, hdr) == pytest.approx([0.0] * 3, abs=0.001)


@pytest.mark.parametrize("hdr", [PQ, HLG, P3])
def test_what_is_converted_to_a_larger_range_comes_back(hdr: DisplayLight) -> None:
    for rgb in ((0.2, 0.5, 0.7), (0.6, 0.1, 0.3), (0.8, 0.8, 0.1)):
        there = tuple(converted(rgb, SDR, hdr))
        assert converted(there, hdr, SDR) == pytest.approx(rgb, abs=0.01)


def test_one_hdr_becomes_the_other() -> None:
    rgb = (0.4, 0.5, 0.3)
    assert converted(tuple(converted(rgb, PQ, HLG)), HLG, PQ) == pytest.approx(rgb, abs=0.002)


@pytest.mark.parametrize("transfer", [TransferFunction.PQ, TransferFunction.HLG])
def test_hdr_is_converted_as_its_standard_says(transfer: TransferFunction) -> None:
    """Also where the channels differ: the curve of HLG's display is that of the luminance."""
    sdr = pixel(0.6, 0.15, 0.25)
    nits = WHITE_NITS * sdr**2.4
    hdr = to_pq(nits) if transfer is TransferFunction.PQ else to_hlg(nits)
    own, wanted = DisplayLight(gamut=Gamut.BT2020), DisplayLight(transfer, Gamut.BT2020)
    assert torch.allclose(convert_light(sdr, own, wanted), hdr, atol=2e-4)
    assert torch.allclose(convert_light(hdr, wanted, own), sdr, atol=2e-3)


def test_the_brightest_hdr_is_white_where_there_is_none() -> None:
    assert converted((1.0, 1.0, 1.0), PQ, SDR) == pytest.approx([1.0] * 3, abs=0.002)


def test_gamuts_are_converted_as_the_standard_says() -> None:
    """Source: ITU-R BT.2087, 2.2."""
    expected = [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
    for row, standard in zip(
        gamut_matrix(Gamut.BT709, Gamut.BT2020).tolist(), expected, strict=True
    ):
        assert row == pytest.approx(standard, abs=1e-4)
    assert converted((1.0, 0.0, 0.0), PQ, SDR)[1:] == pytest.approx([0.0, 0.0])  # clipped
