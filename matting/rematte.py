"""A range of frames done again, or kept out of parts of the picture; and ranges taken back."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from msgspec.structs import replace as replace_fields

from matting.errors import InputError
from matting.inference.device_choice import settle_device
from matting.inference.precision import require_precision
from matting.inference.weights import find_checkpoint
from matting.network_choice import Shots
from matting.options import MattingOptions
from matting.progress import Progress
from matting.project.entry import RecordedSettings
from matting.project.input_views import with_views
from matting.project.inputs import InputFolder, read_inputs
from matting.project.ledger import Ledger
from matting.project.matted import matted_from, require_matted
from matting.project.new_range import new_range
from matting.project.origin import require_same_origin
from matting.project.paths import MattedFolder
from matting.project.ranges import (
    MattingRange,
    RangeStatus,
    listed,
    overlapping,
    with_range,
)
from matting.project.recorded_settings import MATTE_SETTINGS, settings_of
from matting.project.resumed_options import take_up
from matting.range_options import LAST_RANGE, RangeOptions
from matting.renewed_outputs import RenewedOutputs, require_same_name
from matting.report.upkeep import kept_report
from matting.system import atomic_files, files
from matting.system.device import choose_device, require_decoder, share_cores
from matting.system.file_lock import folder_lock, reading_lock
from matting.system.invocation import Command
from matting.system.temporary_files import create_temporary
from matting.workers.executor import ExecutorFactory, WorkerSetup
from matting.workers.executors import make_executor
from matting.workers.job_precision import with_precision_of_job
from matting.workers.range_run import find_mattes, require_matted_parts
from matting.workers.range_upkeep import renew_mattes, tidy_ranges


def rematte(
    matted: Path,
    asked: RangeOptions,
    options: MattingOptions,
    output: Path | None,
    progress: Progress,
    *,
    executor_of: ExecutorFactory = make_executor,
) -> None:
    """Do a range of frames again, or take one back, and make anew what was made of them.

    Outside of the range, stored mattes stay as they are, bit for bit. The same call, after one that
    was stopped, goes on.

    Args:
        options: those of the job, but for what was typed.
        output: where the finished files lie, if not beside the matted folder.
        executor_of: makes what runs the network, and what renders the segments.
    Raises:
        SegmentsFailedError: the range is in the mattes, but some outputs could not be made.
        InputError: the range holds nothing, leaves the video, or overlaps another; a segment is not
            matted, or its matte was not stored; there is no such range.
        whatever `infer`, `combine`, `add_audio` and `deliver` raise.
    """
    if asked.undo is not None and not (asked.is_whole and not asked.has_limits):
        raise InputError("A range is either taken back or done, not both.", option="--undo")
    folder = MattedFolder(matted)
    require_matted(folder, Command.REMATTE)
    inputs = read_inputs(matted_from(Ledger(folder)))
    require_same_name(folder, inputs)
    with ExitStack() as locks:
        locks.enter_context(folder_lock(folder.root, warn=progress.say))
        if inputs.plan is not None:  # nobody may cut anew what is being read
            locks.enter_context(reading_lock(inputs.path))
        ledger = Ledger(folder)
        require_same_origin(inputs, ledger)
        ledger.recover()
        ledger.recall(item.name for item in inputs.inputs)
        if asked.undo is not None:
            _take_back(ledger, asked.undo, progress)
        else:
            _Rematting(
                inputs=inputs,
                ledger=ledger,
                asked=asked,
                options=options,
                progress=progress,
                executor_of=executor_of,
            ).run()
        renew_mattes(ledger, progress)
    with kept_report(folder, progress):
        RenewedOutputs(folder, inputs, options, output, progress, executor_of).make()
        with folder_lock(folder.root, warn=progress.say):
            tidy_ranges(Ledger(folder))


def _take_back(ledger: Ledger, number: int, progress: Progress) -> None:
    """Have a range count no more.

    Raises:
        InputError: there is none of that number.
    """
    counting = [own for own in ledger.ranges if own.status is not RangeStatus.UNDONE]
    pending = [own for own in ledger.ranges if own.status is RangeStatus.UNDONE]
    if any(number in {LAST_RANGE, own.number} for own in pending):
        progress.say("The range was taken back already; what is made of that is finished now.")
        return
    found = [own for own in counting if own.number == number]
    found = counting[-1:] if number == LAST_RANGE else found
    if not found:
        there = f"There are these: {listed(counting)}." if counting else "There are none."
        which = "no range to take back" if number == LAST_RANGE else f"no range {number}"
        raise InputError(f"There is {which} in {ledger.folder.root}.", there, option="--undo")
    undone = replace_fields(found[0], status=RangeStatus.UNDONE)
    ledger.record_ranges(with_range(ledger.ranges, undone))
    progress.say(f"Range {undone} is taken back.")


class _Rematting:
    """One range that is asked for, brought into the ledger."""

    def __init__(
        self,
        *,
        inputs: InputFolder,
        ledger: Ledger,
        asked: RangeOptions,
        options: MattingOptions,
        progress: Progress,
        executor_of: ExecutorFactory,
    ) -> None:
        self._ledger = ledger
        self._asked = asked
        self._new_options = any(option.shapes_matte for option in options.typed or ())
        self._options = options = take_up(options, ledger.remembered, progress)
        self._inputs = with_views(inputs, options.matte)
        if not options.output.keep_matte:
            raise InputError(
                f"No mattes are stored in {ledger.folder.root}, into which ranges are put.",
                "Run infer again with --keep-matte yes.",
                option="--keep-matte",
            )
        self._progress = progress
        self._executor_of = executor_of
        self._checkpoint: Path | None = None

    def run(self) -> None:
        """Record the range, and what the network finds of it, and have it count.

        Raises:
            InputError: it cannot be done; nothing has changed.
            MattingError: a segment could not be matted; what was found before it is kept.
        """
        own = self._range()
        if own.status is RangeStatus.WHOLE:
            self._progress.say(f"Range {own} is done already.")
            return
        self._ledger.record_ranges(with_range(self._ledger.ranges, own))
        self._store_mask(own)
        if not own.is_found:
            own = self._find(own)
        own = replace_fields(own, status=RangeStatus.WHOLE)
        self._ledger.record_ranges(with_range(self._ledger.ranges, own))
        self._progress.say(f"Range {own} is done. To take it back: --undo {own.number}")

    def _range(self) -> MattingRange:
        """Return the range: as it was begun, or a new one.

        Raises:
            InputError: it cannot be.
        """
        ledger, asked = self._ledger, self._asked
        if asked.is_empty:
            there = listed(ledger.ranges)
            raise InputError(
                "Nothing says what to do again."
                + (f" Ranges that are done: {there}." if there else ""),
                "Give a range with --from and --to, or where nothing is matted, with --keep-out, "
                "--hold-in or --static-mask.",
                option="--from",
            )
        if asked.is_whole and self._new_options:
            raise InputError(
                "To matte all of it by other options is what infer is for.",
                "Give a range with --from and --to, or run infer with these options.",
                option="--from",
            )
        rate, number = self._options.output.frame_rate, _free_number(ledger)
        new = new_range(self._inputs, asked, self._settings(), number, rate)
        known = [own for own in ledger.ranges if own.status is not RangeStatus.UNDONE]
        for own in known:
            if own.asks_same(new):
                return own
        self._give_up_begun(known)
        if not asked.is_whole:
            require_matted_parts(self._inputs, new, ledger)
        other = overlapping(ledger.ranges, new)
        if other is not None:
            raise InputError(
                f"This range overlaps with range {other}, which was done before.",
                f"Take that back first, with --undo {other.number}, or give other times.",
                option="--undo",
            )
        return new

    def _settings(self) -> RecordedSettings | None:
        """Return by what the network finds the mattes; None: it is not asked.

        Raises:
            InputError, MissingError: the weights, or the precision, cannot be used.
        """
        if self._asked.has_limits and not self._new_options:
            return None
        options = self._options
        require_precision(options.matte.precision, choose_device(options.compute.device))
        self._checkpoint = find_checkpoint(
            options.matte.checkpoint, self._progress, options.matte.model
        )
        weights = files.sha256(self._checkpoint)
        recorded = settings_of(self._inputs.inputs[0], options, weights)
        return RecordedSettings(**{name: getattr(recorded, name) for name in MATTE_SETTINGS})

    def _give_up_begun(self, known: list[MattingRange]) -> None:
        """Forget a range that was begun, and is not asked for any more."""
        for own in known:
            if own.status is RangeStatus.BEGUN:
                self._progress.say(f"Range {own} was begun and never finished; it is given up.")
                undone = replace_fields(own, status=RangeStatus.UNDONE)
                self._ledger.record_ranges(with_range(self._ledger.ranges, undone))

    def _store_mask(self, own: MattingRange) -> None:
        """Keep a copy of the mask with the range.

        Raises:
            InputError: it was changed meanwhile.
        """
        given = self._asked.static_mask
        if own.mask is None or given is None:
            return
        target = self._ledger.folder.ranges / own.mask.file
        if own.mask.fingerprint.matches(target):
            return
        atomic_files.make_folder(target.parent)
        temporary = create_temporary(target)
        try:
            atomic_files.copy(given, temporary)
            if not own.mask.fingerprint.matches(temporary):
                raise InputError(f"{given} was changed while it was being copied.", retry=True)
            atomic_files.publish(temporary, target)
        finally:
            atomic_files.discard(temporary)

    def _find(self, own: MattingRange) -> MattingRange:
        """Return the range with what the network finds of it."""
        options, compute = self._options, self._options.compute
        device = choose_device(compute.device)
        require_decoder(compute.decoder, device)
        if self._checkpoint is not None:
            device = settle_device(device, compute.device, self._checkpoint, self._progress)
        share_cores(device, compute.threads)
        weights = own.settings.checkpoint if own.settings else ""
        checkpoint_sha256 = weights if isinstance(weights, str) else ""
        options = with_precision_of_job(options, str(device), self._ledger, checkpoint_sha256)
        setup = WorkerSetup(
            replace(options, output=replace(options.output, kinds=(), keep_matte=True)),
            self._checkpoint,
            checkpoint_sha256,
            str(device),
        )
        with closing(self._executor_of(setup, self._ledger.folder.root, self._progress)) as worker:
            return find_mattes(
                self._inputs,
                own,
                worker,
                self._ledger,
                self._progress,
                runs_up=options.matte.shots is Shots.AUTO,
            )


def _free_number(ledger: Ledger) -> int:
    return max((own.number for own in ledger.ranges), default=0) + 1
