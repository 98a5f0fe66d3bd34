"""One of many videos, which is run by itself: with a log of its own, whatever becomes of others."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from matting.cli.command_run import DONE, INTERRUPTED, names_of, run_command
from matting.cli.console import Console
from matting.cli.next_steps import Invocation
from matting.cli.option_values import cutting_options, matting_options
from matting.cli.outcomes import Outcome
from matting.cli.run_log import log_of
from matting.cli.signals import SignalListener
from matting.cli.video_finder import clash_reason, clashes
from matting.delivery.finished_video import finished_file
from matting.errors import InputError, MattingError, SegmentsFailedError
from matting.options import MattingOptions
from matting.project.paths import is_result_name
from matting.system.invocation import Command


@dataclass(frozen=True)
class VideoTurn:
    """Runs a command of several videos for one of them.

    Attributes:
        options: of all of them.
        call: how the command was given.
    """

    options: argparse.Namespace
    call: Invocation
    signals: SignalListener

    @cached_property
    def matting(self) -> MattingOptions | None:
        """The options of matting, where the command mattes.

        Raises:
            InputError: one has a value that no video can have.
        """
        return matting_options(self.options) if self.options.command is Command.RUN else None

    def outcome(
        self, video: Path, videos: Collection[Path], console: Console, *, was_done: bool
    ) -> Outcome | None:
        """Do a video; return what came of it, or None where it was interrupted.

        Args:
            videos: all that are listed, in order.
            console: of all of them.
            was_done: whether the queue says that it was done once.
        """
        refusal = self._refusal(video, videos)
        if refusal:
            console.error(f"{video} cannot be done: {refusal}")
            return Outcome(InputError.exit_code, reason=refusal, allows_shutdown=False)
        if was_done and not video.is_file():
            return Outcome(DONE, file=video, was_done=True)  # before it was put away
        finished = self._finished(video)
        if finished is not None:
            return Outcome(DONE, file=finished, was_done=True)
        return self._run(video)

    def _refusal(self, video: Path, videos: Collection[Path]) -> str:
        """Return why a video cannot have its turn, as a clause; "": it can."""
        if is_result_name(video.stem):
            return "by its name it is itself a result. If it is none, give it alone."
        other = clashes(videos, self.options.output).get(video)
        return clash_reason(video, other) if other is not None else ""

    def _finished(self, video: Path) -> Path | None:
        """Return the finished file of a video that is done already; None: it has to be run."""
        if self.matting is None:
            return None
        cutting = cutting_options(self.options)
        return finished_file(video, cutting, self.matting, self.options.output)

    def _run(self, video: Path) -> Outcome | None:
        options, call = self._alone(video)
        console = Console(
            quiet=options.quiet,
            verbose=options.verbose,
            log=log_of(options, call.arguments),
            unbroken=names_of(options),
        )
        ending = run_command(options, call, self.signals, console, is_one_of_many=True)
        console.record(f"Exit code {ending.exit_code}.")
        if ending.exit_code == INTERRUPTED:
            return None
        return Outcome(
            ending.exit_code,
            file=ending.result if isinstance(ending.result, Path) else None,
            reason=_reason_of(ending.error),
            seconds=ending.seconds,
            allows_shutdown=ending.allows_shutdown,
        )

    def _alone(self, video: Path) -> tuple[argparse.Namespace, Invocation]:
        """Return the same command for one of the videos."""
        own = {"path": video, "paths": [video], "typed_paths": [str(video)], "queue": None}
        command, *words = self.call.arguments
        for word in vars(self.options).get("typed_paths", [str(self.options.path)]):
            if word in words:
                words.remove(word)
        return (
            argparse.Namespace(**{**vars(self.options), **own}),
            Invocation(self.call.program, (command, str(video), *words), self.call.batch),
        )


def _reason_of(error: MattingError | None) -> str:
    """Return why a video failed, in a sentence; of many segments, why the first did."""
    if isinstance(error, SegmentsFailedError) and error.failed:
        return f"{error.what} {next(iter(error.failed.values())).what}"
    return error.what if error is not None else ""
