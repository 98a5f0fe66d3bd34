"""A job with signs of doubt that nobody had to matte: for its report."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from matting.imaging.frame_signs import DOUBT, SIGNS, CellMeans
from matting.media.images.pillow import encode_webp
from matting.options import OutputKind
from matting.project.entry import Entry, InitialState, OutputFile
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder, segment_name
from matting.project.plan import Plan, PlannedSegment
from matting.project.segment_signs import DoubtfulMoment, SegmentSigns, Values
from matting.project.source_fingerprint import SourceFingerprint
from matting.system.fingerprint import Fingerprint

RATE = 25
SHA256 = "0" * 64
CALM = 0.01  # the doubt of all frames that nothing else is said of


def reported_job(
    root: Path,
    segments: int = 3,
    frames: int = 100,
    *,
    doubts: dict[int, float] | None = None,
    shots: tuple[int, ...] = (),
    made_by: tuple[str, ...] = (),
) -> Ledger:
    """Make a matted folder, and return its ledger.

    Args:
        frames: of each segment.
        doubts: of frames, counted through the job; these are pictured, too.
        made_by: of each segment, what made it.
    """
    folder, doubts = MattedFolder(root), doubts or {}
    folder.signs.mkdir(parents=True)
    names = [segment_name(number) for number in range(segments)]
    own = tuple(
        PlannedSegment.of(name, range(n * frames, (n + 1) * frames), Fingerprint(1, SHA256))
        for n, name in enumerate(names)
    )
    plan = Plan(
        source=SourceFingerprint("clip.mp4", 1, SHA256),
        time_base=Fraction(1, RATE),
        rate=Fraction(RATE),
        start_pts=0,
        seconds=Fraction(15),
        reencoded=False,
        segments=own,
        shots=shots,
    )
    ledger = Ledger(folder)
    ledger.begin(names, plan)
    for number, name in enumerate(names):
        first = number * frames
        inside = {f - first: d for f, d in doubts.items() if first <= f < first + frames}
        maker = made_by[number] if made_by else ""
        ledger.amend(name, _entry(folder, name, frames, inside, maker))
    ledger.reopen(())
    folder.processed.write_text(str(dict.fromkeys(names, True)).replace("'", '"').replace("T", "t"))
    return Ledger(folder)


def _entry(
    folder: MattedFolder, name: str, frames: int, doubts: dict[int, float], made_by: str
) -> Entry:
    path = folder.segment_signs(name)
    path.touch()
    write_signs(path, frames, doubts, made_by)
    return Entry(
        start_state=InitialState.CARRIED,
        frames=frames,
        outputs={OutputKind.COMPOSITE: OutputFile(name, 1, SHA256)},
        signs=OutputFile.of(path, Fingerprint.of(path)),
    )


def write_signs(
    path: Path, frames: int, doubts: dict[int, float], made_by: str = "", **others: float
) -> None:
    """Write the signs of a segment.

    Args:
        doubts: of some frames.
        others: `eyes` and `views`, the same of all frames, where they are known.
    """
    values: Values = np.full((frames, len(SIGNS)), CALM, np.float32)
    for frame, doubt in doubts.items():
        values[frame, DOUBT] = doubt
    cells = CellMeans(*torch.zeros(2, 1, 2, 2, dtype=torch.int16))
    picture = encode_webp(np.full((9, 16, 3), 90, np.uint8), 50)
    moments = tuple(DoubtfulMoment(frame, picture, picture, picture) for frame in sorted(doubts))
    optional = {name: np.full(frames, value, np.float32) for name, value in others.items()}
    signs = SegmentSigns(values, cells, cells, 0.0, 60.0, moments, made_by=made_by)
    replace(signs, eyes=optional.get("eyes"), views=optional.get("views")).write(path)
