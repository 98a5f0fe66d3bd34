"""Keeps stored mattes what they should be: as the network found them, with the ranges put in.

Whoever takes up a job calls this first: a run that was killed may have recorded a range, or taken
one back, and not have put that into all the mattes. A segment whose matte becomes another waits for
its outputs, which are made of it as of any matte that is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from matting.errors import EncodeError
from matting.options import OutputKind
from matting.progress import Progress
from matting.project.entry import Entry, OutputFile, ProvenFile
from matting.project.ledger import Ledger
from matting.project.ranges import MattingRange, RangeStatus, ranges_in
from matting.system import atomic_files
from matting.system.fingerprint import Fingerprint
from matting.system.temporary_files import create_temporary


def has_ranges(ledger: Ledger, name: str) -> bool:
    """Return whether ranges count in a segment, if its content is still what it was."""
    return any(own.status is RangeStatus.WHOLE and name in own.parts for own in ledger.ranges)


def renew_mattes(ledger: Ledger, progress: Progress) -> list[str]:
    """Put the ranges that count into the stored mattes, and take out those that do not any more.

    The caller holds the lock of the matted folder, and has had the ledger recovered. A segment of
    which nothing is left that could be made anew is recorded as not done, to be matted again.

    Returns:
        the segments whose mattes are others now: they wait for their outputs.
    Raises:
        EncodeError, StorageError: a matte cannot be written.
    """
    _mention_stale(ledger, progress)
    outdated = dict(_outdated(ledger, progress))
    if not outdated:
        return []
    frames = sum(ledger.entry(name).frames for name in outdated)
    progress.start("Putting ranges into mattes", 2 * frames, "frame", segments=len(outdated))
    try:
        renewed = []
        with ledger.journalled():
            for name, ranges in outdated.items():
                progress.begin_segment(name)
                if _renew(ledger, name, ranges, progress):
                    renewed.append(name)
                progress.end_segment()
    finally:
        progress.finish()
    return renewed


def tidy_ranges(ledger: Ledger) -> None:
    """Remove what no matte is made of any more: of ranges that were taken back, and bases.

    Raises:
        StorageError: something holds a file.
    """
    for name in ledger.names:
        if not ledger.entry(name).spliced:
            _forget_base(ledger, name)
    used = {number for name in ledger.names for number in ledger.entry(name).spliced}
    for own in ledger.ranges:
        if own.status is RangeStatus.UNDONE and own.number not in used:
            for file in own.files:
                atomic_files.remove(ledger.folder.ranges / file.file)
    kept = (o for o in ledger.ranges if o.status is not RangeStatus.UNDONE or o.number in used)
    ledger.record_ranges(tuple(kept))  # last: until then, taking it back again goes on with this


def _mention_stale(ledger: Ledger, progress: Progress) -> None:
    """Name the ranges that do not count in segments which are not what they were."""
    for own in ledger.ranges:
        sources = {name: ledger.entry(name).source for name in own.parts}
        changed = [n for n, part in own.parts.items() if sources[n] not in {None, part.source}]
        if own.status is RangeStatus.WHOLE and changed:
            progress.say(
                f"Range {own} is left out of {', '.join(changed[:5])}, which changed since it was "
                f"done: do it again, or take it back with rematte --undo {own.number}."
            )


def _outdated(ledger: Ledger, progress: Progress) -> Iterator[tuple[str, list[MattingRange]]]:
    """Yield the segments whose mattes are not what they should be, and the ranges of each."""
    for name in ledger.names:
        entry = ledger.entry(name)
        if OutputKind.MATTE not in entry.outputs:
            continue
        if not (ledger.says_done(name) or entry.waiting):
            continue  # it is to be matted again
        ranges = ranges_in(ledger.ranges, name, entry.source)
        if tuple(own.number for own in ranges) == entry.spliced:
            continue
        ranges = [own for own in ranges if _is_intact(ledger, own, name, progress)]
        if tuple(own.number for own in ranges) != entry.spliced:
            yield name, ranges


def _is_intact(ledger: Ledger, own: MattingRange, name: str, progress: Progress) -> bool:
    """Return whether what belongs to a range in a segment is there; say what is not."""
    for file in filter(None, (own.mask, own.parts[name].matte)):
        path = ledger.folder.ranges / file.file
        if not file.fingerprint.matches(path):
            progress.say(
                f"Range {own} is left out of {name}: a file of it is missing or damaged, {path}. "
                f"Take it back with rematte --undo {own.number}, and do it again."
            )
            return False
    return True


def _renew(ledger: Ledger, name: str, ranges: list[MattingRange], progress: Progress) -> bool:
    """Make a segment's matte anew, of the one without ranges; return False where that is lost."""
    base = _intact_base(ledger, name)
    if base is None:
        progress.say(f"The stored matte of {name} is damaged or missing: it is to be matted again.")
        ledger.reopen([name])
        return False
    target = ledger.folder.output_folder(OutputKind.MATTE) / base.file
    stored = ledger.folder.bases / base.file
    temporary = create_temporary(target)
    try:
        if ranges:
            from matting.workers.range_splice import splice

            splice(
                stored,
                ranges,
                name,
                temporary,
                folder=ledger.folder.ranges,
                on_frames=progress.advance,
            )
            atomic_files.flush(temporary)
        else:
            _copy(stored, temporary, base)
        matte = OutputFile.of(target, Fingerprint.of(temporary, progress.alive))
        ledger.reopen([name], waiting=[name])
        _forget_signs(ledger, name)
        entry = replace(
            ledger.entry(name),
            outputs={OutputKind.MATTE: matte},
            spliced=tuple(own.number for own in ranges),
            signs=None,  # of another matte
        )
        ledger.record(name, entry, [ProvenFile(OutputKind.MATTE, temporary, target)])
    finally:
        atomic_files.discard(temporary)
    if not ranges:
        _forget_base(ledger, name)
    return True


def _intact_base(ledger: Ledger, name: str) -> OutputFile | None:
    """Return a segment's matte without ranges, stored in the folder of these; None: it is lost."""
    entry = ledger.entry(name)
    if entry.spliced:
        base = entry.base
        return base if base and base.fingerprint.matches(ledger.folder.bases / base.file) else None
    base = entry.outputs[OutputKind.MATTE]
    source = ledger.folder.output_folder(OutputKind.MATTE) / base.file
    target = ledger.folder.bases / base.file
    if not base.fingerprint.matches(source):
        return None
    if entry.base != base or not base.fingerprint.matches(target):
        _store(ledger, name, source, base, replace(entry, base=base))
    signs = entry.signs
    if signs is not None and signs.fingerprint.matches(ledger.folder.signs / signs.file):
        entry = replace(ledger.entry(name), base_signs=signs)
        _store(ledger, name, ledger.folder.signs / signs.file, signs, entry)
    return base


def _store(ledger: Ledger, name: str, source: Path, known: OutputFile, entry: Entry) -> None:
    """Copy a file into the folder of what was there before ranges.

    Args:
        entry: the segment's, with the copy.
    """
    target = ledger.folder.bases / known.file
    atomic_files.make_folder(target.parent)
    temporary = create_temporary(target)
    try:
        _copy(source, temporary, known)
        # Recorded first: whatever a kill leaves there is known.
        ledger.amend(name, entry)
        ledger.save()
        atomic_files.publish(temporary, target)
    finally:
        atomic_files.discard(temporary)


def _forget_base(ledger: Ledger, name: str) -> None:
    """Remove what is the segment's matte again, and what was seen of it."""
    entry = ledger.entry(name)
    for own in filter(None, (entry.base, entry.base_signs)):
        atomic_files.remove(ledger.folder.bases / own.file)
    if entry.base is not None or entry.base_signs is not None:
        ledger.amend(name, replace(entry, base=None, base_signs=None))
        ledger.save()


def _forget_signs(ledger: Ledger, name: str) -> None:
    """Remove what was seen of a matte that is about to be another."""
    signs = ledger.entry(name).signs
    if signs is not None and signs.fingerprint.matches(ledger.folder.signs / signs.file):
        atomic_files.remove(ledger.folder.signs / signs.file)


def _copy(source: Path, target: Path, known: OutputFile) -> None:
    """Copy a matte.

    Raises:
        EncodeError: the copy is not the same.
        StorageError: it cannot be written.
    """
    atomic_files.copy(source, target)
    if not known.fingerprint.matches(target):
        raise EncodeError(f"The copy of {source} came out damaged.")
