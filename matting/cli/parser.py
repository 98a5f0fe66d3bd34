"""The command line: its commands, its help, and what is said of words that it does not know.

Reading the arguments needs no package: `doctor` and `--help` work where some are missing.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from matting.cli import command_options, help_texts, service_commands, suggestions
from matting.cli.spaced_values import SpacedValue, spaced_value
from matting.errors import InputError
from matting.job_option import JobOption
from matting.network_choice import MatteQuality
from matting.system.invocation import (
    VERSION,
    Command,
    command_line,
    program_line,
    program_words,
)

HELP_WORDS = {"help", "-h", "--help", "-?", "/?"}
VERSION_WORDS = {"version", "-V", "--version"}
NEGATIVE = re.compile(r"-[\d.,]")


class TextRequested(Exception):  # noqa: N818 - it is no error
    """A text was asked for, such as the help, and nothing else is to be done."""


class CommandParser(argparse.ArgumentParser):
    """Reads the arguments of a command; its errors and its help are exceptions."""

    def __init__(self, command: Command) -> None:
        program = command_line([*program_words(), command])
        super().__init__(
            prog=program,
            usage=f"{program} {_usage_of(command)} [options]".replace("%", "%%"),
            description=help_texts.DESCRIPTIONS[command],
            epilog=help_texts.epilog(command),
            formatter_class=help_texts.HelpFormatter,
            allow_abbrev=False,  # one that is clear today is not when there is a new option
            add_help=False,
        )
        self.command = command
        if command.serves:
            service_commands.add_to(self, command)
        else:
            command_options.add_to(self, command)

    @property
    def actions(self) -> list[argparse.Action]:
        """All that the command takes."""
        return self._actions

    @property
    def options(self) -> list[str]:
        """All options that the command takes."""
        return [name for action in self._actions for name in action.option_strings]

    def takes_value(self, option: str) -> bool:
        """Return whether an option, such as "--output", is followed by a value here."""
        return any(option in own.option_strings and own.nargs != 0 for own in self._actions)

    def error(self, message: str) -> NoReturn:
        what = message.removeprefix("argument ")
        what = what.replace("expected one argument", "a value is missing")
        raise InputError(
            what if what.endswith((".", "?")) else f"{what}.",
            f"Help: {program_line(self.command, '--help')}",
        )

    def print_help(self, file: object = None) -> NoReturn:
        raise TextRequested(self.format_help().rstrip())


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return the arguments as a namespace with `command`, `path` and the command's options.

    Where there is an `address` instead, `path` and `output` are None.

    Raises:
        TextRequested: for the help, or the version.
        InputError: an argument is unknown or out of its range.
    """
    word, *words = argv or ["help"]
    if word.lower() in HELP_WORDS:
        raise TextRequested(_help(words))
    if word in VERSION_WORDS:
        raise TextRequested(f"RVM on Segments {VERSION}")
    command = _command(word)
    parser = CommandParser(command)
    words = _with_matte_quality(_with_negative_values(words, parser), parser)
    spaced = spaced_value(words, parser.actions)
    if spaced is not None and not spaced.begins_well:
        parser.error(spaced.refusal)
    options, unknown = parser.parse_known_args(words)
    if command is Command.RUN:
        unknown = _take_paths(options, unknown, spaced)
    if unknown:
        _refuse(unknown, parser, spaced)
    if command.needs_path and options.path is None and not vars(options).get("queue"):
        parser.error(f"{command} needs a {command.input_name}.")
    options.command = command
    if command is Command.WORKER and options.address is None and not options.make_certificates:
        parser.error(f"{command} needs the {command.input_name} of a scheduler.")
    # Absolute from here on: nothing depends on the current folder or looks like an option.
    if isinstance(getattr(options, "model", None), Path):
        options.checkpoint = options.__dict__.pop("model")
    for name in ("path", "output", "checkpoint", "static_mask", "certificates", "queue"):
        path = getattr(options, name, None)
        if path is not None:
            setattr(options, name, _absolute(path))
    if command is Command.RUN:
        options.paths = list(map(_absolute, options.typed_paths))
    return options


def _absolute(path: str | Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - links stay


def _take_paths(
    options: argparse.Namespace, unknown: list[str], spaced: SpacedValue | None
) -> list[str]:
    """Take what is left over for more videos; return it where it is something else.

    Between paths options may stand, which argparse does not take.
    """
    first = [] if options.path is None else [str(options.path)]
    options.typed_paths = first
    if spaced is not None or any(map(suggestions.looks_like_option, unknown)):
        return unknown
    options.typed_paths = [*first, *unknown]
    return []


def _usage_of(command: Command) -> str:
    path = command.input_name
    if command is Command.RUN:
        return f"{path}|FOLDER ..."
    return path if command.needs_path else f"[{path}]"


def commands_taking(option: str) -> list[Command]:
    """Return the commands that take an option, such as "--output"."""
    return [command for command in Command if option in CommandParser(command).options]


def takes_value(option: str) -> bool:
    """Return whether an option, such as "--output", is followed by a value."""
    return any(CommandParser(command).takes_value(option) for command in Command)


def _with_negative_values(words: Sequence[str], parser: CommandParser) -> list[str]:
    """Tie values such as -1/2 to their options: argparse takes most of them for options."""
    tied: list[str] = []
    for word in words:
        if tied and parser.takes_value(tied[-1]) and NEGATIVE.match(word):
            tied[-1] += f"={word}"
        else:
            tied.append(word)
    return tied


def _with_matte_quality(words: Sequence[str], parser: CommandParser) -> list[str]:
    """Return the words with --quality, where it is that of the matte, as what sets it.

    As a number it is the encoder's, and both may be given.
    """
    named, renamed = list(words), JobOption.MATTE_QUALITY.value
    if not parser.takes_value(renamed):
        return named
    for index, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option == JobOption.QUALITY.value:
            value = value if equals else "".join(words[index + 1 : index + 2])
            if value.strip().lower() in list(MatteQuality):
                named[index] = renamed + word[len(option) :]
    return named


def _help(words: Sequence[str]) -> str:
    """Return the help on a command, or on all of them."""
    if words:
        return CommandParser(_command(words[0])).format_help().rstrip()
    return help_texts.program_help()


def _command(word: str) -> Command:
    """Return the command that a word names.

    Raises:
        InputError: there is none of that name; suggests one.
    """
    name = word.lower().replace("_", "-")
    if name in list(Command):
        return Command(name)
    help_line = program_line("--help")
    if os.path.exists(word):  # noqa: PTH110 - False for what cannot be a name
        raise InputError(
            f"Which command is meant for {word}?",
            f"For all four steps: {program_line(Command.RUN, word)}\nAll commands: {help_line}",
        )
    meant = suggestions.nearest(name, list(Command))
    raise InputError(
        f"There is no command {word}.{suggestions.question(meant)}", f"All commands: {help_line}"
    )


def _refuse(unknown: Sequence[str], parser: CommandParser, spaced: SpacedValue | None) -> NoReturn:
    """Refuse arguments that a command does not take; say what may have been meant.

    Args:
        spaced: an option some of them may be the values of.
    Raises:
        InputError.
    """
    command = parser.command
    for word in filter(suggestions.looks_like_option, unknown):
        option = suggestions.plain_option(word)
        others = ", ".join(commands_taking(option))
        others = " and ".join(others.rsplit(", ", 1))
        if others and option not in parser.options:
            parser.error(f"{option} is an option of {others}, not of {command}.")
        meant = suggestions.question(suggestions.nearest(option, parser.options))
        parser.error(f"{command} has no option {word}.{meant}")
    if spaced is not None:
        parser.error(spaced.refusal)
    parser.error(
        f"{command} takes one {command.input_name}, and there is more: {' '.join(unknown)}. "
        "A path that contains spaces is written between quotation marks."
    )
