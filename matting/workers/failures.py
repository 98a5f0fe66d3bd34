"""What a run says at its end of the segments that failed."""

from __future__ import annotations

from collections.abc import Mapping

from matting.errors import InputError, MattingError, SegmentsFailedError
from matting.system.invocation import Command, sentence, start


def segments_failed(
    failed: Mapping[str, MattingError], segments: int, what: str
) -> SegmentsFailedError:
    """Return the error that names them.

    Args:
        failed: why each failed, by its name.
        segments: of how many.
        what: as "could not be matted:".
    """
    lines = [
        f"  {name}: {error.what} {error.advice(again='')}".rstrip()
        for name, error in failed.items()
    ]
    return SegmentsFailedError(
        f"{len(failed)} of {segments} {what}",
        "Fix these; what is done stays done.",
        details=lines,
        option=next(filter(None, (error.option for error in failed.values())), None),
    )


def no_stored_matte() -> InputError:
    """Return why nothing can be made of a segment without the network."""
    return InputError(
        "There is no stored matte of it that is intact, and of what it is now.",
        sentence(start(Command.INFER, "the folder of segments", again=True)),
    )
