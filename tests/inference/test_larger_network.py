"""The larger network is run as the first one is, and neither goes on from the other's state."""

from __future__ import annotations

import pytest
import torch

from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, Size
from matting.inference.base import UnusableStateError
from matting.inference.rvm import RvmNetwork
from matting.inference.session import MattingSession
from matting.options import Precision
from model import MOBILENETV3, RESNET50, MattingNetwork, Variant

CPU = torch.device("cpu")
SIZE = Size(64, 48)


def session(variant: Variant) -> MattingSession:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return MattingSession(RvmNetwork(MattingNetwork(variant).eval()), CPU, Precision.FP32)


def test_it_goes_on_from_its_own_saved_state_only() -> None:
    generator = torch.Generator().manual_seed(1)
    samples = torch.randint(0, 256, (2, 3, SIZE.height, SIZE.width), generator=generator)
    first, second = Planes(SampleFormat(), samples.to(torch.uint8)).split(1)
    larger, smaller = session(RESNET50), session(MOBILENETV3)
    larger.mattes(first, 0.75)
    assert larger.state is not None
    assert larger.has_state_for(SIZE, 0.75)
    saved = larger.state.to_bytes()
    (expected,) = larger.mattes(second, 0.75)
    larger.load_state(saved)
    (actual,) = larger.mattes(second, 0.75)
    assert torch.equal(actual.offset, expected.offset)
    with pytest.raises(UnusableStateError):
        smaller.load_state(saved)


def test_it_takes_more_memory() -> None:
    needs = [
        RvmNetwork(MattingNetwork(variant)).for_inference(torch.float32, CPU).frame_bytes(SIZE, 0.5)
        for variant in (MOBILENETV3, RESNET50)
    ]
    assert needs[0] < needs[1]
