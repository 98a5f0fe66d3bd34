"""The timeline of a job: its segments, and what was done to frames, each where it is shown."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from matting.project.entry import InitialState
from matting.project.job_signs import JobSigns
from matting.project.ledger import Ledger
from matting.report.frame_clock import FrameClock
from matting.report.job_facts import segment_rows
from matting.report.timeline import MOST_SPANS, SEVERAL, Span, fewer_spans, timeline_bands
from tests.support.reported_job import RATE, reported_job


def bands_of(ledger: Ledger) -> dict[str, list[Span]]:
    signs = JobSigns.read(ledger)
    clock = FrameClock.of(ledger, signs.segments)
    bands = timeline_bands(ledger, signs, clock, segment_rows(ledger, signs))
    return {str(band["name"]): band["spans"] for band in bands}  # type: ignore[misc]


def test_segments_follow_each_other(tmp_path: Path) -> None:
    (spans,) = bands_of(reported_job(tmp_path / "a_matted")).values()
    assert [span[:2] for span in spans] == [(0, 4), (4, 8), (8, 12)]
    assert spans[1].text.startswith("output_001.mp4: done, ")


def test_warm_ups_and_damage_are_where_they_are_shown(tmp_path: Path) -> None:
    ledger = reported_job(tmp_path / "a_matted")
    name = "output_001.mp4"
    ledger.amend(name, replace(ledger.entry(name), start_state=InitialState.WARMED_UP))
    plan = ledger.plan
    assert plan is not None
    own = replace(plan.segments[0], repeated=(10, 11, 12), missing=(50,))
    ledger.begin(ledger.names, replace(plan, segments=(own, *plan.segments[1:])))
    spans = bands_of(ledger)["Warm-ups and damaged frames"]
    ticks = [(round(span.start * RATE), round(span.end * RATE)) for span in spans]
    assert ticks == [(10, 13), (50, 51), (100, 101)]
    assert "warmed up" in spans[2].text


def test_too_many_are_joined_where_least_is_between_them() -> None:
    spans = [Span(n + 0.4 * (n % 2), n + 0.5, str(n)) for n in range(2 * MOST_SPANS)]
    fewer = fewer_spans(spans)
    assert len(fewer) == MOST_SPANS
    assert (fewer[0].start, fewer[-1].end) == (0, 2 * MOST_SPANS - 0.5)
    assert SEVERAL in {span.text for span in fewer}
    alike = [Span(0, 1, "a"), Span(1, 2, "a"), Span(2, 3, "b")]
    assert fewer_spans(alike) == [Span(0, 2, "a"), Span(2, 3, "b")]
