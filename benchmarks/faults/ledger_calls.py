"""The ledger, killed at every write, flush and rename.

A kill leaves behind what is on the disk at that snapshot. So the folder is copied at every call:
before it, after it, and half-way through a write. When the power is cut, what was written but not
flushed is lost, too: in half of the copies each such file is truncated at random.
"""

from __future__ import annotations

import contextlib
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
from matting.project.entry import Entry, OutputFile, ProvenFile, RecordedSettings
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.system.fingerprint import Fingerprint
from matting.system.temporary_files import create_temporary

FIXED_TRIES = 60  # enough for every call of the fixed story; the others follow random ones
RANDOM_TRIES = 300
KINDS = (OutputKind.COMPOSITE, OutputKind.ALPHA)


class _Stop(BaseException):
    """Ends a story: the copy has been made."""


@dataclass
class Snapshot:
    """A copy of the folder as a kill would leave it, and the segments finished by then."""

    where: str
    folder: Path
    finished: frozenset[str]


@dataclass
class Watch:
    """Copy a folder at one of the calls that change it; count all of them.

    Attributes:
        target: the call to copy it at, from 0; None: only count.
        finished: segments whose record has returned.
    """

    root: Path
    target: int | None
    rng: Random
    power_cut: bool
    calls: int = 0
    finished: set[str] = field(default_factory=set)
    snapshot: Snapshot | None = None
    unflushed: set[int] = field(default_factory=set)  # inodes

    def at(self, where: str) -> None:
        """Note a moment at which the kill may come."""
        if self.calls == self.target:
            copy = self.root.with_name("left")
            shutil.copytree(self.root, copy)
            if self.power_cut:
                self._truncate_unflushed(copy)
            self.snapshot = Snapshot(where, copy, frozenset(self.finished))
            raise _Stop
        self.calls += 1

    def _truncate_unflushed(self, folder: Path) -> None:
        for path in sorted(self.root.rglob("*")):
            if path.is_file() and path.stat().st_ino in self.unflushed:
                copy = folder / path.relative_to(self.root)
                os.truncate(copy, self.rng.randint(0, path.stat().st_size))


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Let `watch` know of every write, flush and rename in the block."""
    write, replace = Path.write_bytes, Path.replace

    def write_bytes(path: Path, data: bytes) -> int:
        watch.at(f"before writing {path.name}")
        write(path, data[: watch.rng.randint(0, len(data))])
        watch.unflushed.add(path.stat().st_ino)
        watch.at(f"half-way through writing {path.name}")
        written = write(path, data)
        watch.at(f"after writing {path.name}")
        return written

    def rename(path: Path, target: Any) -> Path:
        watch.at(f"before renaming {path.name}")
        renamed = replace(path, target)
        watch.at(f"after renaming {path.name}")
        return renamed

    def flush(descriptor: Any) -> None:
        watch.at("before a flush")
        # Noted, not done: nobody cuts the power of this machine.
        watch.unflushed.discard(os.fstat(descriptor).st_ino)
        watch.at("after a flush")

    with (
        patch.object(Path, "write_bytes", write_bytes),
        patch.object(Path, "replace", rename),
        patch.object(os, "fsync", flush),
    ):
        yield


class LedgerCalls(Fault):
    """First every call of one story, then in each try a random call of a random story."""

    name = "ledger"
    description = "kill at every write, flush and rename of the ledger"
    must_hold = "0 unreadable ledgers, 0 finished segments forgotten"
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
    ledger = _begin(folder, names, watch)
    for name, works in (("a.mp4", True), ("b.mp4", False), ("c.mp4", True), ("b.mp4", True)):
        _matte(ledger, name, dice, watch, works)
    ledger = _begin(folder, names, watch)
    _matte(ledger, "a.mp4", dice, watch, True)


def random_story(folder: MattedFolder, dice: Random, watch: Watch) -> None:
    """Do some runs over some segments, of which some fail."""
    names = [f"{index}.mp4" for index in range(dice.randint(1, 6))]
    for _ in range(dice.randint(1, 3)):
        ledger = _begin(folder, names, watch)
        for name in dice.sample(names, dice.randint(0, len(names))):
            _matte(ledger, name, dice, watch, dice.random() < 0.8)
        if dice.random() < 0.2:
            names.append(f"{len(names)}.mp4")


def _begin(folder: MattedFolder, names: list[str], watch: Watch) -> Ledger:
    ledger = Ledger(folder)
    with watched(watch):
        ledger.begin(names, None)
        ledger.save()
    return ledger


def _matte(ledger: Ledger, name: str, dice: Random, watch: Watch, works: bool) -> None:
    """Record one segment as `infer` does; an earlier result stays until another takes its place."""
    if not works:
        with watched(watch):
            ledger.record_failure(name, RecordedSettings(), "it failed")
        return
    files, outputs = [], {}
    for kind in KINDS:
        path = ledger.folder.output_folder(kind) / name
        file = ProvenFile(kind, create_temporary(path), path)
        file.temporary.write_bytes(dice.randbytes(200))
        files.append(file)
        outputs[kind] = OutputFile.of(path, Fingerprint.of(file.temporary))
    with watched(watch):
        ledger.record(name, Entry(frames=3, outputs=outputs), files)
    watch.finished.add(name)


def _check(snapshot: Snapshot, power_cut: bool) -> None:
    where = f"{snapshot.where}{', power cut' if power_cut else ''}"
    try:
        ledger = Ledger(MattedFolder(snapshot.folder))
        ledger.recover()
    except MattingError as error:
        require(False, f"{where}: {error}")
        return
    forgotten = [name for name in sorted(snapshot.finished) if not ledger.is_done(name)]
    require(not forgotten, f"{where}: {forgotten} were forgotten")
