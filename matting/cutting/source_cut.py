"""All that is done with a source's packets and frames, in one call that can be made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from matting.cutting.cut_job import CutSegment
from matting.cutting.cutter import cut
from matting.cutting.damage import SettledDamage, settle_damage
from matting.cutting.finished_segments import FinishedSegments
from matting.cutting.preparation import prepare
from matting.media.source_notes import CAPTIONS, unclocked_notes
from matting.media.video_info import VideoInfo
from matting.options import CuttingOptions
from matting.progress import Progress
from matting.system.fingerprint import StampedFingerprint


@dataclass(frozen=True)
class SourceCut:
    """What a source was cut into; it is small beside the list of the source's packets.

    Attributes:
        info: of the source, with the time base and the start by which it was cut.
        truncated_at: when the source breaks off, in seconds; None: it does not.
        segments: as they were cut.
        settled: what came of damage in them.
        fingerprints: of segments, by their paths, as far as they are known.
    """

    info: VideoInfo
    truncated_at: Fraction | None
    segments: tuple[CutSegment, ...]
    settled: SettledDamage
    fingerprints: Mapping[Path, StampedFingerprint] = field(default_factory=dict)


def cut_source(
    info: VideoInfo,
    seconds: Fraction,
    work: Path,
    options: CuttingOptions,
    progress: Progress,
    *,
    known: Sequence[CutSegment] = (),
    captions_are_told: bool = False,
) -> SourceCut:
    """Index a source, cut it, prove the segments, and settle what is damaged in them.

    Args:
        seconds: the segment length to aim at.
        work: an existing folder, for the segments.
        known: the segments that an earlier cut has left there; empty: it is cut now.
        captions_are_told: whether it has been said that the source's captions will be lost.
    Raises:
        InputError: there is no such file.
        MediaError: the source cannot be read, or has not one good frame.
        StorageError: a segment cannot be written.
    """
    job = prepare(info, seconds, work, options, progress)
    if job.index.has_captions and not captions_are_told:
        progress.say(CAPTIONS)
    for note in unclocked_notes(info.path, job.index.unclocked):
        progress.say(note)
    with FinishedSegments() as finished:
        segments = tuple(known or cut(job, options, progress, finished=finished))
        settled = settle_damage(job, segments, options.damaged, progress)
        fingerprints = finished.fingerprints(progress.alive)
    return SourceCut(job.info, job.index.truncated_at, segments, settled, fingerprints)
