"""Which segments of a job lack which delivered formats, and of which these cannot be made."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from matting.delivery.already_delivered import is_of_matte
from matting.delivery.output_target import OutputTarget
from matting.errors import InputError, MattingError
from matting.options import OutputKind
from matting.project.entry import Entry, RecordedSettings
from matting.project.inputs import Input, InputFolder
from matting.project.ledger import Ledger
from matting.project.lineage import same_matte_options
from matting.project.recovery import is_intact
from matting.system.invocation import Command, sentence, start
from matting.workers.schedule import Action, Step

FormatSettings = Callable[[Input, OutputKind], RecordedSettings]


class DeliverySchedule:
    """The steps of one run: one for each segment, for all formats that it lacks.

    Attributes:
        steps: in the order of the segments.
        refused: why of which segments nothing can be made.
    """

    def __init__(
        self,
        inputs: InputFolder,
        ledger: Ledger,
        settings: FormatSettings,
        targets: Callable[[Input], Mapping[OutputKind, OutputTarget]],
    ) -> None:
        """
        Args:
            settings: returns what shapes an input in a format, beside its matte.
            targets: returns where each format of an input goes.
        """
        self._ledger = ledger
        self._settings = settings
        self._targets = targets
        self.steps: list[Step] = []
        self.refused: dict[str, MattingError] = {}
        for item in inputs.inputs:
            try:
                lacking = self._lacking(item)
            except MattingError as error:
                self.refused[item.name] = error
                continue
            if lacking:
                self.steps.append(Step(item, Action.RENDER, None, lacking))

    def _lacking(self, item: Input) -> frozenset[OutputKind]:
        """Return the formats that a segment lacks.

        Raises:
            InputError: some are lacking, and cannot be made; or its matte is of something else.
        """
        entry = self._ledger.entry(item.name)
        self._require_matte(item, entry)
        targets = self._targets(item).items()
        lacking = frozenset(k for k, target in targets if not self._is_done(item, k, target))
        if lacking and not item.path.exists():
            raise InputError(
                f"{item.path} is not there, and the matte is of its frames.",
                "Put it back, or cut the video again.",
            )
        matte = entry.outputs[OutputKind.MATTE]
        if lacking and not is_intact(self._ledger.folder, OutputKind.MATTE, matte):
            path = self._ledger.folder.output_folder(OutputKind.MATTE) / matte.file
            raise InputError(f"Its stored matte is missing or damaged: {path}.", _infer_again())
        return lacking

    def _require_matte(self, item: Input, entry: Entry) -> None:
        """Refuse a segment without a stored matte of what it is now, by the job's own options."""
        if not (self._ledger.says_done(item.name) or entry.waiting):
            raise InputError("It is not matted.", _infer_again())
        if OutputKind.MATTE not in entry.outputs:
            raise InputError(
                "Its matte was not stored.",
                f"{_infer_again()} With --keep-matte yes it is stored.",
                option="--keep-matte",
            )
        if item.path.exists() and item.fingerprint() != entry.source:
            raise InputError(f"{item.path} has changed since it was matted.", _infer_again())
        agreed = self._ledger.agreed
        if agreed is not None and not same_matte_options(entry.settings, agreed):
            raise InputError("It was matted by other options than the job has now.", _infer_again())

    def _is_done(self, item: Input, kind: OutputKind, target: OutputTarget) -> bool:
        """Return whether a segment has a format: of its matte, by these settings, and intact."""
        entry = self._ledger.entry(item.name)
        there = entry.delivered.get(kind)
        return (
            there is not None
            and there.file == target.path.name
            and is_of_matte(entry, kind, self._settings(item, kind))
            and is_intact(self._ledger.folder, kind, there)
        )


def _infer_again() -> str:
    return sentence(start(Command.INFER, "the folder of segments", again=True))
