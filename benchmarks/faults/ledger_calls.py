"""The ledger, killed at every write, flush and rename.

A kill leaves behind what is on the disk at that snapshot. So the folder is copied at every call:
before it, after it, and half-way through a write. When the power is cut, what was written but not
flushed is lost, too: in half of the copies each such file is truncated at random.

Some changes are written by themselves, others go to the journal first, as those of a run do.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from benchmarks.faults.fault import Fault, require
from matting.errors import MattingError
from matting.options import OutputKind
from matting.project import ledger_files
from matting.project.entry import Entry, OutputFile, ProvenFile, RecordedSettings
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.system import atomic_files
from matting.system.fingerprint import Fingerprint
from matting.system.temporary_files import create_temporary

FIXED_TRIES = 60  # enough for every call of the fixed story; the others follow random ones
RANDOM_TRIES = 300
KINDS = (OutputKind.COMPOSITE, OutputKind.ALPHA)
NEVER, ALWAYS = 1e-9, 1e9  # shares of the time, that processed.json may take


class _Stop(BaseException):
    """Ends a story: the copy has been made."""


@dataclass
class Snapshot:
    """A copy of the folder as a kill would leave it.

    Attributes:
        finished, reopened: the segments of which that was recorded by then.
    """

    where: str
    folder: Path
    finished: frozenset[str]
    reopened: frozenset[str]


@dataclass
class Watch:
    """Copy a folder at one of the calls that change it; count all of them.

    Attributes:
        target: the call to copy it at, from 0; None: only count.
        finished: segments whose record has returned.
        reopened: segments of which it was recorded that they are not done any more.
        unflushed: how much of files that were written to has been flushed, by their inodes.
    """

    root: Path
    target: int | None
    rng: Random
    power_cut: bool
    calls: int = 0
    finished: set[str] = field(default_factory=set)
    reopened: set[str] = field(default_factory=set)
    snapshot: Snapshot | None = None
    unflushed: dict[int, int] = field(default_factory=dict)

    def at(self, where: str) -> None:
        """Note a moment at which the kill may come."""
        if self.snapshot is not None:
            return  # who is dead writes no more, and whatever is cleared up now is in no copy
        if self.calls == self.target:
            copy = self.root.with_name("left")
            shutil.copytree(self.root, copy)
            if self.power_cut:
                self._truncate_unflushed(copy)
            finished, reopened = frozenset(self.finished), frozenset(self.reopened)
            self.snapshot = Snapshot(where, copy, finished, reopened)
            raise _Stop
        self.calls += 1

    def _truncate_unflushed(self, folder: Path) -> None:
        for path in sorted(self.root.rglob("*")):
            if path.is_file() and path.stat().st_ino in self.unflushed:
                copy = folder / path.relative_to(self.root)
                status = path.stat()
                os.truncate(copy, self.rng.randint(self.unflushed[status.st_ino], status.st_size))


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Let `watch` know of every write, flush and rename in the block."""
    write, add, replace = Path.write_bytes, os.write, Path.replace

    def write_bytes(path: Path, data: bytes) -> int:
        watch.at(f"before writing {path.name}")
        write(path, data[: watch.rng.randint(0, len(data))])
        watch.unflushed[path.stat().st_ino] = 0
        watch.at(f"half-way through writing {path.name}")
        written = write(path, data)
        watch.at(f"after writing {path.name}")
        return written

    def append(descriptor: int, data: bytes) -> int:
        watch.at("before adding to a file")
        status = os.fstat(descriptor)
        watch.unflushed.setdefault(status.st_ino, status.st_size)
        half = add(descriptor, data[: watch.rng.randint(0, len(data))])
        watch.at("half-way through adding to a file")
        add(descriptor, data[half:])
        watch.at("after adding to a file")
        return len(data)

    def rename(path: Path, target: Any) -> Path:
        watch.at(f"before renaming {path.name}")
        renamed = replace(path, target)
        watch.at(f"after renaming {path.name}")
        return renamed

    def flush(descriptor: Any) -> None:
        watch.at("before a flush")
        # Noted, not done: nobody cuts the power of this machine.
        watch.unflushed.pop(os.fstat(descriptor).st_ino, None)
        watch.at("after a flush")

    with (
        patch.object(Path, "write_bytes", write_bytes),
        patch.object(os, "write", append),
        patch.object(Path, "replace", rename),
        patch.object(os, "fsync", flush),
    ):
        yield


class LedgerCalls(Fault):
    """First every call of one story, then in each try a random call of a random story."""

    name = "ledger"
    description = "kill at every write, flush and rename of the ledger"
    must_hold = (
        "0 unreadable ledgers, 0 finished segments forgotten, 0 said to be done that are not"
    )
    tries, short_tries = FIXED_TRIES + RANDOM_TRIES, FIXED_TRIES + 10

    def prepare(self) -> None:
        self.fixed_calls = self._play(fixed_story, None, Random(0), self.folder / "count", False)

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        story: Story = random_story
        calls = range(1)
        if number < FIXED_TRIES:
            story = fixed_story
            calls = range(number, self.fixed_calls, FIXED_TRIES)
        for index, call in enumerate(calls):
            seed = rng.random()
            if story is random_story:
                total = self._play(story, None, Random(seed), folder / "count", False)
                call = rng.randrange(total)  # noqa: PLW2901
            for power_cut in (False, True):
                place = folder / f"{index}_{power_cut}"
                self._play(story, call, Random(seed), place, power_cut)

    def _play(
        self, story: Story, target: int | None, rng: Random, place: Path, power_cut: bool
    ) -> int:
        """Play a story, check what is left at the target call; return how many calls it makes."""
        folder = MattedFolder(place / "matted")
        for kind in KINDS:
            folder.output_folder(kind).mkdir(parents=True)
        # The story has random numbers of its own, so that it is the same with and without a kill.
        dice = Random(rng.random())
        watch = Watch(folder.root, target, rng, power_cut)
        with contextlib.suppress(_Stop):
            story(folder, dice, watch)
        if watch.snapshot is not None:
            _check(watch.snapshot, power_cut)
        return watch.calls


Story = Callable[[MattedFolder, Random, Watch], None]


def fixed_story(folder: MattedFolder, dice: Random, watch: Watch) -> None:
    """Finish three segments, one of them at the second try; then redo one in a second run."""
    names = ["a.mp4", "b.mp4", "c.mp4"]
    with _run(folder, names, dice, watch, in_journal=False) as ledger:
        for name, works in (("a.mp4", True), ("b.mp4", False), ("c.mp4", True), ("b.mp4", True)):
            _matte(ledger, name, dice, watch, works)
    with _run(folder, names, dice, watch, in_journal=True) as ledger:
        _matte(ledger, "a.mp4", dice, watch, True)
        _reopen(ledger, "b.mp4", watch)
        _matte(ledger, "c.mp4", dice, watch, True)
        _matte(ledger, "b.mp4", dice, watch, True)


def random_story(folder: MattedFolder, dice: Random, watch: Watch) -> None:
    """Do some runs over some segments, of which some fail, and some are done again."""
    names = [f"{index}.mp4" for index in range(dice.randint(1, 6))]
    for _ in range(dice.randint(1, 3)):
        with _run(folder, names, dice, watch, in_journal=dice.random() < 0.7) as ledger:
            for name in dice.sample(names, dice.randint(0, len(names))):
                if dice.random() < 0.3:
                    _reopen(ledger, name, watch)
                _matte(ledger, name, dice, watch, dice.random() < 0.8)
        if dice.random() < 0.2:
            names.append(f"{len(names)}.mp4")


@contextmanager
def _run(
    folder: MattedFolder, names: list[str], dice: Random, watch: Watch, *, in_journal: bool
) -> Iterator[Ledger]:
    ledger = Ledger(folder)
    # processed.json with each line of the journal, or as good as never: no story by the clock.
    share = dice.choice((NEVER, ALWAYS))
    with patch.object(ledger_files, "SHARE", share), watched(watch):
        ledger.begin(names, None)
        ledger.save()
        with ledger.journalled() if in_journal else contextlib.nullcontext():
            yield ledger


def _reopen(ledger: Ledger, name: str, watch: Watch) -> None:
    watch.finished.discard(name)
    ledger.reopen([name])
    watch.reopened.add(name)


def _matte(ledger: Ledger, name: str, dice: Random, watch: Watch, works: bool) -> None:
    """Record one segment as `infer` does; an earlier result stays until another takes its place."""
    if not works:
        ledger.record_failure(name, RecordedSettings(), "it failed")
        return
    files, outputs = [], {}
    for kind in KINDS:
        path = ledger.folder.output_folder(kind) / name
        file = ProvenFile(kind, create_temporary(path), path)
        file.temporary.write_bytes(dice.randbytes(200))
        atomic_files.flush(file.temporary)
        files.append(file)
        outputs[kind] = OutputFile.of(path, Fingerprint.of(file.temporary))
    watch.reopened.discard(name)
    ledger.record(name, Entry(frames=3, outputs=outputs), files)
    watch.finished.add(name)


def _check(snapshot: Snapshot, power_cut: bool) -> None:
    where = f"{snapshot.where}{', power cut' if power_cut else ''}"
    folder = MattedFolder(snapshot.folder)
    said: list[str] = []
    try:
        if folder.processed.is_file():
            processed = json.loads(folder.processed.read_text(encoding="utf-8"))
            said = [name for name, done in processed.items() if done]
        ledger = Ledger(folder)
        ledger.recover()
    except (MattingError, ValueError) as error:
        require(False, f"{where}: {error}")
        return
    forgotten = [name for name in sorted(snapshot.finished) if not ledger.is_done(name)]
    require(not forgotten, f"{where}: {forgotten} were forgotten")
    lies = [name for name in said if name in snapshot.reopened or not _is_whole(ledger, name)]
    require(not lies, f"{where}: {lies} are said to be done, and are not")


def _is_whole(ledger: Ledger, name: str) -> bool:
    """Return whether the results of a segment are there and intact, whatever it is said to be."""
    outputs = ledger.entry(name).outputs
    return bool(outputs) and ledger.intact_outputs(name, outputs) == set(outputs)
