"""From stored mattes to finished files in formats that others take, without the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from msgspec.structs import replace as replace_fields

from matting.add_audio import add_audio
from matting.combine import combine
from matting.delivery.already_delivered import (
    FinishedFormats,
    say_already_delivered,
    say_who_takes,
)
from matting.delivery.encoder_choice import choose_encoder, try_isolated
from matting.delivery.finishing import finish, require_free_places, source_of
from matting.delivery.format_limits import (
    announce_limits,
    require_available,
    require_possible,
)
from matting.delivery.formats import DeliveryFormat
from matting.errors import InputError, SegmentsFailedError
from matting.infer import infer
from matting.job_option import JobOption
from matting.media.hardware_probe import HardwareProbe
from matting.options import MattingOptions, OutputOptions
from matting.progress import Progress
from matting.project.entry import RecordedSettings
from matting.project.input_views import views_in_words, with_delivered_views
from matting.project.inputs import Input, InputFolder, read_inputs
from matting.project.job_options import JobOptions
from matting.project.ledger import Ledger
from matting.project.matted import matted_from, require_matted
from matting.project.origin import require_same_origin
from matting.project.paths import MattedFolder
from matting.project.recorded_settings import SettingsOf, with_tags_as_before
from matting.project.resumed_options import take_up
from matting.system.accelerators import frames_device
from matting.system.device import choose_device, require_decoder, share_cores
from matting.system.file_lock import folder_lock, reading_lock
from matting.system.invocation import Command
from matting.view import AutoView, View
from matting.workers.delivery_run import DeliveryRun
from matting.workers.executor import ExecutorFactory, WorkerSetup
from matting.workers.executors import make_executor
from matting.workers.failures import SeparateFailures, with_the_others


def deliver(
    matted: Path,
    rows: Sequence[DeliveryFormat],
    options: MattingOptions,
    output: Path | None,
    progress: Progress,
    *,
    executor_of: ExecutorFactory = make_executor,
    video: Path | None = None,
    announced: bool = False,
) -> list[Path]:
    """Make finished files of some formats, of the mattes that are stored in a matted folder.

    Args:
        rows: the formats.
        output: where to put the finished files; None: beside the video, or in the matted folder
            where that holds separate ones.
        executor_of: makes what renders the segments.
        video: may be what was cut; else that lies beside the matted folder, or nothing was.
        announced: whether it has been said already what the formats do not hold.
    Returns:
        the finished files, and folders of pictures.
    Raises:
        SegmentsFailedError: all other segments are done; names those that failed, and why.
        InputError: nothing is matted there, or a format or an option cannot be used.
        MissingError: a format cannot be written on this computer.
        EncodeError: a finished file is not what it should be.
        StorageError, BusyError, MachineUnusableError.
    """
    folder = MattedFolder(matted)
    require_matted(folder, Command.DELIVER)
    known = Ledger(folder)
    inputs = read_inputs(matted_from(known))
    options, view = _as_job(rows, options, known.remembered, progress)
    inputs, note = with_delivered_views(inputs, options, view)
    others = not_composite(rows)
    require_available(rows, options)
    require_possible(inputs, others, options)
    video = source_of(inputs, rows, folder.root.parent, video)
    if not announced:
        seen = views_in_words(inputs.inputs) if any(row.name.is_vr for row in rows) else ()
        for line in filter(None, (*seen, note)):
            progress.say(line)
        announce_limits(others, inputs, known, options, progress, video=video)
    delivery = _Delivery(
        inputs=inputs,
        folder=folder,
        options=options,
        output=output,
        video=video,
        progress=progress,
        executor_of=executor_of,
    )
    finished = delivery.find_finished(rows)
    failed: SegmentsFailedError | None = None
    composite = next((row for row in rows if not row.kind.is_delivered), None)
    if composite is not None and composite not in finished:
        try:
            finished[composite] = delivery.composite()
            say_who_takes(composite, finished[composite][0], progress)
        except SegmentsFailedError as error:
            failed = error  # the other formats can be made of the others
    if lacking := [row for row in others if row not in finished]:
        finished |= delivery.formats(lacking)
    if failed is not None:
        raise failed
    in_order = [*([composite] if composite else []), *others]
    return [path for row in in_order for path in finished[row]]


@dataclass(frozen=True)
class _Delivery:
    """What is delivered, and where to; as `deliver` takes it."""

    inputs: InputFolder
    folder: MattedFolder
    options: MattingOptions
    output: Path | None
    video: Path | None
    progress: Progress
    executor_of: ExecutorFactory

    def find_finished(self, rows: Sequence[DeliveryFormat]) -> dict[DeliveryFormat, list[Path]]:
        """Return, and name, the formats that are finished: nothing has to be made of them."""
        with folder_lock(self.folder.root, warn=self.progress.say):
            ledger = Ledger(self.folder)
            options = with_tags_as_before(self.options, map(ledger.entry, ledger.names))
            known = FinishedFormats(self.inputs, ledger, options, self.video, self.output)
            found = {row: known.find(row, self.progress) for row in rows}
        finished = {row: [path] for row, path in found.items() if path is not None}
        for row, [path] in finished.items():
            say_already_delivered(row, path, self.progress)
        return finished

    def composite(self) -> list[Path]:
        """Bring the job's own composite to its finished file; segments that lack it get it."""
        root, segments = self.folder.root, self.inputs.path
        beside = root.parent
        if MattedFolder.of(segments, beside).root != root:
            raise InputError(
                f"{root} no longer has the name of what was matted, {segments.name}.",
                f"Call it {MattedFolder.of(segments).root.name} again.",
            )
        first = partial(
            infer, segments, self.options, beside, self.progress, self.executor_of, network=False
        )
        return with_the_others(first, partial(self._finish_composite, root), self.inputs)

    def _finish_composite(self, root: Path) -> list[Path]:
        if self.video is not None:
            combine(root, self.output, self.progress)
            return [add_audio(self.video, self.output or root.parent, self.progress)]
        if any(not item.is_sequence for item in self.inputs.inputs):
            add_audio(self.inputs.path, root.parent, self.progress)
        return [root]

    def formats(self, rows: Sequence[DeliveryFormat]) -> dict[DeliveryFormat, list[Path]]:
        """Make what the segments lack of formats, and the finished files of that."""
        inputs, progress, compute = self.inputs, self.progress, self.options.compute
        device = choose_device(compute.device)
        require_decoder(compute.decoder, device)
        with ExitStack() as locks:
            locks.enter_context(folder_lock(self.folder.root, warn=progress.say))
            if inputs.plan is not None:  # nobody may cut anew what is being read
                locks.enter_context(reading_lock(inputs.path))
            ledger = Ledger(self.folder)  # read again: another run may have written it
            require_same_origin(inputs, ledger)
            refused = require_free_places(
                inputs,
                self.folder,
                rows,
                video=self.video,
                output=self.output,
                options=self.options.output,
            )
            share_cores(device, compute.threads)
            options = with_tags_as_before(self.options, map(ledger.entry, ledger.names))

            def settings(output: OutputOptions) -> Callable[[Input], RecordedSettings]:
                return partial(_as_matted, ledger, SettingsOf(replace(options, output=output), ""))

            chosen, why = choose_encoder(
                options.output,
                frames_device(device),
                inputs,
                ledger,
                settings=settings,
                run_probe=try_isolated if compute.isolated else HardwareProbe.run,
            )
            options = replace(options, output=chosen, then_joined=True)
            if why and not all(row.has_own_encoding for row in rows):
                progress.say(f"The processor encodes, which takes longer: {why}")
            setup = WorkerSetup(options, None, "", str(device), needs_network=False)
            with closing(self.executor_of(setup, self.folder.root, progress)) as executor:
                run = DeliveryRun(
                    inputs=inputs,
                    rows=rows,
                    options=options,
                    executor=executor,
                    ledger=ledger,
                    progress=progress,
                    refused=refused,
                )
                with self._others_go_on():
                    run.run()
            failures = SeparateFailures(progress, run.failed)
            finished = {
                row: list(
                    finish(
                        inputs.without(run.failed),
                        ledger,
                        row,
                        progress,
                        video=self.video,
                        output=self.output,
                        options=self.options.output,
                        alone=failures.alone,
                    )
                )
                for row in rows
            }
            failures.require_none(len(inputs.inputs), "could not be delivered:")
            return finished

    def _others_go_on(self) -> AbstractContextManager[None]:
        """Return what lets separate videos go on where others failed."""
        return nullcontext() if self.inputs.plan else suppress(SegmentsFailedError)


def _as_job(
    rows: Sequence[DeliveryFormat],
    options: MattingOptions,
    remembered: JobOptions | None,
    progress: Progress,
) -> tuple[MattingOptions, View | AutoView]:
    """Return the job's own options, but for those that were typed; and the view of what is made.

    Whatever is delivered now, the job goes on remembering the formats that it was asked for, and
    the view by which it was matted.
    """
    typed = None if options.typed is None else options.typed | {JobOption.FORMATS}
    names = tuple(row.name for row in rows)
    options = take_up(replace(options, formats=names, typed=typed), remembered, progress)
    view = options.matte.view
    if remembered is None:
        return replace(options, formats=()), view
    matte = replace(options.matte, view=remembered.applied_to(options).matte.view)
    return replace(options, matte=matte, formats=remembered.formats), view


def _as_matted(ledger: Ledger, settings: SettingsOf, item: Input) -> RecordedSettings:
    """Return what shapes the results of an input, whatever weights it was matted with."""
    weights = ledger.entry(item.name).settings.checkpoint
    return replace_fields(settings(item), checkpoint=weights)


def not_composite(rows: Sequence[DeliveryFormat]) -> list[DeliveryFormat]:
    """Return the formats that are not the job's own composite."""
    return [row for row in rows if row.kind.is_delivered]
