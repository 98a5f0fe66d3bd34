"""The second pass: the network again, on windows around people who are small in the picture.

At the size at which the first pass sees it, a person of a fifth of the picture's height is mostly
edge. On people with known alpha, seeing a window around them at a short side of 288 pixels took the
error to a third, for about a quarter more of the network's time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from math import ceil, floor, lcm

import torch
import torch.nn.functional as F

from matting.imaging.crops import WHOLE_SHARE, Crop
from matting.imaging.planes import Planes
from matting.inference.base import InferenceNetwork, RecurrentOutput, RecurrentState
from matting.inference.components import component_boxes
from matting.inference.crop_window import Box, CropWindow
from matting.inference.people_boxes import FADE_FRAMES, People, follow

BLOCK_PX = 4  # of the small copy: one pixel of the mask in which people are looked for
LEAST_ALPHA = 0.3  # the mean of a block in which somebody is
REPEATS = 4  # of the first frame of a window: what a state needs to settle on what it sees

States = Mapping[str, RecurrentState]


class SmallPeople:
    """Follows people who are small in the picture, and sees them again, larger."""

    def __init__(self, network: InferenceNetwork) -> None:
        self._network = network

    def run(
        self, output: RecurrentOutput, people: People | None, states: States
    ) -> tuple[RecurrentOutput, People, dict[str, RecurrentState]]:
        """Return the output with the crops of its frames, and what to remember.

        Args:
            output: of the first pass, for the frames after those that left `people`.
            people, states: what this returned then; None and nothing: there are no frames before.
        """
        source = output.source
        if people is not None and people.frame != source.size:
            people, states = None, {}
        unit = lcm(*source.sample_format.subsampling)
        before, timeline = people, []
        for seen in self._seen(output):
            people = follow(people, seen, source.size, output.ratio, unit)
            timeline.append(people)
        if people is None:
            raise ValueError("there are no frames")
        crops: list[Crop[RecurrentOutput]] = []
        after: dict[str, RecurrentState] = {}
        staying = {follower.key for follower in people.followers}
        for key in sorted({follower.key for each in timeline for follower in each.followers}):
            last = before.window(key) if before else None
            known = states.get(_name(key)) if last else None
            for crop, state in self._run_window(source, _stays(timeline, key), last, known):
                crops.append(crop)
                if key in staying:
                    after[_name(key)] = state
        return replace(output, crops=tuple(crops)), people, after

    def _run_window(
        self,
        source: Planes,
        stays: Iterable[tuple[CropWindow, int, tuple[int, ...]]],
        before: CropWindow | None,
        state: RecurrentState | None,
    ) -> Iterator[tuple[Crop[RecurrentOutput], RecurrentState]]:
        """Run the network over a window wherever it stays; yield crops, and the states after them.

        Args:
            before, state: where it was before the first frame, and what it left; None: it was not.
        """
        for window, first, shares in stays:
            part = source.between(first, first + len(shares))
            cropped = part.window(window.left, window.top, window.size)
            features = self._network.extract_features(cropped, window.ratio)
            if state is None or before is None or not state.fits(window.size, window.ratio):
                state = None
                for _ in range(REPEATS):
                    _, state = self._network.run_recurrent(features.between(0, 1), state)
            elif window != before:
                state = self._network.shift_state(state, *window.cells_from(before))
            output, state = self._network.run_recurrent(features, state)
            yield Crop(first, window.left, window.top, window.cell_px, shares, output), state
            before = window

    @torch.inference_mode()
    def _seen(self, output: RecurrentOutput) -> list[list[Box]]:
        """Return the boxes of what the first pass found in each frame."""
        alpha = self._network.coarse_alpha(output)
        means = F.avg_pool2d(alpha, BLOCK_PX, ceil_mode=True, count_include_pad=False)
        masks = (means[:, 0] > LEAST_ALPHA).cpu().numpy()
        size, block = output.source.size, BLOCK_PX / output.ratio
        return [
            [
                Box(
                    floor(box.left * block),
                    floor(box.top * block),
                    min(size.width, ceil(box.right * block)),
                    min(size.height, ceil(box.bottom * block)),
                )
                for box in component_boxes(mask)
            ]
            for mask in masks
        ]


def _stays(
    timeline: Sequence[People], key: int
) -> Iterator[tuple[CropWindow, int, tuple[int, ...]]]:
    """Yield where a window is, from which frame on, and how much it counts in each there."""
    found = []
    for index, people in enumerate(timeline):
        found += [(index, f) for f in people.followers if f.key == key]
    for window, group in groupby(found, key=lambda each: each[1].window):
        frames = list(group)
        shares = tuple(f.weight * WHOLE_SHARE // FADE_FRAMES for _, f in frames)
        yield window, frames[0][0], shares


def _name(key: int) -> str:
    """Return the name of a window's state."""
    return f"window {key}"
