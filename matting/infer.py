"""Stage two: every segment through the recurrent network, each recorded when it is proven."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch

from matting import durable
from matting.device import choose_device, describe
from matting.errors import MattingError, SegmentsFailedError, StorageError, writing
from matting.inputs import Input, InputFolder, read_inputs
from matting.ledger import Entry, FileProof, Ledger
from matting.lock import folder_lock
from matting.matte import Look, matte_segment, warm_up
from matting.media.source import FrameSource
from matting.plan import concat_list
from matting.progress import Progress
from matting.session import MattingSession, automatic_ratio
from matting.weights import Checkpoint, find_checkpoint, load_checkpoint
from matting.workspace import LIST_NAME, MattedFolder
from model import State

WARM_UP_FRAMES = 30
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
        self._settings = _settings(options, checkpoint)
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
            changed = [k for k, v in self._settings.items() if entry.settings.get(k) != v]
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
        sources: dict[str, FrameSource] = {}
        for item in todo:
            try:
                sources[item.name] = item.open(self._options.frame_rate)
            except StorageError:
                raise
            except MattingError as error:
                self._fail(item, error, failed)
        total = sum(source.frames for source in sources.values())
        if not sources:
            return failed
        self._progress.start("Matting", total, "frame", parts=len(sources))
        try:
            for item in todo:
                if item.name in sources:
                    self._progress.part(item.name)
                    self._try(item, sources[item.name], failed)
                    self._progress.part_done()
        finally:
            self._progress.finish()
        return failed

    def _try(self, item: Input, source: FrameSource, failed: dict[str, str]) -> None:
        try:
            self._matte(item, source)
        except StorageError:
            # The next segment would meet the same full disk.
            raise
        except MattingError as error:
            self._state_after = None
            self._fail(item, error, failed)

    def _fail(self, item: Input, error: MattingError, failed: dict[str, str]) -> None:
        failed[item.name] = error.what
        self._progress.say(f"{item.name} failed: {error.what}")
        self._ledger.record(item.name, Entry(settings=self._settings, error=error.what))

    def _matte(self, item: Input, source: FrameSource) -> None:
        # `false` before the first byte changes.
        self._ledger.record(item.name, Entry(settings=self._settings))
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
        self._state_after = item
        if self._inputs.plan is not None:
            self._save_state(item)
        entry = Entry(
            source=item.proof(),
            settings=self._settings,
            start_state=start_state,
            frames=source.frames,
            outputs={k: (path.name, FileProof.of(path)) for k, path in targets.items()},
        )
        self._ledger.record(item.name, entry)

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
        if self._state_after == before:
            return CARRIED
        self._session.reset()
        state = self._load_state(before)
        if state is not None:
            self._session.state = state
            return CARRIED
        try:
            earlier = before.open(self._options.frame_rate)
            if (earlier.width_px, earlier.height_px) != (source.width_px, source.height_px):
                return FRESH
            warm_up(earlier, self._session, ratio, WARM_UP_FRAMES)
        except MattingError as error:
            self._session.reset()
            self._progress.say(f"{item.name} starts without memory of {before.name}: {error.what}")
            return FRESH
        return WARMED_UP

    def _before(self, item: Input) -> Input | None:
        """The segment that `item` continues; None at the start, and in a folder without a plan."""
        inputs = self._inputs.inputs
        index = inputs.index(item)
        return inputs[index - 1] if self._inputs.plan is not None and index > 0 else None

    def _save_state(self, item: Input) -> None:
        path = self._folder.state(item.name)
        temporary = durable.partial(path)
        with writing(path):
            torch.save(self._session.state, temporary)
        durable.publish(temporary, path)

    def _load_state(self, item: Input) -> State | None:
        """The state at the end of a segment that is done with these settings, if it was kept."""
        entry = self._ledger.entry(item.name)
        if not entry.outputs or entry.settings != self._settings:
            return None
        try:
            state = torch.load(self._folder.state(item.name), weights_only=True)
        except (OSError, RuntimeError, pickle.UnpicklingError, EOFError):
            return None
        r1, r2, r3, r4 = state
        return r1, r2, r3, r4

    def _write_lists(self) -> None:
        """For people who join the results themselves."""
        for kind in self._options.look.kinds:
            made = [self._ledger.output(name, kind) for name in self._ledger.names]
            names = [path.name for path in made if path is not None]
            durable.write_text(self._folder.layer(kind) / LIST_NAME, concat_list(names))


def _settings(options: InferOptions, checkpoint: Checkpoint) -> Mapping[str, Any]:
    """Everything that shapes a result. Where it was computed is not part of it."""
    look = options.look
    ratio = options.ratio if options.ratio is not None else f"auto, {options.subject}"
    return {
        "checkpoint": checkpoint.sha256,
        "ratio": ratio,
        "precision": "fp32" if options.precision == "auto" else options.precision,
        "background": "#{:02X}{:02X}{:02X}".format(*look.background),
        "kinds": list(look.kinds),
        "codec": look.encoding.codec,
        "quality": look.encoding.quality,
        "bitrate_bps": look.encoding.bitrate_bps,
        "frame_rate": str(options.frame_rate),
    }
