"""What comes of a segment beside its outputs: of which video its pictures are spread over."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from matting.project.inputs import Input
from matting.project.ledger import Ledger
from matting.workers.schedule import Action, Step
from matting.workers.side_files import SignsTargets
from tests.support.reported_job import RATE, reported_job


def seconds_by(ledger: Ledger) -> Fraction | None:
    step = Step(Input("output_001.mp4", Path("a.mp4"), "output_001"), Action.MATTE, None)
    target = SignsTargets(ledger, ledger.plan, len(ledger.names)).of(step)
    assert target is not None
    return target.video_seconds


def test_the_pictures_of_a_segment_are_of_the_whole_video(tmp_path: Path) -> None:
    ledger = reported_job(tmp_path / "a_matted", 3, 2 * RATE)
    assert seconds_by(ledger) == 6
    ledger.begin(ledger.names, None)  # separate videos
    assert seconds_by(ledger) is None
