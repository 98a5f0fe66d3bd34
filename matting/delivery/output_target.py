"""Where each output of a segment goes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from matting.delivery.formats import DELIVERED
from matting.options import OutputKind
from matting.project.inputs import Input
from matting.project.paths import MATTE_SUFFIX, MattedFolder

if TYPE_CHECKING:
    from matting.delivery.vr_plan import VrPlan


@dataclass(frozen=True)
class OutputTarget:
    """Where one output of a segment goes.

    Attributes:
        path: a video file, or a folder of pictures.
        pictures: whether it is a folder.
        first_frame: the number of a video's first picture; those of a sequence have names.
        only_frames: how many of the frames are written; None: all.
        vr: what it is like, if it is for headsets.
    """

    path: Path
    pictures: bool = False
    first_frame: int = 0
    only_frames: int | None = None
    vr: VrPlan | None = None


def target_of(
    item: Input,
    folder: MattedFolder,
    kind: OutputKind,
    rate: Fraction | None,
    only_frames: int | None = None,
) -> OutputTarget:
    """Return where the result of one output kind of `item` goes in `folder`.

    Args:
        rate: as for `Input.open`.
    """
    outputs = folder.output_folder(kind)
    if kind is OutputKind.MATTE:
        return OutputTarget(outputs / f"{item.stem}{MATTE_SUFFIX}")
    if kind.is_delivered and not DELIVERED[kind].pictures:
        return OutputTarget(outputs / f"{item.stem}{DELIVERED[kind].suffix}")
    if kind.is_delivered or kind == OutputKind.ALPHA_PNG or not item.gives_video(rate):
        return OutputTarget(outputs / item.stem, True, item.first_frame, only_frames)
    return OutputTarget(outputs / f"{item.stem}.mp4")
