"""The command line's arguments: what there is, and what is accepted.

Reading them needs no package: `doctor` and `--help` work where some are missing.
"""

from __future__ import annotations

import argparse
import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

from matting.choices import (
    AUTO,
    C420,
    CODEC_CHOICES,
    HARDWARE,
    PRECISION_CHOICES,
    REPEAT,
    SHORT_SIDE_PX,
    SOFTWARE,
    SOURCE,
    STOP,
    WAYS,
)
from matting.cli import arg_types as values
from matting.errors import InputError
from matting.project.paths import ALPHA, ALPHA_PNG, COMPOSITE, FOREGROUND

if TYPE_CHECKING:
    from matting.infer_options import InferOptions
    from matting.segment import SegmentOptions

PROGRAM = "inference_custom.py"
KINDS = {"alpha": ALPHA, "foreground": FOREGROUND, "alpha-png": ALPHA_PNG}


class _Parser(argparse.ArgumentParser):
    """Errors in two plain lines, by way of the program's own exception."""

    def error(self, message: str) -> NoReturn:
        raise InputError(
            message[:1].upper() + message[1:] + ".", f"Help: python {self.prog} --help"
        )


def parse(argv: list[str]) -> argparse.Namespace:
    """The arguments as a namespace with `command`, `path` and the command's options.

    Raises:
        InputError: an argument is unknown or out of its range.
    """
    parser = _Parser(prog=PROGRAM, description="Mattes long videos of people, in segments.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    demo = _command(commands, "demo", "DIR", "draw a film, matte it, and measure the result", "?")
    demo.add_argument("--device", default="auto", metavar="auto|cpu|cuda|cuda:N")
    segment = _command(commands, "segment", "VIDEO", "cut a video into segments")
    infer = _command(commands, "infer", "SEGMENTS_DIR", "matte a folder of segments")
    _command(commands, "combine", "MATTED_DIR", "join the matted segments to one video")
    _command(commands, "add-audio", "VIDEO", "put the original's sound to the matted video")
    run = _command(commands, "run", "VIDEO", "all four in a row; can be run again at any point")
    _doctor(commands)
    for command in (segment, run):
        _segment_options(command)
    for command in (infer, run):
        _infer_options(command)
    options = parser.parse_args(argv)
    # Absolute from here on: nothing depends on the current folder, nor looks like an option.
    for name in ("path", "output", "checkpoint"):
        given = getattr(options, name, None)
        if given is not None:
            setattr(options, name, Path(os.path.abspath(given)))  # noqa: PTH100 - links stay
    return options


def segment_options(arguments: argparse.Namespace) -> SegmentOptions:
    """The options of `segment`."""
    from matting.segment import SegmentOptions

    return SegmentOptions(
        seconds=arguments.seconds,
        reencode=arguments.reencode,
        overwrite=arguments.overwrite,
        damaged=arguments.damaged,
    )


def infer_options(arguments: argparse.Namespace) -> InferOptions:
    """The options of `infer`.

    Raises:
        InputError: the quality is out of the codec's range.
    """
    from matting.infer_options import InferOptions
    from matting.look import Look
    from matting.media.encoders import CODECS, Encoding

    worst = CODECS[arguments.codec].worst_quality
    if arguments.quality is not None and arguments.quality > worst:
        raise InputError(f"--quality {arguments.quality}: {arguments.codec} takes 0 to {worst}.")
    look = Look(
        background=arguments.background,
        kinds=(COMPOSITE, *(KINDS[kind] for kind in KINDS if kind in arguments.save)),
        encoding=Encoding(
            arguments.codec,
            arguments.quality,
            arguments.bitrate,
            chroma=arguments.chroma,
            encoder=arguments.encoder,
        ),
    )
    return InferOptions(
        checkpoint=arguments.checkpoint,
        device=arguments.device,
        decoder=arguments.decoder,
        precision=arguments.precision,
        ratio=arguments.downsample_ratio,
        subject=arguments.subject,
        look=look,
        frame_rate=arguments.frame_rate,
        full_size=arguments.full_size,
        largest_chunk=arguments.chunk,
        threads=arguments.threads,
        isolated=True,
        patience_seconds=float(arguments.patience),
        force=arguments.force,
    )


def _command(
    commands: argparse._SubParsersAction[_Parser],
    name: str,
    path: str,
    description: str,
    count: Literal["?"] | None = None,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=description, description=description.capitalize())
    parser.add_argument("path", metavar=path, type=Path, nargs=count)
    parser.add_argument(
        "--output", metavar="DIR", type=Path, help="put results there, not beside the input"
    )
    volume = parser.add_mutually_exclusive_group()
    volume.add_argument("-v", "--verbose", action="store_true", help="tell more, also of faults")
    volume.add_argument("--quiet", action="store_true", help="tell nothing but errors")
    return parser


def _doctor(commands: argparse._SubParsersAction[_Parser]) -> None:
    told = "tell what this computer has, what is missing, and the command that mends it"
    parser = commands.add_parser("doctor", help=told, description=told.capitalize())
    parser.add_argument(
        "path",
        metavar="FOLDER",
        type=Path,
        nargs="?",
        default=Path(),
        help="whose disk's free room is told (default: the current folder)",
    )
    parser.set_defaults(output=None, quiet=False, verbose=False)


def _segment_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seconds", type=values.seconds, help="length of a segment to aim at (default: 15)"
    )
    parser.add_argument(
        "--reencode", action="store_true", help="make new, clean pieces (H.265, CRF 12); slow"
    )
    parser.add_argument("--overwrite", action="store_true", help="cut anew what is cut already")
    parser.add_argument(
        "--damaged",
        default=STOP,
        choices=(STOP, REPEAT),
        help="at damage in the video: stop, or repeat the last good frame (default: stop)",
    )


def _infer_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--checkpoint", metavar="PATH", type=Path, help="the network's weights, a .pth file")
    add("--device", default="auto", metavar="auto|cpu|cuda|cuda:N", help="what computes")
    for name in ("--decoder", "--encoder"):
        who = "by the processor or the graphics card"
        add(name, default=AUTO, choices=(AUTO, SOFTWARE, HARDWARE), help=who)
    add("--precision", default="auto", choices=PRECISION_CHOICES, help="of the numbers")
    add(
        "--downsample-ratio",
        type=values.ratio,
        metavar="auto|RATIO",
        help="size of the copy on which people are found, 0 to 1 (default: auto, by --subject)",
    )
    add(
        "--subject",
        default="full-body",
        choices=SHORT_SIDE_PX,
        help="how much of the people is seen (default: full-body)",
    )
    add(
        "--background",
        type=values.colour,
        default=values.colour("#78FF9B"),
        metavar="COLOUR",
        help="behind the people: '#RRGGBB' or R,G,B (default: '#78FF9B')",
    )
    add("--codec", default="hevc", choices=CODEC_CHOICES, help="default: hevc (H.265)")
    add(
        "--chroma",
        default=SOURCE,
        choices=(SOURCE, C420),
        help="4:2:0: colour at a quarter of the pixels, which all players take (default: source)",
    )
    add(
        "--full-size",
        default=AUTO,
        choices=WAYS,
        help="how full-size pictures are made: in one pass, or several (default: auto)",
    )
    add("--chunk", type=values.positive, metavar="N", help="compute at most N frames at once")
    add("--threads", type=values.positive, metavar="N", help="processor threads for each step")
    rate = parser.add_mutually_exclusive_group()
    rate.add_argument("--bitrate", type=values.bitrate, metavar="40M", help="bits a second")
    rate.add_argument("--quality", type=values.whole, metavar="N", help="CRF; lower is better")
    add(
        "--save",
        action="append",
        choices=KINDS,
        default=[],
        help="write this too; may be given several times",
    )
    add(
        "--frame-rate",
        type=values.frame_rate,
        metavar="FPS",
        help="make videos of image sequences, at 30 or 30000/1001 (default: pictures)",
    )
    add(
        "--patience",
        type=values.seconds,
        default=Fraction(120),
        metavar="SECONDS",
        help="without one frame of progress, start the work on a segment anew (default: 120)",
    )
    add("--force", action="store_true", help="go on although the disk seems too small")
    add("--shutdown", action="store_true", help="switch the computer off at the end")
