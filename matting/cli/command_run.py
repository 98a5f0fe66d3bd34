"""One command from its beginning to its last words, whatever happens in it."""

from __future__ import annotations

import argparse
import time
import traceback
from dataclasses import dataclass

from matting.cli.command_work import do_work
from matting.cli.console import Console
from matting.cli.next_steps import Invocation, failure_text, interruption_text, success_text
from matting.cli.report_offer import offer_report
from matting.cli.signals import SignalListener
from matting.errors import MattingError, UnforeseenError
from matting.system.package_loading import unusable_package

DONE, INTERRUPTED = 0, 130


@dataclass(frozen=True)
class Ending:
    """How a command ended.

    Attributes:
        allows_shutdown: whether --shutdown is obeyed.
        result: what its stage returned; None: it did not come to its end.
        error: why it failed; None: it did not, or was interrupted.
        seconds: how long it took.
    """

    exit_code: int
    allows_shutdown: bool = False
    result: object = None
    error: MattingError | None = None
    seconds: float = 0.0


def names_of(options: argparse.Namespace) -> list[str]:
    """Return the names that messages are made of: of the job's file or folder, and where it is."""
    paths = [path for path in (options.path, options.output) if path is not None]
    return [name for path in paths for name in (str(path), str(path.parent), path.name, path.stem)]


def run_command(
    options: argparse.Namespace,
    call: Invocation,
    signals: SignalListener,
    console: Console,
    *,
    is_one_of_many: bool = False,
) -> Ending:
    """Run the command, whatever happens in it.

    Args:
        is_one_of_many: whether others follow: then nobody is told, or asked, what is next.
    """
    started = time.monotonic()
    try:
        result = do_work(options, console)
        console.list_notices()
        seconds = time.monotonic() - started
        if not is_one_of_many:  # whose last words come when all have had their turn
            for line in success_text(options, call, seconds).split("\n"):
                console.say(line)
            offer_report(options, console)
    except KeyboardInterrupt:
        return report_interruption(call, signals, console, is_one_of_many=is_one_of_many)
    except Exception as error:  # noqa: BLE001 - the last net: reported as what it is
        if signals.heard:  # it hit code that turned it into another error
            return report_interruption(call, signals, console, is_one_of_many=is_one_of_many)
        return report_failure(error, options, call, console)
    return Ending(DONE, allows_shutdown=True, result=result, seconds=seconds)


def report_interruption(
    call: Invocation, signals: SignalListener, console: Console, *, is_one_of_many: bool = False
) -> Ending:
    """Say that the command was interrupted, and how it goes on; that of many is said at the end."""
    signals.ignore()
    console.leave_line()
    console.list_notices()
    if is_one_of_many:
        return Ending(INTERRUPTED)
    if call.command is not None and call.command.serves:  # there is no other end to it
        console.say(f"The {call.command} has ended.")
        return Ending(DONE)
    console.error(interruption_text(call))
    return Ending(INTERRUPTED)


def report_failure(
    error: Exception, options: argparse.Namespace, call: Invocation, console: Console
) -> Ending:
    """Say what failed, and what to do about it."""
    console.leave_line()
    console.list_notices()
    if options.verbose or not isinstance(error, MattingError):
        console.error(traceback.format_exc().rstrip())
    else:
        console.record(traceback.format_exc().rstrip())
    if isinstance(error, ImportError):  # of what is loaded only where it is needed
        error = unusable_package(error)
    if not isinstance(error, MattingError):
        error = UnforeseenError(
            "This is a fault of the program, not yours. What was done so far is kept."
        )
    console.error(failure_text(error, call, console.log_path))
    return Ending(error.exit_code, error.allows_shutdown, error=error)
