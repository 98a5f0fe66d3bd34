"""One run of `deliver`: what the segments lack of some formats is made of their stored mattes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from matting.delivery.delivered_settings import delivered_settings
from matting.delivery.formats import DELIVERED, DeliveryFormat
from matting.delivery.output_target import OutputTarget, target_of
from matting.delivery.vr_plan import vr_plan
from matting.errors import MattingError, MediaError
from matting.media.foreign_files import known_refusal
from matting.media.media_index import known_index
from matting.options import MattingOptions, OutputKind
from matting.progress import Progress
from matting.project.entry import Delivered, RecordedSettings
from matting.project.inputs import Input, InputFolder
from matting.project.ledger import Ledger
from matting.project.own_files import require_own_results
from matting.system import atomic_files
from matting.workers.delivery_schedule import DeliverySchedule
from matting.workers.executor import Executor, Failure, Outcome, SegmentTask
from matting.workers.failures import segments_failed
from matting.workers.preflight import Work, preflight
from matting.workers.range_upkeep import renew_mattes
from matting.workers.result_recorder import discard_files
from matting.workers.run_report import RunReport
from matting.workers.schedule import Step


class DeliveryRun:
    """One run over one folder.

    Attributes:
        failed: why which segments failed, so far.
    """

    def __init__(
        self,
        *,
        inputs: InputFolder,
        rows: Sequence[DeliveryFormat],
        options: MattingOptions,
        executor: Executor,
        ledger: Ledger,
        progress: Progress,
        refused: Mapping[str, MattingError],
    ) -> None:
        """
        Args:
            rows: the formats, none of them the job's composite.
            refused: why which of the inputs, by their names, cannot have finished files.
            options: with the encoder decided.
            ledger: as it is while the folder's lock is held.
        """
        self._inputs = inputs
        self._kinds = tuple(dict.fromkeys(row.kind for row in rows))
        self._options = options
        self._executor = executor
        self._ledger = ledger
        self._folder = ledger.folder
        self._progress = progress
        ledger.recover()
        ledger.recall(item.name for item in inputs.inputs)
        renew_mattes(ledger, progress)  # where a run that was killed has not
        self._refused = refused
        self._schedule = DeliverySchedule(
            inputs.without(refused), ledger, self._settings, self._targets
        )
        self.failed: dict[str, MattingError] = {}
        self._in_flight: dict[int, Step] = {}  # submitted, no outcome yet
        self._report = RunReport(progress)

    def run(self) -> None:
        """Make what is lacking, in order.

        Raises:
            SegmentsFailedError: all others are done; names those that failed, and why.
            InputError: something else has the name of a result.
            StorageError, BusyError, MachineUnusableError: whatever stops the whole run.
        """
        segments, steps = len(self._inputs.inputs), self._schedule.steps
        tasks = [self._task(step) for step in steps]
        require_own_results(self._ledger, (t.path for task in tasks for t in task.targets.values()))
        for name, error in (*self._refused.items(), *self._schedule.refused.items()):
            self._fail(name, error)
        if steps:
            self._executor.prepare(network=False)
            counted = [(task, self._frames(task.item)) for task in tasks]
            work = Work.of(self._ledger, counted, kinds=self._kinds)
            preflight(work, self._executor, self._folder, self._options, self._progress)
        self._ledger.save()
        done = segments - len(steps) - len(self.failed)
        if done:
            self._progress.say(f"{done} of {segments} are done already.")
        self._render_all()
        if self.failed:
            raise segments_failed(self.failed, segments, "could not be delivered:")

    def _render_all(self) -> None:
        steps = self._schedule.steps
        if not steps:
            return
        for kind in self._kinds:
            atomic_files.make_folder(self._folder.output_folder(kind))
        frames = sum(self._frames(step.item) for step in steps)
        self._progress.start("Delivering", frames, "frame", segments=len(steps))
        try:
            with self._ledger.journalled():
                for step in steps:
                    while not self._executor.has_room:
                        self._record_next()
                    self._submit(step)
                while self._in_flight:
                    self._record_next()
        finally:
            self._progress.finish()

    def _submit(self, step: Step) -> None:
        number = self._executor.submit(self._task(step))
        if not self._in_flight:
            self._report.begin_waiting()
        self._in_flight[number] = step

    def _record_next(self) -> None:
        """Wait for an outcome, and record it."""
        number, outcome = self._executor.outcome()
        step = self._in_flight.pop(number)
        self._report.take(step, outcome)
        if isinstance(outcome, Failure):
            self._fail(step.item.name, outcome.error)
        else:
            self._record(step.item, outcome)
        self._progress.end_segment()

    def _record(self, item: Input, outcome: Outcome) -> None:
        entry = self._ledger.entry(item.name)
        if outcome.source != entry.source:
            discard_files(outcome)
            what = f"{item.path} was changed while formats were made of it."
            self._fail(item.name, MediaError(what, retry=True))
            return
        matte = entry.outputs[OutputKind.MATTE]
        delivered = {
            kind: Delivered(
                file=output.file,
                size_bytes=output.size_bytes,
                sha256=output.sha256,
                matte_sha256=matte.sha256,
                settings=self._settings(item, kind),
            )
            for kind, output in outcome.outputs.items()
        }
        for kept in self._ledger.record_delivered(item.name, delivered, outcome.files):
            self._progress.say(
                f"What had the name of a result was not made here: it is {kept} now."
            )

    def _fail(self, name: str, error: MattingError) -> None:
        self.failed[name] = error
        self._progress.say(f"{name} failed: {error.what}")

    def _frames(self, item: Input) -> int:
        return self._ledger.entry(item.name).frames

    def _task(self, step: Step) -> SegmentTask:
        item = step.item
        targets = self._targets(item)
        return SegmentTask(
            item=item,
            targets={k: t for k, t in targets.items() if step.kinds is None or k in step.kinds},
            index=known_index(item.path),
            refusal=known_refusal(item.path),
            matte=self._ledger.output(item.name, OutputKind.MATTE),
        )

    def _targets(self, item: Input) -> dict[OutputKind, OutputTarget]:
        rate = self._options.output.frame_rate
        targets = {kind: target_of(item, self._folder, kind, rate) for kind in self._kinds}
        vr = self._options.output.vr
        return {
            kind: replace(target, vr=vr_plan(DELIVERED[kind].name, item.view, vr, item.path))
            for kind, target in targets.items()
        }

    def _settings(self, item: Input, kind: OutputKind) -> RecordedSettings:
        return delivered_settings(item, self._options.output, DELIVERED[kind])
