"""The report of a job: what the night brought, on one page."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from matting.imaging.frame_signs import DOUBT
from matting.network_choice import MatteQuality
from matting.progress import Progress, quantity
from matting.project.job_signs import JobMoment, JobSigns
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.report.current_report import records_sha256
from matting.report.curves import curve_data
from matting.report.doubtful_parts import (
    DOUBTFUL,
    DoubtfulMinute,
    around,
    doubtful_minutes,
    doubtful_moments,
    shots_by_eyes,
)
from matting.report.frame_clock import FrameClock
from matting.report.job_facts import (
    SegmentRow,
    hashes,
    job_settings,
    log_lines,
    makers,
    range_rows,
    segment_rows,
)
from matting.report.page import is_own_page, render_page
from matting.report.pictures import webp_uri
from matting.report.timeline import timeline_bands
from matting.system import atomic_files
from matting.system.invocation import Command, program_line

REFRESH_SECONDS = 30
MOST_NAMED, MOST_SAID = 30, 5  # minutes: on the page, and in a line


class WrittenReport(NamedTuple):
    """A report that was written, and in a line what it says of the whole."""

    path: Path
    summary: str


class ReportPage(NamedTuple):
    """A report, and in a line what it says of the whole."""

    text: str
    summary: str


def write_report(
    folder: MattedFolder, progress: Progress, *, running: bool = False
) -> WrittenReport:
    """Write the report of a job, of what is recorded.

    Args:
        running: whether the job goes on, so that the page will be another soon.
    Raises:
        InputError: the record cannot be read.
        StorageError: it cannot be written.
    """
    made_of = "" if running else records_sha256(folder)
    ledger = Ledger(folder)
    report = report_page(ledger, running=running, made_of=made_of)
    path = folder.report
    if os.path.lexists(path) and not is_own_page(path):
        kept = atomic_files.set_aside(path)
        progress.say(f"What had the name of the report was not made here: it is {kept} now.")
    atomic_files.write_text(path, report.text)
    return WrittenReport(path, report.summary)


def report_page(ledger: Ledger, *, running: bool = False, made_of: str = "") -> ReportPage:
    """Return the report of a job.

    Args:
        made_of: the hash of its records; "": they are still changing.
    """
    signs = JobSigns.read(ledger)
    clock = FrameClock.of(ledger, signs.segments)
    rows = segment_rows(ledger, signs)
    minutes = doubtful_minutes(signs, clock)
    moments = [_moment(own, signs, clock, ledger) for own in doubtful_moments(signs, clock)]
    verdict = _verdict(rows, signs, minutes, running=running)
    summary = _summary(verdict[1], minutes)
    text = render_page(
        "report.html.j2",
        title=f"Report: {ledger.folder.root.name}",
        styles=("report.css",),
        scripts=("curves.js", "report.js"),
        refresh_seconds=REFRESH_SECONDS if running else None,
        data={
            "curves": curve_data(signs, clock),
            "bands": timeline_bands(ledger, signs, clock, rows),
            "shots": [round(float(clock.seconds[shot]), 3) for shot in clock.shots[1:]],
            "moments": [[own["seconds"], own["frame"]] for own in moments],
        },
        written=f"{datetime.now():%Y-%m-%d %H:%M:%S}",
        made_of=made_of,
        summary=summary,
        verdict=verdict,
        minutes=minutes[:MOST_NAMED],
        more_minutes=max(0, len(minutes) - MOST_NAMED),
        moments=moments,
        limit=DOUBTFUL,
        ranges=range_rows(ledger, signs),
        eyes=shots_by_eyes(signs, clock),
        segments=rows,
        makers=makers(rows),
        times=[clock.text(row.first_frame) if row.frames else "" for row in rows],
        settings=job_settings(ledger),
        hashes=hashes(ledger),
        log=log_lines(ledger.folder),
    )
    return ReportPage(text, summary)


def _summary(verdict: str, minutes: Sequence[DoubtfulMinute]) -> str:
    """Return the line on the whole, and which minutes to look at."""
    if not minutes:
        return verdict
    more = len(minutes) - MOST_SAID
    starts = [own.text for own in minutes[:MOST_SAID]]
    starts += [f"{quantity(more, 'more minute')} on the page"] if more > 0 else []
    begin = "It begins at" if len(minutes) == 1 else "They begin at"
    return f"{verdict} {begin} {', '.join(starts)}."


def _verdict(
    rows: Sequence[SegmentRow],
    signs: JobSigns,
    minutes: Sequence[DoubtfulMinute],
    *,
    running: bool,
) -> tuple[bool, str]:
    """Return whether all is well, and a line on the whole."""
    problems = list(_problems(rows, signs, running=running))
    if minutes:
        problems.insert(0, f"Look at {quantity(len(minutes), 'minute')}")
    frames = int(np.isfinite(signs.values[:, DOUBT]).sum())
    if problems:
        return False, f"{'; '.join(problems)}."
    if running:
        return True, f"So far all is well: nothing to doubt in {frames:,} frames."
    return True, f"All is well: nothing to doubt in {frames:,} frames."


def _problems(rows: Sequence[SegmentRow], signs: JobSigns, *, running: bool) -> Iterator[str]:
    failed = sum(row.state == "failed" for row in rows)
    if failed:
        yield f"{quantity(failed, 'segment')} failed"
    undone = sum(row.state != "done" for row in rows) - failed
    if undone and not running:
        yield f"{quantity(undone, 'segment')} not finished"
    unknown = sum(
        row.state == "done" and own.signs is None
        for row, own in zip(rows, signs.segments, strict=True)
    )
    if unknown:
        yield f"of {quantity(unknown, 'segment')} it is not known, which earlier versions matted"


def _moment(
    own: JobMoment, signs: JobSigns, clock: FrameClock, ledger: Ledger
) -> dict[str, object]:
    """Return what the page shows of a moment."""
    part = around(own, signs, clock)
    better = [] if _is_best(ledger) else ["--quality", MatteQuality.BEST.value]
    entry = ledger.entry(own.segment.name)
    local = own.frame - own.segment.first_frame
    numbers = [
        other.number
        for other in ledger.ranges
        if other.number in entry.spliced
        and other.parts[own.segment.name].first_frame <= local < other.parts[own.segment.name].stop
    ]
    pictures = own.pictures
    return {
        "seconds": round(float(clock.seconds[own.frame]), 3),
        "text": clock.text(own.frame),
        "frame": own.frame,
        "segment": own.segment.name,
        "doubt": own.doubt,
        "is_doubtful": own.doubt > DOUBTFUL,
        "command": program_line(Command.REMATTE, ledger.folder.root, *part.arguments, *better),
        "ranges": numbers,
        "views": [
            (name, webp_uri(view))
            for name, view in (
                ("source", pictures.source),
                ("matte", pictures.matte),
                ("composite", pictures.composite),
            )
        ],
    }


def _is_best(ledger: Ledger) -> bool:
    return ledger.agreed is not None and ledger.agreed.matte_quality is MatteQuality.BEST
