"""One run of `infer`: step by step through the schedule, each result recorded when it is proven."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from matting.errors import MattingError
from matting.options import MattingOptions, OutputKind
from matting.progress import Progress, ignore
from matting.project.entry import RecordedSettings
from matting.project.inputs import Input, InputFolder
from matting.project.job_options import JobOptions
from matting.project.ledger import Ledger
from matting.project.origin import origin_of
from matting.project.own_files import require_own_results
from matting.project.recorded_settings import SettingsOf
from matting.project.result_lists import write_result_lists
from matting.system import atomic_files
from matting.workers.consent import ask_before_redoing
from matting.workers.executor import Executor, Failure, Outcome, SegmentTask
from matting.workers.failures import no_stored_matte, segments_failed
from matting.workers.range_upkeep import renew_mattes
from matting.workers.reasons import reasons
from matting.workers.result_recorder import ResultRecorder
from matting.workers.run_report import RunReport, how_many
from matting.workers.schedule import Action, Schedule, Step
from matting.workers.segment_tasks import SegmentTasks, targets_of


class MattingRun:
    """One run over one folder.

    Attributes:
        options: with the encoder decided.
    """

    def __init__(
        self,
        *,
        inputs: InputFolder,
        options: MattingOptions,
        asked: MattingOptions,
        refused: Mapping[str, MattingError],
        checkpoint_sha256: str,
        ledger: Ledger,
        progress: Progress,
        network: bool = True,
        rest_later: bool = False,
        on_recorded: Callable[[], None] = ignore,
    ) -> None:
        """
        Args:
            options: with the encoder decided.
            asked: as the job remembers them.
            refused: why which of the inputs, by their names, cannot have results.
            ledger: as it is while the folder's lock is held.
            network: whether to matte; else segments that lack a stored matte fail.
            rest_later: whether those may be left to another run instead.
            on_recorded: called when something was.
        """
        self._asked = asked
        self._inputs = inputs
        self.options = options
        self._executor: Executor | None = None
        self._folder = ledger.folder
        self._progress = progress
        self._ledger = ledger
        self._ledger.recover()
        self._ledger.recall(item.name for item in inputs.inputs)
        renew_mattes(self._ledger, progress)  # where a run that was killed has not
        self._settings = SettingsOf(options, checkpoint_sha256)
        self._refused = refused
        self._rest_later = rest_later
        self._on_recorded = on_recorded
        self._possible = inputs.without(refused)
        self._schedule = Schedule(
            self._possible,
            self._ledger,
            self._settings,
            partial(targets_of, folder=ledger.folder, output=options.output),
            network=network,
            accepts_inexact=options.compute.cluster.longest_run_seconds is not None,
        )
        self._tasks = SegmentTasks(inputs, options.output, self._schedule, ledger)
        self._without_matte = [] if network else self._schedule.leave_out_matting()
        self._in_flight: dict[int, tuple[Step, SegmentTask]] = {}  # submitted, no outcome yet
        self._recorder = ResultRecorder(self._ledger, self._settings, progress)
        self._report = RunReport(progress)

    @property
    def has_work(self) -> bool:
        """Whether there is anything to do for whoever runs the network."""
        return bool(self._schedule.steps)

    def run(self, executor: Executor | None = None) -> None:
        """Matte what is not done, in order.

        Args:
            executor: None: there is no work.
        Raises:
            SegmentsFailedError: all others are done; names those that failed, and why.
            StorageError, BusyError, MachineUnusableError: whatever stops the whole run.
        """
        inputs = self._inputs.inputs
        schedule, self._executor = self._schedule, executor
        self._require_own_results()
        if not self.options.again and self._ledger.agreed != self._agreed():
            ask_before_redoing(schedule, self._ledger, self._frames, self._progress)
        self._ledger.begin(
            [item.name for item in inputs],
            self._inputs.plan,
            origin_of(self._inputs.path),
            JobOptions.of(self._asked),
            self._agreed(),
        )
        for reason in reasons(schedule, self._ledger):
            self._progress.say(reason)
        if schedule.steps:
            self._make_ready()
        # Only now: what was refused until here leaves nothing behind. What is done by other options
        # stays so until another result takes its place.
        self._ledger.reopen(
            [step.item.name for step in schedule.not_whole],
            waiting={s.item.name for s in schedule.not_whole if s.action is Action.RENDER},
        )
        with self._ledger.journalled():
            self._take_all()
        self._forget_states()
        write_result_lists(self._ledger, self.options.output.kinds)
        if self._recorder.failed:
            raise segments_failed(self._recorder.failed, len(inputs), "could not be matted:")
        which = how_many(len(inputs), len(inputs) - len(self._without_matte))
        self._progress.say(f"{which} matted: {self._folder.root}")

    @property
    def _worker(self) -> Executor:
        if self._executor is None:
            raise ValueError("there is work, and nobody to do it")
        return self._executor

    def _take_all(self) -> None:
        """Take all steps, and note what none is taken for."""
        inputs = self._inputs.inputs
        for item in (own for own in inputs if own.name in self._refused):
            self._recorder.record_failure(item, self._refused[item.name])
        for item in () if self._rest_later else self._without_matte:
            self._recorder.failed[item.name] = no_stored_matte()
        done = len(self._possible.inputs) - len(self._schedule.remade) - len(self._without_matte)
        if done:
            self._progress.say(f"{done} of {len(inputs)} are done already.")
        kinds = map(self._folder.output_folder, self.options.output.written)
        for folder in (*kinds, self._folder.state("").parent, self._folder.signs):
            atomic_files.make_folder(folder)
        self._take(self._schedule.steps, "Matting")
        self._report.end()
        self._render_renewed()

    def _require_own_results(self) -> None:
        """Refuse to write over what no run here has made."""
        paths = {
            step.item.name: {
                kind: target.path for kind, target in self._tasks.targets(step).items()
            }
            for step in self._schedule.remade
        }
        for name, own in paths.items():
            self._ledger.adopt_unrecorded(name, own)
        require_own_results(self._ledger, (path for own in paths.values() for path in own.values()))

    def _agreed(self) -> RecordedSettings:
        """Return what the job's options come to, by the first of its segments."""
        return self._settings(self._inputs.inputs[0])

    def _make_ready(self) -> None:
        """Have the worker load what it needs, and say what is ahead, if everything goes well."""
        from matting.workers.loading import load
        from matting.workers.preflight import Work, preflight

        schedule, ledger, options = self._schedule, self._ledger, self.options
        load(schedule.steps, self._worker, options, ledger, self._progress)
        tasks = [(self._tasks.task(step), self._frames(step.item)) for step in schedule.remade]
        state_only = [s.item for s in schedule.steps if s.action is Action.RESTORE_STATE]
        work = Work.of(ledger, tasks, sum(map(self._frames, state_only)))
        preflight(work, self._worker, self._folder, options, self._progress)

    def _render_renewed(self) -> None:
        """Put ranges into mattes that were found anew, and make the outputs of these."""
        renew_mattes(self._ledger, self._progress)
        others = frozenset(self.options.output.written) - {OutputKind.MATTE}
        steps = [
            Step(step.item, Action.RENDER, None, others)
            for step in self._schedule.steps
            if self._tasks.awaits_ranges(step) and self._ledger.entry(step.item.name).waiting
        ]
        self._take(steps, "Rendering")

    def _take(self, steps: Sequence[Step], title: str) -> None:
        """Take steps, in order."""
        if not steps:
            return
        frames = sum(self._frames(step.item) for step in steps)
        self._progress.start(title, frames, "frame", segments=len(steps))
        try:
            for step in steps:
                while not self._worker.has_room:
                    self._record_next()
                last, _ = next(reversed(self._in_flight.values()), (None, None))
                if last is not None and self._schedule.depends_on(step, last):
                    self._record_all()
                if self._schedule.may_begin(step):
                    self._submit(step)
                else:
                    self._leave_out(step)
            self._record_all()
        finally:
            self._progress.finish()

    def _leave_out(self, step: Step) -> None:
        """Leave a segment as it is, because what it continues is not there."""
        self._schedule.note(step, None)
        self._progress.extend(-self._frames(step.item), -1)
        self._progress.detail(f"{step.item.name} stays as it is: what it continues is not there.")

    def _frames(self, item: Input) -> int:
        """Return how many frames an input has, for the forecast; 0 where that is unknown."""
        return item.expected_frames(self.options.output.frame_rate)

    def _submit(self, step: Step) -> None:
        """Submit a segment, while those before it are still in flight."""
        task = self._tasks.task(step)
        number = self._worker.submit(task)
        if not self._in_flight:
            self._report.begin_waiting()
        self._in_flight[number] = step, task

    def _record_all(self) -> None:
        while self._in_flight:
            self._record_next()

    def _record_next(self) -> None:
        """Wait for an outcome, and record it."""
        number, outcome = self._worker.outcome()
        step, task = self._in_flight.pop(number)
        self._report.take(step, outcome)
        self._ledger.frames_per_second = (
            self._report.frames_per_second or self._ledger.frames_per_second
        )
        self._schedule.note(step, outcome)
        if isinstance(outcome, Outcome) and step.action is not Action.RENDER:
            self._recorder.note_start(task, outcome)
        self._record(step, outcome)
        if step.before is not None:
            self._forget_state(step.before)
        self._progress.end_segment()
        self._on_recorded()

    def _record(self, step: Step, outcome: Outcome | Failure) -> None:
        """Record what came of a step."""
        if step.action is Action.RESTORE_STATE:
            self._recorder.record_state(step.item, outcome)
        elif isinstance(outcome, Failure):
            self._recorder.record_failure(step.item, outcome.error)
        elif step.action is Action.RENDER:
            self._recorder.record_rendered(step.item, outcome)
        else:
            following = self._schedule.redone_after(step)
            if following is not None and outcome.ends_exact:
                # Before this one counts as done: the result after it does not continue it.
                self._ledger.reopen([following.item.name])
            lineage = self._schedule.lineage(step, outcome)
            waiting = self._tasks.awaits_ranges(step)
            self._recorder.record_result(step.item, outcome, lineage, waiting=waiting)

    def _forget_states(self) -> None:
        """Remove all states that cannot be needed any more; mostly that has been done."""
        folder = self._folder.state("").parent
        there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        for item in self._possible.inputs:
            if self._folder.state(item.name).name in there:
                self._forget_state(item)

    def _forget_state(self, item: Input) -> None:
        """Remove the state after a segment, unless it can still be needed."""
        if not self._schedule.needs_state(item):
            atomic_files.discard(self._folder.state(item.name))
