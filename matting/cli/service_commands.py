"""`scheduler` and `worker`: what they take, and what they do until Ctrl-C."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from matting.cli import arg_types
from matting.cli.cluster_arguments import (
    add_certificates,
    add_device,
    scheduler,
)
from matting.cli.console import Console
from matting.cli.matte_options import add_network
from matting.cli.option_group import Group
from matting.cluster_options import (
    CERTIFICATES_OPTION,
    DEFAULT_PORT,
    MAKE_CERTIFICATES_OPTION,
    MAP_OPTION,
    WORKERS_OPTION,
)
from matting.job_option import JobOption
from matting.network_choice import Model
from matting.system.invocation import Command, program_line

OWN_ADDRESS = f"tcp://127.0.0.1:{DEFAULT_PORT}"
CERTIFICATES_FOLDER = "certificates"  # in the current one


def add_to(parser: argparse.ArgumentParser, command: Command) -> None:
    """Add to a parser all that one of them takes."""
    parser.add_argument(
        "address",
        metavar=command.input_name,
        type=scheduler,
        nargs="?",  # that it is missing is said after what is wrong with the options
        default=OWN_ADDRESS if command is Command.SCHEDULER else None,
        help=argparse.SUPPRESS,  # the description says what it is
    )
    parser.set_defaults(path=None, output=None)
    if command is Command.WORKER:
        _add_files(parser.add_argument_group("where files are"))
        _add_computing(parser.add_argument_group("how it is computed"), command)
    group = parser.add_argument_group("who may take part")
    add_certificates(group)
    if command is Command.WORKER:
        group.add_argument(
            MAKE_CERTIFICATES_OPTION,
            action="store_true",
            help=f"make them, in the folder of {CERTIFICATES_OPTION} or else in "
            f"{CERTIFICATES_FOLDER}, and end",
        )
    general = parser.add_argument_group("general")
    general.add_argument("-h", "--help", action="help", help="show this")
    volume = general.add_mutually_exclusive_group()
    volume.add_argument("-v", "--verbose", action="store_true", help="show more, also about faults")
    volume.add_argument("--quiet", action="store_true", help="show nothing but errors")


def _add_files(group: Group) -> None:
    group.add_argument(
        MAP_OPTION,
        action="append",
        metavar="THERE=HERE",
        help="a folder on the computer that runs the job, and the same one on this computer, such "
        r"as D:\Videos=/mnt/videos; may be given several times",
    )


def _add_computing(group: Group, command: Command) -> None:
    add_device(group, command)
    group.add_argument(
        "--threads", type=arg_types.positive, metavar="N", help="processor threads for each step"
    )
    add_network(group)


def service(options: argparse.Namespace, console: Console) -> Callable[[], object]:
    """Return what one of them does, with what it needs imported.

    Raises:
        MissingError: a package is not there.
        InputError: an option cannot be used.
    """
    from matting.workers.cluster.installed import require_dask
    from matting.workers.cluster.portable_paths import PathMapping

    require_dask()
    address, certificates = options.address, options.certificates
    if options.command is Command.SCHEDULER:
        from matting.workers.cluster.scheduler_node import serve_scheduler

        return partial(serve_scheduler, address, certificates, console)
    if options.make_certificates:
        return partial(_make_certificates, certificates or Path(CERTIFICATES_FOLDER), console)
    from matting.system.device import choose_device
    from matting.system.gpu_diagnosis import warn_of_unused_gpu
    from matting.workers.cluster.worker_node import serve_worker

    mapping = PathMapping.parse(options.map or ())
    # What is not there is said now, not to a run hours later.
    device = str(choose_device(options.devices[0]))
    warn_of_unused_gpu(options.devices[0], console)

    def serve() -> None:
        serve_worker(
            address,
            device=device,
            checkpoint=_own_weights(options, console),
            mapping=mapping,
            certificates=certificates,
            threads=options.threads,
            progress=console,
        )

    return serve


def _own_weights(options: argparse.Namespace, console: Console) -> Path | None:
    """Return the weights that were asked for; None: none were.

    Raises:
        InputError, MissingError, StorageError: they are not there, and cannot be downloaded.
    """
    from matting.inference.weights import find_checkpoint

    typed = vars(options)
    checkpoint: Path | None = typed.get(JobOption.CHECKPOINT.field)
    model: Model | None = typed.get(JobOption.MODEL.field)
    if checkpoint is None and model is None:
        return None
    return find_checkpoint(checkpoint, console, model)


def _make_certificates(folder: Path, console: Console) -> None:
    from matting.workers.cluster.certificates import make_certificates

    folder = folder.absolute()
    make_certificates(folder)
    for text in (
        f"The certificate and its key are in {folder}.",
        "Copy that folder to every computer that is to take part, by a way that nobody else can "
        "read: whoever has it can run programs on all of them.",
        f"Then name it with {CERTIFICATES_OPTION}, on one computer for the scheduler, on each for "
        "its workers, and where the job is run:",
        f"  {program_line(Command.SCHEDULER, 'tcp://0.0.0.0', CERTIFICATES_OPTION, folder)}",
        f"  {program_line(Command.WORKER, 'ADDRESS', CERTIFICATES_OPTION, folder)}",
        "  "
        + program_line(
            Command.INFER, "SEGMENTS_DIR", WORKERS_OPTION, "ADDRESS", CERTIFICATES_OPTION, folder
        ),
    ):
        console.say(text)
