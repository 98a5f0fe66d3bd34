"""Stage two: every segment through the recurrent network, each recorded when it is proven."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch

from matting import durable
from matting.device import choose_device, describe, share_cores
from matting.errors import MattingError, MediaError, SegmentsFailedError, StorageError
from matting.inputs import Input, InputFolder, read_inputs
from matting.ledger import Entry, FileProof, Ledger
from matting.lock import folder_lock
from matting.matte import Look, matte_segment, warm_up
from matting.media.source import FrameSource
from matting.plan import concat_list
from matting.progress import Progress
from matting.session import MattingSession, automatic_ratio
from matting.settings import changed_settings, settings_of
from matting.weights import UNREADABLE, Checkpoint, find_checkpoint, load_checkpoint
from matting.workspace import LIST_NAME, MattedFolder
from model import State

# By python -m benchmarks.warm_up: what the network saw fades so slowly that no length up to this
# gives the lost state back, but each doubling lessens the error; this one costs 4 s of video.
WARM_UP_FRAMES = 120
FRESH, CARRIED, WARMED_UP = "fresh", "carried", "warmed up"


@dataclass(frozen=True)
class InferOptions:
    """How to matte.

    Attributes:
        ratio: the downsample ratio in (0, 1]; None: by the picture's size and the subject.
        subject: full-body or portrait.
        frame_rate: frames a second of image sequences.
    """

    checkpoint: Path | None = None
    device: str = "auto"
    precision: str = "auto"
    ratio: float | None = None
    subject: str = "full-body"
    look: Look = field(default_factory=Look)
    frame_rate: Fraction = Fraction(30)


def infer(
    segments: Path, options: InferOptions, output: Path | None, progress: Progress
) -> MattedFolder:
    """Mattes everything in `segments` that is not done yet.

    Raises:
        SegmentsFailedError: all others are done; names those that failed, and why.
        InputError: nothing to matte there, or an option that cannot be used.
        MissingError, StorageError, BusyError.
    """
    inputs = read_inputs(segments)
    device = choose_device(options.device)
    share_cores(device)
    checkpoint = load_checkpoint(find_checkpoint(options.checkpoint, progress))
    session = MattingSession(checkpoint.network, device, options.precision)
    folder = MattedFolder.of(segments, output)
    with folder_lock(folder.root):
        progress.say(describe(device))
        _Job(
            inputs=inputs,
            options=options,
            checkpoint=checkpoint,
            session=session,
            folder=folder,
            progress=progress,
        ).run()
    return folder


class _Job:
    """One run over one folder."""

    def __init__(
        self,
        *,
        inputs: InputFolder,
        options: InferOptions,
        checkpoint: Checkpoint,
        session: MattingSession,
        folder: MattedFolder,
        progress: Progress,
    ) -> None:
        self._inputs = inputs
        self._options = options
        self._session = session
        self._folder = folder
        self._progress = progress
        self._ledger = Ledger(folder)
        self._checkpoint = checkpoint
        # The input after which the session's state stands; None after a failure or a reset.
        self._state_after: Input | None = None

    def run(self) -> None:
        inputs = self._inputs.inputs
        self._ledger.begin([i.name for i in inputs], self._inputs.plan)
        todo = self._pending()
        if len(todo) < len(inputs):
            self._progress.say(f"{len(inputs) - len(todo)} of {len(inputs)} are done already.")
        for kind in self._options.look.kinds:
            durable.make_folder(self._folder.layer(kind))
        durable.make_folder(self._folder.state("").parent)
        failed = self._matte_all(todo)
        self._write_lists()
        if failed:
            lines = [f"  {name}: {reason}" for name, reason in failed.items()]
            raise SegmentsFailedError(
                f"{len(failed)} of {len(inputs)} could not be matted:\n" + "\n".join(lines),
                "Mend these, then run the same command again: only they are done again.",
            )
        self._progress.say(f"All {len(inputs)} are matted: {self._folder.root}")

    def _pending(self) -> list[Input]:
        """What is not proven done for these inputs and settings; tells why it is done again."""
        pending: list[Input] = []
        again: Counter[str] = Counter()
        for item in self._inputs.inputs:
            if not self._ledger.is_done(item.name):
                pending.append(item)
                continue
            entry = self._ledger.entry(item.name)
            changed = changed_settings(entry.settings, self._settings(item))
            if not changed and item.path.exists() and entry.source != item.proof():
                changed = ["the segments themselves"]
            if changed:
                pending.append(item)
                again[", ".join(changed)] += 1
        for changed_things, count in again.items():
            self._progress.say(f"{count} are done again, for these have changed: {changed_things}.")
        return pending

    def _matte_all(self, todo: list[Input]) -> dict[str, str]:
        """Mattes in order; returns what failed, and why."""
        failed: dict[str, str] = {}
        if not todo:
            return failed
        total = sum(self._frames(item) for item in todo)
        self._progress.start("Matting", total, "frame", parts=len(todo))
        try:
            for item in todo:
                self._progress.part(item.name)
                self._try(item, failed)
                self._progress.part_done()
        finally:
            self._progress.finish()
        return failed

    def _frames(self, item: Input) -> int:
        """How many frames an input has, for the forecast; 0 where it is not to be told."""
        if item.frames is not None:
            return item.frames
        try:
            return item.open(self._options.frame_rate).frames
        except MattingError:
            return 0  # its own turn comes, and tells why

    def _try(self, item: Input, failed: dict[str, str]) -> None:
        try:
            self._matte(item)
        except StorageError:
            # The next segment would meet the same full disk.
            raise
        except MattingError as error:
            self._state_after = None
            failed[item.name] = error.what
            self._progress.say(f"{item.name} failed: {error.what}")
            entry = Entry(settings=self._settings(item), error=error.what)
            self._ledger.record(item.name, entry)

    def _matte(self, item: Input) -> None:
        settings = self._settings(item)
        # `false` before the first byte changes.
        self._ledger.record(item.name, Entry(settings=settings))
        source = item.open(self._options.frame_rate)
        proof = item.proof()
        ratio = self._ratio(source)
        start_state = self._prepare_state(item, source, ratio)
        self._progress.detail(f"{item.name}: ratio {ratio:.4f}, state {start_state}")
        look = self._options.look
        targets = {kind: self._folder.layer(kind) / item.output_name for kind in look.kinds}
        matte_segment(
            source,
            self._session,
            ratio=ratio,
            look=look,
            targets=targets,
            on_frames=self._progress.advance,
        )
        if item.proof() != proof:
            raise MediaError(f"{item.path} was changed while it was being matted.")
        self._state_after = item
        if self._inputs.plan is not None:
            self._save_state(item)
        entry = Entry(
            source=proof,
            settings=settings,
            start_state=start_state,
            frames=source.frames,
            outputs={k: (path.name, FileProof.of(path)) for k, path in targets.items()},
        )
        self._ledger.record(item.name, entry)

    def _settings(self, item: Input) -> dict[str, Any]:
        rate = self._options.frame_rate if item.is_sequence else None
        return settings_of(
            checkpoint_sha256=self._checkpoint.sha256,
            precision=self._options.precision,
            ratio=self._options.ratio,
            subject=self._options.subject,
            look=self._options.look,
            sequence_rate=rate,
        )

    def _ratio(self, source: FrameSource) -> float:
        if self._options.ratio is not None:
            return self._options.ratio
        return automatic_ratio(source.width_px, source.height_px, self._options.subject)

    def _prepare_state(self, item: Input, source: FrameSource, ratio: float) -> str:
        """Brings the session to the state at the start of `item`; says where it came from."""
        before = self._before(item)
        if before is None:
            self._session.reset()
            return FRESH
        if self._state_after != before:
            self._session.state = self._load_state(before)
        if self._session.fits(source.width_px, source.height_px, ratio):
            return CARRIED
        try:
            warm_up(before.open(self._options.frame_rate), self._session, ratio, WARM_UP_FRAMES)
        except MattingError as error:
            self._progress.say(f"{before.name} cannot prepare {item.name}: {error.what}")
            self._session.reset()
        if self._session.fits(source.width_px, source.height_px, ratio):
            return WARMED_UP
        self._session.reset()
        return FRESH

    def _before(self, item: Input) -> Input | None:
        """The segment that `item` continues; None at the start, and in a folder without a plan."""
        inputs = self._inputs.inputs
        index = inputs.index(item)
        return inputs[index - 1] if self._inputs.plan is not None and index > 0 else None

    def _save_state(self, item: Input) -> None:
        content = io.BytesIO()
        torch.save(self._session.state, content)
        durable.write_bytes(self._folder.state(item.name), content.getvalue())

    def _load_state(self, item: Input) -> State | None:
        """The state at the end of a segment that is done with these settings, if it was kept."""
        entry = self._ledger.entry(item.name)
        if not entry.outputs or changed_settings(entry.settings, self._settings(item)):
            return None
        try:
            state = torch.load(self._folder.state(item.name), weights_only=True)
            r1, r2, r3, r4 = (r.to(torch.float32) for r in state)
        except UNREADABLE:
            return None
        return r1, r2, r3, r4

    def _write_lists(self) -> None:
        """For people who join the results themselves."""
        for kind in self._options.look.kinds:
            made = [self._ledger.output(name, kind) for name in self._ledger.names]
            names = [path.name for path in made if path is not None]
            durable.write_text(self._folder.layer(kind) / LIST_NAME, concat_list(names))
