"""Which formats are finished already, by the records and the finished files themselves.

What they were joined from may be gone: cleaning up deletes it, and leaves the records.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from matting.delivery.delivered_settings import delivered_settings
from matting.delivery.finished_place import FinishedPlace
from matting.delivery.formats import DeliveryFormat
from matting.delivery.vr_plan import vr_plan
from matting.errors import InputError
from matting.media.background import with_background_read
from matting.options import CodecBackend, MattingOptions, OutputKind, OutputOptions
from matting.progress import Progress
from matting.project.entry import Entry, RecordedSettings
from matting.project.inputs import InputFolder
from matting.project.join_record import JoinRecord
from matting.project.ledger import Ledger
from matting.project.lineage import same_matte_options
from matting.project.matted import weights_of
from matting.project.own_files import current_final, is_own_final
from matting.project.own_folders import SegmentPictures, is_current_folder
from matting.project.paths import COMPOSITE_CONTAINERS, MattedFolder, final_file
from matting.project.plan import Plan
from matting.project.recorded_settings import changed_settings, settings_of
from matting.project.source_fingerprint import SourceFingerprint


def is_of_matte(entry: Entry, kind: OutputKind, settings: RecordedSettings) -> bool:
    """Return whether a segment's record has a format by these settings, of the matte it has now."""
    own, matte = entry.delivered.get(kind), entry.outputs.get(OutputKind.MATTE)
    if own is None or matte is None:
        return False
    return own.matte_sha256 == matte.sha256 and own.settings == settings


def say_already_delivered(row: DeliveryFormat, finished: Path, progress: Progress) -> None:
    """Say that a format's finished file is there, and whom it is for."""
    progress.say(f"Already delivered: {finished}")
    say_who_takes(row, finished, progress)


def say_who_takes(row: DeliveryFormat, finished: Path, progress: Progress) -> None:
    """Say whom a format's finished file is for."""
    progress.say(f"{finished.name} is for {row.takers}.")


@dataclass(frozen=True)
class FinishedFormats:
    """The finished files of one whole video; the caller holds the lock of the matted folder.

    Attributes:
        options: how they are wanted.
        video: what was cut.
        output: where finished files go; None: beside the video.
    """

    inputs: InputFolder
    ledger: Ledger
    options: MattingOptions
    video: Path | None
    output: Path | None

    def find(self, row: DeliveryFormat, progress: Progress) -> Path | None:
        """Return the finished file of a format, or its folder, where it is as it would be made.

        None, too, for separate videos and pictures, whose results nobody cleans up.

        Raises:
            InputError: something cannot be read.
        """
        plan, video = self.inputs.plan, self.video
        if plan is None or video is None or not self._are_by_these_options():
            return None
        if row.kind.is_delivered:
            found = self._of_format(row, plan, video, progress)
        else:
            found = self._composite(video)
        return found if found is not None and self._is_unchanged else None

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        return {item.name: self.ledger.entry(item.name) for item in self.inputs.inputs}

    def _are_by_these_options(self) -> bool:
        """Return whether the records are of these segments, matted by the job's own options."""
        entries, agreed = self._entries.values(), self.ledger.agreed
        if self.ledger.names != tuple(self._entries) or not all(e.source for e in entries):
            return False
        return agreed is None or all(
            same_matte_options(entry.settings, agreed) for entry in entries
        )

    @cached_property
    def _is_unchanged(self) -> bool:
        """Whether the video, and what is there of its segments, are what was matted."""
        plan, video = self.inputs.plan, self.video
        if plan is None or video is None or not video.is_file():
            return False
        if not SourceFingerprint.of(video).looks_like(plan.source):
            return False
        there = (item for item in self.inputs.inputs if item.path.exists())
        return all(item.fingerprint() == self._entries[item.name].source for item in there)

    def _with_encoders(self, wanted: OutputOptions) -> Iterator[OutputOptions]:
        """Yield options with each encoder that may be chosen."""
        chosen = wanted.encoding.encoder
        both = (CodecBackend.SOFTWARE, CodecBackend.HARDWARE)
        for encoder in both if chosen is CodecBackend.AUTO else (chosen,):
            yield replace(wanted, encoding=replace(wanted.encoding, encoder=encoder))

    def _of_format(
        self, row: DeliveryFormat, plan: Plan, video: Path, progress: Progress
    ) -> Path | None:
        if not any(
            self._has_format(row, output) for output in self._with_encoders(self.options.output)
        ):
            return None
        view = self.inputs.inputs[0].view
        vr = vr_plan(row.name, view, self.options.output.vr, video)
        place = FinishedPlace.of_video(self.ledger.folder, row, video, self.output, vr)
        parts = (entry.delivered[row.kind].sha256 for entry in self._entries.values())
        record = JoinRecord.of_format(parts, plan)
        if not row.pictures:
            return current_final(place.paths, place.beside, record, progress)
        (folder,) = place.paths
        entries = self._entries.values()
        held = [SegmentPictures(e.delivered[row.kind].sha256, e.frames) for e in entries]
        return folder if is_current_folder(folder, place.beside, record, held, progress) else None

    def _has_format(self, row: DeliveryFormat, output: OutputOptions) -> bool:
        return all(
            is_of_matte(self._entries[item.name], row.kind, delivered_settings(item, output, row))
            for item in self.inputs.inputs
        )

    def _composite(self, video: Path) -> Path | None:
        folder = self.ledger.folder
        joined_in = MattedFolder(self.output / folder.root.name) if self.output else folder
        combined = joined_in.combined()
        try:
            record = JoinRecord.read(combined)
        except InputError:
            return None  # damaged, or another version's
        if record is None:
            return None
        wanted = with_background_read(self.options.output)
        if not any(map(self._has_composite, self._with_encoders(wanted))):
            return None
        if not record.has_parts_of(JoinRecord.of(self.ledger, OutputKind.COMPOSITE)):
            return None
        finals = (final_file(video, self.output, form) for form in COMPOSITE_CONTAINERS)
        return next((final for final in finals if is_own_final(final, combined)), None)

    def _has_composite(self, output: OutputOptions) -> bool:
        weights = weights_of(self.ledger)
        wanted = replace(self.options, output=output)
        return all(
            OutputKind.COMPOSITE in self._entries[item.name].outputs
            and not changed_settings(
                self._entries[item.name].settings, settings_of(item, wanted, weights)
            )
            for item in self.inputs.inputs
        )
