"""Train the network from random weights on generated films: `python -m demo.training.train`.

The result knows generated puppets and nothing else: it is useless on real people.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

from demo.film import Film
from demo.training.data import Clip, Clips, Cut, clip
from demo.training.losses import losses
from model import MattingNetwork, State

VALIDATION_SEEDS = range(3_000, 3_004)
CHUNK_FRAMES = 4  # in one optimiser step; the state is carried from chunk to chunk
EMA = 0.99  # decay of the averaged weights


@dataclass(frozen=True)
class Stage:
    """A part of the training.

    Attributes:
        until: the share of the whole training at which it ends.
        cuts: used in turn, each with its downsample ratio.
        normalise: batch norm uses the batch; otherwise the running statistics.
    """

    until: float
    cuts: tuple[tuple[Cut, float], ...]
    normalise: bool


STAGES = (
    Stage(0.30, ((Cut(4, 3, (96, 112), (110, 240)), 1.0),), True),
    Stage(0.50, ((Cut(3, 4, (112, 128), (140, 320)), 1.0),), True),
    Stage(0.75, ((Cut(2, 8, (128, 160), (160, 320)), 1.0),), False),
    Stage(
        1.0,
        (
            (Cut(1, 8, (384, 512), (540, 800)), 0.375),
            (Cut(1, 12, (270, 480), (270, 288)), 1.0),
            (Cut(2, 8, (256, 320), (400, 700)), 0.5),
        ),
        False,
    ),
)


def predict(
    net: MattingNetwork, src: Tensor, rec: State | None, ratio: float
) -> tuple[Tensor, Tensor, Tensor, State]:
    """Run the network's forward pass without clamping, and with `project_seg`.

    Args:
        src: [B, T, 3, H, W] in [0, 1].
    Returns:
        fgr [B, T, 3, H, W], pha [B, T, 1, H, W], segmentation logits [B, T, 1, h, w], and the
        states.
    """
    frames, flat = src.shape[1], src.flatten(0, 1)
    src_sm = flat
    if ratio != 1:
        src_sm = F.interpolate(
            flat, scale_factor=ratio, mode="bilinear", recompute_scale_factor=False
        )
    hid, rec = net.run_recurrent(src_sm, net.extract_features(src_sm), rec, frames)
    y = net.project_mat(hid)
    if ratio != 1:
        y = net.refiner.apply_to(flat, *net.refiner.fit(src_sm, y, hid))
    residual, pha = y.split((3, 1), 1)
    fgr, pha, segmentation = (
        x.unflatten(0, (-1, frames)) for x in (residual + flat, pha, net.project_seg(hid))
    )
    return fgr, pha, segmentation, rec


def new_network(seed: int) -> MattingNetwork:
    """Return a network with random weights, whose guided filter starts as a plain one."""
    torch.manual_seed(seed)
    net = MattingNetwork()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.05
    refine = net.refiner.conv[-1]
    assert isinstance(refine, nn.Conv2d)
    with torch.no_grad():
        net.refiner.box_filter.weight.fill_(1 / 9)
        refine.weight.mul_(0.2)
        assert net.project_mat.conv.bias is not None
        net.project_mat.conv.bias[3] = 0.3
    return net.to(memory_format=torch.channels_last)


def learning_rate(peak: float, share: float) -> float:
    """Return the rate at a share of the training: a short rise, then a half cosine to 1 % of it."""
    rise = min(1.0, (share + 0.002) / 0.03)
    return peak * rise * (0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * share)))


class Training:
    """A training: the network, its averaged weights, the optimiser, and how far it has come."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.net = new_network(options.seed)
        self.averaged = deepcopy(self.net).eval()
        self.optimiser = torch.optim.AdamW(self.net.parameters(), options.rate, weight_decay=1e-4)
        self.start = time.monotonic()
        self.steps = 0
        self.validation = [clip(Film(seed, 480, 270, 8, cuts=(5,))) for seed in VALIDATION_SEEDS]

    @property
    def seconds(self) -> float:
        """The time since the start."""
        return time.monotonic() - self.start

    @property
    def share(self) -> float:
        """The share of the training that is done, 0 to 1."""
        if self.options.steps is not None:
            return float(self.steps / self.options.steps)
        return float(self.seconds / (60 * self.options.minutes))

    def run(self) -> None:
        """Run all stages."""
        last_line = last_check = self.seconds
        for number, stage in enumerate(STAGES):
            self._enter(stage)
            batches = self._batches(number, stage)
            while self.share < min(stage.until, 1):
                clips, ratio = next(batches)
                text = self._learn(clips, ratio)
                if self.seconds - last_line > 60:
                    last_line = self.seconds
                    print(f"{self._clock()} stage {number} {text}", flush=True)
                if self.seconds - last_check > 60 * self.options.validate_minutes:
                    last_check = self.seconds
                    self.check()
            self.check()

    def check(self) -> None:
        """Save the averaged weights, and print their errors in evaluation mode on whole frames."""
        save(self.averaged, self.options.output)
        errors = [validate(self.averaged, film) for film in self.validation]
        alpha = sum(errors) / len(errors)
        worst = max(errors)
        print(f"{self._clock()} validation alpha error {alpha:.4f} worst {worst:.4f}", flush=True)

    def _enter(self, stage: Stage) -> None:
        self.net.train()
        for name, module in self.net.named_modules():
            if isinstance(module, nn.BatchNorm2d) and not name.startswith("refiner"):
                module.train(stage.normalise)

    def _batches(self, number: int, stage: Stage) -> Iterator[tuple[Clips, float]]:
        """Yield clips of the stage's cuts in turn."""
        start = number * 1_000_000_000
        loaders = []
        for index, (cut, ratio) in enumerate(stage.cuts):
            data = Clip(cut, self.options.seed, start + index * 100_000_000)
            loader = DataLoader(data, batch_size=None, num_workers=1, prefetch_factor=4)
            loaders.append((iter(loader), ratio))
        while True:
            for loader_clips, ratio in loaders:
                yield next(loader_clips), ratio

    def _learn(self, clips: Clips, ratio: float) -> str:
        """Take an optimiser step for each chunk of frames, carrying the state over."""
        rec: State | None = None
        text = ""
        for rgb, true_fgr, true_pha in zip(*(x.split(CHUNK_FRAMES, 1) for x in clips), strict=True):
            rate = learning_rate(self.options.rate, self.share)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            fgr, pha, segmentation, rec = predict(self.net, rgb, rec, ratio)
            parts = losses(fgr, pha, segmentation, true_fgr, true_pha)
            total = parts.total()
            self.optimiser.zero_grad()
            total.backward()
            nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
            self.optimiser.step()
            self._average()
            r1, r2, r3, r4 = (r.detach() for r in rec)
            rec = r1, r2, r3, r4
            self.steps += 1
            text = f"loss {total.item():.4f} alpha {parts.alpha.item():.4f} rate {rate:.1e}"
        return text

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(EMA, self.steps / (self.steps + 10))
        for old, new in zip(self.averaged.parameters(), self.net.parameters(), strict=True):
            old.lerp_(new, 1 - decay)
        for target, source in zip(self.averaged.buffers(), self.net.buffers(), strict=True):
            target.copy_(source)

    def _clock(self) -> str:
        return f"{self.seconds / 60:5.1f} min step {self.steps:5d}"


@torch.no_grad()
def validate(net: MattingNetwork, film: Clips) -> float:
    """Return the mean absolute alpha error over a film, frame by frame with the state carried."""
    rgb, _, true_pha = film
    rec: State | None = None
    error = 0.0
    for frame, truth in zip(rgb.split(1), true_pha.split(1), strict=True):
        _, pha, rec = net(frame, rec)
        error += float((pha - truth).abs().mean())
    return error / len(rgb)


def save(net: MattingNetwork, path: Path) -> None:
    """Write the weights in half precision (integers stay), under a temporary name first."""
    state = {
        name: (value.half() if value.is_floating_point() else value).contiguous().clone()
        for name, value in net.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    temporary.replace(path)


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the options; the checkpoint in `demo/` was made with their defaults."""
    parser = argparse.ArgumentParser(prog="python -m demo.training.train", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("demo/demo_checkpoint.pth"))
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=84.0, help="of wall-clock time")
    parser.add_argument("--steps", type=int, help="end after so many steps instead")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="peak learning rate")
    parser.add_argument("--validate-minutes", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args(argv)


def main() -> None:
    """Train and save."""
    options = parse()
    torch.set_num_threads(options.threads)
    print(f"seed {options.seed}, {options.threads} threads, torch {torch.__version__}", flush=True)
    with suppress(KeyboardInterrupt):
        Training(options).run()


if __name__ == "__main__":
    main()
