"""Which segments of a job have to be matted, in which order, and why.

Inside a shot, each segment continues the network's state from the one before; where a shot starts,
nothing from before it counts. A result is right if the state that it continues was that of one
uncut pass over the shot. If it was not, or if a segment before it has
changed since, it is done again as soon as the right state can be had. Where only the state is lost,
the network goes through the segment before once more. Where the stored matte is right and outputs
are not, these are made from it, without the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from matting.delivery.output_target import OutputTarget
from matting.options import OutputKind
from matting.project.entry import Lineage, RecordedSettings
from matting.project.inputs import Input, InputFolder
from matting.project.ledger import Ledger
from matting.project.own_files import overwritten
from matting.project.taken_names import with_names_freed
from matting.workers.executor import Failure, Outcome, SavedState
from matting.workers.render_order import in_safe_order
from matting.workers.shot import Shot
from matting.workers.standing import Standing

# Eight segments are two minutes of video, through which the network goes again to restore a state.
STATES_APART = 8
# Where more states than that are lost, a segment begins with some frames of the one before it
# instead. The loss of one that stays is no such case.
MOST_RESTORED = 2 * STATES_APART


class Action(Enum):
    """What a step does with a segment."""

    MATTE = auto()  # it is not done
    REDO = auto()  # it is done, but not from the right state or run-up; only if these can be had
    RESTORE_STATE = auto()  # its results are right; the state at its end is needed, and lost
    RENDER = auto()  # its stored matte is right; other outputs are made from that


@dataclass(frozen=True)
class Step:
    """One step of a run.

    Attributes:
        before: the segment whose state it continues; None at the start of a shot.
        kinds: what is made of it; None: all that is wanted.
    """

    item: Input
    action: Action
    before: Input | None
    kinds: frozenset[OutputKind] | None = None


class Schedule:
    """The steps of one run; `note` takes the outcome of each, on which later ones depend.

    Attributes:
        changes: what has changed of segments that were done and are matted again, and of how many.
        changed_outputs: the same of those that keep their mattes and get other outputs.
        of_other_options: the segments that are done and whole, but by other options.
        overwritten: segments whose results have names that others have now.
    """

    def __init__(
        self,
        inputs: InputFolder,
        ledger: Ledger,
        settings: Callable[[Input], RecordedSettings],
        targets: Callable[[Input], Mapping[OutputKind, OutputTarget]],
        *,
        network: bool = True,
        accepts_inexact: bool = False,
    ) -> None:
        """
        Args:
            ledger: as the run finds it; entries of earlier versions are given their lineage.
            settings: returns what shapes the results of an input.
            targets: returns where these go.
            network: whether it can be used; else call `leave_out_matting`.
            accepts_inexact: whether what is done stays although it began from another state.
        Raises:
            InputError: something cannot be read.
        """
        self._items = inputs.inputs
        self._ledger = ledger
        self._shot = Shot(inputs, ledger, settings)
        self._standing = Standing(self._shot, ledger, settings, targets, network=network)
        self._accepts_inexact = accepts_inexact
        self._paths = {
            item.name: {kind: target.path for kind, target in targets(item).items()}
            for item in self._items
        }
        self._left_out: list[Step] = []
        # For each segment of the run, whether the state at its end is right: expected, then known.
        self._exact: dict[str, bool] = {}
        self._redone_after: dict[str, Step] = {}
        self.steps: list[Step] = []
        undone = {item.name for item in self._items if not self._standing.is_done(item)}
        self.changes = self._standing.changes
        self.changed_outputs = self._standing.changed_outputs
        self.of_other_options = self._standing.of_other_options
        rendered = self._standing.rendered
        lost = overwritten(ledger, undone - rendered.keys(), self._paths_of)
        kept = {name: kinds for name, kinds in rendered.items() if name not in lost}
        self._rendered = with_names_freed(ledger, kept, self._paths)
        self.overwritten = lost | overwritten(ledger, undone | lost, self._paths_of)
        for item in self._items:
            self._plan(item, done=item.name not in undone | self.overwritten)
        self.steps = in_safe_order(self.steps, ledger, self._paths)
        # RENDER leaves the network's state where it was.
        self._ahead = {s.item.name for s in self.steps if s.action is not Action.RENDER}

    @property
    def remade(self) -> list[Step]:
        """The steps that give segments new results."""
        return [step for step in self.steps if step.action is not Action.RESTORE_STATE]

    @property
    def not_whole(self) -> list[Step]:
        """The steps of segments without a result that may stay until another takes its place."""
        whole = self._standing.whole - self.overwritten
        made = [step for step in self.steps if step.action in {Action.MATTE, Action.RENDER}]
        return [s for s in (*made, *self._left_out) if s.item.name not in whole]

    def leave_out_matting(self) -> list[Input]:
        """Take no steps for which the network is needed; return what would not be done then.

        A matte that is there is taken as it is, though its network had not the right state.
        """
        steps = []
        for step in self.steps:
            if step.action is Action.RENDER:
                steps.append(step)
            elif step.action is Action.MATTE and (kinds := self._standing.possible(step.item)):
                steps.append(Step(step.item, Action.RENDER, None, kinds))
            elif step.action is Action.MATTE:
                self._left_out.append(step)
        self.steps = in_safe_order(steps, self._ledger, self._paths)
        return [step.item for step in self._left_out]

    def is_rendered(self, item: Input) -> bool:
        """Return whether a segment has its matte, and only gets other outputs of it."""
        return item.name in self._rendered

    def may_begin(self, step: Step) -> bool:
        """Return whether a step makes sense, after what came of the steps before it."""
        if step.action in {Action.MATTE, Action.RENDER} or step.before is None:
            return True
        return self._exact.get(step.before.name, True)

    def depends_on(self, step: Step, earlier: Step) -> bool:
        """Return whether `step` may begin only after what has come of `earlier`.

        What was done before is expected to be done again, so that steps follow each other closely.
        """
        if step.action in {Action.MATTE, Action.RENDER} or step.before != earlier.item:
            return False
        return earlier.action is Action.MATTE or (
            earlier.action is Action.RESTORE_STATE and step.action is Action.REDO
        )

    def start_state(self, step: Step) -> SavedState | None:
        """Return the state before a segment, if it was saved, is intact, and of these settings."""
        before = step.before
        if before is None or before.name in self._ahead:  # whoever mattes that still holds it
            return None
        path = self._shot.intact_state(before)
        if path is None or not self._shot.is_of_today(before):
            return None
        return SavedState(path, self._shot.ends_right(before))

    def is_continued(self, item: Input) -> bool:
        """Return whether a segment continues the state after `item`, or one more may."""
        following = self._shot.index(item) + 1
        return following == len(self._items) or self._shot.before(self._items[following]) == item

    def shot_starts(self, item: Input) -> tuple[int, ...]:
        """Return the numbers of the frames of a segment at which shots start that are run up."""
        return self._shot.starts(item)

    def ahead(self, item: Input | None) -> tuple[Input, ...]:
        """Return the segments that hold frames of the run-up of the last shot in one."""
        return () if item is None else tuple(other for other, _ in self._shot.ahead(item))

    def is_run_up_otherwise(self, name: str) -> bool:
        """Return whether a result is that of other frames after the segment than are there now."""
        item = self._items[self._shot.place(name)]
        return self._shot.begins_right(item) and not self._shot.is_right(item)

    def needs_state(self, item: Input) -> bool:
        """Return whether the state after a segment can still be needed.

        It is until the segment after it, if that continues it, has its result. Of every so many one
        stays, from which the others can be computed again.
        """
        if not self.is_continued(item):
            return False
        following = self._shot.index(item) + 1
        if following == len(self._items) or following % STATES_APART == 0:
            return True
        other = self._items[following]
        return not (self._ledger.says_done(other.name) and self._shot.is_right(other))

    def redone_after(self, step: Step) -> Step | None:
        """Return the step that does a segment again for what comes of `step`."""
        return self._redone_after.get(step.item.name)

    def lineage(self, step: Step, outcome: Outcome) -> Lineage:
        """Return the lineage of a result."""
        item, shot = step.item, self._shot
        whole = outcome.run_up_is_whole
        ahead = shot.ahead_identity(item) if whole else shot.unread_identity(item)
        return Lineage(shot.state_before(item), outcome.exact, ahead)

    def note(self, step: Step, outcome: Outcome | Failure | None) -> None:
        """Take notice of what came of a step; None: it was left out."""
        name = step.item.name
        if step.action is Action.RENDER:  # neither state nor lineage has changed
            return
        self._ahead.discard(name)
        self._exact[name] = isinstance(outcome, Outcome) and outcome.ends_exact
        if not self._exact[name]:
            self._expect_inexact_after(step)
        if isinstance(outcome, Outcome):
            self._shot.note_source(step.item, outcome.source)

    def _expect_inexact_after(self, step: Step) -> None:
        """Expect no right state any more of the segments that continue the one of `step`."""
        for place in range(self._shot.index(step.item) + 1, len(self._items)):
            item = self._items[place]
            continues = self._shot.before(item) is not None and not self._shot.starts(item)
            if not continues or not self._exact.get(item.name, False):
                break  # it begins anew, or nothing else is expected from there on
            self._exact[item.name] = False

    def _paths_of(self, name: str) -> Iterable[Path]:
        return self._paths.get(name, {}).values()

    def _plan(self, item: Input, *, done: bool) -> None:
        there = item.path.exists()
        rendered = self._rendered.get(item.name)
        if not done and rendered is not None:
            self.steps.append(Step(item, Action.RENDER, None, rendered))
            return
        if not done:
            action = Action.MATTE
        elif self._accepts_inexact or self._shot.is_settled(item) or not there:
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
        starts = bool(self._shot.starts(item))
        # For the state at its end, nothing counts from before the last shot that starts in it.
        alone = starts and action is Action.RESTORE_STATE
        step = Step(item, action, None if alone else self._shot.before(item))
        self.steps.append(step)
        if action is Action.REDO and step.before is not None:
            self._redone_after[step.before.name] = step
        self._exact[item.name] = exact or starts

    def _restored_before(self, item: Input) -> list[Input] | None:
        """Return the segments whose states have to be restored, for `item` to begin right.

        None where it cannot.
        """
        restored: list[Input] = []
        while (before := self._shot.before(item)) is not None:
            if before.name in self._exact:  # part of this run
                return restored if self._exact[before.name] else None
            starts = bool(self._shot.starts(before))
            if not starts and not self._shot.is_right(before):
                return None
            if self._shot.ends_right(before) and self._shot.intact_state(before) is not None:
                return restored
            if len(restored) == MOST_RESTORED or not before.path.exists():
                return None
            if self._shot.lacks_frames(before):
                return None
            restored.insert(0, before)
            if starts:
                break
            item = before
        return restored
