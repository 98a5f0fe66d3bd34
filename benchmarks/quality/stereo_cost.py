"""What the network takes for both eyes: as one picture, one after the other, or as a batch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.quality.stereo_fusion import estimate_disparities
from benchmarks.results import table
from benchmarks.seconds import Seconds
from matting.imaging.sample_format import Size
from matting.inference.rvm import RvmNetwork
from matting.inference.session import automatic_ratio
from matting.network_choice import Subject
from model import MattingNetwork, State, optimise_for_inference

EYE = Size(1280, 720)  # its small copy is that of 1920x1080, too
TRIES, FRAMES = 3, 2  # the least of so many tries of so many frames, after one frame more
HEAD = ("one picture", "one eye after the other", "as a batch of two", "finding disparities")
ABOUT = (
    "Seconds of the processor for both eyes of a frame, one thread, {width}x{height} each, as "
    "1280x720 and 1920x1080 are seen: what the network takes, and what finding disparities "
    f"does, by blocks. Of {FRAMES} frames, the least of {TRIES} tries, the ways in turns. What is "
    "done at full size is the same in all."
)


def cost_table(network: RvmNetwork) -> str:
    """Return a table of what the ways take."""
    own = optimise_for_inference(network.network, torch.float32)
    ratio = automatic_ratio(EYE, Subject.FULL_BODY)
    small = Size(int(EYE.width * ratio), int(EYE.height * ratio))
    pictures = _pictures(small)
    ways = [_work(own, given) for given in pictures]
    ways.append(_search(*(picture[0] for picture in pictures[1])))
    tries: list[list[Seconds]] = [[] for _ in ways]
    for _ in range(TRIES):
        for way, taken in zip(ways, tries, strict=True):
            taken.append(Seconds.of(way))
    seconds = [f"{Seconds.least(taken).cpu / FRAMES:.3f}" for taken in tries]
    about = ABOUT.format(width=small.width, height=small.height)
    return f"{about}\n\n{table(HEAD, [seconds])}"


def _pictures(small: Size) -> list[list[Tensor]]:
    """Return what is given to the network at once, of both eyes, in each way."""
    eyes = torch.rand(2, 3, small.height, small.width, generator=torch.Generator().manual_seed(1))
    return [[torch.cat((eyes[:1], eyes[1:]), 3)], [eyes[:1], eyes[1:]], [eyes]]


def _work(network: MattingNetwork, pictures: list[Tensor]) -> Callable[[], None]:
    states: list[State | None] = [None] * len(pictures)

    @torch.inference_mode()
    def work() -> None:
        for _ in range(FRAMES):
            for place, picture in enumerate(pictures):
                _, _, states[place] = network.run_small(picture, states[place], 1, refine=True)

    work()  # the first has to make room
    return work


def _search(left: Tensor, right: Tensor) -> Callable[[], None]:
    def search() -> None:
        for _ in range(FRAMES):
            estimate_disparities(left, right)

    return search
