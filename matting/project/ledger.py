"""processed.json and manifest.json: what is done, and the fingerprints that prove it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from matting.options import OutputKind, Precision
from matting.project import records, recovery
from matting.project.entry import Delivered, Entry, OutputFile, ProvenFile, RecordedSettings
from matting.project.job_options import JobOptions
from matting.project.manifest import START_OVER, Incoming, Manifest, upgrade
from matting.project.paths import MattedFolder
from matting.project.plan import Plan
from matting.project.ranges import MattingRange, stored_files
from matting.system import atomic_files
from matting.system.fingerprint import Fingerprint
from matting.system.temporary_files import sweep_folder


class Ledger:
    """The record of one matted folder.

    A result's entry changes only when another result is proven, and is renamed over it. Every
    change but those of `amend` is on the disk before the call returns.
    """

    def __init__(self, folder: MattedFolder) -> None:
        """Read what is there; where nothing is, the ledger is empty.

        Raises:
            InputError: a file of it cannot be read.
        """
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
        self._read()

    @property
    def names(self) -> tuple[str, ...]:
        """The segments, in order."""
        return tuple(self._names)

    def entry(self, name: str) -> Entry:
        """Return what is known of a segment; an empty entry where nothing is."""
        return self._entries.get(name, Entry())

    @property
    def remembered(self) -> JobOptions | None:
        """What the job was asked for, in records of earlier versions by its results."""
        return self.options or JobOptions.implied_by(self._entries.values())

    def begin(
        self,
        names: Sequence[str],
        plan: Plan | None,
        origin: str | None = None,
        options: JobOptions | None = None,
        agreed: RecordedSettings | None = None,
    ) -> None:
        """Take notice of which segments there are, in order; new ones are not done.

        `save` takes it to the disk, or the next change does.

        Args:
            origin: the folder they lie in.
            options: what is asked for; None: as before.
            agreed: what that comes to for the first of them.
        """
        for name in self._entries.keys() - set(names):
            self._former[name] = self._entries.pop(name).away(done=self._done.get(name, False))
        self._former = {name: entry for name, entry in self._former.items() if entry.files}
        self._names, self.plan, self.origin = list(names), plan, origin
        self.options, self.agreed = options or self.options, agreed or self.agreed

    def save(self) -> None:
        """Take to the disk what `begin` and `amend` have changed."""
        self._save_manifest()
        self._save_processed()

    def reopen(self, names: Collection[str], waiting: Collection[str] = ()) -> None:
        """Record that those segments are to be matted, or matted again.

        Args:
            waiting: those of them that only get other outputs of the matte that they have.
        """
        for name in names:
            self._done[name] = False
            entry = self.entry(name)
            if entry.waiting != (name in waiting):
                self._entries[name] = replace(entry, waiting=name in waiting)
        self.save()

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

    def record(self, name: str, entry: Entry, files: Sequence[ProvenFile] = ()) -> list[Path]:
        """Record a proven result, which makes its segment done unless it waits for others.

        Args:
            files: what has yet to get its name; an older result of that name is replaced.
        Returns:
            where what was no such result was put aside.
        Raises:
            StorageError: something cannot be written.
        """
        return self._publish(name, entry, files, done=not entry.waiting)

    def record_ranges(self, ranges: tuple[MattingRange, ...]) -> None:
        """Record which ranges there are, in order."""
        self.ranges = ranges
        self._save_manifest()

    def record_delivered(
        self, name: str, delivered: Mapping[OutputKind, Delivered], files: Sequence[ProvenFile]
    ) -> list[Path]:
        """Record a segment in delivered formats; nothing else of it changes.

        Args, returns, raises: as `record`.
        """
        entry = self.entry(name)
        entry = replace(entry, delivered={**entry.delivered, **delivered})
        return self._publish(name, entry, files, done=self._done.get(name, False))

    def record_failure(self, name: str, settings: RecordedSettings, error: str) -> None:
        """Record why a segment could not be matted; an older result of it stays."""
        entry = self.entry(name)
        self._entries[name] = (
            replace(entry, error=error)
            if entry.outputs
            else Entry(settings=settings, error=error, delivered=entry.delivered)
        )
        self._save_manifest()

    def record_state(
        self, name: str, end_state: Fingerprint | None, files: Iterable[ProvenFile]
    ) -> None:
        """Record the state after a segment, computed once more; `files` as for `record`."""
        for file in files:
            file.give_name()
        self._entries[name] = replace(self.entry(name), end_state=end_state)
        self._save_manifest()

    def recall(self, names: Iterable[str]) -> None:
        """Take back the results of segments that were no part of the folder for a while.

        Args:
            names: all segments, in order.
        """
        places = {name: place for place, name in enumerate(names)}
        for name in self._former.keys() & places.keys():
            self._entries[name], self._done[name] = self._former.pop(name).back()
            self._names.append(name)
        self._names.sort(key=lambda name: places.get(name, len(places)))

    def recover(self) -> None:
        """Bring to its end what a kill has left half-way between two results; remove the rest."""
        for name, incoming in self._incoming.items():
            if recovery.complete(self.folder, incoming):
                self._replace(name, incoming.entry)
                done = self._done.get(name, False) or not incoming.is_delivery
                self._done[name] = done and not incoming.entry.waiting
            else:  # what has its name already may be replaced
                self._supersede(recovery.intact_files(self.folder, incoming.entry))
        self._incoming.clear()
        for entry in self._entries.values():
            recovery.restore_replaced(self.folder, entry)
        sweep_folder(self.folder.root)

    def adopt_unrecorded(self, name: str, paths: Mapping[OutputKind, Path]) -> None:
        """Record what an earlier version has left half-way, which took no note of it before."""
        entry = self.entry(name)
        begun = entry != Entry() if self._has_manifest else name in self._done
        if self.options is None and begun and not entry.outputs:
            there = ((kind, path) for kind, path in paths.items() if path.exists())
            outputs = {kind: OutputFile.of(path, Fingerprint.of(path)) for kind, path in there}
            self._entries[name] = replace(entry, outputs=outputs)

    def amend(self, name: str, entry: Entry) -> None:
        """Add to what is known of a segment; the next change takes it to the disk.

        A whole job of an earlier version is amended at once: to write each would be slow.
        """
        self._entries[name] = entry

    def _publish(
        self, name: str, entry: Entry, files: Sequence[ProvenFile], *, done: bool
    ) -> list[Path]:
        """Give proven files their names, and put their entry in the place of another.

        Returns:
            where what was no such result was put aside.
        """
        unknown = [f for f in files if recovery.is_unknown(f, self.recorded_files())]
        kept = [atomic_files.set_aside(file.path) for file in unknown]
        if files:
            # On the disk before the first rename: a kill between two leaves no doubt.
            temporary = {f.kind: f.temporary.name for f in files if isinstance(f.kind, OutputKind)}
            self._incoming[name] = Incoming(entry, temporary)
            self._save_manifest()
            for file in files:
                file.give_name()
            del self._incoming[name]
        if self._done.get(name, False) != done:
            self._done[name] = done
            self._save_processed()  # as long as the announcement stands, a kill leaves no doubt
        self._replace(name, entry)
        self._save_manifest()
        return kept

    def _replace(self, name: str, entry: Entry) -> None:
        """Put an entry in the place of another; files that keep their names stay known."""
        self._supersede(self.entry(name).files)
        for kind, output in entry.files.items():
            self._superseded.get(kind, {}).pop(output.file, None)
        self._entries[name] = entry

    def _supersede(self, files: Mapping[OutputKind, OutputFile]) -> None:
        for kind, output in files.items():
            self._superseded.setdefault(kind, {})[output.file] = output

    def _read(self) -> None:
        processed, path = self.folder.processed, self.folder.manifest
        self._has_manifest = path.is_file()
        if self._has_manifest:
            manifest = records.read(path, Manifest, START_OVER, upgrade=upgrade)
            self.plan, self.origin, self.options = manifest.plan, manifest.origin, manifest.options
            self.agreed, self.precisions = manifest.agreed, manifest.precisions
            self.frames_per_second = manifest.frames_per_second
            self._entries, self._incoming = manifest.segments, manifest.incoming
            self._former, self._superseded = manifest.former, manifest.superseded
            self.ranges, self._names = manifest.ranges, list(manifest.segments)
        if processed.is_file():
            done = records.read(processed, dict[str, Any], START_OVER)
            self._done = {name: value is True for name, value in done.items()}

    def _save_processed(self) -> None:
        done = {name: self._done.get(name, False) for name in self._names}
        atomic_files.write_json(self.folder.processed, done)

    def _save_manifest(self) -> None:
        manifest = Manifest(
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
        records.write(self.folder.manifest, manifest)
