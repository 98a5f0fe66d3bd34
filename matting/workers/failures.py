"""What a run says of what failed: of its segments, or of all the computer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from matting.errors import (
    EncodeError,
    InputError,
    MachineError,
    MachineUnusableError,
    MattingError,
    OutOfMemoryError,
    SegmentsFailedError,
)
from matting.progress import Progress
from matting.system.invocation import Command, sentence, start

if TYPE_CHECKING:  # it loads torch, without which `add-audio` works
    from matting.project.inputs import InputFolder

Result = TypeVar("Result")


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
    result = SegmentsFailedError(
        f"{len(failed)} of {segments} {what}",
        "Fix these; what is done stays done.",
        details=lines,
        option=next(filter(None, (error.option for error in failed.values())), None),
    )
    result.failed = dict(failed)
    return result


def unusable(why: str, last: MachineError, device: str) -> MachineUnusableError:
    """Return the error for a computer on which nothing gets anywhere.

    Args:
        why: as a clause, how that is known.
        last: what broke last.
        device: the name of the one that the network was on.
    """
    what = f"Matting does not work on this computer at present: {why}. {last.what}"
    if isinstance(last, OutOfMemoryError):
        return MachineUnusableError(what, last.hint, option=last.option)
    on_gpu = device != "cpu"
    return MachineUnusableError(
        what,
        "Restart the computer; what is done stays done.",
        option="--device" if on_gpu else None,
        if_repeated="update the graphics driver, or use --device cpu." if on_gpu else "",
    )


def with_the_others(
    first: Callable[[], object], then: Callable[[], Result], inputs: InputFolder
) -> Result:
    """Do two things with inputs; separate ones that fail in the first do not keep others from both.

    Returns:
        what `then` returns.
    Raises:
        SegmentsFailedError: names all that failed in either; the others went through both.
    """
    try:
        first()
    except SegmentsFailedError as error:
        failed, count = dict(error.failed), len(inputs.inputs)
        if inputs.plan is not None or len(failed) == count:
            raise
        try:
            then()
        except SegmentsFailedError as later:
            failed = {**later.failed, **failed}  # the first reason is the reason
        raise segments_failed(failed, count, "could not be finished:") from error
    return then()


class SeparateFailures:
    """Which of separate videos and image sequences failed, each alone, and why.

    Attributes:
        failed: why, by their names.
    """

    def __init__(self, progress: Progress, failed: Mapping[str, MattingError]) -> None:
        """
        Args:
            failed: those that failed before, which has been said.
        """
        self.failed = dict(failed)
        self._progress = progress

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Note, and say, what is wrong with one; what stops the whole run is raised."""
        try:
            yield
        except (InputError, EncodeError) as error:
            self.failed.setdefault(name, error)
            self._progress.say(f"{name} failed: {error.what}")

    def require_none(self, inputs: int, what: str) -> None:
        """Raise the error that names them.

        Args:
            inputs, what: as `segments_failed` takes them.
        Raises:
            SegmentsFailedError: there are some.
        """
        if self.failed:
            raise segments_failed(self.failed, inputs, what)


def no_stored_matte() -> InputError:
    """Return why nothing can be made of a segment without the network."""
    return InputError(
        "There is no stored matte of it that is intact, and of what it is now.",
        sentence(start(Command.INFER, "the folder of segments", again=True)),
    )
