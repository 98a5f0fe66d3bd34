"""Which segments of a job have to be matted, in which order, and why.

Inside a shot, each segment continues the network's state from the one before. Its result is right
if that was the state of one uncut pass over the shot. If it was not, or if a segment before it has
changed since, it is done again as soon as the right state can be had. Where only the state is lost,
the network goes through the segment before once more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from matting.delivery.outputs import OutputTarget
from matting.errors import InputError
from matting.options import OutputKind
from matting.project.entry import Lineage, RecordedSettings
from matting.project.inputs import Input, InputFolder
from matting.project.ledger import Ledger
from matting.project.lineage import adopt_lineages, same_matte, state_after
from matting.project.own_files import overwritten
from matting.project.recorded_settings import changed_settings, in_words
from matting.system.fingerprint import Fingerprint
from matting.workers.executor import Failure, Outcome, SavedState

# Eight segments are two minutes of video, through which the network goes again to restore a state.
STATES_APART = 8
# Where more states than that are lost, a segment begins with some frames of the one before it
# instead. The loss of one that stays is no such case.
MOST_RESTORED = 2 * STATES_APART


class Action(Enum):
    """What a step does with a segment."""

    MATTE = auto()  # it is not done
    REDO = auto()  # it is done, but not from the right state; only if that can be had
    RESTORE_STATE = auto()  # its results are right; the state at its end is needed, and lost


@dataclass(frozen=True)
class Step:
    """One step of a run.

    Attributes:
        before: the segment whose state it continues; None at the start of a shot.
    """

    item: Input
    action: Action
    before: Input | None


class Schedule:
    """The steps of one run; `note` takes the outcome of each, on which later ones depend.

    Attributes:
        changes: what has changed of segments that were done, and of how many.
        of_other_options: the segments that are done and whole, but by other options.
        overwritten: segments whose results have names that others have now.
    """

    def __init__(
        self,
        inputs: InputFolder,
        ledger: Ledger,
        settings: Callable[[Input], RecordedSettings],
        targets: Callable[[Input], Mapping[OutputKind, OutputTarget]],
    ) -> None:
        """
        Args:
            ledger: as the run finds it; entries of earlier versions are given their lineage.
            settings: returns what shapes the results of an input.
            targets: returns where these go.
        Raises:
            InputError: something cannot be read.
        """
        self._items = inputs.inputs
        self._chained = inputs.plan is not None
        self._ledger = ledger
        self._settings = settings
        self._index = {item.name: index for index, item in enumerate(self._items)}
        self._sources: dict[str, Fingerprint | None] = {}
        self._states: list[str] = []  # their identities after the first, second, ... segment
        # For each segment of the run, whether the state at its end is right: expected, then known.
        self._exact: dict[str, bool] = {}
        self._redone_after: dict[str, Step] = {}
        self._whole: set[str] = set()
        self.steps: list[Step] = []
        self.changes: Counter[str] = Counter()
        self.of_other_options: list[Input] = []
        names = [item.name for item in self._items]
        adopt_lineages(ledger, [names] if self._chained else [[name] for name in names])
        undone = {item.name for item in self._items if not self._is_done(item)}
        paths = {item.name: [t.path for t in targets(item).values()] for item in self._items}
        self.overwritten = overwritten(ledger, undone, lambda name: paths.get(name, []))
        for item in self._items:
            self._plan(item, done=item.name not in undone | self.overwritten)
        self._ahead = {step.item.name for step in self.steps}

    @property
    def matted(self) -> list[Input]:
        """The segments that are to have new results."""
        return [step.item for step in self.steps if step.action is not Action.RESTORE_STATE]

    @property
    def not_whole(self) -> list[Input]:
        """The segments that have no result which may stay until another takes its place."""
        whole = self._whole - self.overwritten
        matted = [step.item for step in self.steps if step.action is Action.MATTE]
        return [item for item in matted if item.name not in whole]

    def may_begin(self, step: Step) -> bool:
        """Return whether a step makes sense, after what came of the steps before it."""
        if step.action is Action.MATTE or step.before is None:
            return True
        return self._exact.get(step.before.name, True)

    def depends_on(self, step: Step, earlier: Step) -> bool:
        """Return whether `step` may begin only after what has come of `earlier`.

        What was done before is expected to be done again, so that steps follow each other closely.
        """
        if step.action is Action.MATTE or step.before != earlier.item:
            return False
        return earlier.action is Action.MATTE or (
            earlier.action is Action.RESTORE_STATE and step.action is Action.REDO
        )

    def start_state(self, step: Step) -> SavedState | None:
        """Return the state before a segment, if it was saved, is intact, and of these settings."""
        before = step.before
        if before is None or before.name in self._ahead:  # whoever mattes that still holds it
            return None
        entry, path = self._ledger.entry(before.name), self._intact_state(before)
        if path is None or entry.source != self._source(before):
            return None
        if not same_matte(entry.settings, self._settings(before)):
            return None
        return SavedState(path, self._is_right(before))

    def needs_state(self, item: Input) -> bool:
        """Return whether the state after a segment can still be needed.

        It is until the segment after it has its result. Of every so many one stays, from which the
        others can be computed again.
        """
        following = self._index[item.name] + 1
        if following == len(self._items) or following % STATES_APART == 0:
            return True
        other = self._items[following]
        return not (self._ledger.says_done(other.name) and self._is_right(other))

    def redone_after(self, step: Step) -> Step | None:
        """Return the step that does a segment again for what comes of `step`."""
        return self._redone_after.get(step.item.name)

    def lineage(self, step: Step, outcome: Outcome) -> Lineage:
        """Return the lineage of a result."""
        return Lineage(self._state_before(step.item), outcome.exact)

    def note(self, step: Step, outcome: Outcome | Failure | None) -> None:
        """Take notice of what came of a step; None: it was left out."""
        name = step.item.name
        self._ahead.discard(name)
        self._exact[name] = isinstance(outcome, Outcome) and outcome.exact
        if not self._exact[name]:
            self._expect_inexact_after(step)
        if isinstance(outcome, Outcome) and outcome.source != self._sources.get(name):
            self._sources[name] = outcome.source
            del self._states[self._index[name] :]

    def _expect_inexact_after(self, step: Step) -> None:
        """Expect no right state any more of the segments that continue the one of `step`."""
        for item in self._items[self._index[step.item.name] + 1 :]:
            if self._before(item) is None or item.name not in self._exact:
                break
            self._exact[item.name] = False

    def _plan(self, item: Input, *, done: bool) -> None:
        there = item.path.exists()
        if not done:
            action = Action.MATTE
        elif self._is_right(item) or not there:
            return
        else:
            action = Action.REDO
        restored = self._restored_before(item) if there else None
        if restored is None and action is Action.REDO:
            return
        for other in restored or []:
            self._add(other, Action.RESTORE_STATE, exact=True)
        self._add(item, action, exact=restored is not None)

    def _add(self, item: Input, action: Action, *, exact: bool) -> None:
        step = Step(item, action, self._before(item))
        self.steps.append(step)
        if action is Action.REDO and step.before is not None:
            self._redone_after[step.before.name] = step
        self._exact[item.name] = exact

    def _is_done(self, item: Input) -> bool:
        """Return whether it is done, by these settings and of this content; note what changed."""
        if not self._ledger.is_done(item.name):
            return False
        self._whole.add(item.name)
        entry = self._ledger.entry(item.name)
        changes = [in_words(s) for s in changed_settings(entry.settings, self._settings(item))]
        if changes:
            self.of_other_options.append(item)
        elif item.path.exists():
            self._sources[item.name] = item.fingerprint()
            if self._sources[item.name] != entry.source:
                changes = ["the segment itself"]
        if changes:
            self.changes[", ".join(changes)] += 1
        return not changes

    def _restored_before(self, item: Input) -> list[Input] | None:
        """Return the segments whose states have to be restored, for `item` to begin right.

        None where it cannot.
        """
        restored: list[Input] = []
        while (before := self._before(item)) is not None:
            if before.name in self._exact:  # part of this run
                return restored if self._exact[before.name] else None
            if not self._is_right(before):
                return None
            if self._intact_state(before) is not None:
                return restored
            if len(restored) == MOST_RESTORED or not before.path.exists():
                return None
            restored.insert(0, before)
            item = before
        return restored

    def _is_right(self, item: Input) -> bool:
        """Return whether a result is that of one uncut pass over the shot as it is now."""
        entry = self._ledger.entry(item.name)
        lineage = entry.lineage
        if not entry.outputs or lineage is None or not lineage.exact:
            return False
        if not same_matte(entry.settings, self._settings(item)):
            return False
        return lineage.start == self._state_before(item)

    def _before(self, item: Input) -> Input | None:
        """Return the segment that `item` continues; None at the start of a shot.

        The whole video is one shot. In a folder without a plan, each input is one.
        """
        index = self._index[item.name]
        return self._items[index - 1] if self._chained and index > 0 else None

    def _state_before(self, item: Input) -> str | None:
        """Return the identity of the state before a segment; None at the start of a shot."""
        if self._before(item) is None:
            return None
        while len(self._states) < self._index[item.name]:
            other = self._items[len(self._states)]
            start = self._states[-1] if self._before(other) is not None else None
            self._states.append(state_after(start, self._source(other), self._settings(other)))
        return self._states[self._index[item.name] - 1]

    def _source(self, item: Input) -> Fingerprint | None:
        """Return the fingerprint of a segment as it is now; once it is gone, as it was matted."""
        if item.name not in self._sources:
            try:
                self._sources[item.name] = item.fingerprint()
            except InputError:
                self._sources[item.name] = self._ledger.entry(item.name).source
        return self._sources[item.name]

    def _intact_state(self, item: Input) -> Path | None:
        """Return the file of the state after a segment, if it is what was recorded."""
        path = self._ledger.folder.state(item.name)
        recorded = self._ledger.entry(item.name).end_state
        return path if recorded is not None and recorded.matches(path) else None
