"""Short ways to run the stages on generated clips."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from msgspec import structs

from matting.imaging.frame_parts import whole_frames
from matting.imaging.planes import Planes, concatenate
from matting.imaging.renderer import StoredFrames, compose_outputs, render_matte_planes
from matting.imaging.sample_format import SampleFormat
from matting.infer import infer
from matting.inference.session import MattingSession
from matting.network_choice import SmallPeople
from matting.options import (
    ComputeOptions,
    CuttingOptions,
    EncodingOptions,
    MatteOptions,
    MattingOptions,
    OutputKind,
    OutputOptions,
    VideoCodec,
)
from matting.progress import Progress
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.project.plan import read_plan, write_plan
from matting.segment import segment
from matting.workers.executor import Outcome, SegmentTask, WorkerSetup
from matting.workers.worker import Worker
from tests.support.clips import make_clip
from tests.support.recorder import Recorder

FAST = EncodingOptions(VideoCodec.H264, quality=4)
FAST_OUTPUT = OutputOptions(encoding=FAST)
# A network this small takes as long for one frame as for a few.
CHUNK_FRAMES = 8
SECOND = CuttingOptions(seconds=Fraction(1))


def matting_options(
    checkpoint: Path | None, output: OutputOptions = FAST_OUTPUT, ratio: float | None = 1.0
) -> MattingOptions:
    """Return options for tiny pictures on the CPU, in which nobody is looked for a second time."""
    return MattingOptions(
        matte=MatteOptions(checkpoint, ratio=ratio, small_people=SmallPeople.OFF),
        output=output,
        compute=ComputeOptions("cpu", isolated=False, largest_chunk=CHUNK_FRAMES),
    )


def matte_and_render(
    session: MattingSession,
    source: Planes,
    ratio: float,
    formats: Mapping[OutputKind, SampleFormat],
    background: tuple[int, int, int],
) -> dict[OutputKind, Planes]:
    """Return the outputs of a session's next frames, on the CPU."""
    mattes = (whole_frames(matte.source, matte) for matte in session.mattes(source, ratio))
    parts = [
        compose_outputs(StoredFrames(own.source, render_matte_planes(own)), formats, background)
        for own in mattes
    ]
    return {kind: concatenate([part[kind] for part in parts]) for kind in formats}


def assert_same(one: MattedFolder, other: MattedFolder) -> None:
    """Assert that both folders have the same composites, byte for byte."""
    assert composites(one)
    for mine, theirs in zip(composites(one), composites(other), strict=True):
        assert mine.read_bytes() == theirs.read_bytes()


def cut(folder: Path, progress: Recorder, frames: int = 70, name: str = "clip.mp4") -> Path:
    """Cut a generated clip into segments of one second; return their folder."""
    return segment(make_clip(folder / name, frames), SECOND, None, progress)


def matte(
    segments: Path, checkpoint: Path, progress: Recorder, output: Path | None = None
) -> MattedFolder:
    """Matte a folder of segments; return the matted folder."""
    return infer(segments, matting_options(checkpoint), output, progress)


def with_matte(options: MattingOptions, **changes: Any) -> MattingOptions:
    return replace(options, matte=replace(options.matte, **changes))


def with_output(options: MattingOptions, **changes: Any) -> MattingOptions:
    return replace(options, output=replace(options.output, **changes))


def with_compute(options: MattingOptions, **changes: Any) -> MattingOptions:
    return replace(options, compute=replace(options.compute, **changes))


def with_shots(segments: Path, shots: tuple[int, ...]) -> Path:
    """Have the plan of a folder say that shots start at those frames; return the folder."""
    plan = read_plan(segments)
    assert plan is not None
    write_plan(segments, structs.replace(plan, shots=shots))
    return segments


def composites(folder: MattedFolder) -> list[Path]:
    return sorted(folder.output_folder(OutputKind.COMPOSITE).glob("*.mp4"))


def processed(folder: MattedFolder) -> dict[str, bool]:
    value = json.loads(folder.processed.read_text(encoding="utf-8"))
    assert isinstance(value, dict) and value, "no segment is listed"
    return value


def run_tasks(
    setup: WorkerSetup, tasks: Sequence[SegmentTask], progress: Progress
) -> list[Outcome]:
    """Run a worker on tasks, and give their files names; return the outcomes."""
    with Worker(setup) as worker:
        for task in tasks:
            worker.submit(task)
        outcomes = [worker.outcome(progress) for _ in tasks]
    for outcome in outcomes:
        for file in outcome.files:
            file.give_name()
    return outcomes


def interrupt_after(progress: Recorder, folder: MattedFolder, name: str) -> None:
    """Interrupt the next run once `name` is recorded, while the segment after it is under way."""

    def interrupt() -> None:
        if Ledger(folder).says_done(name):
            raise KeyboardInterrupt

    progress.on_segment_end = interrupt
