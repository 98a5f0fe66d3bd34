"""Stage two: every segment through the recurrent network, each recorded when it is proven."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from matting.background import BackgroundFile
from matting.delivery.finished_encoder import with_finished_encoder
from matting.delivery.output_target import target_of
from matting.errors import InputError, MattingError
from matting.inference.weights import find_checkpoint
from matting.network_choice import Shots
from matting.options import MattingOptions, OutputOptions
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
from matting.project.recorded_settings import SettingsOf, with_tags_as_before
from matting.project.resumed_options import take_up
from matting.project.source_watch import require_source_unchanged
from matting.system import files
from matting.system.file_lock import folder_lock, reading_lock
from matting.system.files import image_files
from matting.system.package_loading import loading
from matting.workers.executor import ExecutorFactory, WorkerSetup
from matting.workers.executors import make_executor
from matting.workers.job_precision import with_precision_of_job
from matting.workers.matting_run import MattingRun

if TYPE_CHECKING:
    from matting.workers.run_device import RunDevice

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
    inputs = _noted(read_inputs(segments), progress)
    folder = MattedFolder.of(segments, output)
    require_places([Place(folder.root, is_folder=True)], segments)
    known = Ledger(folder)
    # Then neither torch is loaded nor a process started before that turns out to be wrong.
    said_to_be_done = all(known.says_done(item.name) for item in inputs.inputs)
    if inputs.plan is not None and not options.then_joined and not said_to_be_done:
        _mention_ffmpeg(progress)
    if inputs.plan is not None:
        video = Path(inputs.plan.source.name)
        options = with_clip_settings(options, video, (segments.parent,), progress)
    options = take_up(options, known.remembered, progress)
    inputs = with_views(inputs, options.matte)
    if inputs.plan is not None and inputs.plan.shots is None and options.matte.shots is Shots.AUTO:
        progress.say(f"{segments.name} {UNKNOWN_SHOTS}")
    options = asked = _with_background_read(options)
    options = with_tags_as_before(options, map(known.entry, known.names))
    refused = _refused(inputs, folder, options)
    require_places(_places(inputs.without(refused), folder, options), segments)
    device = None if said_to_be_done else _device_for(options, progress, network=network)
    checkpoint: Path | None = None
    checkpoint_sha256 = weights_of(known)
    if network:
        checkpoint = find_checkpoint(options.matte.checkpoint, progress, options.matte.model)
        checkpoint_sha256 = files.sha256(checkpoint)
    with ExitStack() as locks:
        locks.enter_context(folder_lock(folder.root, warn=progress.say))
        if inputs.plan is not None:  # nobody may cut anew what is being matted
            locks.enter_context(reading_lock(segments))
        ledger = Ledger(folder)  # read again: until here another run may have written it
        require_same_origin(inputs, ledger)
        settings = partial(_settings_with, options=options, checkpoint_sha256=checkpoint_sha256)
        run_of = partial(
            MattingRun,
            inputs=inputs,
            asked=asked,
            refused=refused,
            checkpoint_sha256=checkpoint_sha256,
            ledger=ledger,
            progress=progress,
            network=network,
            rest_later=rest_later,
            on_recorded=on_recorded,
        )
        run = None
        if device is None:
            settled = with_finished_encoder(options.output, inputs, ledger, settings)
            run = None if settled is None else run_of(options=replace(options, output=settled))
            if run is not None and not run.has_work:
                run.run()
                return folder
            device = _device_for(options, progress, network=network, warn=True)
        device.settle(checkpoint, options, progress)
        options = device.with_encoder(options, inputs, ledger, settings, progress)
        if run is None or run.options != options:
            run = run_of(options=options)
        computed = with_precision_of_job(options, device.name, ledger, checkpoint_sha256)
        setup = WorkerSetup(computed, checkpoint, checkpoint_sha256, device.name)
        with closing(executor_of(setup, folder.root, progress)) as executor:
            run.run(executor)
    return folder


def _noted(inputs: InputFolder, progress: Progress) -> InputFolder:
    """Return the inputs, once they are known to be those that were cut, and said to be what."""
    for note in inputs.notes():
        progress.say(note)
    if inputs.plan is not None:
        require_source_unchanged(inputs.path.parent, inputs.plan.source, progress)
    return inputs


def _with_background_read(options: MattingOptions) -> MattingOptions:
    """Return options with the content of the background's file known, where it is a file."""
    if not isinstance(options.output.background, BackgroundFile):
        return options
    from matting.media.background import with_background_read

    return replace(options, output=with_background_read(options.output))


def _mention_ffmpeg(progress: Progress) -> None:
    from matting.delivery.dry_run import mention_ffmpeg

    mention_ffmpeg(progress)


def _device_for(
    options: MattingOptions, progress: Progress, *, network: bool, warn: bool = False
) -> RunDevice:
    """Return the device of a run that has work; torch is loaded.

    Args:
        warn: whether a GPU that it does not use is to be told of.
    """
    if network and warn:
        from matting.system.gpu_diagnosis import warn_of_unused_gpu

        warn_of_unused_gpu(options.compute.device, progress)
    with loading(progress):
        from matting.workers.run_device import RunDevice

    return RunDevice(options, network=network)


def _settings_with(
    output: OutputOptions, *, options: MattingOptions, checkpoint_sha256: str
) -> SettingsOf:
    return SettingsOf(replace(options, output=output), checkpoint_sha256)


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
    from matting.media.probe import encryption_error

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
            from matting.media.images.sequence import result_names

            names = result_names(image_files(item.path))
            places += [Place(target.path / name) for name in names]
    if inputs.plan is None and not item.is_sequence:
        places += separate_final_places(folder, [item.stem])
    return places
