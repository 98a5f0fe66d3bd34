"""What is made of mattes, made again where these have become others: segments, then whole files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from msgspec import UnsetType

from matting.add_audio import add_audio
from matting.combine import combine
from matting.deliver import deliver
from matting.delivery.finished_place import FinishedPlace
from matting.delivery.formats import DELIVERED, DeliveryFormat
from matting.delivery.vr_names import FISHEYES
from matting.errors import InputError, SegmentsFailedError
from matting.infer import infer
from matting.job_option import JobOption
from matting.options import MattingOptions
from matting.progress import Progress
from matting.project.entry import RecordedSettings
from matting.project.inputs import InputFolder
from matting.project.job_places import separate_final_places
from matting.project.ledger import Ledger
from matting.project.own_files import is_own_final, known_finals
from matting.project.paths import COMPOSITE_CONTAINERS, MattedFolder, final_name
from matting.system.files import visible
from matting.system.invocation import Command, start
from matting.workers.executor import ExecutorFactory
from matting.workers.failures import with_the_others

# What finished files for headsets keep, whatever the job remembers.
AS_DELIVERED = frozenset({JobOption.HEADSET, JobOption.FISHEYE, JobOption.FRINGE})


def require_same_name(folder: MattedFolder, inputs: InputFolder) -> None:
    """Refuse a matted folder that no longer has the name of what was matted.

    Raises:
        InputError: says which name it had.
    """
    proper = MattedFolder.of(inputs.path, folder.root.parent).root
    if proper != folder.root:
        raise InputError(
            f"{folder.root} no longer has the name of what was matted, {inputs.path.name}.",
            f"Call it {proper.name} again.",
        )


@dataclass(frozen=True)
class RenewedOutputs:
    """What there is of a job beside its mattes.

    Attributes:
        options: where and how the work is done; what the job remembers shapes the results.
        output: where the finished files lie; None: beside the matted folder.
    """

    folder: MattedFolder
    inputs: InputFolder
    options: MattingOptions
    output: Path | None
    progress: Progress
    executor_of: ExecutorFactory

    def make(self) -> None:
        """Make what segments lack; join and deliver again what had been.

        Raises:
            whatever `infer`, `combine`, `add_audio` and `deliver` raise.
        """
        own = MattingOptions(
            compute=self.options.compute,
            force=self.options.force,
            then_joined=True,
            typed=frozenset(),
        )
        beside, executor_of = self.folder.root.parent, self.executor_of
        segments, say = self.inputs.path, self.progress
        with_the_others(
            partial(infer, segments, own, beside, say, executor_of, network=False, rest_later=True),
            partial(self._finish, own),
            self.inputs,
        )

    def _finish(self, own: MattingOptions) -> None:
        ledger = Ledger(self.folder)
        if self.inputs.plan is not None and not all(map(ledger.says_done, ledger.names)):
            return  # nothing can have been joined
        self._join(ledger)
        rows = [row for row in DELIVERED.values() if self._was_finished(row)]
        looks = {row: self._as_delivered(row, own, ledger) for row in rows}
        renewed: list[Path] = []
        for look in dict.fromkeys(looks.values()):
            try:
                renewed += deliver(
                    self.folder.root,
                    [row for row in rows if looks[row] == look],
                    look,
                    self.output,
                    self.progress,
                    executor_of=self.executor_of,
                    announced=True,
                )
            except SegmentsFailedError as error:
                # Separate videos that are not matted yet are left to another run.
                if any(map(ledger.says_done, error.failed)):
                    raise
        for path in self._older_results(rows, renewed):
            self.progress.say(f"{path} is an older result. Delete it if you do not need it.")

    def _as_delivered(
        self, row: DeliveryFormat, own: MattingOptions, ledger: Ledger
    ) -> MattingOptions:
        """Return by which options a format was made: for headsets, the job need not know them."""
        kind, entries = row.kind, (ledger.entry(item.name) for item in self.inputs.inputs)
        made = [entry.delivered[kind].settings for entry in entries if kind in entry.delivered]
        first = made[0] if made else RecordedSettings()
        if isinstance(first.view, UnsetType) or isinstance(first.headset, UnsetType):
            return own
        typed, matte, vr = AS_DELIVERED, own.matte, own.output.vr
        lenses = {lens.marker: fisheye for fisheye, lens in FISHEYES.items()}
        fisheye = lenses.get(str(first.lens), vr.fisheye)
        vr = replace(vr, headset=first.headset, fisheye=fisheye, fringe=first.fringe is True)
        if all(settings.view == first.view for settings in made):  # else each as it is found
            typed, matte = typed | {JobOption.VIEW}, replace(matte, view=first.view)
        return replace(own, matte=matte, output=replace(own.output, vr=vr), typed=typed)

    def _join(self, ledger: Ledger) -> None:
        """Join the composite, and give it its audio, if it had been."""
        root, beside = self.folder.root, self.folder.root.parent
        if self.inputs.plan is None:
            for item in self.inputs.inputs:
                places = separate_final_places(self.folder, [item.stem])
                if ledger.says_done(item.name) and any(own.path.is_file() for own in places):
                    add_audio(item.path, beside, self.progress)
            return
        if not self.folder.combined().is_file():
            return
        combine(root, None, self.progress)
        source = self.inputs.plan.source.name
        finals = [final_name(Path(source).stem, container) for container in COMPOSITE_CONTAINERS]
        if not any((beside / final).is_file() for final in finals):
            return
        video = beside / source
        if video.is_file():
            add_audio(video, beside, self.progress)
        else:
            self.progress.say(
                f"The video {source} is not there, from which the audio comes. To finish: "
                f"{start(Command.ADD_AUDIO, 'it', again=True)}, with --output {beside}."
            )

    def _was_finished(self, row: DeliveryFormat) -> bool:
        """Return whether there is a finished file of a format."""
        return any(path.exists() for place in self._places(row) for path in _files(place))

    def _older_results(
        self, rows: Iterable[DeliveryFormat], renewed: Collection[Path]
    ) -> Iterator[Path]:
        """Yield finished files for headsets that stay as they were: by other options or views."""
        for row in rows if renewed else ():
            for place in self._places(row) if row.name.is_vr else ():
                for path in dict.fromkeys(_files(place)):
                    if path not in renewed and is_own_final(path, place.beside):
                        yield path

    def _places(self, row: DeliveryFormat) -> Iterator[FinishedPlace]:
        """Yield where finished files of a format, of which there are records, would lie."""
        there = {path.name for path in visible(self.folder.root)}
        beside = self.output or self.folder.root.parent
        if self.inputs.plan is not None:
            video = beside / self.inputs.plan.source.name
            places = [FinishedPlace.of_video(self.folder, row, video, self.output)]
        else:
            places = [
                FinishedPlace.of_separate(self.folder, row, item.stem)
                for item in self.inputs.inputs
            ]
        yield from (p for p in places if p.beside.with_suffix(".json").name in there)


def _files(place: FinishedPlace) -> list[Path]:
    """Return all that a finished file can be called; one for headsets, what it was called."""
    if not place.row.name.is_vr:
        return place.paths
    return [place.folder / known.name for known in known_finals(place.beside)]
