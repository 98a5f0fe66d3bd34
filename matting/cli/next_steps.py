"""A command's last words: how long it took, what comes next, how to go on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matting.cli.parser import commands_taking, takes_value
from matting.cli.vr_arguments import CARDS_OPTION
from matting.errors import RUN_AGAIN, MattingError
from matting.options import FormatName, OutputKind
from matting.project.paths import PLAN_NAME, MattedFolder, segments_folder
from matting.system.files import is_video, visible
from matting.system.humanize import time_taken
from matting.system.invocation import Command, batch_file, command_line, program_words
from matting.system.text import printable

COMPOSITES = {FormatName.GREEN, FormatName.BACKGROUND}
OPTION_HELP = (
    "Options, which begin with --, are typed: open a command window (Windows key, cmd, Enter) and "
    "type this"
)


@dataclass(frozen=True)
class Invocation:
    """How the command was given.

    Attributes:
        program: what was typed before the command's name.
        arguments: the command's name and everything after it.
        batch: the batch file's name; "" if the command was typed.
    """

    program: tuple[str, ...]
    arguments: tuple[str, ...]
    batch: str = ""

    @classmethod
    def of(cls, argv: Sequence[str] | None) -> Invocation:
        """Return the invocation of this process, or of `argv` if it is given."""
        own = sys.argv[1:] if argv is None else argv
        return cls(program_words(), tuple(own), batch_file())

    @property
    def command(self) -> Command | None:
        """The command; None if none, or no such one, was given."""
        name = next(iter(self.arguments), "").lower().replace("_", "-")
        return next((command for command in Command if command.value == name), None)

    @property
    def resumes(self) -> bool:
        """Whether the same command, given again, goes on where it stopped."""
        if self.command is None or CARDS_OPTION in self.arguments:
            return False  # test cards begin anew, each
        return self.command.resumes

    def line(self, *arguments: object) -> str:
        """Return what to type to run the program with those arguments, in one line."""
        return printable(command_line([*self.program, *map(str, arguments)]))


def interruption_text(call: Invocation) -> str:
    """Return the last words after Ctrl-C."""
    then = "it goes on where it stopped" if call.resumes else "this step begins anew"
    again = _again(call)
    text = f"Interrupted. {again[:1].upper()}{again[1:]}: {then}."
    return text if call.batch else f"{text}\n  {call.line(*call.arguments)}"


def failure_text(error: MattingError, call: Invocation, log: Path | None = None) -> str:
    """Return what failed and what to do, in the words of the way the command was given.

    Args:
        log: the log of the run, if there is one.
    """
    again = _again(call)
    if call.resumes:
        again += ": it goes on where it stopped"
    lines = [*_lines(error), printable(error.advice(again))]
    if error.option is not None and call.batch:
        lines += _option_lines(error.option, call)
    if log is not None:
        lines.append(printable(f"The log of this run: {log}"))
    return "\n".join(filter(None, lines))


def _lines(error: MattingError) -> list[str]:
    return [printable(line) for line in (error.what, *error.details)]


def _again(call: Invocation) -> str:
    """Return how to give the same command again, as a clause."""
    return f"drop the same on {call.batch} again" if call.batch else RUN_AGAIN


def _option_lines(option: str, call: Invocation) -> list[str]:
    """Return how to type an option: with the same again, if its command takes it."""
    commands = commands_taking(option)
    if call.command in commands or not commands:
        words = call.arguments
    else:
        words = (commands[0], commands[0].input_name)
    if takes_value(option):
        return [f"{OPTION_HELP}, with the option at its end:", f"  {call.line(*words)}"]
    return [f"{OPTION_HELP}:", f"  {call.line(*words, option)}"]


def success_text(options: argparse.Namespace, call: Invocation, seconds: float) -> str:
    """Return the last words of a command that has succeeded."""
    duration = f"Time taken: {time_taken(seconds)}."
    step = _next_step(options, call)
    if not step:
        return duration
    return f"{duration} Next: {step}" if call.batch else f"{duration} Next:\n  {step}"


def _next_step(options: argparse.Namespace, call: Invocation) -> str:
    """Return what the user does next, by a drop or by a line to type; "" for nothing."""
    path, output = options.path, options.output
    if options.command is Command.SEGMENT:
        folder = segments_folder(path, output)
        return _step(call, f"the folder {folder.name}", Command.INFER, folder)
    if options.command is Command.INFER:
        return _after_infer(path, output, call)
    if options.command is Command.COMBINE:
        return _after_combine(path, output, call)
    if options.command in {Command.RUN, Command.ADD_AUDIO}:
        made: Sequence[FormatName] = getattr(options, "formats", ())
        return "" if any(name.is_vr for name in made) else _for_headset(path, output, call)
    return ""


def _after_infer(segments: Path, output: Path | None, call: Invocation) -> str:
    from matting.project.ledger import Ledger

    folder = MattedFolder.of(segments, output)
    remembered = Ledger(folder).remembered
    if remembered is not None and not COMPOSITES.isdisjoint(remembered.formats):
        return ""  # the composite is finished, too
    if not (segments / PLAN_NAME).is_file():
        return _after_separate(segments, output, call)
    return _step(call, f"the folder {folder.root.name}", Command.COMBINE, folder.root)


def _after_separate(folder: Path, output: Path | None, call: Invocation) -> str:
    """Return what comes after separate videos or image sequences, which are never joined."""
    if not (folder.is_dir() and any(map(is_video, visible(folder)))):
        return ""  # they have no audio
    elsewhere = ["--output", output] if output else []
    return _step(call, f"the folder {folder.name}", Command.ADD_AUDIO, folder, *elsewhere)


def _after_combine(matted: Path, output: Path | None, call: Invocation) -> str:
    from matting.project.join_record import JoinRecord

    results = MattedFolder(output / matted.name if output else matted)
    record = JoinRecord.read(results.combined())
    if record is None or record.source is None:
        return ""  # never one video, whose audio it could have
    name, folder = record.source.name, results.root.parent
    elsewhere = [] if (folder / name).is_file() else ["--output", folder]
    video = name if elsewhere else folder / name
    return _step(call, f"your video {name}", Command.ADD_AUDIO, video, *elsewhere)


def _for_headset(video: Path, output: Path | None, call: Invocation) -> str:
    """Return how a VR video whose stored matte is there comes into a headset; "" for another."""
    from matting.project.plan import read_plan

    segments = segments_folder(video, output)
    plan = read_plan(segments)
    if plan is None or plan.view is None or not plan.view.is_vr:
        return ""
    matted = MattedFolder.of(segments)
    made = (OutputKind.VR_GREEN, OutputKind.VR_ALPHA)  # before, or as the job remembers
    if any(matted.output_folder(kind).is_dir() for kind in made):
        return ""
    if not matted.output_folder(OutputKind.MATTE).is_dir():
        return ""
    step = _step(call, f"the folder {matted.root.name}", Command.DELIVER_VR, matted.root)
    return f"for your headset, {step}" if call.batch else step


def _step(call: Invocation, what: str, command: Command, *arguments: object) -> str:
    if call.batch:
        return f"drop {what} on {command.batch_file}."
    return call.line(command, *arguments)
