"""The network over a range of frames: what it finds there is stored, and belongs to the range."""

from __future__ import annotations

from collections.abc import Iterator

from matting.delivery.output_target import OutputTarget
from matting.errors import InputError, MediaError
from matting.network_choice import RUN_UP_FRAMES
from matting.options import OutputKind
from matting.progress import Progress
from matting.project.inputs import Input, InputFolder
from matting.project.ledger import Ledger
from matting.project.paths import MATTE_SUFFIX
from matting.project.ranges import MattingRange, with_range
from matting.system import atomic_files
from matting.workers.executor import Executor, Failure, FrameSpan, SegmentTask
from matting.workers.job_precision import keep_precision
from matting.workers.matting_stage import WARM_UP_FRAMES
from matting.workers.result_recorder import discard_files
from matting.workers.shot import frames_ahead

# From so far before a range, the network starts with its shot; else it is warmed up.
NEAR_FRAMES = 300


def find_mattes(
    inputs: InputFolder,
    own: MattingRange,
    executor: Executor,
    ledger: Ledger,
    progress: Progress,
    *,
    runs_up: bool,
) -> MattingRange:
    """Have the network find what it has not found yet of a range; return the range with that.

    Each segment's part is recorded as soon as it is proven.

    Args:
        runs_up: whether each shot is run up, and nothing crosses its start.
    Raises:
        MattingError: a segment cannot be matted; what was found before it is kept.
    """
    tasks = list(range_tasks(inputs, own, ledger, runs_up=runs_up))
    frames = sum(task.span.frames for task in tasks if task.span is not None)
    atomic_files.make_folder(ledger.folder.ranges)
    progress.start("Loading the network ...", 0, "")
    keep_precision(executor.prepare(network=True), ledger, progress)
    progress.start("Matting the range", frames, "frame", segments=len(tasks))
    in_flight: dict[int, SegmentTask] = {}
    try:
        for task in tasks:
            while not executor.has_room:
                own = _record_next(in_flight, executor, own, ledger)
                progress.end_segment()
            in_flight[executor.submit(task)] = task
        while in_flight:
            own = _record_next(in_flight, executor, own, ledger)
            progress.end_segment()
    finally:
        progress.finish()
    return own


def range_tasks(
    inputs: InputFolder, own: MattingRange, ledger: Ledger, *, runs_up: bool
) -> Iterator[SegmentTask]:
    """Yield a task for each segment that the network goes through for a range, in order.

    Args:
        runs_up: as for `find_mattes`.
    """
    lacking = [name for name, part in own.parts.items() if part.matte is None]
    if not lacking:
        return
    chain = [i for i in inputs.inputs if inputs.plan is not None or i.name == lacking[0]]
    by_name = {item.name: item for item in chain}
    first = by_name[lacking[0]].first_frame + own.parts[lacking[0]].first_frame
    start = _start_of(chain, first)
    before: Input | None = None
    for index, item in enumerate(chain):
        part = own.parts.get(item.name) if item.name in lacking else None
        frames = item.frames or ledger.entry(item.name).frames
        begin = max(0, start - item.first_frame)
        stop = part.stop if part is not None else min(frames, first - item.first_frame)
        if stop <= begin:
            continue
        lead = part.first_frame - begin if part is not None else stop - begin
        yield SegmentTask(
            item=item,
            before=before,
            targets={} if part is None else {OutputKind.MATTE: _target(ledger, own, item)},
            span=FrameSpan(begin, stop - begin, lead, _ahead(item, stop, frames) if runs_up else 0),
            shot_starts=(item.shot_starts or ()) if runs_up else (),
            ahead=_following(chain, index) if runs_up else (),
            before_ahead=_following(chain, index - 1) if runs_up and before else (),
        )
        before = item


def _ahead(item: Input, stop: int, frames: int) -> int:
    """Return how many of a segment's frames from `stop` on a shot's run-up takes.

    Args:
        frames: how many the segment has.
    """
    starts = [start for start in item.shot_starts or () if start < stop]
    if not starts:
        return 0
    later = [start for start in item.shot_starts or () if start >= stop]
    end = min(frames, starts[-1] + 1 + RUN_UP_FRAMES, *later)
    return max(0, end - stop)


def _following(chain: list[Input], index: int) -> tuple[Input, ...]:
    """Return the segments after one that hold frames of its last shot's run-up."""
    return tuple(item for item, _ in frames_ahead(chain[index], chain[index + 1 :]))


def _start_of(chain: list[Input], first: int) -> int:
    """Return the frame with which the network begins, counted as `Input.first_frame`.

    Args:
        chain: the segments of one video.
        first: the first frame that is wanted of it.
    """
    shots = [0]
    for item in chain:
        shots += [item.first_frame + shot for shot in item.shot_starts or ()]
    shot = max(start for start in shots if start <= first)
    start = shot if first - shot <= NEAR_FRAMES else first - WARM_UP_FRAMES
    for item in reversed(chain):  # what is not there any more is done without
        if start < item.first_frame <= first and not _is_there(chain, item.first_frame - 1):
            return item.first_frame
    return start


def _is_there(chain: list[Input], frame: int) -> bool:
    """Return whether the segment that holds a frame is there."""
    return next(i for i in reversed(chain) if i.first_frame <= frame).path.exists()


def _target(ledger: Ledger, own: MattingRange, item: Input) -> OutputTarget:
    return OutputTarget(ledger.folder.ranges / f"{own.number:03d}_{item.stem}{MATTE_SUFFIX}")


def _record_next(
    in_flight: dict[int, SegmentTask], executor: Executor, own: MattingRange, ledger: Ledger
) -> MattingRange:
    """Wait for an outcome, and record it; return the range with it.

    Raises:
        MattingError: the segment could not be matted.
    """
    number, outcome = executor.outcome()
    task = in_flight.pop(number)
    if isinstance(outcome, Failure):
        raise outcome.error
    if not task.targets:
        return own
    name = task.item.name
    if outcome.source != own.parts[name].source:
        discard_files(outcome)
        raise MediaError(f"{task.item.path} was changed while it was being matted.", retry=True)
    for file in outcome.files:
        file.give_name()
    own = own.with_matte(name, outcome.outputs[OutputKind.MATTE])
    ledger.record_ranges(with_range(ledger.ranges, own))
    return own


def require_matted_parts(inputs: InputFolder, own: MattingRange, ledger: Ledger) -> None:
    """Refuse a range of which a segment is not matted, or has no stored matte.

    Raises:
        InputError: names the segment, and what to do.
    """
    again = "Run infer on the folder of segments again."
    by_name = {item.name: item for item in inputs.inputs}
    for name, part in own.parts.items():
        entry = ledger.entry(name)
        if not (ledger.says_done(name) or entry.waiting):
            raise InputError(f"{name}, which the range is in, is not matted yet.", again)
        if OutputKind.MATTE not in entry.outputs:
            raise InputError(
                f"The matte of {name}, which the range is in, was not stored.",
                f"{again} With --keep-matte yes it is stored.",
                option="--keep-matte",
            )
        if entry.source != part.source:
            path = by_name[name].path
            raise InputError(f"{path} has changed since it was matted.", again)
