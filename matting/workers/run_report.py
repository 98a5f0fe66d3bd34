"""What a run tells of its segments: how long each took, how it began, how fast all of them are."""

from __future__ import annotations

import time

from matting.progress import Notice, Progress, SegmentReport
from matting.project.entry import InitialState
from matting.workers.executor import Failure, Outcome
from matting.workers.schedule import Action, Step

# What was done instead of continuing from the segment before.
WITHOUT_STATE = {
    InitialState.FRESH: "",
    InitialState.WARMED_UP: ", and was warmed up by the last frames there",
}


def how_many(inputs: int, done: int) -> str:
    """Return how many of a run's inputs are done, as the start of a sentence."""
    if done < inputs:
        return f"{done} of {inputs} are"
    return f"All {inputs} are" if inputs > 1 else "It is"


class RunReport:
    """The segments of one run, as their outcomes come in."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._waiting_since = 0.0  # for the outcome of the one that was submitted first
        self._frames, self._seconds = 0, 0.0  # of those that were matted
        self._frames_with_small_people = 0

    @property
    def frames_per_second(self) -> float | None:
        """How fast the run is; None where nothing was matted yet."""
        return self._frames / self._seconds if self._frames and self._seconds > 0 else None

    def end(self) -> None:
        """Say what holds for all segments together."""
        if self._frames_with_small_people:
            self._progress.say(
                f"People are small in {self._frames_with_small_people:,} of {self._frames:,} "
                "frames: there they were seen a second time, larger."
            )

    def begin_waiting(self) -> None:
        """Note that a segment was submitted while no other was in flight."""
        self._waiting_since = time.monotonic()

    def take(self, step: Step, outcome: Outcome | Failure) -> None:
        """Report what came of a step."""
        now = time.monotonic()
        seconds, self._waiting_since = now - self._waiting_since, now
        name = step.item.name
        if isinstance(outcome, Failure):
            self._progress.report(SegmentReport(name, 0, seconds, f"failed: {outcome.error.what}"))
            return
        remark = f"state {outcome.start_state}"
        if step.action is Action.RESTORE_STATE:
            remark += ", only the state at its end"
        elif step.action is Action.RENDER:
            remark = "from its stored matte"
        else:
            self._frames += outcome.frames
            self._seconds += seconds
            self._frames_with_small_people += outcome.frames_with_small_people
        self._progress.report(SegmentReport(name, outcome.frames, seconds, remark))
        if outcome.start_state is InitialState.WARMED_UP and outcome.exact:
            return  # from the start of the shot
        if step.before is not None and outcome.start_state is not InitialState.CARRIED:
            self._progress.notice(Notice.WARMED_UP, f"{name} ({outcome.start_state})")
        if step.before is not None and outcome.start_state in WITHOUT_STATE:
            self._progress.say(
                f"{name} had to begin without the network's state from before it"
                f"{WITHOUT_STATE[outcome.start_state]}: its first frames may differ a little."
            )
