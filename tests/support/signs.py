"""The signs of doubt that a job should have: those of its mattes as they are stored."""

from __future__ import annotations

import numpy as np

from matting.imaging.frame_signs import SmallCopy, frame_signs
from matting.imaging.renderer import StoredFrames
from matting.media.matte_file import MatteFile
from matting.media.video_source import VideoSource
from matting.options import OutputKind
from matting.project.job_signs import JobSigns
from matting.project.ledger import Ledger
from matting.project.matted import matted_from
from matting.project.paths import MattedFolder
from matting.project.segment_signs import Values

ROUNDING = 1e-3  # of what is stored


def expected_signs(job: MattedFolder) -> Values:
    """Return the signs of all frames, seen one after the other."""
    ledger = Ledger(job)
    rows, before = [], None
    for name in ledger.names:
        matte = ledger.output(name, OutputKind.MATTE)
        assert matte is not None
        source = VideoSource(matted_from(ledger) / name).chunks(1)
        for chunk, stored in zip(source, MatteFile.open(matte).chunks(1), strict=True):
            frames = SmallCopy.of(StoredFrames(chunk.pictures, stored.matte))
            signs, before = frame_signs(frames, before)
            rows.append(signs.numpy())
    return np.concatenate(rows)


def assert_signs_of_mattes(job: MattedFolder) -> None:
    """Fail unless what the job says of its mattes is what they show."""
    found, expected = JobSigns.read(Ledger(job)).values, expected_signs(job)
    assert np.abs(found - expected).max() <= ROUNDING


def sign_files(job: MattedFolder) -> list[str]:
    """Return the names of the files in the folder of signs."""
    return sorted(path.name for path in job.signs.iterdir())
