"""What came of each segment, taken to the ledger and told."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from matting.errors import InputError, MattingError, MediaError
from matting.options import OutputKind
from matting.progress import Progress
from matting.project.entry import Entry, Lineage, RecordedSettings
from matting.project.inputs import Input
from matting.project.ledger import Ledger
from matting.project.recorded_settings import changed_settings
from matting.project.taken_names import named_by_another
from matting.system import atomic_files
from matting.workers.executor import Failure, Outcome, SegmentTask
from matting.workers.run_report import WITHOUT_STATE


class ResultRecorder:
    """Records outcomes.

    Attributes:
        failed: why segments of this run could not be matted.
    """

    def __init__(
        self, ledger: Ledger, settings: Callable[[Input], RecordedSettings], progress: Progress
    ) -> None:
        """
        Args:
            settings: returns what shapes the results of an input.
        """
        self._ledger = ledger
        self._settings = settings
        self._progress = progress
        self.failed: dict[str, MattingError] = {}

    def record_result(
        self, item: Input, outcome: Outcome, lineage: Lineage, *, waiting: bool = False
    ) -> None:
        """Record what the network found, and what was made of it.

        Args:
            waiting: whether outputs of it are still to be made.
        """
        earlier = self._ledger.entry(item.name)
        entry = Entry(
            settings=self._settings(item),
            source=outcome.source,
            start_state=outcome.start_state,
            lineage=lineage,
            frames=outcome.frames,
            outputs=outcome.outputs,
            end_state=outcome.end_state,
            delivered=earlier.delivered,  # of another matte it does not count
            waiting=waiting,
            base=earlier.base,  # it is this one's place
            signs=outcome.signs,
            base_signs=earlier.base_signs,
        )
        self._record(item, entry, outcome)

    def record_rendered(self, item: Input, outcome: Outcome) -> None:
        """Record outputs that were made of a stored matte, beside those that stay."""
        entry = self._ledger.entry(item.name)
        if outcome.source != entry.source:
            discard_files(outcome)
            changed = f"{item.path} was changed while outputs were made of it."
            self.record_failure(item, MediaError(changed, retry=True))
            return
        other = named_by_another(self._ledger, item.name, (file.path for file in outcome.files))
        if other is not None:
            discard_files(outcome)
            what = f"Its results are to have a name that an earlier one of {other} still has."
            self.record_failure(item, InputError(what, "First see to it that that one is made."))
            return
        settings = self._settings(item)
        look_changed = set(changed_settings(entry.settings, settings)) - {"kinds"}
        kept = {OutputKind.MATTE}
        if not look_changed:  # what has been lost and is not wanted any more is forgotten
            others = entry.outputs.keys() - outcome.outputs.keys() - kept
            kept |= self._ledger.intact_outputs(item.name, others)
        outputs = {k: output for k, output in entry.outputs.items() if k in kept} | outcome.outputs
        settings = replace(settings, kinds=tuple(k for k in OutputKind if k in outputs))
        signs = outcome.signs or entry.signs
        entry = replace(
            entry, settings=settings, outputs=outputs, error="", waiting=False, signs=signs
        )
        self._record(item, entry, outcome)

    def record_failure(self, item: Input, error: MattingError) -> None:
        """Record why a segment could not be matted; its earlier result, if any, stays."""
        self.failed[item.name] = error
        stays = "; its earlier result stays" if self._ledger.says_done(item.name) else ""
        self._progress.say(f"{item.name} failed{stays}: {error.what}")
        self._ledger.record_failure(item.name, self._settings(item), error.what)

    def note_start(self, task: SegmentTask, outcome: Outcome) -> None:
        """Forget a saved state that turned out to be unreadable, though its file is intact."""
        unusable = outcome.start_state in WITHOUT_STATE
        if task.before is not None and task.start_state is not None and unusable:
            entry = replace(self._ledger.entry(task.before.name), end_state=None)
            self._ledger.amend(task.before.name, entry)

    def record_state(self, item: Input, outcome: Outcome | Failure) -> None:
        """Record a state that was computed once more; if that failed, all stays as it was."""
        if isinstance(outcome, Failure):
            what = outcome.error.what
            self._progress.say(f"{item.name}: the state at its end could not be computed: {what}")
        elif outcome.ends_exact:
            self._ledger.record_state(item.name, outcome.end_state, outcome.files)
        else:
            discard_files(outcome)

    def _record(self, item: Input, entry: Entry, outcome: Outcome) -> None:
        for kept in self._ledger.record(item.name, entry, outcome.files):
            self._progress.say(
                f"What had the name of a result was not made here: it is {kept} now."
            )


def discard_files(outcome: Outcome) -> None:
    """Remove the files of an outcome that does not count."""
    for file in outcome.files:
        atomic_files.discard(file.temporary)
