"""The command line: one command, its work, its exit code."""

from __future__ import annotations

import sys

from matting.cli.command_run import DONE, INTERRUPTED, names_of, run_command
from matting.cli.console import Console
from matting.cli.many_run import run_many
from matting.cli.next_steps import Invocation
from matting.cli.parser import TextRequested, parse
from matting.cli.queue_options import is_of_many, with_dropped
from matting.cli.run_log import log_of
from matting.cli.shutdown import shut_down
from matting.cli.signals import SignalListener
from matting.errors import MattingError
from matting.system.device_kinds import let_processor_step_in
from matting.system.lifetimes import tie_children

__all__ = ["DONE", "INTERRUPTED", "main"]


def main(argv: list[str] | None = None) -> int:
    """Run the command of `argv` (without the program's name) and return the exit code."""
    signals = SignalListener()
    signals.listen()
    tie_children()
    let_processor_step_in()
    console = Console()
    words = with_dropped(sys.argv[1:]) if argv is None else argv
    try:
        options = parse(words)
        many = is_of_many(options)
    except TextRequested as text:
        console.show(str(text))
        return DONE
    except MattingError as error:
        console.error(str(error))
        return error.exit_code
    call = Invocation.of(words)
    log = None if many else log_of(options, call.arguments)
    console = Console(
        quiet=options.quiet, verbose=options.verbose, log=log, unbroken=names_of(options)
    )
    run = run_many if many else run_command
    ending = run(options, call, signals, console)
    code = ending.exit_code
    console.record(f"Exit code {code}.")
    if getattr(options, "shutdown", False) and ending.allows_shutdown and not signals.heard:
        code = _shut_down(console) or code
    signals.ignore()  # nothing is at work any more
    return code


def _shut_down(console: Console) -> int:
    try:
        shut_down(console.error)  # announced even when quiet
    except KeyboardInterrupt:
        console.say("The computer stays on.")
    except MattingError as error:
        console.error(str(error))
        return error.exit_code
    return DONE
