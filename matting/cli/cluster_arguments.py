"""The options that say what computes: one device, several of them, or other computers."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from matting.cli import arg_types
from matting.cli.option_group import Group
from matting.cluster_options import (
    CERTIFICATES_OPTION,
    WORKERS_OPTION,
    Address,
    ClusterOptions,
)
from matting.errors import InputError
from matting.options import AUTO_DEVICE
from matting.system.device_kinds import DEVICE_NAME, DEVICE_NAMES
from matting.system.invocation import Command

ONE_DEVICE = "auto|cpu|cuda|cuda:N|mps|xpu|xpu:N"
LONGEST_RUN_OPTION = "--longest-run"
# The commands whose work on segments can be shared.
SHARING = {Command.INFER, Command.RUN, Command.DELIVER, Command.DELIVER_VR, Command.REMATTE}


def devices(text: str) -> tuple[str, ...]:
    """Parse a device's name, or several with commas between them.

    Whether there is one of that name is found when it is used.
    """
    words = tuple(word for word in re.split(r"\s*,\s*", text.strip().lower()) if word)
    if not words:
        raise argparse.ArgumentTypeError(f"{text!r} names no device such as cpu or cuda:0")
    for word in words if len(words) > 1 else ():
        if DEVICE_NAME.fullmatch(word) is None:
            raise argparse.ArgumentTypeError(
                f"{word!r} cannot be one of several devices, which are {DEVICE_NAMES}"
            )
    return words


def scheduler(text: str) -> str:
    """Parse the address of a scheduler; return it with its protocol and its port."""
    try:
        return str(Address.parse(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from error


def add_device(group: Group, command: Command) -> None:
    """Add the option that says which device computes, or, where work is shared, which ones."""
    several = command in SHARING
    sharing = "; several share the work, the same one may be named twice" if several else ""
    group.add_argument(
        "--device",
        dest="devices",
        type=devices if several else _one_device_of(command),
        default=AUTO_DEVICE,
        metavar=f"{ONE_DEVICE}[,...]" if several else ONE_DEVICE,
        help=f"what computes{sharing} (default: {AUTO_DEVICE})",
    )


def add_cluster_options(group: Group, *, finds_people: bool) -> None:
    """Add what says which other computers share the work, and how.

    Args:
        finds_people: whether the command runs the network, whose state goes from frame to frame.
    """
    group.add_argument(
        WORKERS_OPTION,
        type=scheduler,
        metavar="ADDRESS",
        help="let the workers of this scheduler compute, such as tcp://192.168.1.20:8786 "
        f"(see the commands {Command.SCHEDULER} and {Command.WORKER})",
    )
    add_certificates(group, f"with {WORKERS_OPTION}: ")
    if finds_people:
        group.add_argument(
            LONGEST_RUN_OPTION,
            type=_duration,
            metavar="TIME",
            help="where work is shared: a single shot longer than that may be split over workers, "
            "such as 10:00, or 600 seconds; each part but the first is warmed up on the 120 frames "
            "before it, so its first frames differ a little, which is recorded as inexact "
            "(default: shots are never split)",
        )


def add_certificates(group: Group, when: str = "") -> None:
    """Add the option that names the folder with the certificate.

    Args:
        when: what it goes with, as "with --x: "; "" for nothing else.
    """
    group.add_argument(
        CERTIFICATES_OPTION,
        type=Path,
        metavar="DIR",
        help=f"{when}the folder with the certificate that all computers have, without which only "
        "programs of this one can take part",
    )


def cluster_options(arguments: argparse.Namespace) -> ClusterOptions:
    """Return what was asked for of several devices or computers.

    Raises:
        InputError: what was typed does not go together.
    """
    typed = vars(arguments)
    names: tuple[str, ...] = typed["devices"]
    workers: str = typed.get("workers") or ""
    certificates: Path | None = typed.get("certificates")
    if workers and len(names) > 1:
        raise InputError(
            f"Several devices with --device, and {WORKERS_OPTION}: only one of them can be given.",
            f"For this computer's devices to take part in {workers}, start "
            f"{Command.WORKER} here for each.",
        )
    if certificates is not None and not workers:
        raise InputError(
            f"{CERTIFICATES_OPTION} is for {WORKERS_OPTION}, which is missing.",
            f"Give {WORKERS_OPTION} with the address of the scheduler.",
            option=WORKERS_OPTION,
        )
    return ClusterOptions(
        devices=names if len(names) > 1 else (),
        scheduler=workers,
        certificates=certificates,
        longest_run_seconds=typed.get("longest_run"),
    )


def _one_device_of(command: Command) -> Callable[[str], tuple[str, ...]]:
    """Return the type of a device for a command that cannot share its work."""

    def parse(text: str) -> tuple[str, ...]:
        names = devices(text)
        if len(names) > 1:
            raise argparse.ArgumentTypeError(f"{command} computes on one device only")
        return names

    return parse


def _duration(text: str) -> Fraction:
    value = arg_types.player_time(text)
    if not value:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0")
    return value
