"""Fingerprints that are taken while others are cut hold for files that stay as they are."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from matting.cutting.checkpoint import CutCheckpoint
from matting.cutting.cut_job import CutSegment
from matting.cutting.finished_segments import FinishedSegments
from matting.cutting.publishing import plan_of
from matting.media.probe import probe
from matting.progress import ignore
from matting.project.source_fingerprint import SourceFingerprint
from matting.system.fingerprint import Fingerprint
from tests.support.clips import make_clip


def test_only_a_file_that_was_written_to_since_is_read_again(tmp_path: Path) -> None:
    video = make_clip(tmp_path / "clip.mp4", 3)
    paths = [tmp_path / name for name in ("same", "changed", "gone", "made later")]
    for path in paths[:3]:
        path.write_bytes(path.name.encode())
    with FinishedSegments() as finished:
        for path in paths[:3]:
            finished.add(path)
        finished.add(tmp_path / "never there")
        known = finished.fingerprints(ignore)
    assert sorted(known) == sorted(paths[:3])
    known[paths[0]] = replace(known[paths[0]], fingerprint=Fingerprint(4, "0" * 64))
    paths[1].write_bytes(b"CHANGED")
    paths[3].write_bytes(b"new")
    used = [paths[0], paths[1], paths[3]]
    info = probe(video)
    segments = [CutSegment(path, (number,)) for number, path in enumerate(used)]
    cut = CutCheckpoint(video, SourceFingerprint.of(video), Fraction(1), None, tuple(segments))
    plan = plan_of(info, cut, segments, reencoded=False, fingerprints=known)
    assert [segment.sha256 for segment in plan.segments] == [
        "0" * 64,
        *(Fingerprint.of(path).sha256 for path in used[1:]),
    ]


def test_what_is_forgotten_has_none(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    path.write_bytes(b"1")
    with FinishedSegments() as finished:
        finished.add(path)
        finished.forget()
        assert not finished.fingerprints(ignore)
