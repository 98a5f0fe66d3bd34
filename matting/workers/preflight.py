"""Before hours are spent: a trial of this very video tells how many, and whether there is room."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import TypeVar

from matting.errors import MattingError, StorageError
from matting.media.packet_table import PacketSizes
from matting.media.probe import packet_sizes
from matting.media.video_writer import KEY_FRAME_SECONDS
from matting.options import MattingOptions, OutputKind
from matting.progress import Progress
from matting.project.inputs import Input
from matting.project.ledger import Ledger
from matting.project.paths import TRIAL, MattedFolder
from matting.system import atomic_files, files
from matting.system.humanize import gigabytes
from matting.workers.estimate import Forecast, frames_per_second
from matting.workers.executor import Executor, Failure, SegmentTask, TrialOutcome, target_of

# What has fewer is done in a minute or two, on a graphics card in seconds: no trial for that.
WORTH_PIXELS = 500_000_000
SAMPLES = 3
FIRST_FRAMES, FEWEST_FRAMES, MOST_FRAMES = 12, 3, 120
SAMPLE_SECONDS = 6
# Of a frame; larger ones are fewer in the first sample, for a processor takes seconds for each.
USUAL_PIXELS = 1920 * 1080

A = TypeVar("A")


@dataclass(frozen=True)
class Work:
    """What there is to matte.

    Attributes:
        todo: the pieces and how many frames each has.
        replaced_bytes: what results take that will be replaced by others.
        kept_bytes: what videos take that are done, by their kind, and will be joined with those.
    """

    todo: Sequence[tuple[Input, int]]
    replaced_bytes: int
    kept_bytes: Counter[OutputKind]

    @classmethod
    def of(cls, ledger: Ledger, todo: Sequence[tuple[Input, int]]) -> Work:
        """The work on the pieces `todo`, while `ledger` still knows what was made of them."""
        again = {item.name for item, _ in todo}
        replaced_bytes, kept_bytes = 0, Counter[OutputKind]()
        for name in ledger.names:
            for kind, (file, fingerprint) in ledger.entry(name).outputs.items():
                if name in again:
                    replaced_bytes += fingerprint.size_bytes
                elif file.endswith(".mp4"):
                    kept_bytes[kind] += fingerprint.size_bytes
        return cls(todo, replaced_bytes, kept_bytes)

    @property
    def frames(self) -> int:
        return sum(frames for _, frames in self.todo)


def preflight(
    work: Work,
    executor: Executor,
    folder: MattedFolder,
    options: MattingOptions,
    progress: Progress,
) -> None:
    """Tries out some frames, says what is ahead, and refuses what has no room.

    Where the work is short, or no frame can be matted, nothing is said; the run itself tells why.

    Raises:
        StorageError: the results would not fit on the disk.
        BusyError: another run is at work there.
    """
    forecast = _Trial(work, executor, folder, options, progress).forecast()
    if forecast is None:
        return
    progress.say(forecast.in_words(datetime.now()))
    needed = forecast.results_bytes - work.replaced_bytes
    if options.then_joined:
        needed += forecast.joined_bytes
    if forecast.free_bytes is None or needed <= forecast.free_bytes or options.force:
        return
    raise StorageError(
        f"The disk is too small: the results need about {gigabytes(needed)}, and "
        f"{gigabytes(forecast.free_bytes)} are free in {folder.root}.",
        "Free some space, or choose another disk with --output; or go on all the same: --force.",
        option="--output",
    )


@dataclass
class _Trial:
    """Samples of some pieces, one after another."""

    _work: Work
    _executor: Executor
    _folder: MattedFolder
    _options: MattingOptions
    _progress: Progress
    _outcomes: list[TrialOutcome] = field(default_factory=list)
    _frames: int = 0
    _rate: Fraction = Fraction(1)
    _videos: dict[OutputKind, PacketSizes] = field(default_factory=dict)
    _picture_bytes: Counter[OutputKind] = field(default_factory=Counter)
    _state_bytes: int = 0

    @property
    def _place(self) -> MattedFolder:
        """Where the samples lie."""
        return MattedFolder(self._folder.root / TRIAL)

    def forecast(self) -> Forecast | None:
        """What is ahead; None where the work is too short for a trial, or no frame can be matted.

        Raises:
            StorageError, BusyError.
        """
        atomic_files.discard(self._place.root)  # of a trial that was killed
        chosen = spread([item for item, frames in self._work.todo if frames], SAMPLES)
        frames = self._first_frames(chosen)
        if not frames:
            return None
        self._progress.start("Trying out some frames", 0, "frame")
        try:
            for item in chosen:
                self._sample(item, frames)
                speed = frames_per_second([o.clock for o in self._outcomes])
                if speed is not None:
                    frames = min(MOST_FRAMES, max(FEWEST_FRAMES, round(speed * SAMPLE_SECONDS)))
        finally:
            self._progress.finish()
            atomic_files.discard(self._place.root)
        return self._told() if self._outcomes else None

    def _first_frames(self, chosen: Sequence[Input]) -> int:
        """How many frames the first sample has; 0 where the whole work is too short for one."""
        for item in chosen:
            try:
                source = item.open(self._options.output.frame_rate)
            except MattingError:
                continue  # its own turn comes, and tells why
            pixels = source.width_px * source.height_px
            if pixels * self._work.frames < WORTH_PIXELS:
                return 0
            return max(FEWEST_FRAMES, min(FIRST_FRAMES, FIRST_FRAMES * USUAL_PIXELS // pixels))
        return 0

    def _sample(self, item: Input, frames: int) -> None:
        rate = self._options.output.frame_rate
        kinds = self._options.output.kinds
        targets = {kind: target_of(item, self._place, kind, rate, frames) for kind in kinds}
        for target in targets.values():
            atomic_files.make_folder(target.path.parent)
        state = self._place.state(item.name) if item.planned is not None else None
        if state is not None:
            atomic_files.make_folder(state.parent)
        task = SegmentTask(item, targets=targets, end_state=state, only_frames=frames)
        outcome = self._executor.trial(task)
        if isinstance(outcome, Failure):
            return  # as above
        try:
            self._rate = item.open(rate).rate
        except MattingError:
            return
        self._outcomes.append(outcome)
        self._frames += len(outcome.clock.written)
        for kind, target in targets.items():
            if target.pictures:
                self._picture_bytes[kind] += outcome.outputs[kind][1].size_bytes
            else:
                before = self._videos.get(kind, PacketSizes())
                self._videos[kind] = before + packet_sizes(target.path)
        if outcome.end_state is not None:
            self._state_bytes = outcome.end_state.size_bytes

    def _told(self) -> Forecast:
        made = {kind: self._bytes_of(kind) for kind in self._options.output.kinds}
        states = self._state_bytes * len(self._work.todo)
        joined = Counter({kind: made[kind] for kind in self._videos}) + self._work.kept_bytes
        pictures = OutputKind.COMPOSITE not in self._videos
        return Forecast(
            tried_frames=self._frames,
            frames_per_second=frames_per_second([o.clock for o in self._outcomes]),
            frames=self._work.frames,
            results_bytes=sum(made.values()) + states,
            joined_bytes=0 if pictures else joined.total() + joined[OutputKind.COMPOSITE],
            free_bytes=files.free_disk_bytes(self._folder.root),
            gpu_bytes=self._outcomes[-1].gpu_bytes,
        )

    def _bytes_of(self, kind: OutputKind) -> int:
        """What one kind of result of all pieces takes."""
        if kind not in self._videos:
            return self._picture_bytes[kind] * self._work.frames // self._frames
        bitrate_bps = self._options.output.encoding.bitrate_bps
        if bitrate_bps is not None:
            return math.ceil(bitrate_bps * self._work.frames / self._rate / 8)
        group = max(1, round(self._rate * KEY_FRAME_SECONDS))
        pieces = [frames for _, frames in self._work.todo]
        return round(sum(self._videos[kind].bytes_of(n, math.ceil(n / group)) for n in pieces))


def spread(items: Sequence[A], count: int) -> list[A]:
    """At most `count` of them, from all over: the middle one first."""
    numbers = [len(items) * (2 * i + 1) // (2 * count) for i in range(count)]
    middle = numbers.pop(count // 2)
    return [items[number] for number in dict.fromkeys([middle, *numbers])] if items else []
