"""The command line's arguments: what there is, and what is accepted.

Defaults are those of `matting.options`. Reading the arguments needs no package: `doctor` and
`--help` work where some are missing.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Literal, NoReturn

from matting.cli import arg_types
from matting.cli.option_values import SAVED
from matting.errors import InputError
from matting.options import (
    DEFAULT_SEGMENT_SECONDS,
    REENCODE_CRF,
    Choice,
    CuttingOptions,
    MattingOptions,
)
from matting.system.invocation import PROGRAM, Command, program_line

CUTTING, MATTING = CuttingOptions(), MattingOptions()  # the defaults
BACKEND_HELP = "by the processor or the graphics card"


class Parser(argparse.ArgumentParser):
    """A parser whose errors are the program's own exceptions, in two plain lines.

    Attributes:
        commands: the parser of each command.
    """

    commands: dict[str, argparse.ArgumentParser]

    def error(self, message: str) -> NoReturn:
        raise InputError(
            message[:1].upper() + message[1:] + ".",
            f"Help: {program_line(*self.prog.split()[1:], '--help')}",
        )


def parse(argv: list[str]) -> argparse.Namespace:
    """Return the arguments as a namespace with `command`, `path` and the command's options.

    Raises:
        InputError: an argument is unknown or out of its range.
    """
    options = build_parser().parse_args(argv)
    options.command = Command(options.command)
    # Absolute from here on: nothing depends on the current folder or looks like an option.
    for name in ("path", "output", "checkpoint"):
        path = getattr(options, name, None)
        if path is not None:
            setattr(options, name, Path(os.path.abspath(path)))  # noqa: PTH100 - links stay
    return options


def build_parser() -> Parser:
    """Return the parser of the whole command line."""
    parser = Parser(prog=PROGRAM, description="Mattes long videos of people, in segments.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    demo = _add_command(
        commands, Command.DEMO, "draw a film, matte it, and measure the result", "?"
    )
    _add_device(demo)
    segment = _add_command(commands, Command.SEGMENT, "cut a video into segments")
    infer = _add_command(commands, Command.INFER, "matte a folder of segments")
    _add_command(commands, Command.COMBINE, "join the matted segments to one video")
    _add_command(commands, Command.ADD_AUDIO, "add the original's audio to the matted video")
    run = _add_command(commands, Command.RUN, "all four in a row; can be run again at any point")
    _add_doctor(commands)
    for command in (segment, run):
        _add_cutting_options(command)
    for command in (infer, run):
        _add_matting_options(command)
    parser.commands = dict(commands.choices)
    return parser


def commands_taking(option: str) -> list[Command]:
    """Return the commands that take an option, such as "--output"."""
    parsers = build_parser().commands
    return [Command(name) for name, parser in parsers.items() if _takes(parser, option)]


def _takes(parser: argparse.ArgumentParser, option: str) -> bool:
    try:
        _, unknown = parser.parse_known_args(["path", option])
    except InputError:
        return True  # only its value is missing
    return not unknown


def _add_command(
    commands: argparse._SubParsersAction[Parser],
    command: Command,
    description: str,
    count: Literal["?"] | None = None,
) -> argparse.ArgumentParser:
    """Add a command with the arguments that all of them have.

    Args:
        count: "?" if it needs no path.
    """
    parser = commands.add_parser(
        command.value, help=description, description=description.capitalize()
    )
    parser.add_argument("path", metavar=command.input_name, type=Path, nargs=count)
    parser.add_argument(
        "--output", metavar="DIR", type=Path, help="put results there, not beside the input"
    )
    volume = parser.add_mutually_exclusive_group()
    volume.add_argument("-v", "--verbose", action="store_true", help="show more, also about faults")
    volume.add_argument("--quiet", action="store_true", help="show nothing but errors")
    return parser


def _add_doctor(commands: argparse._SubParsersAction[Parser]) -> None:
    description = "show what this computer has, what is missing, and the command that fixes it"
    parser = commands.add_parser(
        Command.DOCTOR.value, help=description, description=description.capitalize()
    )
    parser.add_argument(
        "path",
        metavar=Command.DOCTOR.input_name,
        type=Path,
        nargs="?",
        default=Path(),
        help="show the free space of its disk (default: the current folder)",
    )
    parser.set_defaults(output=None, quiet=False, verbose=False)


def _add_cutting_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seconds",
        type=arg_types.seconds,
        default=CUTTING.seconds,
        help=f"segment length to aim at (default: {DEFAULT_SEGMENT_SECONDS})",
    )
    parser.add_argument(
        "--reencode",
        action="store_true",
        help=f"make new, clean segments (H.265, CRF {REENCODE_CRF}); slow",
    )
    parser.add_argument("--overwrite", action="store_true", help="cut again what is cut already")
    _add_choice(
        parser, "--damaged", CUTTING.damaged, "at damage: stop, or repeat the last good frame"
    )


def _add_matting_options(parser: argparse.ArgumentParser) -> None:
    _add_matte_options(parser)
    _add_output_options(parser)
    _add_compute_options(parser)
    add = parser.add_argument
    add("--force", action="store_true", help="go on although the disk seems too small")
    add("--shutdown", action="store_true", help="shut the computer down at the end")


def _add_matte_options(parser: argparse.ArgumentParser) -> None:
    default, add = MATTING.matte, parser.add_argument
    add(
        "--checkpoint",
        metavar="PATH",
        type=Path,
        default=default.checkpoint,
        help="the network's weights, a .pth file",
    )
    _add_choice(parser, "--precision", default.precision, "of the network's arithmetic")
    add(
        "--downsample-ratio",
        type=arg_types.ratio,
        default=default.ratio,
        metavar="auto|RATIO",
        help="size of the copy in which people are found, 0 to 1 (default: auto, by --subject)",
    )
    _add_choice(parser, "--subject", default.subject, "how much of the people is seen")


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    default, add = MATTING.output, parser.add_argument
    colour = "#{:02X}{:02X}{:02X}".format(*default.background)
    add(
        "--background",
        type=arg_types.colour,
        default=default.background,
        metavar="COLOUR",
        help=f"behind the people: '#RRGGBB' or R,G,B (default: '{colour}')",
    )
    _add_choice(parser, "--codec", default.encoding.codec, "of the results; hevc is H.265")
    _add_choice(
        parser,
        "--chroma",
        default.encoding.chroma,
        "4:2:0: colour at a quarter of the pixels, which all players take",
    )
    _add_choice(parser, "--encoder", default.encoding.encoder, BACKEND_HELP)
    rate = parser.add_mutually_exclusive_group()
    rate.add_argument(
        "--bitrate",
        type=arg_types.bitrate,
        default=default.encoding.bitrate_bps,
        metavar="40M",
        help="bits a second",
    )
    rate.add_argument(
        "--quality",
        type=arg_types.whole,
        default=default.encoding.quality,
        metavar="N",
        help="CRF; lower is better",
    )
    add(
        "--save",
        action="append",
        choices=SAVED,
        default=[],
        help="write this too; may be given several times",
    )
    add(
        "--frame-rate",
        type=arg_types.frame_rate,
        default=default.frame_rate,
        metavar="FPS",
        help="make videos of image sequences, at 30 or 30000/1001 (default: pictures)",
    )


def _add_compute_options(parser: argparse.ArgumentParser) -> None:
    default, add = MATTING.compute, parser.add_argument
    _add_device(parser)
    _add_choice(parser, "--decoder", default.decoder, BACKEND_HELP)
    _add_choice(
        parser,
        "--full-size",
        default.renderer,
        "how full-size pictures are rendered: in one pass, or in bands",
    )
    add(
        "--chunk",
        type=arg_types.positive,
        default=default.largest_chunk,
        metavar="N",
        help="compute at most N frames at once",
    )
    add(
        "--threads",
        type=arg_types.positive,
        default=default.threads,
        metavar="N",
        help="processor threads for each step",
    )
    add(
        "--patience",
        type=arg_types.seconds,
        default=default.patience_seconds,
        metavar="SECONDS",
        help="restart the work on a segment after so long without a frame "
        f"(default: {default.patience_seconds:g})",
    )


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        default=MATTING.compute.device,
        metavar="auto|cpu|cuda|cuda:N",
        help=f"what computes (default: {MATTING.compute.device})",
    )


def _add_choice(
    parser: argparse.ArgumentParser, option: str, default: Choice, description: str
) -> None:
    """Add an option whose values are those of an enum, the default's."""
    parser.add_argument(
        option,
        default=default.value,
        choices=[choice.value for choice in type(default)],
        help=f"{description} (default: {default})",
    )
