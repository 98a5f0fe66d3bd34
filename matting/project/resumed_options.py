"""A job taken up again: it goes on with its own options, but for those that are typed."""

from __future__ import annotations

from dataclasses import replace

from msgspec import UNSET

from matting.errors import InputError
from matting.job_option import JobOption
from matting.options import MattingOptions
from matting.progress import Progress
from matting.project.job_options import DEFAULTS, EARLIER, JobOptions


def take_up(
    options: MattingOptions, remembered: JobOptions | None, progress: Progress
) -> MattingOptions:
    """Return what a run is to do: the job's own options, but for those that were typed.

    What is returned counts as typed: taken up once more, it stays as it is.

    Args:
        remembered: the job's; None: it is a new one.
    Raises:
        InputError: the quality is out of the codec's range.
    """
    if options.typed is not None and remembered is not None:
        wanted = remembered.with_typed(JobOptions.of(options), options.typed)
        own = wanted.with_typed(DEFAULTS, options.typed).in_words()
        if own:
            progress.say(f"This job goes on with its own options: {own}")
        options = wanted.applied_to(options)
    elif remembered is not None:
        options = _without_what_is_newer(options, remembered)
    encoding = options.output.encoding
    if encoding.quality is not None and encoding.quality > encoding.codec.worst_quality:
        raise InputError(
            f"--quality {encoding.quality}: "
            f"{encoding.codec} takes 0 to {encoding.codec.worst_quality}.",
            option="--quality",
        )
    return options if options.typed is None else replace(options, typed=frozenset(JobOption))


def _without_what_is_newer(options: MattingOptions, job: JobOptions) -> MattingOptions:
    """Return options by which a job of an earlier version is not matted again as a whole."""
    matte, output = options.matte, options.output
    if job.keep_matte is UNSET:
        output = replace(output, keep_matte=False)
    matte = replace(matte, **{n: v for n, v in EARLIER.items() if getattr(job, n) is UNSET})
    return replace(options, matte=matte, output=output)
