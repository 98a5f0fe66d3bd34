"""True clips made harder in some of their frames, or in all, in ways whose truth stays exact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.quality.clips import MAX_GREY, Clip
from benchmarks.quality.made_clips import write_video

GREATEST_SHAKE_PX, LEAST_SHAKE_PX = 8.0, 0.5


@dataclass
class _Frames:
    """Frames that are changed in place.

    Attributes:
        rgb: [T, 3, H, W], float32, 0..MAX_GREY.
        alpha: [T, H, W], float32, 0..MAX_GREY.
        generator: of all that is random.
    """

    rgb: Tensor
    alpha: Tensor
    generator: torch.Generator

    def whole(self, low: int, high: int) -> int:
        """Return a random number, below `high`."""
        return int(torch.randint(low, high, (1,), generator=self.generator))

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.generator)


def disturbed(folder: Path, clip: Clip, kind: str, seed: int) -> Clip:
    """Return a clip that is disturbed.

    Args:
        folder: where the file is put.
        kind: one of DISTURBANCES.
        seed: decides when and how much.
    """
    generator = torch.Generator().manual_seed(seed)
    frames = _Frames(clip.rgb().float(), clip.alpha_codes.float(), generator)
    DISTURBANCES[kind](frames)
    rgb, alpha = (x.clamp(0, MAX_GREY).round().to(torch.uint8) for x in (frames.rgb, frames.alpha))
    video = write_video(folder / f"{clip.video.stem}_{kind}.mp4", rgb)
    return Clip(f"{clip.name}, {kind}", video, alpha)


def _dark(frames: _Frames) -> None:
    """Have little light, and the noise of that."""
    frames.rgb.mul_(0.25).add_(frames.normal(*frames.rgb.shape) * 4)


def _flashes(frames: _Frames) -> None:
    for first, last in ((8, 14), (24, 40)):
        start = frames.whole(first, last)
        for frame in range(start, start + frames.whole(1, 4)):
            frames.rgb[frame] += (MAX_GREY - frames.rgb[frame]) * 0.7


def _passing(frames: _Frames) -> None:
    """Have something of one colour pass before the camera, half as wide as the picture."""
    count, first = frames.whole(6, 12), frames.whole(6, 20)
    width = frames.rgb.shape[3]
    colour = torch.tensor([frames.whole(0, 200) for _ in range(3)]).view(3, 1, 1)
    for index in range(count):
        left = round(1.5 * width * (index + 0.5) / count - width / 2)
        columns = slice(max(0, left), max(0, left + width // 2))
        frames.rgb[first + index, :, :, columns] = colour.float()
        frames.alpha[first + index, :, columns] = 0


def _shaken(frames: _Frames) -> None:
    """Shake the camera in the middle third; what leaves the picture comes in opposite."""
    place, count = torch.zeros(2), len(frames.rgb)
    for frame in range(count):
        in_the_middle = count // 3 <= frame < 2 * count // 3
        place = place * 0.8 + frames.normal(2) * (
            GREATEST_SHAKE_PX if in_the_middle else LEAST_SHAKE_PX
        )
        shift = place.round().int().tolist()
        frames.rgb[frame] = frames.rgb[frame].roll(shift, (1, 2))
        frames.alpha[frame] = frames.alpha[frame].roll(shift, (0, 1))


def _blurred(frames: _Frames) -> None:
    """Blur eight frames along their rows, as a fast movement does."""
    first = frames.whole(8, 16)
    for frame in range(first, first + 8):
        width = frames.whole(5, 12) * 2 + 1
        layers = torch.cat((frames.rgb[frame], frames.alpha[frame][None]))[:, None]
        padded = F.pad(layers, (width // 2, width // 2, 0, 0), mode="replicate")
        layers = F.avg_pool2d(padded, (1, width), stride=1)[:, 0]
        frames.rgb[frame], frames.alpha[frame] = layers[:3], layers[3]


DISTURBANCES: dict[str, Callable[[_Frames], None]] = {
    "dark": _dark,
    "flashes": _flashes,
    "passing": _passing,
    "shaken": _shaken,
    "blurred": _blurred,
}
