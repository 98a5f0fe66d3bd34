"""The command line: one command, its stage, its exit code."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial

from matting.cli import parser as args
from matting.cli.console import Console
from matting.cli.next_steps import Invocation, ended, failed, interrupted
from matting.cli.requested import cutting_options, matting_options
from matting.cli.shutdown import shut_down
from matting.cli.signals import SignalListener
from matting.errors import MattingError, MissingError, SegmentsFailedError, StorageError
from matting.system.fixes import setup

DONE, OUR_FAULT, INTERRUPTED = 0, 70, 130
# A night's work has ended, well or not; anything else is best told to somebody who is still there.
FAULT = (
    "This is a fault of the program, not yours. What was done so far is kept.\n"
    "Run the same command again; if it ends here again, please report it with the lines above."
)
SHUT_DOWN_AFTER = {DONE, SegmentsFailedError.exit_code, StorageError.exit_code}
# Many times slower without a graphics card.
NEEDING_A_CARD = {"infer", "run", "demo"}


def main(argv: list[str] | None = None) -> int:
    """Runs the command of `argv` (without the program's name); returns the exit code."""
    interrupts = SignalListener()
    interrupts.listen()
    console = Console()
    try:
        options = args.parse(sys.argv[1:] if argv is None else argv)
    except MattingError as error:
        console.error(str(error))
        return error.exit_code
    console = Console(quiet=options.quiet, verbose=options.verbose)
    code = _guarded(options, Invocation.of(argv), interrupts, console)
    if getattr(options, "shutdown", False) and code in SHUT_DOWN_AFTER and not interrupts.heard:
        code = _shut_down(console) or code
    interrupts.ignore()  # nothing is at work any more
    return code


def _guarded(
    options: argparse.Namespace, call: Invocation, interrupts: SignalListener, console: Console
) -> int:
    """The exit code of the command, whatever happens in it."""
    started = time.monotonic()
    try:
        _dispatch(options, console)
        console.say(ended(options, call, time.monotonic() - started))
    except KeyboardInterrupt:
        return _interrupted(call, interrupts, console)
    except Exception as error:  # noqa: BLE001 - the last net: told as what it is, with its own code
        if interrupts.heard:  # it fell into code that made another error of it
            return _interrupted(call, interrupts, console)
        return _told(error, options, call, console)
    return DONE


def _interrupted(call: Invocation, interrupts: SignalListener, console: Console) -> int:
    interrupts.ignore()
    console.finish()
    console.error(interrupted(call))
    return INTERRUPTED


def _told(error: Exception, options: argparse.Namespace, call: Invocation, console: Console) -> int:
    """Says what failed; returns its exit code."""
    console.finish()
    ours = not isinstance(error, MattingError)
    if ours or options.verbose:
        console.error(traceback.format_exc().rstrip())
    if not isinstance(error, MattingError):
        console.error(failed(FAULT, call))
        return OUR_FAULT
    console.error(failed(str(error), call))
    return error.exit_code


def _dispatch(options: argparse.Namespace, console: Console) -> None:
    try:
        console.start("Starting ...", 0, "")  # torch takes seconds to load, on some disks a minute
        stage = _stage(options, console)
    except (ImportError, OSError) as error:  # the latter where a package's libraries do not load
        name = getattr(error, "name", None)
        raise MissingError(
            f"The Python package {name} is missing or broken ({error})."
            if name
            else f"A Python package is broken ({error}).",
            f"To mend it: {setup()}. This tells what else is missing: "
            "python inference_custom.py doctor",
        ) from error
    finally:
        console.finish()
    stage()


def _stage(options: argparse.Namespace, console: Console) -> Callable[[], object]:
    """The command's work.

    Only its own modules are imported: torch takes seconds to load, and three stages need none.
    """
    path, output = options.path, options.output
    if options.command in NEEDING_A_CARD:
        from matting.system.gpu_diagnosis import warn_of_unused_gpu

        warn_of_unused_gpu(options.device, console)
    if options.command in {"demo", "doctor"}:
        return _beside_the_stages(options, console)
    if options.command == "segment":
        from matting.segment import segment

        return partial(segment, path, cutting_options(options), output, console)
    if options.command == "infer":
        from matting.infer import infer

        return partial(infer, path, matting_options(options), output, console)
    if options.command == "combine":
        from matting.combine import combine

        return partial(combine, path, output, console)
    if options.command == "add-audio":
        from matting.add_audio import add_audio

        return partial(add_audio, path, output, console)
    from matting.run import run

    cutting, matting = cutting_options(options), matting_options(options)
    return partial(run, path, cutting, matting, output, console)


def _beside_the_stages(options: argparse.Namespace, console: Console) -> Callable[[], object]:
    if options.command == "doctor":
        from matting.cli.doctor import doctor

        return partial(doctor, options.path, console)
    from matting.demo import DEFAULT_FOLDER, demo

    folder = options.path or options.output or DEFAULT_FOLDER
    return lambda: console.say("\n" + demo(folder, console, device=options.device).table())


def _shut_down(console: Console) -> int:
    try:
        shut_down(console.error)  # announced even when quiet
    except KeyboardInterrupt:
        console.say("The computer stays on.")
    except MattingError as error:
        console.error(str(error))
        return error.exit_code
    return DONE
