"""A video through all four stages, with a network that gives every pixel the same alpha."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from benchmarks.checkpoints import write_constant_checkpoint
from matting.network_choice import SmallPeople
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

# The finest quality, so that the encoder's own loss stays far below the errors that are sought.
FINEST = {codec: EncodingOptions(codec, quality=0) for codec in VideoCodec}
BACKGROUND = (120, 255, 155)
# On pictures this small, the network takes as long for one frame as for a few.
CHUNK_FRAMES = 6
SEGMENT_SECONDS = Fraction(1, 2)


class MessageRecorder(Progress):
    """Keep the stages' messages."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


@dataclass(frozen=True)
class Delivered:
    """The final file, and the messages on the way."""

    final: Path
    said: str


class Networks:
    """The two stand-in networks, each written when it is first asked for.

    Attributes:
        folder: holds them, and what else is made once for many rows.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def opaque(self) -> Path:
        """Weights that make everything foreground, and the foreground the source."""
        return self._checkpoint("opaque.pth", 1.0)

    @property
    def empty(self) -> Path:
        """Weights that make nothing foreground."""
        return self._checkpoint("empty.pth", 0.0)

    def _checkpoint(self, name: str, alpha: float) -> Path:
        path = self.folder / name
        return path if path.is_file() else write_constant_checkpoint(path, alpha)


def run_all_stages(
    video: Path,
    checkpoint: Path,
    *,
    background: tuple[int, int, int] = BACKGROUND,
    seconds: Fraction = SEGMENT_SECONDS,
    ratio: float = 1.0,
    codec: VideoCodec = VideoCodec.HEVC,
    small_people: SmallPeople = SmallPeople.OFF,
) -> Delivered:
    """Segment, matte and combine `video`, and add its audio.

    Args:
        small_people: AUTO: the network sees all of a small picture a second time, larger. That
            takes more time than all the rest.
    Raises:
        MattingError: a stage refused.
    """
    options = MattingOptions(
        matte=MatteOptions(checkpoint, ratio=ratio, small_people=small_people),
        output=OutputOptions(background=background, encoding=FINEST[codec]),
        compute=ComputeOptions("cpu", isolated=False, largest_chunk=CHUNK_FRAMES),
    )
    progress = MessageRecorder()
    final = run(video, CuttingOptions(seconds=seconds), options, None, progress)
    return Delivered(final, "\n".join(progress.said))
