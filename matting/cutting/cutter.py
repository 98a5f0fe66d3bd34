"""How a source is cut: its own packets are copied where that is exact, else it is re-encoded."""

from __future__ import annotations

from matting.cutting.cut_job import CutJob, CutSegment
from matting.cutting.exact_copy import ExactCopier
from matting.cutting.finished_segments import FinishedSegments
from matting.cutting.lossless_writer import is_lossless
from matting.cutting.reencode import reencode
from matting.errors import MediaError
from matting.media.alpha import opaque_format
from matting.options import REENCODE_CRF, CuttingOptions
from matting.progress import Progress

FILTERED = "the pictures have to be changed"


def cut(
    job: CutJob,
    options: CuttingOptions,
    progress: Progress,
    copier: ExactCopier | None = None,
    finished: FinishedSegments | None = None,
) -> list[CutSegment]:
    """Cut a source; copy its packets unless re-encoding is asked for or nothing else is exact.

    Args:
        copier: copies the packets; None: one with the usual rules.
        finished: takes the segments of copied packets as they come.
    Returns:
        the segments, decoded through; damage, and where it may be, is noted in them.
    Raises:
        MediaError: the source cannot be read.
        StorageError: a segment cannot be written.
    """
    if options.reencode:
        progress.say(f"The segments are re-encoded, in H.265 at high quality (CRF {REENCODE_CRF}).")
        return reencode(job, REENCODE_CRF, progress, options.damaged)
    reason = _reason_to_reencode(job)
    if not reason:
        try:
            segments = (copier or ExactCopier(job, progress, finished=finished)).copy()
        except MediaError as error:
            if error.retry:  # what is half written, or changed, cannot be read in any way
                raise
            progress.detail(error.what)
            reason = "copied as they are, they could not be read"
        else:
            if segments is not None:
                _report_copies(job, segments, progress)
                return segments
            reason = FILTERED
        if finished is not None:
            finished.forget()
    pixel_format = job.info.pixel_format
    loss = "without loss"
    if not is_lossless(opaque_format(pixel_format)):
        loss += f" but for its pixel format, {pixel_format}, which becomes one of 16 bits"
    progress.say(f"The segments are re-encoded, {loss}: {reason}.")
    return reencode(job, None, progress, options.damaged)


def _reason_to_reencode(job: CutJob) -> str:
    """Return why a source's packets cannot be copied; "" where they can."""
    if not job.says_when_presented:
        return "the video's frames carry no times of their own"
    if not job.is_timed:
        return "not every frame has a time of its own; those that have one keep it"
    if not job.index.is_sequence:
        return "its edit list puts it together from several parts"
    if job.filters:
        return FILTERED
    if not job.index.fits_mp4:
        return f"an .mp4 file cannot hold video of this kind ({job.info.codec})"
    return ""


def _report_copies(job: CutJob, segments: list[CutSegment], progress: Progress) -> None:
    reencoded = sum(not segment.copied for segment in segments)
    if reencoded:
        progress.say(f"{reencoded} of {len(segments)} segments had to be re-encoded, without loss.")
    ticks = segments[0].times[-1] - segments[0].times[0]
    if len(segments) == 1 and ticks > 2 * job.segment_ticks:
        progress.say(
            "This video has no place where it can be cut without re-encoding, so it stays in one "
            "segment. For shorter segments use --reencode."
        )
