"""From stored mattes to formats that others take, segment by segment, without the network."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from msgspec.structs import replace as replace_fields

from matting.delivery.encoder_choice import choose_encoder, try_isolated
from matting.delivery.format_writers import format_input
from matting.delivery.formats import DeliveryFormat
from matting.errors import InputError, MattingError
from matting.media.hardware_probe import HardwareProbe
from matting.options import MattingOptions
from matting.progress import Progress
from matting.project.entry import RecordedSettings
from matting.project.inputs import Input, InputFolder, read_inputs
from matting.project.job_options import take_up
from matting.project.ledger import Ledger
from matting.project.matted import matted_from, require_matted
from matting.project.origin import require_same_origin
from matting.project.paths import MattedFolder
from matting.project.recorded_settings import settings_of, with_tags_as_before
from matting.system.device import choose_device, describe, require_decoder, share_cores
from matting.system.file_lock import folder_lock, reading_lock
from matting.system.invocation import Command, named
from matting.workers.delivery_run import DeliveryRun
from matting.workers.executor import ExecutorFactory, WorkerSetup
from matting.workers.supervisor import Supervisor


def deliver(
    matted: Path,
    rows: Sequence[DeliveryFormat],
    options: MattingOptions,
    progress: Progress,
    executor_of: ExecutorFactory = Supervisor,
) -> MattedFolder:
    """Make what the segments in a matted folder lack of some formats, of their stored mattes.

    Args:
        rows: the formats.
        executor_of: makes what renders the segments.
    Raises:
        SegmentsFailedError: all others are done; names those that failed, and why.
        InputError: nothing is matted there, or a format or an option cannot be used.
        MissingError: a format cannot be written on this computer.
        StorageError, BusyError, MachineUnusableError.
    """
    folder = MattedFolder(matted)
    require_matted(folder, Command.DELIVER)
    known = Ledger(folder)
    inputs = read_inputs(matted_from(known))
    options = take_up(options, known.remembered, progress)
    options = with_tags_as_before(options, map(known.entry, known.names))
    _require_own_formats(rows)
    _require_possible(inputs, rows, options)
    compute = options.compute
    device = choose_device(compute.device)
    require_decoder(compute.decoder, device)
    with ExitStack() as locks:
        locks.enter_context(folder_lock(folder.root, warn=progress.say))
        if inputs.plan is not None:  # nobody may cut anew what is being read
            locks.enter_context(reading_lock(inputs.path))
        ledger = Ledger(folder)  # read again: until here another run may have written it
        require_same_origin(inputs, ledger)
        share_cores(device, compute.threads)
        progress.say(describe(device))
        chosen, why = choose_encoder(
            options.output,
            device,
            inputs,
            ledger,
            settings=lambda item, output: _settings(ledger, item, replace(options, output=output)),
            run_probe=try_isolated if compute.isolated else HardwareProbe.run,
        )
        options = replace(options, output=chosen)
        if why and any(not row.codec for row in rows):
            progress.say(f"The processor encodes, which takes longer: {why}")
        setup = WorkerSetup(options, None, "", str(device), needs_network=False)
        with closing(executor_of(setup, folder.root, progress)) as executor:
            DeliveryRun(
                inputs=inputs,
                rows=rows,
                options=replace(options, then_joined=True),
                executor=executor,
                ledger=ledger,
                progress=progress,
            ).run()
    return folder


def _settings(ledger: Ledger, item: Input, options: MattingOptions) -> RecordedSettings:
    """Return what shapes the results of an input, by the weights that it was matted with."""
    own = ledger.entry(item.name).settings
    return replace_fields(settings_of(item, options, ""), checkpoint=own.checkpoint)


def _require_own_formats(rows: Sequence[DeliveryFormat]) -> None:
    """Refuse the job's composite, which `infer` makes.

    Raises:
        InputError: names the format.
    """
    for row in rows:
        if not row.kind.is_delivered:
            raise InputError(
                f"{row.name} is the job's own composite, which {named(Command.INFER)} makes.",
                "Give that another --background: it takes no network time.",
                option="--background",
            )


def _require_possible(
    inputs: InputFolder, rows: Sequence[DeliveryFormat], options: MattingOptions
) -> None:
    """Refuse formats that cannot be made of these videos or pictures, or on this computer.

    Raises:
        InputError, MissingError: says why, and what there is instead.
    """
    rate = options.output.frame_rate
    videos = [row for row in rows if not row.pictures]
    for item in inputs.inputs:
        if videos and not item.gives_video(rate):
            raise InputError(
                f"{item.path} holds pictures without a frame rate, and {videos[0].name} is a "
                "video.",
                "Give one with --frame-rate, or choose png or exr.",
                option="--frame-rate",
            )
    for item in inputs.inputs:
        try:
            source = item.open(rate)
        except MattingError:
            continue  # its own turn comes, and shows why
        for row in rows:
            format_input(row, source, options.output.encoding)
        if inputs.plan is not None:  # the others are like it
            return
