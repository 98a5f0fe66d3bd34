"""What the network takes for both eyes: as one picture, one after the other, or as a batch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.results import table
from benchmarks.seconds import Seconds
from matting.imaging.sample_format import Size
from matting.inference.rvm import RvmNetwork
from matting.inference.session import automatic_ratio
from matting.network_choice import Subject
from model import MattingNetwork, State, optimise_for_inference

EYES = (Size(1280, 720), Size(1920, 1080))
TRIES, FRAMES = 3, 2  # the least of so many tries of so many frames, after one frame more
HEAD = ("one eye", "its small copy", "one picture", "one eye after the other", "as a batch of two")
ABOUT = (
    "Seconds of the processor that the network takes for both eyes of a frame, one thread, of "
    f"{FRAMES} frames with their state, the least of {TRIES} tries; the ways in turns. What is "
    "done at full size is the same in all."
)


def cost_table(network: RvmNetwork) -> str:
    """Return a table of what the ways take, at each size of an eye."""
    own = optimise_for_inference(network.network, torch.float32)
    rows = []
    for size in EYES:
        ratio = automatic_ratio(size, Subject.FULL_BODY)
        small = Size(int(size.width * ratio), int(size.height * ratio))
        ways = [_work(own, pictures) for pictures in _pictures(small)]
        tries: list[list[Seconds]] = [[] for _ in ways]
        for _ in range(TRIES):
            for way, taken in zip(ways, tries, strict=True):
                taken.append(Seconds.of(way))
        seconds = [Seconds.least(taken).cpu / FRAMES for taken in tries]
        named = (f"{s.width}x{s.height}" for s in (size, small))
        rows.append([*named, *(f"{value:.3f}" for value in seconds)])
    return f"{ABOUT}\n\n{table(HEAD, rows)}"


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
