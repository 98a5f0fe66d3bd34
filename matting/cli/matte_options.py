"""The options that shape the matte: which network, on how large a copy, and what it looks for."""

from __future__ import annotations

import argparse
from pathlib import Path

from matting.cli import arg_types
from matting.cli.option_group import Group, add_choice
from matting.inference.published import DEFAULT_MODEL
from matting.network_choice import Model
from matting.options import MatteOptions


def add_matte_options(group: Group) -> None:
    """Add all that shapes the matte."""
    default, add = MatteOptions(), group.add_argument
    add_choice(group, "--subject", default.subject, "how much of the people is seen")
    add_choice(
        group,
        "--shots",
        default.shots,
        "auto: each shot by itself, from its own start; off: as one",
    )
    add_choice(
        group,
        "--matte-quality",
        default.quality,
        "best: each frame is seen twice, for twice the network's time; also --quality best",
    )
    add_choice(
        group,
        "--small-people",
        default.small_people,
        "auto: who is small in the picture is seen a second time, larger",
    )
    add_choice(
        group,
        "--eyes",
        default.eyes,
        "apart: two eyes are matted each by itself; together: as one picture; auto: apart if they "
        "are one above the other",
    )
    add(
        "--downsample-ratio",
        type=arg_types.ratio,
        default=argparse.SUPPRESS,
        metavar="auto|RATIO",
        help="size of the copy in which people are found, 0 to 1 (default: auto, by --subject)",
    )
    add_network(group)
    add_choice(
        group,
        "--foreground",
        default.foreground,
        "half-transparent colours: of those around, or not",
    )
    add_choice(group, "--precision", default.precision, "of the network's arithmetic")


def add_network(group: Group) -> None:
    """Add the options that say which network and which weights, of which only one may be given."""
    either = group.add_mutually_exclusive_group()
    either.add_argument(
        "--model",
        metavar=f"{{{','.join(Model)},FILE}}",
        type=arg_types.model,
        default=argparse.SUPPRESS,
        help=f"the network: {Model.RESNET50} is larger and slower, and is downloaded (108 MB) "
        f"where it is asked for; or a file of weights (default: {DEFAULT_MODEL})",
    )
    either.add_argument(
        "--checkpoint",
        metavar="PATH",
        type=Path,
        default=argparse.SUPPRESS,
        help="the network's weights, a .pth file (default: the published ones)",
    )
