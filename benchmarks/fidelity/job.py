"""A video through all four stages, with a network that says the same of every pixel."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from benchmarks.checkpoints import write_constant_checkpoint
from matting.options import (
    ComputeOptions,
    CuttingOptions,
    EncodingOptions,
    MatteOptions,
    MattingOptions,
    OutputOptions,
    VideoCodec,
)
from matting.progress import Progress
from matting.run import run

# The encoder's finest, so that its own loss stays far below what is looked for.
FINEST = {codec: EncodingOptions(codec, quality=0) for codec in VideoCodec}
BACKGROUND = (120, 255, 155)
PIECE_SECONDS = Fraction(1, 2)


class Listener(Progress):
    """Keeps what the stages tell."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


@dataclass(frozen=True)
class Done:
    """The final file, and what was told on the way."""

    final: Path
    said: str


class Networks:
    """The two stand-in networks, each made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def opaque(self) -> Path:
        """By it everything is foreground, and the foreground is the source."""
        return self._made("opaque.pth", 1.0)

    @property
    def empty(self) -> Path:
        """By it nothing is foreground."""
        return self._made("empty.pth", 0.0)

    def _made(self, name: str, alpha: float) -> Path:
        path = self._folder / name
        return path if path.is_file() else write_constant_checkpoint(path, alpha)


def through_all_stages(
    video: Path,
    checkpoint: Path,
    *,
    background: tuple[int, int, int] = BACKGROUND,
    seconds: Fraction = PIECE_SECONDS,
    ratio: float = 1.0,
    codec: VideoCodec = VideoCodec.HEVC,
) -> Done:
    """Segments, mattes, combines `video`, and adds its sound.

    Raises:
        MattingError: a stage refused.
    """
    options = MattingOptions(
        matte=MatteOptions(checkpoint, ratio=ratio),
        output=OutputOptions(background=background, encoding=FINEST[codec]),
        compute=ComputeOptions("cpu", isolated=False),
    )
    listener = Listener()
    final = run(video, CuttingOptions(seconds=seconds), options, None, listener)
    return Done(final, "\n".join(listener.said))
