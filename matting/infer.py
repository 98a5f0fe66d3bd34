"""Stage two: every segment through the recurrent network, each recorded when it is proven."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from matting.delivery.dry_run import mention_ffmpeg
from matting.delivery.encoder_choice import choose_encoder, try_isolated
from matting.errors import InputError, MattingError
from matting.inference.precision import require_precision
from matting.inference.weights import find_checkpoint
from matting.media.background import with_background_read
from matting.media.hardware_probe import HardwareProbe
from matting.media.images.sequence import result_names
from matting.media.probe import encryption_error
from matting.network_choice import Shots
from matting.options import MattingOptions
from matting.progress import Progress, ignore
from matting.project.clip_settings import with_clip_settings
from matting.project.input_views import with_views
from matting.project.inputs import Input, InputFolder, read_inputs
from matting.project.job_places import (
    Place,
    final_places,
    length_error,
    matted_places,
    require_places,
    separate_final_places,
)
from matting.project.ledger import Ledger
from matting.project.matted import weights_of
from matting.project.origin import require_same_origin
from matting.project.paths import MattedFolder
from matting.project.recorded_settings import settings_of, with_tags_as_before
from matting.project.resumed_options import take_up
from matting.project.source_watch import require_source_unchanged
from matting.system import files
from matting.system.device import choose_device, describe, require_decoder, share_cores
from matting.system.file_lock import folder_lock, reading_lock
from matting.system.files import image_files
from matting.workers.executor import ExecutorFactory, WorkerSetup, target_of
from matting.workers.executors import make_executor
from matting.workers.job_precision import with_precision_of_job
from matting.workers.matting_run import MattingRun

UNKNOWN_SHOTS = (
    "was cut by an earlier version, which did not look for shots: it is matted as one. To have "
    "each shot begin by itself, cut the video again with --overwrite."
)


def infer(
    segments: Path,
    options: MattingOptions,
    output: Path | None,
    progress: Progress,
    executor_of: ExecutorFactory = make_executor,
    *,
    network: bool = True,
    rest_later: bool = False,
    on_recorded: Callable[[], None] = ignore,
) -> MattedFolder:
    """Matte everything in `segments` that is not done yet.

    This checks the options, takes the locks and chooses the encoder. `workers.schedule` decides
    what is matted or redone, and `workers.matting_run` takes those steps and writes the ledger.

    Args:
        executor_of: makes what runs the network over the segments.
        network: whether to matte; else only what stored mattes give is made, and segments
            without one are named.
        rest_later: whether those may be left to another run.
        on_recorded: called when something of a segment was.
    Raises:
        SegmentsFailedError: all others are done; names those that failed, and why.
        InputError: nothing to matte there, or an option or a background that cannot be used.
        MachineUnusableError: the network does not work here at present; nothing is lost.
        MissingError, StorageError, BusyError.
    """
    compute = options.compute
    inputs = read_inputs(segments)
    if inputs.plan is not None and not options.then_joined:
        mention_ffmpeg(progress)
    for note in inputs.notes():
        progress.say(note)
    if inputs.plan is not None:
        require_source_unchanged(segments.parent, inputs.plan.source, progress)
    folder = MattedFolder.of(segments, output)
    require_places([Place(folder.root, is_folder=True)], segments)
    known = Ledger(folder)
    if inputs.plan is not None:
        video = Path(inputs.plan.source.name)
        options = with_clip_settings(options, video, (segments.parent,), progress)
    options = take_up(options, known.remembered, progress)
    inputs = with_views(inputs, options.matte)
    if inputs.plan is not None and inputs.plan.shots is None and options.matte.shots is Shots.AUTO:
        progress.say(f"{segments.name} {UNKNOWN_SHOTS}")
    options = asked = replace(options, output=with_background_read(options.output))
    options = with_tags_as_before(options, map(known.entry, known.names))
    refused = _refused(inputs, folder, options)
    require_places(_places(inputs.without(refused), folder, options), segments)
    device = choose_device(compute.device)
    require_decoder(compute.decoder, device)
    checkpoint: Path | None = None
    checkpoint_sha256 = weights_of(known)
    if network:
        require_precision(options.matte.precision, device)
        checkpoint = find_checkpoint(options.matte.checkpoint, progress, options.matte.model)
        checkpoint_sha256 = files.sha256(checkpoint)
    with ExitStack() as locks:
        locks.enter_context(folder_lock(folder.root, warn=progress.say))
        if inputs.plan is not None:  # nobody may cut anew what is being matted
            locks.enter_context(reading_lock(segments))
        ledger = Ledger(folder)  # read again: until here another run may have written it
        require_same_origin(inputs, ledger)
        share_cores(device, compute.threads)
        if network and not compute.cluster.is_asked_for:
            progress.say(describe(device))
        chosen, why = choose_encoder(
            options.output,
            device,
            inputs,
            ledger,
            settings=lambda item, output: settings_of(
                item, replace(options, output=output), checkpoint_sha256
            ),
            run_probe=try_isolated if compute.isolated else HardwareProbe.run,
        )
        options = replace(options, output=chosen)
        if why:
            progress.say(f"The processor encodes, which takes longer: {why}")
        computed = with_precision_of_job(options, str(device), ledger, checkpoint_sha256)
        setup = WorkerSetup(computed, checkpoint, checkpoint_sha256, str(device))
        with closing(executor_of(setup, folder.root, progress)) as executor:
            MattingRun(
                inputs=inputs,
                options=options,
                asked=asked,
                refused=refused,
                checkpoint_sha256=checkpoint_sha256,
                executor=executor,
                ledger=ledger,
                progress=progress,
                network=network,
                rest_later=rest_later,
                on_recorded=on_recorded,
            ).run()
    return folder


def _refused(
    inputs: InputFolder, folder: MattedFolder, options: MattingOptions
) -> dict[str, MattingError]:
    """Return why which of separate videos and image sequences cannot have results.

    Raises:
        InputError: none of them can.
    """
    if inputs.plan is not None:
        return {}
    errors = {item.name: _refusal(item, inputs, folder, options) for item in inputs.inputs}
    refused: dict[str, MattingError] = {n: e for n, e in errors.items() if e is not None}
    if len(refused) == len(inputs.inputs):
        raise next(iter(refused.values()))
    return refused


def _refusal(
    item: Input, inputs: InputFolder, folder: MattedFolder, options: MattingOptions
) -> InputError | None:
    """Return why one cannot have results: by its name's length, or because it is encrypted."""
    too_long = length_error(_places_of(item, inputs, folder, options), item.path)
    return too_long or (None if item.is_sequence else encryption_error(item.path))


def _places(inputs: InputFolder, folder: MattedFolder, options: MattingOptions) -> list[Place]:
    """Return where a run puts what it makes of its inputs, and `add-audio` later on."""
    kinds = options.output.written
    results = [
        place for item in inputs.inputs for place in _places_of(item, inputs, folder, options)
    ]
    if inputs.plan is not None:
        combined = [Place(folder.combined(kind)) for kind in kinds if kind.is_joined]
        video = inputs.path.parent / inputs.plan.source.name
        results += [*combined, *final_places(video, folder.root.parent)]
    return list(matted_places(folder, kinds, results))


def _places_of(
    item: Input, inputs: InputFolder, folder: MattedFolder, options: MattingOptions
) -> list[Place]:
    """Return where the results of one input go, and the final file of a separate video."""
    places = []
    for kind in options.output.written:
        target = target_of(item, folder, kind, options.output.frame_rate)
        places.append(Place(target.path, target.pictures))
        if target.pictures and item.is_sequence:
            names = result_names(image_files(item.path))
            places += [Place(target.path / name) for name in names]
    if inputs.plan is None and not item.is_sequence:
        places += separate_final_places(folder, [item.stem])
    return places
