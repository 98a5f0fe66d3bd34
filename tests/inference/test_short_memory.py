"""Where memory is short, fewer frames are computed at once, with the same results."""

from __future__ import annotations

from pathlib import Path

import torch

from matting.errors import OutOfMemoryError
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.inference.base import (
    FrameFeatures,
    InferenceNetwork,
    RecurrentOutput,
    RecurrentState,
    TrainedNetwork,
)
from matting.inference.rvm import RvmInference, RvmNetwork, RvmState
from matting.inference.session import MattingSession
from matting.inference.weights import load_checkpoint
from matting.options import OutputKind, Precision
from model import optimise_for_inference
from tests.support.stages import matte_and_render

CPU = torch.device("cpu")
FORMATS = {OutputKind.COMPOSITE: SampleFormat(), OutputKind.ALPHA: SampleFormat()}
GREEN = (120, 255, 155)


class ThreeFramesAtMost(RvmInference):
    """A network that takes three frames at once, and finds out only when it is through."""

    refused = 0

    def run_recurrent(
        self, features: FrameFeatures, state: RecurrentState | None
    ) -> tuple[RecurrentOutput, RecurrentState]:
        result = super().run_recurrent(features, state)
        if len(features) > 3:
            self.refused += 1
            raise OutOfMemoryError("There is too little memory.")
        return result


class OnDevice(TrainedNetwork):
    """A network that is what it is asked for already."""

    def __init__(self, network: InferenceNetwork) -> None:
        self._network = network

    def for_inference(self, dtype: torch.dtype, device: torch.device) -> InferenceNetwork:
        assert (dtype, device) == (torch.float32, CPU)
        return self._network


def test_short_memory_makes_smaller_chunks(random_checkpoint: Path) -> None:
    network = load_checkpoint(random_checkpoint).network
    assert isinstance(network, RvmNetwork)
    short = ThreeFramesAtMost(optimise_for_inference(network.network, torch.float32), CPU)
    rgb = Planes(SampleFormat(), torch.randint(0, 256, (8, 3, 48, 64)).to(torch.uint8))
    plain = MattingSession(network, CPU, Precision.FP32, 8)
    expected = matte_and_render(plain, rgb, 0.5, FORMATS, GREEN)
    session = MattingSession(OnDevice(short), CPU, Precision.FP32, 8)
    pictures = matte_and_render(session, rgb, 0.5, FORMATS, GREEN)
    assert short.refused == 2  # of 8 and of 4 frames; never again
    for kind in FORMATS:
        difference = pictures[kind].luma_or_rgb.int() - expected[kind].luma_or_rgb.int()
        assert difference.abs().max() <= 1
    states = [each.state.parts[0].main for each in (session, plain) if each.state is not None]
    tensors = [state.tensors for state in states if isinstance(state, RvmState)]
    for mine, theirs in zip(*tensors, strict=True):
        assert (mine - theirs).abs().max() < 1e-5
