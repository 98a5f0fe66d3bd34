"""Before hours are spent: a trial with this very video shows how many, and whether it all fits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import TypeVar

from matting.delivery.formats import DELIVERED
from matting.delivery.output_target import target_of
from matting.errors import MattingError, StorageError
from matting.media.media_index import known_index
from matting.media.packet_table import PacketSizes
from matting.media.probe import packet_sizes
from matting.network_choice import RUN_UP_FRAMES
from matting.options import INFERRED, MattingOptions, OutputKind
from matting.progress import Progress
from matting.project.input_views import eyes_in_words, views_in_words
from matting.project.ledger import Ledger
from matting.project.paths import TRIAL, MattedFolder
from matting.system import atomic_files, files
from matting.system.humanize import gigabytes
from matting.system.invocation import Command, sentence, start
from matting.workers.estimate import Forecast, frames_per_second
from matting.workers.executor import Executor, Failure, SegmentTask, TrialOutcome
from matting.workers.schedule import STATES_APART

# Less than this takes a minute or two, on a GPU seconds: not worth a trial.
WORTH_PIXELS = 500_000_000
TRIALS = 3
FIRST_FRAMES, FEWEST_FRAMES, MOST_TRIAL_FRAMES = 12, 3, 120
# Of a frame's time, what the recurrent step takes: a fifth to two fifths, measured at 1920x1080.
RECURRENT_SHARE = 0.3
TRIAL_SECONDS = 6
# Of larger frames there are fewer in the first trial, for a CPU takes seconds for each.
USUAL_PIXELS = 1920 * 1080

ONLY_KEY_FRAMES = {OutputKind.MATTE, OutputKind.PRORES4444, OutputKind.FFV1}
VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm")

A = TypeVar("A")


@dataclass(frozen=True)
class Work:
    """What there is to do.

    Attributes:
        segments: what is to be done with each segment that gets new outputs, and its number of
            frames.
        replaced_bytes: what those of their outputs take that will be replaced.
        kept_bytes: what videos take that are done, per output kind, and will be joined with those.
        state_only_frames: how many frames the network goes through for a state alone.
        tried_anyway: how many frames of a usual size are tried however short the work is; 0: none.
    """

    segments: Sequence[tuple[SegmentTask, int]]
    replaced_bytes: int
    kept_bytes: Counter[OutputKind]
    state_only_frames: int = 0
    tried_anyway: int = 0

    @classmethod
    def of(
        cls,
        ledger: Ledger,
        segments: Sequence[tuple[SegmentTask, int]],
        state_only_frames: int = 0,
        kinds: Collection[OutputKind] = INFERRED,
    ) -> Work:
        """Return the work on some segments, while `ledger` still knows their older outputs.

        Args:
            kinds: what this run makes, or finds made.
        """
        replaced = {task.item.name: task.targets for task, _ in segments}
        replaced_bytes, kept_bytes = 0, Counter[OutputKind]()
        for name in ledger.names:
            for kind, output in ledger.entry(name).files.items():
                if kind in replaced.get(name, {}):
                    replaced_bytes += output.size_bytes
                elif kind in kinds and kind.is_joined and output.file.endswith(VIDEO_SUFFIXES):
                    kept_bytes[kind] += output.size_bytes
        return cls(segments, replaced_bytes, kept_bytes, state_only_frames)

    @property
    def is_new(self) -> bool:
        """Whether nothing of it is done yet, and the network is to find all of it."""
        done = self.replaced_bytes or self.kept_bytes
        return not done and all(task.matte is None for task, _ in self.segments)

    @property
    def slowest(self) -> Sequence[tuple[SegmentTask, int]]:
        """The segments that the network has to see; all where there is none of these."""
        return [s for s in self.segments if s[0].matte is None] or self.segments

    @property
    def frames(self) -> int:
        """How many frames those have, with those that only a state is computed of."""
        return sum(frames for _, frames in self.slowest) + self.state_only_frames

    @property
    def run_up_frames(self) -> float:
        """How many frames take as long as the run-ups of all shots, which the trial has not."""
        shots = sum(len(task.shot_starts) for task, _ in self.slowest)
        return RECURRENT_SHARE * RUN_UP_FRAMES * shots


def preflight(
    work: Work,
    executor: Executor,
    folder: MattedFolder,
    options: MattingOptions,
    progress: Progress,
) -> None:
    """Matte some frames for a trial, say what is ahead, and refuse what has no room on the disk.

    Where the work is short, or no frame can be matted, only how the picture is seen is said; the
    run itself tells why.

    Raises:
        StorageError: the outputs would not fit on the disk.
        BusyError: another run is at work there.
        MachineUnusableError: matting does not work on this computer at present.
    """
    items = [task.item for task, _ in work.segments if task.matte is None]
    for line in (*views_in_words(items), *eyes_in_words(items)):
        progress.say(line)
    forecast = TrialRun(work, executor, folder, options, progress).forecast()
    if forecast is None:
        return
    for line in forecast.in_words(datetime.now()).split("\n"):
        progress.say(line)
    if work.is_new:
        progress.say(sentence(f"to compare settings first, {start(Command.PREVIEW, 'the video')}"))
    needed = forecast.output_bytes - work.replaced_bytes
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


class TrialRun:
    """Trials of a few segments, one after another, and what they show."""

    def __init__(
        self,
        work: Work,
        executor: Executor,
        folder: MattedFolder,
        options: MattingOptions,
        progress: Progress,
    ) -> None:
        self._work = work
        self._executor = executor
        self._folder = folder
        self._trial_folder = MattedFolder(folder.root / TRIAL)
        self._options = options
        self._progress = progress
        self._outcomes: list[TrialOutcome] = []
        self._frames = 0
        self._rate = Fraction(1)
        self._videos: dict[OutputKind, PacketSizes] = {}
        self._picture_bytes: Counter[OutputKind] = Counter()
        self._state_bytes = 0

    def forecast(self) -> Forecast | None:
        """Return what is ahead; None where a trial is not worth it, or no frame can be matted.

        Raises:
            StorageError, BusyError, MachineUnusableError.
        """
        atomic_files.discard(self._trial_folder.root)  # of a trial that was killed
        chosen = spread([task for task, frames in self._work.slowest if frames], TRIALS)
        frames = self._first_frames(chosen)
        if not frames:
            return None
        self._progress.start("Trying out some frames", 0, "frame")
        try:
            for task in chosen:
                self._try_out(task, frames)
                speed = self._frames_per_second()
                if speed is not None:
                    frames = min(
                        MOST_TRIAL_FRAMES, max(FEWEST_FRAMES, round(speed * TRIAL_SECONDS))
                    )
        finally:
            self._progress.finish()
            atomic_files.discard(self._trial_folder.root)
        return self._extrapolate() if self._outcomes else None

    def _first_frames(self, chosen: Sequence[SegmentTask]) -> int:
        """Return the number of frames for the first trial; 0 if it is not worth one."""
        for task in chosen:
            try:
                source = task.item.open(self._options.output.frame_rate)
            except MattingError:
                continue  # the run itself will tell why
            pixels = source.size_px.width * source.size_px.height
            if pixels * self._work.frames < WORTH_PIXELS and not self._work.tried_anyway:
                return 0
            usual = self._work.tried_anyway or FIRST_FRAMES
            return max(FEWEST_FRAMES, min(usual, usual * USUAL_PIXELS // pixels))
        return 0

    def _try_out(self, task: SegmentTask, frames: int) -> None:
        rate, item = self._options.output.frame_rate, task.item
        targets = {
            kind: replace(target_of(item, self._trial_folder, kind, rate, frames), vr=own.vr)
            for kind, own in task.targets.items()
        }
        for target in targets.values():
            atomic_files.make_folder(target.path.parent)
        state = self._trial_folder.state(item.name) if task.end_state is not None else None
        if state is not None:
            atomic_files.make_folder(state.parent)
        trial = SegmentTask(
            item,
            targets=targets,
            end_state=state,
            only_frames=frames,
            index=known_index(item.path),
            matte=task.matte,
            span=task.span and replace(task.span, frames=frames),
        )
        outcome = self._executor.trial(trial)
        if isinstance(outcome, Failure):
            return  # the run itself will tell why
        try:
            self._rate = item.open(rate).rate
        except MattingError:
            return
        self._outcomes.append(outcome)
        self._frames += len(outcome.clock.written)
        for kind, target in targets.items():
            if target.pictures:
                self._picture_bytes[kind] += outcome.outputs[kind].size_bytes
            else:
                before = self._videos.get(kind, PacketSizes())
                self._videos[kind] = before + packet_sizes(target.path)
        if outcome.end_state is not None:
            self._state_bytes = outcome.end_state.size_bytes

    def _frames_per_second(self) -> float | None:
        alone = frames_per_second([outcome.clock for outcome in self._outcomes])
        return None if alone is None else alone * self._executor.at_once

    def _extrapolate(self) -> Forecast:
        """Return what the trials show of all the work."""
        sizes = Counter({kind: self._bytes_of(kind) for kind in self._tried_kinds})
        states = self._state_bytes * (1 + len(self._work.segments) // STATES_APART)
        videos = Counter({kind: sizes[kind] for kind in self._videos if kind.is_joined})
        joined = videos + self._work.kept_bytes
        final = sum(n for k, n in joined.items() if k is OutputKind.COMPOSITE or k.is_delivered)
        return Forecast(
            tried_frames=self._frames,
            frames_per_second=self._frames_per_second(),
            frames=self._work.frames,
            run_up_frames=self._work.run_up_frames,
            output_bytes=sizes.total() + states,
            joined_bytes=joined.total() + final if final else 0,
            free_bytes=files.free_disk_bytes(self._folder.root),
            gpu_bytes=self._outcomes[-1].gpu_bytes,
        )

    @property
    def _tried_kinds(self) -> Collection[OutputKind]:
        return self._picture_bytes.keys() | self._videos.keys()

    def _bytes_of(self, kind: OutputKind) -> int:
        """Return what the outputs of one kind take, of all segments together."""
        counts = [frames for task, frames in self._work.segments if kind in task.targets]
        if kind not in self._videos:
            return self._picture_bytes[kind] * sum(counts) // self._frames
        sizes = self._videos[kind]
        if kind in ONLY_KEY_FRAMES:
            return round(sum(sizes.bytes_of(n, n) for n in counts))
        bitrate_bps = self._options.output.encoding.bitrate_bps
        if bitrate_bps is not None and not (kind.is_delivered and DELIVERED[kind].has_own_encoding):
            return math.ceil(bitrate_bps * sum(counts) / self._rate / 8)
        group = max(1, round(self._rate * self._options.output.encoding.key_frame_seconds))
        return round(sum(sizes.bytes_of(n, math.ceil(n / group)) for n in counts))


def spread(items: Sequence[A], count: int) -> list[A]:
    """Return at most `count` of the items, evenly spread: the middle one first."""
    numbers = [len(items) * (2 * i + 1) // (2 * count) for i in range(count)]
    middle = numbers.pop(count // 2)
    return [items[number] for number in dict.fromkeys([middle, *numbers])] if items else []
