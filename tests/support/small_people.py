"""Small pictures of small people, matted with a second pass by a network that finds the bright."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from matting.imaging.matte_planes import MAX_ALPHA, MattePlanes, concatenate_mattes
from matting.imaging.matte_renderer import render_planes
from matting.imaging.planes import Planes
from matting.imaging.sample_format import Size
from matting.inference.base import RecurrentOutput
from matting.inference.session import MattingSession
from matting.options import Precision
from tests.support.brightness_network import BrightnessInference, BrightnessNetwork

CPU = torch.device("cpu")
SIZE = Size(320, 180)
RATIO = 0.25
DARKER = 45 / 255  # than any backdrop but a light one
LIGHT_BACKDROP = 50  # nobody is seen in it by the first pass
Place = tuple[int, int, tuple[int, ...]]
Found = tuple[Tensor, list[tuple[Place, Tensor]]]


class VeiledInference(BrightnessInference):
    """A network whose windows are veiled, wherever there is nobody, before a light backdrop."""

    def __init__(self, veil: float) -> None:
        super().__init__()
        self._veil = veil

    def coarse_alpha(self, output: RecurrentOutput) -> Tensor:
        alpha = super().coarse_alpha(output)
        if output.ratio == RATIO:
            return alpha
        is_light = output.tensors[0].amin((1, 2)) > DARKER
        return torch.maximum(alpha, self._veil * is_light[:, None, None, None])


class VeiledNetwork(BrightnessNetwork):
    def __init__(self, veil: float) -> None:
        self.at_work = VeiledInference(veil)


def session_of(network: BrightnessNetwork, chunk: int = 1) -> MattingSession:
    return MattingSession(network, CPU, Precision.FP32, chunk, small_people=True)


def matted(session: MattingSession, frames: Planes) -> MattePlanes:
    return concatenate_mattes([render_planes(m) for m in session.mattes(frames, RATIO)])


def matted_once(frames: Planes) -> MattePlanes:
    return matted(MattingSession(BrightnessNetwork(), CPU, Precision.FP32), frames)


def found(session: MattingSession, frames: Planes) -> list[Found]:
    """Return each frame's offset, and of each of its crops that counts where it is, and its own."""
    mattes = [one for matte in session.mattes(frames, RATIO) for one in matte.split(1)]
    return [
        (
            m.offset,
            [((c.left, c.top, c.shares), c.content.offset) for c in m.crops if any(c.shares)],
        )
        for m in mattes
    ]


def assert_same_found(parts: Sequence[Found], expected: Sequence[Found]) -> None:
    for (offset, crops), (other, others) in zip(parts, expected, strict=True):
        assert torch.equal(offset, other)
        assert [place for place, _ in crops] == [place for place, _ in others]
        for (_, part), (_, other_part) in zip(crops, others, strict=True):
            assert torch.equal(part, other_part)


def found_in_runs(
    network: BrightnessNetwork, frames: Planes, lengths: Sequence[int], chunk: int
) -> list[Found]:
    """Return what is found by several runs, each of which goes on from what the last one saved."""
    parts: list[Found] = []
    state, first = b"", 0
    for length in lengths:
        session = session_of(network, chunk)
        if state:
            session.load_state(state)
        parts += found(session, frames.between(first, first + length))
        assert session.state is not None
        state, first = session.state.to_bytes(), first + length
    return parts


def errors(matte: MattePlanes, frames: Planes) -> list[float]:
    """Return the mean difference of alpha from what is bright, of each frame."""
    truth = (frames.luma_or_rgb[:, :1] > 128).float()
    return (matte.alpha.int() / MAX_ALPHA - truth).abs().mean((1, 2, 3)).tolist()


def error(matte: MattePlanes, frames: Planes) -> float:
    return sum(errors(matte, frames)) / len(frames)


def same(one: MattePlanes, other: MattePlanes) -> bool:
    pairs = ((one.alpha, other.alpha), (one.luma_or_rgb, other.luma_or_rgb))
    return all(torch.equal(a, b) for a, b in pairs)
