"""All four stages in a row. Each leaves alone what is done already, so it can be run again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from matting.add_audio import add_audio
from matting.combine import combine
from matting.delivery.stream_mapping import map_streams
from matting.infer import infer
from matting.inference.weights import find_checkpoint
from matting.media.container import require_file
from matting.media.probe import read_contents
from matting.options import CuttingOptions, MattingOptions
from matting.progress import Progress
from matting.project.job_options import take_up
from matting.project.ledger import Ledger
from matting.project.own_files import require_own_final
from matting.project.paths import Container, MattedFolder, final_file, segments_folder
from matting.segment import segment


def run(
    video: Path,
    cutting: CuttingOptions,
    matting: MattingOptions,
    output: Path | None,
    progress: Progress,
) -> Path:
    """Make the matted video of `video`, audio included; return its file.

    Raises:
        SegmentsFailedError: some segments failed; nothing is combined.
        whatever the stages raise.
    """
    job = MattedFolder.of(segments_folder(video, output))
    matting = take_up(matting, Ledger(job).remembered, progress)
    _require_own_result(video, matting, output)
    find_checkpoint(matting.matte.checkpoint, progress)  # before the hour that cutting may take
    segments = segment(video, cutting, output, progress, matting)
    matted = infer(segments, replace(matting, then_joined=True), output, progress)
    combine(matted.root, None, progress)
    return add_audio(video, output, progress)


def _require_own_result(video: Path, matting: MattingOptions, output: Path | None) -> None:
    """Refuse, before any work, to overwrite a final file that is not of this job."""
    if not any(final_file(video, output, container).exists() for container in Container):
        return
    require_file(video)
    picture = matting.output.encoding.codec.value
    final = final_file(video, output, map_streams(read_contents(video), picture).container)
    require_own_final(final, MattedFolder.of(segments_folder(video, output)).combined())
