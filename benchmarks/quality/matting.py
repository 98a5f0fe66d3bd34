"""A clip matted by the program itself: cut, matted, and the stored matte read back."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.quality.clips import RGB8, Clip, read
from matting.imaging.colour_conversion import convert_planes
from matting.imaging.matte_planes import MAX_ALPHA, MattePlanes
from matting.imaging.planes import Planes
from matting.imaging.stored_compositor import straight_foreground
from matting.infer import infer
from matting.media.matte_file import MatteFile
from matting.options import CuttingOptions, MattingOptions, OutputKind
from matting.progress import Progress
from matting.project.job_signs import JobSigns
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.segment import segment

SEGMENT_SECONDS = Fraction(60)


@dataclass(frozen=True)
class Matted:
    """What the program made of a clip.

    Attributes:
        alpha: [T, H, W], float32, in [0, 1].
        foreground: [T, 3, H, W], uint8, not multiplied by alpha, as delivered formats show it;
            the source itself where alpha is 0.
        seconds: that `infer` took, with its start.
        cpu_seconds: of the processor that it took: other work on the machine hardly changes them.
        said: what it told the user.
        signs: what it saw of how wrong the mattes may be.
    """

    alpha: Tensor
    foreground: Tensor
    seconds: float
    cpu_seconds: float
    said: str
    signs: JobSigns


class _Recorder(Progress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def matte_clip(
    clip: Clip, options: MattingOptions, segment_seconds: Fraction = SEGMENT_SECONDS
) -> Matted:
    """Cut and matte a clip in a temporary folder, and read its stored matte.

    Args:
        options: what it is matted by. Nothing but the matte is written.
        segment_seconds: the length to cut at.
    Raises:
        MattingError: the program refused.
    """
    progress = _Recorder()
    output = replace(options.output, kinds=(), keep_matte=True)
    compute = replace(options.compute, isolated=False)
    options = replace(options, output=output, compute=compute)
    with tempfile.TemporaryDirectory(prefix="quality_") as name:
        cutting = CuttingOptions(seconds=segment_seconds)
        segments = segment(clip.video, cutting, Path(name), progress)
        started, cpu_started = time.monotonic(), time.process_time()
        folder = infer(segments, options, None, progress)
        seconds = time.monotonic() - started
        cpu_seconds = time.process_time() - cpu_started
        alphas, foregrounds = [], []
        for source, matte in zip(read(clip.video), stored_mattes(folder), strict=True):
            alphas.append(matte.alpha[:, 0].float() / MAX_ALPHA)
            foregrounds.append(shown_foreground(source, matte))
        signs = JobSigns.read(Ledger(folder))
    said = "\n".join(progress.said)
    return Matted(torch.cat(alphas), torch.cat(foregrounds), seconds, cpu_seconds, said, signs)


def stored_mattes(folder: MattedFolder) -> Iterator[MattePlanes]:
    """Yield the stored matte of each frame of a job, over all its segments in order."""
    ledger = Ledger(folder)
    for name in ledger.names:
        path = ledger.output(name, OutputKind.MATTE)
        if path is None:
            raise ValueError(f"{name} has no stored matte")
        for chunk in MatteFile.open(path).chunks(1):
            yield chunk.matte


def shown_foreground(source: Planes, matte: MattePlanes) -> Tensor:
    """Return the straight foreground, R'G'B' [T, 3, H, W], uint8: the source where alpha is 0."""
    straight = straight_foreground(source, matte, RGB8).luma_or_rgb
    own = convert_planes(source, RGB8).luma_or_rgb
    return torch.where(matte.alpha.int() > 0, straight, own)
