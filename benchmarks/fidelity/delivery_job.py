"""A clip with soft alphas, delivered in every format: one job, from which all its rows are read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from benchmarks.checkpoints import write_varied_checkpoint
from benchmarks.fidelity.clip import FINE, H264, Clip, Tags
from benchmarks.fidelity.job import CHUNK_FRAMES, FINEST, SEGMENT_SECONDS, MessageRecorder
from benchmarks.fidelity.program import run_ffmpeg
from benchmarks.fidelity.reference import Plane
from matting.background import BackgroundFile
from matting.deliver import deliver
from matting.delivery.formats import FORMATS
from matting.errors import MissingError
from matting.imaging.matte_planes import MAX_ALPHA
from matting.infer import infer
from matting.media.matte_file import MatteFile
from matting.network_choice import Foreground, SmallPeople
from matting.options import (
    ComputeOptions,
    CuttingOptions,
    FormatName,
    MatteOptions,
    MattingOptions,
    OutputKind,
    OutputOptions,
    VideoCodec,
)
from matting.segment import segment

COLOUR = (120, 255, 155)
HEVC_444 = ("-c:v", "libx265", *FINE, "-x265-params", "log-level=none:keyint=15:min-keyint=15")
SOURCES = {
    "8 bits, 4:2:0": Clip(video=H264, frames=18),
    "10 bits, 4:4:4, VFR, rotated, 63x95": Clip(
        "mov",
        video=HEVC_444,
        pixel_format="yuv444p10le",
        size=(95, 63),
        frames=18,
        tags=Tags("bt2020nc", primaries="bt2020", transfer="bt2020-10"),
        tick=Fraction(1, 600),
        stretch=20,
        wobble=(9, 3),
        before=("-display_rotation", "90"),
        audio=("-c:a", "pcm_s16le"),
    ),
}


@dataclass(frozen=True)
class Delivery:
    """The source, what came of it in each format, and what its matte is.

    Attributes:
        alpha: [T, H, W] in 0..1, as it is stored.
        missing: why a format cannot be written on this computer.
    """

    source: Path
    finished: dict[FormatName, Path]
    alpha: list[Plane]
    missing: dict[FormatName, str]


@cache
def deliver_all(name: str, where: Path) -> Delivery:
    """Put the clip of a name into every format, in a folder of its own; once only.

    Args:
        where: the folder that holds that folder.
    Raises:
        MattingError: a stage refused.
    """
    folder = Path(mkdtemp(dir=where))
    source = SOURCES[name].write(folder / "clip")
    options = MattingOptions(
        matte=MatteOptions(
            write_varied_checkpoint(folder / "varied.pth", 7),
            ratio=1.0,
            small_people=SmallPeople.OFF,
            # What is seen is compared with the source's colours, which this network leaves.
            foreground=Foreground.NETWORK,
        ),
        output=OutputOptions(background=COLOUR, encoding=FINEST[VideoCodec.HEVC]),
        compute=ComputeOptions("cpu", isolated=False, largest_chunk=CHUNK_FRAMES),
    )
    progress = MessageRecorder()
    segments = segment(source, CuttingOptions(seconds=SEGMENT_SECONDS), None, progress)
    matted = infer(segments, options, None, progress)
    finished: dict[FormatName, Path] = {}
    missing: dict[FormatName, str] = {}
    apart = {FormatName.BACKGROUND, FormatName.HEVC}
    others = [name for name in FORMATS if name not in apart and not name.is_vr]
    made = deliver(matted.root, [FORMATS[name] for name in others], options, None, progress)
    finished |= dict(zip(others, made, strict=True))
    composite = finished[FormatName.GREEN]
    finished[FormatName.GREEN] = composite.rename(composite.with_stem("green"))
    try:
        row = FORMATS[FormatName.HEVC]
        [finished[row.name]] = deliver(matted.root, [row], options, None, progress)
    except MissingError as error:
        missing[FormatName.HEVC] = error.what
    behind = replace(options.output, background=BackgroundFile(_flat_picture(folder)))
    row = FORMATS[FormatName.BACKGROUND]
    options = replace(options, output=behind)
    [finished[row.name]] = deliver(matted.root, [row], options, None, progress)
    alpha = [
        plane.numpy().astype(np.float64) / MAX_ALPHA
        for matte in sorted(matted.output_folder(OutputKind.MATTE).iterdir())
        for chunk in MatteFile.open(matte).chunks(CHUNK_FRAMES)
        for plane in chunk.matte.alpha[:, 0]
    ]
    return Delivery(source, finished, alpha, missing)


def _flat_picture(folder: Path) -> Path:
    path = folder / "behind.png"
    colour = "color=0x{:02X}{:02X}{:02X}:s=64x64,format=rgb24".format(*COLOUR)
    run_ffmpeg(["-f", "lavfi", "-i", colour, "-frames:v", "1", str(path)])
    return path
