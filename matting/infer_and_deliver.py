"""Matting a folder of segments, and at once all formats that its job was begun with."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from matting.delivery.formats import FORMATS
from matting.infer import infer
from matting.options import MattingOptions
from matting.progress import Progress
from matting.project.input_views import with_views
from matting.project.inputs import InputFolder, read_inputs
from matting.project.job_places import Place, require_places
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.project.resumed_options import take_up
from matting.report.upkeep import kept_report
from matting.workers.failures import with_the_others


def infer_and_deliver(
    segments: Path,
    options: MattingOptions,
    output: Path | None,
    progress: Progress,
) -> None:
    """Matte what is not done yet in a folder of segments, and deliver all of it.

    Args:
        options: with the formats; without any, and where the job remembers none, all is matted,
            and nothing is finished.
        output: where to put the matted folder, and the finished files.
    Raises:
        whatever `infer` and `deliver` raise.
    """
    inputs = read_inputs(segments)
    job = MattedFolder.of(segments, output)
    require_places([Place(job.root, is_folder=True)], segments)
    known = Ledger(job)
    options = take_up(options, known.remembered, progress)
    if not options.formats:
        with kept_report(job, progress) as refresh:
            infer(segments, options, output, progress, on_recorded=refresh)
        return
    _with_formats(inputs, known, options, output, progress)


def _with_formats(
    inputs: InputFolder,
    known: Ledger,
    options: MattingOptions,
    output: Path | None,
    progress: Progress,
) -> None:
    from matting.deliver import deliver, not_composite
    from matting.delivery.finishing import require_free_places, source_of
    from matting.delivery.format_limits import (
        announce_limits,
        require_available,
        require_kept_mattes,
        require_possible,
    )

    job, segments = known.folder, inputs.path
    rows = [FORMATS[name] for name in options.formats]
    require_kept_mattes(rows, options)
    require_available(rows, options)
    inputs = with_views(inputs, options.matte)
    others = not_composite(rows)
    require_possible(inputs, others, options)
    video = source_of(inputs, rows, job.root.parent)
    require_free_places(inputs, job, others, video=video, output=output, options=options.output)
    announce_limits(others, inputs, known, options, progress, video=video)
    joined = replace(options, then_joined=True)
    with kept_report(job, progress) as refresh:
        with_the_others(
            partial(infer, segments, joined, output, progress, on_recorded=refresh),
            partial(deliver, job.root, rows, options, output, progress, announced=True),
            inputs,
        )
