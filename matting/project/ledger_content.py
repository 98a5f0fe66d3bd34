"""What a ledger knows of a job, whatever of it is on the disk already."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from matting.options import OutputKind, Precision
from matting.project import recovery
from matting.project.entry import Entry, OutputFile, ProvenFile, RecordedSettings
from matting.project.job_options import JobOptions
from matting.project.journal import Update
from matting.project.ledger_files import Found
from matting.project.manifest import Incoming, Manifest
from matting.project.paths import MattedFolder
from matting.project.plan import Plan
from matting.project.ranges import MattingRange, stored_files


@dataclass
class Unwritten:
    """The segments of which something has changed that is not on the disk."""

    entries: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    incoming: set[str] = field(default_factory=set)


class LedgerContent:
    """What is known of the segments of one matted folder."""

    def __init__(self, folder: MattedFolder) -> None:
        self.folder = folder
        self._names: list[str] = []
        self._done: dict[str, bool] = {}
        self._entries: dict[str, Entry] = {}
        self._incoming: dict[str, Incoming] = {}
        self._former: dict[str, Entry] = {}
        self._superseded: dict[OutputKind, dict[str, OutputFile]] = {}
        self.plan: Plan | None = None
        self.origin: str | None = None
        self.options: JobOptions | None = None
        self.agreed: RecordedSettings | None = None
        self.frames_per_second: float | None = None
        self.ranges: tuple[MattingRange, ...] = ()
        self.precisions: dict[str, Precision] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The segments, in order."""
        return tuple(self._names)

    def entry(self, name: str) -> Entry:
        """Return what is known of a segment; an empty entry where nothing is."""
        entry = self._entries.get(name)
        return Entry() if entry is None else entry

    @property
    def remembered(self) -> JobOptions | None:
        """What the job was asked for, in records of earlier versions by its results."""
        return self.options or JobOptions.implied_by(self._entries.values())

    def says_done(self, name: str) -> bool:
        """Return whether a segment is recorded as done, whatever became of its files since."""
        return self._done.get(name, False) and self.entry(name).has_outputs

    def is_done(self, name: str, kinds: Collection[OutputKind] | None = None) -> bool:
        """Return whether a segment is done: nobody said otherwise, and its files are intact.

        Args:
            kinds: those that count; None: all that it has.
        """
        counted = self.entry(name).outputs.keys() if kinds is None else set(kinds)
        return self.says_done(name) and self.intact_outputs(name, counted) == counted

    def intact_outputs(self, name: str, kinds: Collection[OutputKind]) -> set[OutputKind]:
        """Return of which of these kinds a segment has a recorded result that is intact."""
        outputs = self.entry(name).outputs
        return {k for k in kinds if k in outputs and recovery.is_intact(self.folder, k, outputs[k])}

    def output(self, name: str, kind: OutputKind) -> Path | None:
        """Return a segment's result of one output kind; None if there is none."""
        output = self.entry(name).outputs.get(kind)
        return self.folder.output_folder(kind) / output.file if output else None

    def recorded_files(self) -> Iterator[tuple[Path, OutputFile]]:
        """Yield where each recorded result is or was, also those that others have replaced."""
        incoming = (one.entry for one in self._incoming.values())
        for entry in (*self._entries.values(), *incoming, *self._former.values()):
            yield from recovery.recorded_files(self.folder, entry)
        for kind, outputs in self._superseded.items():
            for output in outputs.values():
                yield self.folder.output_folder(kind) / output.file, output
        yield from ((self.folder.ranges / own.file, own) for own in stored_files(self.ranges))

    def _is_unknown(self, name: str, file: ProvenFile) -> bool:
        """Return whether what is no result of this folder has the name of a segment's new one."""
        # Mostly it is the segment's own: all others are looked at only where it is not.
        own = recovery.recorded_files(self.folder, self.entry(name))
        return recovery.is_unknown(file, own) and recovery.is_unknown(file, self.recorded_files())

    def _replace(self, name: str, entry: Entry) -> None:
        """Put an entry in the place of another; files that keep their names stay known."""
        self._supersede(self.entry(name).files)
        for kind, output in entry.files.items():
            self._superseded.get(kind, {}).pop(output.file, None)
        self._entries[name] = entry

    def _supersede(self, files: Mapping[OutputKind, OutputFile]) -> None:
        for kind, output in files.items():
            self._superseded.setdefault(kind, {})[output.file] = output

    def _take(self, found: Found) -> None:
        """Take what the files say for what is known."""
        self._done = dict(found.done)
        if found.manifest is not None:
            self._take_manifest(found.manifest)
        for update in found.updates:
            self._take_update(update)
        latest = _merged(update.done for update in found.updates)
        # Where somebody has changed processed.json since, what that person says counts.
        self._done |= {n: done for n, done in latest.items() if found.is_own or not done}

    def _take_manifest(self, manifest: Manifest) -> None:
        self.plan, self.origin = manifest.plan, manifest.origin
        self.options, self.agreed = manifest.options, manifest.agreed
        self.frames_per_second = manifest.frames_per_second
        # The record is not to be changed: others may have been given the same.
        self.precisions = dict(manifest.precisions)
        self._entries, self._incoming = dict(manifest.segments), dict(manifest.incoming)
        self._former = dict(manifest.former)
        self._superseded = {kind: dict(files) for kind, files in manifest.superseded.items()}
        self.ranges, self._names = manifest.ranges, list(manifest.segments)

    def _take_update(self, update: Update) -> None:
        for name, entry in update.entries.items():
            self._replace(name, entry)
        for name, incoming in update.incoming.items():
            if incoming is None:
                self._incoming.pop(name, None)
            else:
                self._incoming[name] = incoming
        self.frames_per_second = update.frames_per_second or self.frames_per_second

    def _processed(self) -> dict[str, bool]:
        """Return the content of processed.json."""
        return {name: self._done.get(name, False) for name in self._names}

    def _update(self, unwritten: Unwritten) -> Update:
        """Return a line of the journal for what is not on the disk."""
        return Update(
            entries={name: self.entry(name) for name in unwritten.entries},
            done={name: self._done[name] for name in unwritten.done},
            incoming={name: self._incoming.get(name) for name in unwritten.incoming},
            frames_per_second=self.frames_per_second,
        )

    def _manifest(self) -> Manifest:
        return Manifest(
            plan=self.plan,
            origin=self.origin,
            options=self.options,
            agreed=self.agreed,
            frames_per_second=self.frames_per_second,
            segments={name: self.entry(name) for name in self._names},
            incoming=self._incoming,
            former=self._former,
            superseded={kind: files for kind, files in self._superseded.items() if files},
            ranges=self.ranges,
            precisions=self.precisions,
        )


def _merged(parts: Iterable[Mapping[str, bool]]) -> dict[str, bool]:
    merged: dict[str, bool] = {}
    for part in parts:
        merged |= part
    return merged
