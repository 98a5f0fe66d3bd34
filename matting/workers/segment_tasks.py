"""What a run asks for of each segment, as whoever runs the network takes it."""

from __future__ import annotations

from matting.delivery.output_target import OutputTarget, target_of
from matting.options import OutputKind, OutputOptions
from matting.project.inputs import Input, InputFolder
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.workers.executor import SegmentTask
from matting.workers.range_upkeep import has_ranges
from matting.workers.schedule import Action, Schedule, Step
from matting.workers.side_files import SignsTargets


def targets_of(
    item: Input, folder: MattedFolder, output: OutputOptions
) -> dict[OutputKind, OutputTarget]:
    """Return where all outputs of a segment go."""
    return {kind: target_of(item, folder, kind, output.frame_rate) for kind in output.written}


class SegmentTasks:
    """The tasks of one run."""

    def __init__(
        self, inputs: InputFolder, output: OutputOptions, schedule: Schedule, ledger: Ledger
    ) -> None:
        self._has_plan = inputs.plan is not None
        self._output = output
        self._schedule = schedule
        self._ledger = ledger
        self._signs_targets = SignsTargets(ledger, inputs.plan, len(inputs.inputs))

    def task(self, step: Step) -> SegmentTask:
        """Return the task of a step."""
        from matting.media.foreign_files import known_refusal
        from matting.media.media_index import known_index

        item, folder = step.item, self._ledger.folder
        rendered = step.action is Action.RENDER
        is_continued = self._has_plan and self._schedule.is_continued(item)
        return SegmentTask(
            item=item,
            before=step.before,
            start_state=self._schedule.start_state(step),
            end_state=folder.state(item.name) if is_continued and not rendered else None,
            targets={} if step.action is Action.RESTORE_STATE else self.targets(step),
            index=known_index(item.path),
            refusal=known_refusal(item.path),
            matte=self._ledger.output(item.name, OutputKind.MATTE) if rendered else None,
            shot_starts=() if rendered else self._schedule.shot_starts(item),
            ahead=() if rendered else self._schedule.ahead(item),
            before_ahead=self._schedule.ahead(step.before),
            signs=self._signs_targets.of(step),
        )

    def targets(self, step: Step) -> dict[OutputKind, OutputTarget]:
        """Return where what a step makes goes."""
        targets = targets_of(step.item, self._ledger.folder, self._output)
        if self.awaits_ranges(step):
            return {OutputKind.MATTE: targets[OutputKind.MATTE]}
        return {k: t for k, t in targets.items() if step.kinds is None or k in step.kinds}

    def awaits_ranges(self, step: Step) -> bool:
        """Return whether ranges belong to what a step finds, so that outputs are made later."""
        found = step.action in {Action.MATTE, Action.REDO}
        return found and self._output.keep_matte and has_ranges(self._ledger, step.item.name)
