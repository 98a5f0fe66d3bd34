"""Generated training clips without end, each drawn from its own number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from demo.film import TRAINING_SEEDS, Film

Clips = tuple[Tensor, Tensor, Tensor]  # rgb, foreground [B, T, 3, H, W], alpha [B, T, 1, H, W]


@dataclass(frozen=True)
class Cut:
    """What clips are like.

    Attributes:
        batch, frames: how many films in one, and of how many frames.
        size: height and width in px.
        whole: height in px of the picture that it is cut out of: at least, at most.
    """

    batch: int
    frames: int
    size: tuple[int, int]
    whole: tuple[int, int]


class Clip(Dataset[Clips]):
    """The clips of one cut, by number; equal numbers and seeds give equal clips."""

    def __init__(self, cut: Cut, seed: int, start: int) -> None:
        self.cut, self.seed, self.start = cut, seed, start

    def __len__(self) -> int:
        return 1_000_000

    def __getitem__(self, index: int) -> Clips:
        """Draw a clip: `batch` films, float32 in [0, 1]."""
        rng = np.random.default_rng((self.seed, self.start + index))
        films = [self._film(rng) for _ in range(self.cut.batch)]
        rgb, fgr, pha = (torch.stack(parts) for parts in zip(*films, strict=True))
        noise = rgb.new_tensor(rng.uniform(0, 0.02, (len(films), 1, 1, 1, 1)))
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        rgb = rgb + noise * torch.randn(rgb.shape, generator=generator)
        return rgb.clamp(0, 1), fgr, pha

    def _film(self, rng: np.random.Generator) -> Clips:
        high, wide = self.cut.size
        whole_high = max(int(rng.integers(*self.cut.whole)), high)
        whole_wide = max(whole_high * 16 // 9, wide)
        left = int((whole_wide - wide) * np.clip(rng.uniform(-0.1, 1.1), 0, 1))
        top = int((whole_high - high) * np.clip(rng.uniform(-0.1, 1.1), 0, 1))
        frames = self.cut.frames
        film = Film(
            int(rng.integers(TRAINING_SEEDS.start, TRAINING_SEEDS.stop)),
            whole_wide,
            whole_high,
            frames,
            int(rng.choice((24, 30, 60))),
            window=(left, top, wide, high),
            cuts=(int(rng.integers(1, frames)),) if rng.random() < 0.15 else (),
            flashes=(int(rng.integers(frames)),) if rng.random() < 0.2 else (),
        )
        return clip(film)


def clip(film: Film) -> Clips:
    """Return a whole film as tensors [T, C, H, W], float32 in [0, 1]."""
    frames = list(film)
    rgb = torch.from_numpy(np.stack([frame.rgb for frame in frames])).float() / 255
    fgr = torch.from_numpy(np.stack([frame.foreground for frame in frames]))
    return rgb, fgr, torch.from_numpy(np.stack([frame.alpha for frame in frames]))
