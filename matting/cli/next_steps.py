"""What a command says at its end: how long it took, what comes next, how to go on."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matting.cli.parser import INPUTS, commands_taking
from matting.errors import RUN_AGAIN, MattingError
from matting.project.join_record import JoinRecord
from matting.project.paths import MattedFolder, segments_folder
from matting.project.plan import read_plan
from matting.system.humanize import time_taken

# The variable in which a batch file gives its name.
BATCH_VARIABLE = "RVM_BATCH"
INFER_BATCH, COMBINE_BATCH, ADD_AUDIO_BATCH = "2_infer.bat", "3_combine.bat", "4_add_audio.bat"
KEEPS_WHAT_IS_DONE = {"infer", "run", "demo"}
OPTION_HELP = (
    "Options, which begin with --, are typed: open a command window (Windows key, cmd, Enter) and "
    "type this, with the option at its end:"
)
PROGRAM = ("python", "inference_custom.py")


@dataclass(frozen=True)
class Invocation:
    """How the command was given.

    Attributes:
        program: what was typed before the command's name.
        arguments: the command's name and all after it.
        batch: the batch file's name; "": typed.
    """

    program: tuple[str, ...]
    arguments: tuple[str, ...]
    batch: str = ""

    @classmethod
    def of(cls, argv: Sequence[str] | None) -> Invocation:
        """That of this process; of `argv` where that is given."""
        if argv is not None:
            return cls(PROGRAM, tuple(argv))
        own = sys.argv[1:]
        program = sys.orig_argv[: len(sys.orig_argv) - len(own)]
        return cls(tuple(program), tuple(own), os.environ.get(BATCH_VARIABLE, ""))

    @property
    def command(self) -> str:
        """Its name; "" for none."""
        return next(iter(self.arguments), "")

    def line(self, *arguments: object) -> str:
        """What to type, to call the program with those arguments."""
        return typed([*self.program, *map(str, arguments)])


def typed(words: Sequence[str], windows: bool = os.name == "nt") -> str:
    """The words as a line for the system's command window."""
    if not windows:
        return shlex.join(words)
    return " ".join(w if re.fullmatch(r"[\w.:\\/+-]+", w) else f'"{w}"' for w in words)


def interrupted(call: Invocation) -> str:
    """Return the last words after Ctrl-C."""
    goes_on = call.command in KEEPS_WHAT_IS_DONE
    then = "it goes on where it stopped" if goes_on else "this step begins anew"
    again = _again(call)
    text = f"Interrupted. {again[:1].upper()}{again[1:]}: {then}."
    return text if call.batch else f"{text}\n  {call.line(*call.arguments)}"


def failed(error: MattingError, call: Invocation) -> str:
    """Return what failed and what to do, in the words of the way the command was given."""
    again = _again(call)
    if call.command in KEEPS_WHAT_IS_DONE:
        again += ": it goes on where it stopped"
    text = "\n".join(filter(None, [error.what, error.advice(again)]))
    if error.option is None or not call.batch:
        return text
    return f"{text}\n{OPTION_HELP}\n  {_line_taking(error.option, call)}"


def _again(call: Invocation) -> str:
    """Return how to give the same command again, as a clause."""
    return f"drop the same on {call.batch} again" if call.batch else RUN_AGAIN


def _line_taking(option: str, call: Invocation) -> str:
    """Return the line to type before an option: the same again if its command takes the option."""
    commands = commands_taking(option)
    if call.command in commands or not commands:
        return call.line(*call.arguments)
    return call.line(commands[0], INPUTS[commands[0]])


def ended(options: argparse.Namespace, call: Invocation, seconds: float) -> str:
    """The last words of a command that has done its work."""
    taken = f"Time taken: {time_taken(seconds)}."
    following = _following(options, call)
    if not following:
        return taken
    return f"{taken} Next: {following}" if call.batch else f"{taken} Next:\n  {following}"


def _following(options: argparse.Namespace, call: Invocation) -> str:
    """What the user does next, by a drop or by a line to type; "": nothing more."""
    path, output = options.path, options.output
    if options.command == "segment":
        folder = segments_folder(path, output)
        return _step(call, f"the folder {folder.name}", INFER_BATCH, "infer", folder)
    if options.command == "infer":
        if read_plan(path) is None:
            return ""  # not the pieces of one video
        folder = MattedFolder.of(path, output).root
        return _step(call, f"the folder {folder.name}", COMBINE_BATCH, "combine", folder)
    if options.command == "combine":
        return _after_combine(path, output, call)
    return ""


def _after_combine(matted: Path, output: Path | None, call: Invocation) -> str:
    results = MattedFolder(output / matted.name if output else matted)
    note = JoinRecord.read(results.combined())
    if note is None or note.source is None:
        return ""  # never one video, whose sound it could have
    name, beside = note.source.name, results.root.parent
    elsewhere = [] if (beside / name).is_file() else ["--output", beside]
    video = name if elsewhere else beside / name
    return _step(call, f"your video {name}", ADD_AUDIO_BATCH, "add-audio", video, *elsewhere)


def _step(call: Invocation, what: str, batch: str, *arguments: object) -> str:
    return f"drop {what} on {batch}." if call.batch else call.line(*arguments)
