"""processed.json and manifest.json: what is done, and the fingerprints that prove it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec.structs import replace

from matting.errors import StorageError
from matting.options import OutputKind
from matting.project import recovery
from matting.project.entry import (
    Delivered,
    Entry,
    OutputFile,
    ProvenFile,
    RecordedSettings,
    SideFile,
)
from matting.project.job_options import JobOptions
from matting.project.ledger_content import LedgerContent, Unwritten
from matting.project.ledger_files import LedgerFiles
from matting.project.manifest import Incoming
from matting.project.paths import MattedFolder
from matting.project.plan import Plan
from matting.project.ranges import MattingRange
from matting.system import atomic_files
from matting.system.fingerprint import Fingerprint
from matting.system.temporary_files import sweep_folder


class Ledger(LedgerContent):
    """The record of one matted folder.

    A result's entry changes only when another result is proven, and is renamed over it. Every
    change but those of `amend` is on the disk before the call returns: in the files themselves, or
    within `journalled` in their journal. Who changes anything holds the folder's lock.
    """

    def __init__(self, folder: MattedFolder) -> None:
        """Read what is there; where nothing is, the ledger is empty.

        Raises:
            InputError: a file of it cannot be read.
        """
        super().__init__(folder)
        self._files = LedgerFiles(folder)
        self._unwritten = Unwritten()
        self._in_journal = False
        found = self._files.read()
        self._has_manifest = found.manifest is not None
        self._take(found)
        self._is_left = self._files.has_journal  # by a run that was killed

    @contextmanager
    def journalled(self) -> Iterator[None]:
        """Within the block, what a change costs does not depend on how many segments there are.

        Each is written to a journal, which is folded into the files at the end, whatever ends it.
        processed.json is written in between, too, as often as its own cost allows, and whenever
        what was done is not any more. A block within another is part of that.

        Raises:
            StorageError: they cannot be written; the journal holds all that they lack.
        """
        if self._in_journal:
            yield
            return
        self._settle()
        self._in_journal = True
        try:
            yield
        except BaseException:
            with suppress(StorageError):  # what has ended the block is told
                self._leave_journal()
            raise
        self._leave_journal()

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
        self._settle()
        for name in self._entries.keys() - set(names):
            self._former[name] = self._entries.pop(name).away(done=self._done.get(name, False))
        self._former = {name: entry for name, entry in self._former.items() if entry.files}
        self._names = list(names)
        self.plan, self.origin = plan, origin
        self.options, self.agreed = options or self.options, agreed or self.agreed

    def save(self) -> None:
        """Take to the disk what `begin` and `amend` have changed."""
        if self._in_journal:
            self._write()
        else:
            self._save_manifest()
            self._save_processed()

    def reopen(self, names: Collection[str], waiting: Collection[str] = ()) -> None:
        """Record that those segments are to be matted, or matted again.

        Args:
            waiting: those of them that only get other outputs of the matte that they have.
        """
        self._settle()
        were_done = any(self._done.get(name, False) for name in names)
        for name in names:
            self._note_done(name, False)
            entry = self.entry(name)
            if entry.waiting != (name in waiting):
                self._note(name, replace(entry, waiting=name in waiting))
        self.save()
        if self._in_journal and were_done:
            self._save_processed()  # nobody reads there that they are, not even an earlier version

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
        self._settle()
        self.ranges = ranges
        self._fold()  # of them there are few, and no journal holds them

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
        self._settle()
        entry = self.entry(name)
        self._note(
            name,
            replace(entry, error=error)
            if entry.outputs
            else Entry(settings=settings, error=error, delivered=entry.delivered),
        )
        self._write()

    def record_state(
        self, name: str, end_state: Fingerprint | None, files: Iterable[ProvenFile]
    ) -> None:
        """Record the state after a segment, computed once more; `files` as for `record`."""
        self._settle()
        for file in files:
            file.give_name()
        self._note(name, replace(self.entry(name), end_state=end_state))
        self._write()

    def recall(self, names: Iterable[str]) -> None:
        """Take back the results of segments that were no part of the folder for a while.

        Args:
            names: all segments, in order.
        """
        self._settle()
        places = {name: place for place, name in enumerate(names)}
        for name in self._former.keys() & places.keys():
            self._entries[name], self._done[name] = self._former.pop(name).back()
            self._names.append(name)
        self._names.sort(key=lambda name: places.get(name, len(places)))

    def recover(self) -> None:
        """Bring to its end what a kill has left half-way between two results; remove the rest."""
        self._settle()
        for name, incoming in self._incoming.items():
            if recovery.complete(self.folder, incoming):
                self._replace(name, incoming.entry)
                done = self._done.get(name, False) or not incoming.is_delivery
                self._done[name] = done and not incoming.entry.waiting
            else:  # what has its name already may be replaced
                self._supersede(recovery.intact_files(self.folder, incoming.entry))
        self._incoming.clear()
        recovery.restore_replaced(self.folder, self._entries.values())
        sweep_folder(self.folder.root)

    def adopt_unrecorded(self, name: str, paths: Mapping[OutputKind, Path]) -> None:
        """Record what an earlier version has left half-way, which took no note of it before."""
        entry = self.entry(name)
        begun = entry != Entry() if self._has_manifest else name in self._done
        if self.options is None and begun and not entry.outputs:
            there = ((kind, path) for kind, path in paths.items() if path.exists())
            outputs = {kind: OutputFile.of(path, Fingerprint.of(path)) for kind, path in there}
            self.amend(name, replace(entry, outputs=outputs))

    def amend(self, name: str, entry: Entry) -> None:
        """Add to what is known of a segment; the next change takes it to the disk.

        A whole job of an earlier version is amended at once: to write each would be slow.
        """
        self._settle()
        self._note(name, entry)

    def _publish(
        self, name: str, entry: Entry, files: Sequence[ProvenFile], *, done: bool
    ) -> list[Path]:
        """Give proven files their names, and put their entry in the place of another.

        Returns:
            where what was no such result was put aside.
        """
        self._settle()
        unknown = [file for file in files if self._is_unknown(name, file)]
        kept = [atomic_files.set_aside(file.path) for file in unknown]
        self._unwritten.incoming.add(name)
        if files:
            # On the disk before the first rename: a kill between two leaves no doubt.
            temporary = {f.kind: f.temporary.name for f in files if isinstance(f.kind, OutputKind)}
            signs = [file.temporary.name for file in files if file.kind is SideFile.SIGNS]
            self._incoming[name] = Incoming(entry, temporary, *signs)
            self._write()
            # What was seen of an older result stays until that is replaced.
            for file in sorted(files, key=lambda own: own.kind is SideFile.SIGNS):
                file.give_name()
            del self._incoming[name]
            self._unwritten.incoming.add(name)
        if self._done.get(name, False) != done:
            self._note_done(name, done)
        self._replace(name, entry)
        self._unwritten.entries.add(name)
        self._write()
        return kept

    def _note(self, name: str, entry: Entry) -> None:
        self._entries[name] = entry
        self._unwritten.entries.add(name)

    def _note_done(self, name: str, done: bool) -> None:
        self._done[name] = done
        self._unwritten.done.add(name)

    def _write(self) -> None:
        """Take to the disk what has changed."""
        if not self._in_journal:
            self._fold()
            return
        if not self._files.add(self._update(self._unwritten)) or self._files.journal_is_long:
            self._fold()
            return
        self._unwritten = Unwritten()
        if self._files.processed_is_due:
            self._save_processed()

    def _settle(self) -> None:
        """Fold a journal that a killed run has left, before anything changes on top of it."""
        if self._is_left and self._has_manifest:
            self._fold()
        elif self._is_left:
            self._files.discard_journal()
        self._is_left = False

    def _leave_journal(self) -> None:
        self._in_journal = False
        if self._files.has_journal:
            self._fold()

    def _fold(self) -> None:
        """Write all anew: processed.json first, for then the journal has nothing more to say."""
        self._save_processed()
        self._save_manifest()

    def _save_processed(self) -> None:
        self._files.write_processed(self._processed())

    def _save_manifest(self) -> None:
        self._files.write_manifest(self._manifest())
        self._unwritten = Unwritten()
