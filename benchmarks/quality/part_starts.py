"""Starts of shots: the state carried over a cut, reset there, or run up backwards; and false cuts.

The clips follow each other with hard cuts. The network's steps are those of the program; only what
state a shot begins with is varied, so that features are extracted once for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from benchmarks.quality.bench import Bench
from benchmarks.quality.clips import Clip, read
from benchmarks.quality.metrics import frame_mad, mean
from benchmarks.results import table
from matting.imaging.compositor import Matte, render
from matting.imaging.frame_parts import FrameParts
from matting.imaging.matte_planes import ALPHA_FORMAT, MAX_ALPHA
from matting.inference.base import FrameFeatures, RecurrentState
from matting.inference.run_up import FeatureBatch, RunUp
from matting.inference.session import MattingSession, automatic_ratio
from matting.inference.weights import find_checkpoint, load_checkpoint
from matting.network_choice import RUN_UP_FRAMES
from matting.options import MattingOptions, OutputKind
from matting.progress import Progress
from matting.system.device import choose_device

TITLE = "Starts of shots"
AT = (0, 1, 3, 7)  # frames of a shot
STARTS = ("carried", "reset", "run up")
FALSE_CUTS, SEED = 4, 21  # of each clip, at random frames
AFTER = 12  # frames after a false cut that are compared
ABOUT = (
    "MAD x 1e3 of frame 0, 1, 3 and 7 of a clip that follows another with a hard cut: the "
    "network's state carried over the cut (as with `--shots off`), reset there (as at a video's "
    f"start with `--shots off`), or run up (`--shots auto`: frames {RUN_UP_FRAMES} to 1 backwards, "
    "then forwards). All: the mean over the clip."
)
ABOUT_FALSE = (
    f"False cuts, forced at {FALSE_CUTS} random frames of each clip, each of which runs up the "
    f"rest as if it were another shot: MAD x 1e3 of the cut's own frame and of the {AFTER} from it "
    "on, without and with the cut, and how much worse it makes any of these frames at the most."
)
NO_CLIPS = "The true clips are not there."


@dataclass(frozen=True)
class ClipSteps:
    """A clip whose frames have gone through the first step."""

    clip: Clip
    features: Sequence[FrameParts[FrameFeatures]]
    truth: Tensor

    @classmethod
    def of(cls, clip: Clip, session: MattingSession, options: MattingOptions) -> ClipSteps:
        """Extract the features of all frames."""
        ratio = options.matte.ratio or automatic_ratio(clip.size, options.matte.subject)
        features = [f for p in read(clip.video) for f in session.extract_features(p, ratio)]
        return cls(clip, features, clip.alpha)

    def errors(
        self, session: MattingSession, state: RecurrentState | None, frames: int | None = None
    ) -> list[float]:
        """Return the MAD of the first frames, x 1e3, after frames that left `state`."""
        session.state = state
        return [
            self._error(index, session.fit_guided_filter(session.run_recurrent([features])))
            for index, features in enumerate(self.features[:frames])
        ]

    def run_up_errors(
        self, session: MattingSession, start: int = 0, stop: int | None = None
    ) -> list[float]:
        """Return the MAD of frames, x 1e3, where a shot starts with frame `start`."""
        run_up, errors = RunUp(session), list[float]()
        run_up.begin(starts_shot=True)
        last = len(self.features) if stop is None else stop
        for index, features in enumerate(self.features[start:], start):
            batch = FeatureBatch([features], (index,))
            for output in run_up.feed(batch):
                matte = session.fit_guided_filter(output.parts)
                errors.append(self._error(output.pts[0], matte))
            if start + len(errors) >= last:
                break
        for output in run_up.end():
            errors.append(self._error(output.pts[0], session.fit_guided_filter(output.parts)))
        return errors[: last - start]

    def _error(self, index: int, mattes: Sequence[FrameParts[Matte]]) -> float:
        return frame_mad(alpha_of(mattes[0].whole), self.truth[index : index + 1])[0]


def run(bench: Bench) -> str:
    """Measure all clips, each after the one before it."""
    options = bench.options
    network = load_checkpoint(find_checkpoint(options.matte.checkpoint, Progress())).network
    device = choose_device(options.compute.device)
    session = MattingSession(network, device, options.matte.precision, largest_chunk=1)
    clips = list(bench.truth())
    if not clips:
        return NO_CLIPS
    session.reset()
    ClipSteps.of(clips[-1], session, options).errors(session, None)  # the first follows the last
    before, random = session.state, Random(SEED)
    starts: list[list[float]] = []
    false: list[list[float]] = []
    for clip in clips:
        steps = ClipSteps.of(clip, session, options)
        carried = steps.errors(session, before)
        before = session.state
        reset, run_up = steps.errors(session, None), steps.run_up_errors(session)
        passes = (carried, reset, run_up)
        starts.append([*(e[at] for e in passes for at in AT), *map(mean, passes)])
        false.append(_false_cuts(steps, session, run_up, random))
        print(clip.name, *(f"{v:.2f}" for v in [*starts[-1], *false[-1]]), flush=True)
    head = [f"{name} {at}" for name in STARTS for at in AT] + [f"{name}, all" for name in STARTS]
    first = _table(clips, head, starts, [mean(column) for column in zip(*starts, strict=True)])
    totals = [*(mean(column) for column in list(zip(*false, strict=True))[:4])]
    worst = max(row[4] for row in false)
    false_head = ["uncut, its frame", "cut", "uncut, after it", "cut", "most that a frame worsens"]
    second = _table(clips, false_head, false, [*totals, worst])
    return f"{ABOUT}\n\n{first}\n{ABOUT_FALSE}\n\n{second}"


def alpha_of(matte: Matte) -> Tensor:
    """Return a matte's alpha, [T, H, W], float32, in [0, 1], on the CPU."""
    planes = render(matte, {OutputKind.ALPHA: ALPHA_FORMAT}, (0, 0, 0))[OutputKind.ALPHA]
    return planes.luma_or_rgb[:, 0].cpu().int().float() / MAX_ALPHA


def _false_cuts(
    steps: ClipSteps, session: MattingSession, uncut: Sequence[float], random: Random
) -> list[float]:
    """Return figures for false cuts: two means for their frames, two for those after; the worst."""
    frames = len(steps.features)
    figures, worst = [], -torch.inf
    for cut in random.sample(range(1, frames), FALSE_CUTS):
        stop = min(frames, cut + AFTER)
        errors, before = steps.run_up_errors(session, cut, stop), uncut[cut:stop]
        figures.append([before[0], errors[0], mean(before), mean(errors)])
        worst = max(worst, *(b - a for a, b in zip(before, errors, strict=True)))
    return [*(mean(column) for column in zip(*figures, strict=True)), worst]


def _table(
    clips: Sequence[Clip],
    head: Sequence[str],
    figures: Sequence[Sequence[float]],
    total: Sequence[float],
) -> str:
    named = zip([*(clip.name for clip in clips), "mean"], [*figures, total], strict=True)
    return table(["clip", *head], [[name, *(f"{v:.2f}" for v in row)] for name, row in named])
