"""Stage two: every segment through the recurrent network, each recorded when it is proven."""

from __future__ import annotations

from collections import Counter, deque
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from matting.delivery.encoder_choice import choose_encoder, try_isolated
from matting.delivery.outputs import OutputTarget
from matting.errors import MattingError, SegmentsFailedError
from matting.inference.precision import require_precision
from matting.inference.weights import find_checkpoint
from matting.media.hardware_probe import HardwareProbe
from matting.media.media_index import known_index
from matting.options import MattingOptions, OutputKind
from matting.progress import Progress
from matting.project.entry import Entry, InitialState, RecordedSettings
from matting.project.inputs import Input, InputFolder, read_inputs
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.project.recorded_settings import changed_settings, in_words, settings_of
from matting.system import atomic_files, files
from matting.system.device import choose_device, describe, require_decoder, share_cores
from matting.system.file_lock import folder_lock, reading_lock
from matting.workers.executor import (
    Executor,
    ExecutorFactory,
    Failure,
    SegmentTask,
    WorkerSetup,
    target_of,
)
from matting.workers.preflight import Work, preflight
from matting.workers.supervisor import Supervisor

SEAM = "it had to begin without the segment before it, which is there now."


def infer(
    segments: Path,
    options: MattingOptions,
    output: Path | None,
    progress: Progress,
    executor_of: ExecutorFactory = Supervisor,
) -> MattedFolder:
    """Matte everything in `segments` that is not done yet.

    Args:
        executor_of: makes what runs the network over the segments.
    Raises:
        SegmentsFailedError: all others are done; names those that failed, and why.
        InputError: nothing to matte there, or an option that cannot be used.
        MachineUnusableError: the network does not work here at present; nothing is lost.
        MissingError, StorageError, BusyError.
    """
    compute = options.compute
    inputs = read_inputs(segments)
    device = choose_device(compute.device)
    require_precision(options.matte.precision, device)
    require_decoder(compute.decoder, device)
    checkpoint = find_checkpoint(options.matte.checkpoint, progress)
    checkpoint_sha256 = files.sha256(checkpoint)
    folder = MattedFolder.of(segments, output)
    with ExitStack() as locks:
        locks.enter_context(folder_lock(folder.root))
        if inputs.plan is not None:  # nobody may cut anew what is being matted
            locks.enter_context(reading_lock(segments))
        share_cores(device, compute.threads)
        progress.say(describe(device))
        chosen, why = choose_encoder(
            options.output,
            device,
            inputs,
            Ledger(folder),
            settings=lambda item, output: settings_of(
                item, replace(options, output=output), checkpoint_sha256
            ),
            run_probe=try_isolated if compute.isolated else HardwareProbe.run,
        )
        options = replace(options, output=chosen)
        if why:
            progress.say(f"The processor encodes, which takes longer: {why}")
        setup = WorkerSetup(options, checkpoint, checkpoint_sha256, str(device))
        with closing(executor_of(setup, folder.root, progress)) as executor:
            _Job(
                inputs=inputs,
                options=options,
                checkpoint_sha256=checkpoint_sha256,
                executor=executor,
                folder=folder,
                progress=progress,
            ).run()
    return folder


class _Job:
    """One run over one folder."""

    def __init__(
        self,
        *,
        inputs: InputFolder,
        options: MattingOptions,
        checkpoint_sha256: str,
        executor: Executor,
        folder: MattedFolder,
        progress: Progress,
    ) -> None:
        self._inputs = inputs
        self._options = options
        self._executor = executor
        self._folder = folder
        self._progress = progress
        self._ledger = Ledger(folder)
        self._checkpoint_sha256 = checkpoint_sha256
        self._in_flight: deque[Input] = deque()  # submitted, no outcome yet
        self._failed: dict[str, MattingError] = {}  # why

    def run(self) -> None:
        inputs = self._inputs.inputs
        self._ledger.begin([i.name for i in inputs], self._inputs.plan)
        todo = self._pending()
        work = Work.of(self._ledger, [(item, self._frames(item)) for item in todo])
        if todo:
            self._load()
            preflight(work, self._executor, self._folder, self._options, self._progress)
        # Before the first: else an interruption would leave old and new results side by side.
        self._ledger.reopen([item.name for item in todo])
        if len(todo) < len(inputs):
            self._progress.say(f"{len(inputs) - len(todo)} of {len(inputs)} are done already.")
        for kind in self._options.output.kinds:
            atomic_files.make_folder(self._folder.layer(kind))
        atomic_files.make_folder(self._folder.state("").parent)
        self._matte_all(todo, work.frames)
        self._ledger.write_lists(self._options.output.kinds)
        if self._failed:
            lines = [
                f"  {name}: {error.what} {error.advice(again='')}".rstrip()
                for name, error in self._failed.items()
            ]
            raise SegmentsFailedError(
                f"{len(self._failed)} of {len(inputs)} could not be matted:\n" + "\n".join(lines),
                "Mend these; what is done stays done.",
                option=next(filter(None, (error.option for error in self._failed.values())), None),
            )
        which = f"All {len(inputs)} are" if len(inputs) > 1 else "It is"
        self._progress.say(f"{which} matted: {self._folder.root}")

    def _load(self) -> None:
        """Has the worker start, which takes its time."""
        self._progress.start("Loading the network ...", 0, "")
        try:
            self._executor.prepare()
        finally:
            self._progress.finish()

    def _pending(self) -> list[Input]:
        """What is not proven done for these inputs and settings; tells why it is done again."""
        pending: list[Input] = []
        again: Counter[str] = Counter()
        for item in self._inputs.inputs:
            if not self._ledger.is_done(item.name):
                pending.append(item)
                continue
            entry = self._ledger.entry(item.name)
            changed = changed_settings(entry.settings, self._settings(item))
            if not changed and item.path.exists() and entry.source != item.fingerprint():
                changed = ["the segment itself"]
            if changed:
                pending.append(item)
                again[", ".join(map(in_words, changed))] += 1
            elif self._stale_start(item):
                pending.append(item)
                self._progress.say(f"{item.name} is done again: {SEAM}")
        for changed_things, count in again.items():
            self._progress.say(f"{count} are done again, for these have changed: {changed_things}.")
        return self._with_overwritten(pending)

    def _with_overwritten(self, pending: list[Input]) -> list[Input]:
        """Return `pending`, and what is done but would be overwritten by its results."""
        names = {item.name for item in pending}
        targets = {item.name: self._targets(item).values() for item in self._inputs.inputs}
        overwritten = self._ledger.overwritten(
            names, lambda name: [target.path for target in targets[name]]
        )
        for name in overwritten:
            self._progress.say(f"{name} is done again: another result has its name now.")
        return [item for item in self._inputs.inputs if item.name in names | overwritten]

    def _matte_all(self, todo: list[Input], frames: int) -> None:
        """Mattes in order."""
        if not todo:
            return
        waiting = {item.name for item in todo}
        self._progress.start("Matting", frames, "frame", segments=len(todo))
        try:
            for item in self._inputs.inputs:
                if item.name not in waiting:
                    if self._before(item) in self._in_flight:
                        self._record_all()
                    if not self._stale_start(item):
                        continue
                    self._progress.say(f"{item.name} is done again: {SEAM}")
                    self._progress.extend(self._frames(item), 1)
                self._submit(item)
            self._record_all()
        finally:
            self._progress.finish()

    def _frames(self, item: Input) -> int:
        """How many frames an input has, for the forecast; 0 where it is not to be told."""
        if item.frames is not None:
            return item.frames
        try:
            return item.open(self._options.output.frame_rate).frames
        except MattingError:
            return 0  # its own turn comes, and tells why

    def _submit(self, item: Input) -> None:
        """Has a segment matted beside those before it, as soon as there is room for it."""
        while not self._executor.has_room:
            self._record_next()
        # `false` before the first byte changes.
        self._ledger.record(item.name, Entry(settings=self._settings(item)))
        self._executor.submit(self._task(item))
        self._in_flight.append(item)

    def _record_all(self) -> None:
        while self._in_flight:
            self._record_next()

    def _record_next(self) -> None:
        """Waits for the outcome of the earliest segment in hand, and records it."""
        item = self._in_flight.popleft()
        settings = self._settings(item)
        outcome = self._executor.outcome()
        if isinstance(outcome, Failure):
            error = outcome.error
            self._failed[item.name] = error
            self._progress.say(f"{item.name} failed: {error.what}")
            self._ledger.record(item.name, Entry(settings=settings, error=error.what))
        else:
            self._ledger.record(item.name, Entry(settings=settings, **vars(outcome)))
        self._progress.end_segment()

    def _task(self, item: Input) -> SegmentTask:
        return SegmentTask(
            item=item,
            before=self._before(item),
            start_state=self._kept_state(item),
            end_state=self._folder.state(item.name) if self._inputs.plan is not None else None,
            targets=self._targets(item),
            index=known_index(item.path),
        )

    def _targets(self, item: Input) -> dict[OutputKind, OutputTarget]:
        rate = self._options.output.frame_rate
        return {
            kind: target_of(item, self._folder, kind, rate) for kind in self._options.output.kinds
        }

    def _settings(self, item: Input) -> RecordedSettings:
        return settings_of(item, self._options, self._checkpoint_sha256)

    def _before(self, item: Input) -> Input | None:
        """The segment that `item` continues; None at the start, and in a folder without a plan."""
        inputs = self._inputs.inputs
        index = inputs.index(item)
        return inputs[index - 1] if self._inputs.plan is not None and index > 0 else None

    def _stale_start(self, item: Input) -> bool:
        """Whether it began without the state before it, and could begin with it now."""
        began = self._ledger.entry(item.name).start_state
        made_do = began in {InitialState.FRESH, InitialState.WARMED_UP} and item.path.exists()
        return made_do and self._kept_state(item) is not None

    def _kept_state(self, item: Input) -> Path | None:
        """The file of the state before `item`, if it was kept, is whole, and by these settings."""
        before = self._before(item)
        if before is None:
            return None
        entry = self._ledger.entry(before.name)
        if not entry.outputs or changed_settings(entry.settings, self._settings(before)):
            return None
        path = self._folder.state(before.name)
        return path if entry.end_state and entry.end_state.matches(path) else None
