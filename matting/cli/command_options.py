"""The options of each command, in groups, with the defaults of `matting.options`.

What a job remembers has no default here: that it was not typed has to be known.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from matting.background import COLOUR, hex_colour
from matting.cli import arg_types
from matting.cli.cluster_arguments import SHARING, add_cluster_options, add_device
from matting.cli.matte_options import add_matte_options
from matting.cli.option_group import Group, add_choice
from matting.cli.option_values import SAVED
from matting.cli.preview_command import add_preview_options
from matting.cli.queue_options import add_queue_options
from matting.cli.range_arguments import add_range_options
from matting.cli.vr_arguments import add_card_options, add_view, add_vr_options
from matting.delivery.backgrounds import PRESETS
from matting.delivery.formats import FORMATS
from matting.job_option import CleanUp, JobOption
from matting.options import (
    DEFAULT_SEGMENT_SECONDS,
    REENCODE_CRF,
    CuttingOptions,
    MattingOptions,
)
from matting.system.invocation import Command

CUTTING, MATTING = CuttingOptions(), MattingOptions()  # the defaults
# Edges for players that key.
EDGES = (
    ("--key-cutoff", arg_types.share, "SHARE", "alpha below it is 0, for players that key: 0 to 1"),
    ("--key-contrast", arg_types.contrast, "TIMES", "so many times steeper edges: 1 to 64"),
    (
        "--despill",
        arg_types.share,
        "SHARE",
        "take so much of the background's hue out of half-transparent pixels: 0 to 1",
    ),
)
BACKEND_HELP = "by the processor or the graphics card"

# The commands that make the results' pictures.
MAKING = {Command.INFER, Command.RUN, Command.DELIVER, Command.DELIVER_VR}


def add_to(parser: argparse.ArgumentParser, command: Command) -> None:
    """Add to a parser all that a command takes."""
    parser.add_argument(
        "path",
        metavar=command.input_name,
        type=Path,
        nargs="?",  # that it is missing is said after what is wrong with the options
        help=argparse.SUPPRESS,  # the description says what it is
    )
    if command in {Command.SEGMENT, Command.RUN}:
        add_queue_options(parser.add_argument_group("several videos"), command)
        _add_cutting_options(parser.add_argument_group("how it is cut"))
    if command in {Command.SEGMENT, *MAKING}:
        add_view(parser.add_argument_group("how the video is meant to be seen"))
    if command in OWN_OPTIONS:
        OWN_OPTIONS[command](parser)
    if command in {Command.INFER, Command.RUN, Command.REMATTE}:
        add_matte_options(parser.add_argument_group("how people are found"))
    if command in MAKING:
        output = parser.add_argument_group("what the results are like")
        if command is not Command.DELIVER_VR:
            _add_formats(output)
        _add_output_options(output)
        add_vr_options(parser.add_argument_group("what files for headsets are like"))
        if command in {Command.INFER, Command.RUN}:
            _add_result_options(output)
    if command in SHARING:
        _add_compute_options(parser.add_argument_group("how it is computed"), command)
        group = parser.add_argument_group("how the work is shared")
        add_cluster_options(group, finds_people=command.runs_network)
    if command is Command.DEMO:
        add_device(parser.add_argument_group("how it is computed"), command)
        add_card_options(parser.add_argument_group("test cards for headsets"))
    general = parser.add_argument_group("general")
    general.add_argument("-h", "--help", action="help", help="show this")
    if command is Command.DOCTOR:
        text = "ask, by one request over the internet, whether there is a newer release"
        general.add_argument("--updates", action="store_true", help=text)
        parser.set_defaults(path=Path(), output=None, quiet=False, verbose=False)
        return
    _add_general_options(general)
    if command in {*MAKING, Command.REMATTE}:
        _add_job_options(general, command)
    if command is Command.RUN:
        typed = [choice.value for choice in CleanUp if choice is not CleanUp.ASK]
        general.add_argument(
            "--clean",
            nargs="?",
            type=arg_types.choice(typed),
            const=CleanUp.ALL_BUT_MATTE.value,
            default=argparse.SUPPRESS,
            metavar=",".join(typed),
            help="delete the working files when the result is finished, but for the stored matte; "
            "all: with it (default: ask, or keep them where there is nobody to ask)",
        )


def _add_general_options(group: Group) -> None:
    group.add_argument(
        "--output", metavar="DIR", type=Path, help="put results there, not beside the input"
    )
    volume = group.add_mutually_exclusive_group()
    volume.add_argument("-v", "--verbose", action="store_true", help="show more, also about faults")
    volume.add_argument("--quiet", action="store_true", help="show nothing but errors")


def _add_job_options(group: Group, command: Command) -> None:
    if command in MAKING:
        text = "matte again, without a question, what is done by other options"
        group.add_argument("--again", action="store_true", help=text)
    group.add_argument("--force", action="store_true", help="go on although the disk seems small")
    group.add_argument("--shutdown", action="store_true", help="shut the computer down at the end")


def _add_cutting_options(group: Group) -> None:
    group.add_argument(
        "--seconds",
        type=arg_types.seconds,
        default=CUTTING.seconds,
        metavar="N",
        help=f"segment length to aim at (default: {DEFAULT_SEGMENT_SECONDS})",
    )
    group.add_argument(
        "--reencode",
        action="store_true",
        help=f"make new, clean segments (H.265, CRF {REENCODE_CRF}); slow",
    )
    group.add_argument("--overwrite", action="store_true", help="cut again what is cut already")
    add_choice(
        group, "--damaged", CUTTING.damaged, "at damage: show it as players do, stop, or repeat"
    )


def _add_output_options(group: Group) -> None:
    default, add = MATTING.output, group.add_argument
    colour = hex_colour(COLOUR)
    add(
        "--background",
        type=arg_types.background,
        default=argparse.SUPPRESS,
        metavar="COLOUR|FILE",
        help="behind the people: a picture or a video, which is looped; or '#RRGGBB', '#RGB', "
        f"R,G,B, or a name: {', '.join(PRESETS)}, or one of the web such as lime "
        f"(default: '{colour}')",
    )
    add_choice(
        group,
        "--codec",
        default.encoding.codec,
        "of the results; hevc is H.265",
        aliases={"h265": "hevc", "h.265": "hevc", "h.264": "h264", "avc": "h264"},
    )
    rate = group.add_mutually_exclusive_group()
    rate.add_argument(
        "--quality",
        type=arg_types.whole,
        default=argparse.SUPPRESS,
        metavar="N",
        help="CRF; lower is better (default: 20 for hevc, 18 for h264, 24 for av1)",
    )
    rate.add_argument(
        "--bitrate",
        type=arg_types.bitrate,
        default=argparse.SUPPRESS,
        metavar="40M",
        help="bits a second, instead of a quality",
    )
    add_choice(
        group,
        "--chroma",
        default.encoding.chroma,
        "4:2:0: colour at a quarter of the pixels, which all players take",
        aliases={"420": "4:2:0"},
    )
    for option, type_of, metavar, text in EDGES:
        add(option, type=type_of, default=argparse.SUPPRESS, metavar=metavar, help=text)
    add(
        "--frame-rate",
        type=arg_types.frame_rate,
        default=argparse.SUPPRESS,
        metavar="FPS",
        help="make videos of image sequences, at 30 or 30000/1001 (default: pictures)",
    )


def _add_formats(group: Group) -> None:
    group.add_argument(
        "--as",
        dest=JobOption.FORMATS.field,
        type=arg_types.formats,
        default=argparse.SUPPRESS,
        metavar="FORMAT[,FORMAT...]",
        help=f"make these of the mattes: {', '.join(FORMATS)}",
    )


def _add_result_options(group: Group) -> None:
    add = group.add_argument
    add(
        "--save",
        action="append",
        type=arg_types.choice(SAVED),
        metavar=f"{{{','.join(SAVED)}}}",
        default=argparse.SUPPRESS,
        help="write this too; may be given several times",
    )
    add(
        "--keep-matte",
        type=arg_types.yes_or_no,
        default=argparse.SUPPRESS,
        metavar="{yes,no}",
        help="store what was found, so that other results take no network time (default: yes)",
    )


def _add_compute_options(group: Group, command: Command) -> None:
    default, add = MATTING.compute, group.add_argument
    add_device(group, command)
    add_choice(group, "--decoder", default.decoder, BACKEND_HELP)
    add_choice(group, "--encoder", MATTING.output.encoding.encoder, BACKEND_HELP)
    add_choice(
        group,
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


def _add_preview(parser: argparse.ArgumentParser) -> None:
    add_preview_options(parser.add_argument_group("what is shown"))
    add_view(parser.add_argument_group("how the video is meant to be seen"))
    add_matte_options(parser.add_argument_group("how people are found"))
    _add_output_options(parser.add_argument_group("what the results are like"))
    _add_compute_options(parser.add_argument_group("how it is computed"), Command.PREVIEW)


# Of commands that have some which no other has.
OWN_OPTIONS = {Command.REMATTE: add_range_options, Command.PREVIEW: _add_preview}
