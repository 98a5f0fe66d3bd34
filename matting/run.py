"""All four stages in a row. Each leaves alone what is done already, so it can be run again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from matting.add_audio import add_audio
from matting.combine import combine
from matting.deliver import deliver
from matting.delivery.format_limits import announce_limits, require_kept_mattes, require_possible
from matting.delivery.formats import DeliveryFormat
from matting.infer import infer
from matting.inference.weights import find_checkpoint, load_checkpoint
from matting.media.background import with_background_read
from matting.media.container import require_file
from matting.options import CuttingOptions, MattingOptions
from matting.progress import Progress
from matting.project.inputs import read_inputs
from matting.project.job_options import take_up
from matting.project.job_places import job_places, require_places
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder, segments_folder
from matting.segment import segment


def run(
    video: Path,
    cutting: CuttingOptions,
    matting: MattingOptions,
    output: Path | None,
    progress: Progress,
    *,
    formats: Sequence[DeliveryFormat] = (),
) -> Path:
    """Make the matted video of `video`, audio included; return its file.

    Args:
        formats: what else is made of the mattes.
    Raises:
        SegmentsFailedError: some segments failed; nothing is combined.
        whatever the stages raise.
    """
    require_file(video)
    require_places(job_places(video, output, matting.output.written), video)
    job = MattedFolder.of(segments_folder(video, output))
    matting = take_up(matting, Ledger(job).remembered, progress)
    require_kept_mattes(formats, matting)
    announce_limits(formats, progress)
    # Before the hour that cutting may take.
    with_background_read(matting.output)
    load_checkpoint(find_checkpoint(matting.matte.checkpoint, progress))
    segments = segment(video, cutting, output, progress, matting)
    others = [row for row in formats if row.kind.is_delivered]
    require_possible(read_inputs(segments), others, matting)
    matted = infer(segments, replace(matting, then_joined=True), output, progress)
    combine(matted.root, None, progress)
    final = add_audio(video, output, progress, announced=True)
    if others:
        deliver(matted.root, others, matting, output, progress, video=video, announced=True)
    return final
