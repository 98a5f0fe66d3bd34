"""Clips whose true alpha is known: files to be matted, and the truth beside them.

The true clips are people over known backgrounds, true by construction; `README.md` beside them says
where they come from. They are no part of this repository.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from matting.imaging.colour_conversion import convert_planes
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, Size
from matting.media.video_source import VideoSource

TRUTH = Path(os.environ.get("RVM_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "truth"
SMALL, HD = Size(512, 288), Size(1280, 720)  # the sizes of the true clips
RGB8 = SampleFormat()
MAX_GREY = 255


@dataclass(frozen=True)
class Clip:
    """A video with its truth.

    Attributes:
        name: for tables.
        video: the file that is matted.
        alpha_codes: the true alpha, [T, H, W], uint8.
        foreground: the true colours of who is in it, [T, 3, H, W], uint8, not multiplied by alpha;
            meaningless where alpha is 0. None: not known.
        cuts: the first frame of each shot but the first.
    """

    name: str
    video: Path
    alpha_codes: Tensor
    foreground: Tensor | None = None
    cuts: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.alpha_codes)

    @property
    def size(self) -> Size:
        return Size(self.alpha_codes.shape[2], self.alpha_codes.shape[1])

    @property
    def alpha(self) -> Tensor:
        """The true alpha, [T, H, W], float32, in [0, 1]."""
        return self.alpha_codes.float() / MAX_GREY

    def rgb(self) -> Tensor:
        """Return the frames, R'G'B' [T, 3, H, W], uint8, as they are decoded."""
        return read_rgb(self.video)


def truth_names(size: Size = SMALL) -> list[str]:
    """Return the names of the true clips of that size; none where the set is not there."""
    path = TRUTH / "clips.json"
    if not path.is_file():
        return []
    names = json.loads(path.read_text(encoding="utf-8"))
    return [name for name in names if _file(name, size, ".mp4").is_file()]


def true_clip(name: str, size: Size = SMALL) -> Clip:
    """Return one of the true clips; its foreground is known at the smaller size only."""
    foreground = _file(name, size, "_fgr.mp4")
    return Clip(
        name if size == SMALL else f"{name} {size.height}p",
        _file(name, size, ".mp4"),
        torch.cat([planes.luma_or_rgb[:, 0] for planes in read(_file(name, size, "_alpha.mkv"))]),
        read_rgb(foreground) if foreground.is_file() else None,
    )


def read(video: Path) -> Iterator[Planes]:
    """Yield a video's frames, one by one."""
    for chunk in VideoSource(video).chunks(1):
        yield chunk.pictures


def read_rgb(video: Path) -> Tensor:
    """Return all frames of a video in R'G'B', [T, 3, H, W], uint8."""
    return torch.cat([convert_planes(planes, RGB8).luma_or_rgb for planes in read(video)])


def _file(name: str, size: Size, ending: str) -> Path:
    return TRUTH / f"{name}_{size.width}x{size.height}{ending}"
