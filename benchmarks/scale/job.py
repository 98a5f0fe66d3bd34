"""A job on many tiny segments, and an executor whose results cost next to nothing."""

from __future__ import annotations

import time
from collections import deque
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from benchmarks.stand_in import RATE, SIZE, write_clip
from matting.imaging.frame_signs import SIGNS, CellMeans
from matting.media.images.pillow import encode_webp
from matting.media.probe import frame_times
from matting.options import OutputKind
from matting.progress import Progress
from matting.project.entry import InitialState, OutputFile, ProvenFile, SideFile
from matting.project.paths import segment_name, segments_folder
from matting.project.plan import Plan, PlannedSegment, write_plan
from matting.project.segment_signs import DoubtfulMoment, SegmentSigns
from matting.project.source_fingerprint import SourceFingerprint
from matting.system.fingerprint import Fingerprint
from matting.system.temporary_files import create_temporary
from matting.view import View
from matting.workers.executor import (
    Completion,
    Failure,
    Outcome,
    SegmentTask,
    TrialOutcome,
    WorkerSetup,
)

FRAMES = 3  # of a segment
FREE_BOX = b"free"  # a box of MP4 that players pass over


def write_job(folder: Path, count: int) -> Path:
    """Write a video, and the folder of so many segments that it might have been cut into.

    Each is a video of its own, with its own content.
    """
    video = write_clip(folder / "clip.mp4", FRAMES, seed=1)
    segments = segments_folder(video)
    segments.mkdir()
    content, pts = video.read_bytes(), sorted(frame_times(video))
    ticks = pts[1] - pts[0]
    planned = []
    for number in range(count):
        path = segments / segment_name(number)
        path.write_bytes(content + _numbered_box(number))
        first = number * FRAMES * ticks
        times = range(first, first + FRAMES * ticks, ticks)
        planned.append(PlannedSegment.of(path.name, times, Fingerprint.of(path)))
    plan = Plan(
        source=SourceFingerprint.of(video),
        time_base=Fraction(1, RATE * ticks),
        rate=Fraction(RATE),
        start_pts=0,
        seconds=Fraction(FRAMES, RATE),
        reencoded=False,
        segments=tuple(planned),
        shots=(),
        view=View(),
        size_px=SIZE,
    )
    write_plan(segments, plan)
    return segments


class StandIn:
    """An executor that mattes nothing: a segment's composite is the segment itself.

    Attributes:
        times: when each outcome was asked for, in seconds of a monotonic clock.
        written_bytes: of all results.
    """

    def __init__(self, _setup: WorkerSetup, folder: Path, _progress: Progress) -> None:
        self.times: list[float] = []
        self.written_bytes = 0
        self._tasks: deque[SegmentTask] = deque()
        self._submitted = 0
        self._signs = _signs(folder)

    at_once = 1

    def prepare(self, *, network: bool) -> None:
        """Need nothing."""

    def trial(self, task: SegmentTask) -> TrialOutcome | Failure:
        raise NotImplementedError(task)  # what is so short is not tried out

    @property
    def has_room(self) -> bool:
        return len(self._tasks) < 2

    def submit(self, task: SegmentTask) -> int:
        self._tasks.append(task)
        self._submitted += 1
        return self._submitted

    def outcome(self) -> Completion:
        self.times.append(time.monotonic())
        task = self._tasks.popleft()
        return Completion(self._submitted - len(self._tasks), self._outcome_of(task))

    def _outcome_of(self, task: SegmentTask) -> Outcome:
        content = task.item.path.read_bytes()
        files = [self._written(k, target.path, content) for k, target in task.targets.items()]
        if task.end_state is not None:
            files.append(self._written(SideFile.STATE, task.end_state, content[:100]))
        if task.signs is not None:
            files.append(self._written(SideFile.SIGNS, task.signs.path, self._signs))
        known = {f.kind: OutputFile.of(f.path, Fingerprint.of(f.temporary)) for f in files}
        state = known.get(SideFile.STATE)
        return Outcome(
            source=task.item.fingerprint(),
            start_state=InitialState.CARRIED if task.before else InitialState.FRESH,
            exact=True,
            ends_exact=True,
            frames=FRAMES,
            outputs={kind: own for kind, own in known.items() if isinstance(kind, OutputKind)},
            end_state=state.fingerprint if state else None,
            files=tuple(files),
            signs=known.get(SideFile.SIGNS),
        )

    def close(self) -> None:
        """Hold nothing."""

    def _written(self, kind: OutputKind | SideFile, path: Path, content: bytes) -> ProvenFile:
        file = ProvenFile(kind, create_temporary(path), path)
        file.temporary.write_bytes(content)
        self.written_bytes += len(content)
        return file


def _numbered_box(number: int) -> bytes:
    return (12).to_bytes(4, "big") + FREE_BOX + number.to_bytes(4, "big")


def _signs(folder: Path) -> bytes:
    """Return what is seen of a segment, with one picture of a doubtful frame."""
    path = create_temporary(folder / "signs")  # for others may do the same at the same time
    values = np.full((FRAMES, len(SIGNS)), 0.01, np.float32)
    cells = CellMeans(*torch.zeros(2, 1, 2, 2, dtype=torch.int16))
    picture = encode_webp(np.full((SIZE.height, SIZE.width, 3), 90, np.uint8), 50)
    moments = (DoubtfulMoment(1, picture, picture, picture),)
    SegmentSigns(values, cells, cells, 0.0, 60.0, moments).write(path)
    content = path.read_bytes()
    path.unlink()
    return content
