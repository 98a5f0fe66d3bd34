"""Whether a device computes in half precision what it computes in float32: some cards do not."""

from __future__ import annotations

import torch

from matting import steps
from matting.imaging.planes import Planes
from matting.imaging.sample_format import Coding
from model import MattingNetwork, State

SIDE_PX = 256
FRAMES = 2  # the second of which goes on from the first one's state
# Of the maps that alpha is made of, on average, in alphas: no rounding to fewer bits comes near.
LARGEST_DISTANCE = 0.2


@torch.inference_mode()
def computes_alike(half: MattingNetwork, exact: MattingNetwork, device: torch.device) -> bool:
    """Whether two arrangements of one network find about the same in a made-up picture.

    Some cards give no numbers at all for convolutions in fp16, and say nothing.

    Args:
        half, exact: on `device`, as `inference_network` gives them.
    """
    generator = torch.Generator().manual_seed(1)
    shape = (FRAMES, 3, SIDE_PX, SIDE_PX)
    samples = torch.randint(0, 256, shape, generator=generator).to(torch.uint8)
    frames = Planes(Coding(), samples.to(device)).split(1)
    found, expected = (_maps(network, frames) for network in (half, exact))
    distance = (found - expected).abs().mean()
    return bool(torch.isfinite(found).all()) and float(distance) <= LARGEST_DISTANCE


def _maps(network: MattingNetwork, frames: list[Planes]) -> torch.Tensor:
    """What the network finds in frames, one after the other."""
    state: State | None = None
    maps = []
    for frame in frames:
        decoded, state = steps.decode(network, steps.see(network, frame, 0.5), state)
        matte = steps.fit(network, decoded)
        maps += [matte.offset] if matte.slope is None else [matte.slope, matte.offset]
    return torch.cat(maps)
