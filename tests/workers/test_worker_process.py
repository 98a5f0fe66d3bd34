"""Workers that crash, hang and run out of memory cost a try, and at worst their segment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from matting.errors import InputError, MachineError, OutOfMemoryError, SegmentsFailedError
from matting.imaging.frame_parts import FrameParts
from matting.imaging.planes import TimedBatch
from matting.infer import infer
from matting.inference.base import RecurrentOutput
from matting.inference.run_up import FeatureBatch
from matting.progress import Progress
from matting.project.paths import MattedFolder
from matting.system.memory import enough_memory
from matting.system.subprocesses import process_context, run_isolated
from matting.workers.executor import ExecutorFactory, WorkerSetup
from matting.workers.matting_stage import MattingStage
from matting.workers.supervisor import Supervisor
from matting.workers.worker import Worker
from matting.workers.worker_process import Serve, serve_tasks
from tests.support import faulty_worker
from tests.support.recorder import Recorder
from tests.support.stages import (
    assert_same,
    composites,
    cut,
    interrupt_after,
    matte,
    matting_options,
    processed,
    with_compute,
)

# Torch alone takes some of it to be imported; no single step of the work here does.
PATIENCE_SECONDS = 6.0


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, light_checkpoint: Path) -> MattedFolder:
    """Return what comes of the clip of all tests where nothing breaks."""
    segments = cut(tmp_path_factory.mktemp("undisturbed"), Recorder())
    return matte(segments, light_checkpoint, Recorder())


def isolated(
    segments: Path,
    checkpoint: Path,
    progress: Recorder,
    serve: Serve = serve_tasks,
) -> MattedFolder:
    """Return the matted folder as a worker process makes it."""
    options = with_compute(
        matting_options(checkpoint), isolated=True, patience_seconds=PATIENCE_SECONDS
    )
    return infer(
        segments, options, segments.parent / "isolated", progress, faulty_worker.serving(serve)
    )


@pytest.mark.parametrize(
    "how",
    [
        (faulty_worker.crash_once, "broke off"),
        (faulty_worker.hang_once, "Nothing moved for 6 seconds"),
        (faulty_worker.gpu_breaks_once, "illegal memory access"),
    ],
    ids=["crash", "hang", "GPU"],
)
def test_a_new_worker_goes_on(
    how: tuple[Serve, str],
    tmp_path: Path,
    progress: Recorder,
    light_checkpoint: Path,
    undisturbed: MattedFolder,
) -> None:
    serve, why = how
    segments = cut(tmp_path, progress)
    folder = isolated(segments, light_checkpoint, progress, serve)
    assert faulty_worker.breaks(folder.root) == 1
    assert progress.mentions(why)
    assert progress.mentions("Trying again, 2 of 3")
    assert progress.done == progress.totals[-1] == 70
    assert_same(folder, undisturbed)


def test_after_three_tries_the_others_are_done(
    tmp_path: Path,
    progress: Recorder,
    light_checkpoint: Path,
) -> None:
    segments = cut(tmp_path, progress)
    crash = faulty_worker.crash_always
    with pytest.raises(SegmentsFailedError, match=r"1 of 3(.|\n)*output_001.mp4"):
        isolated(segments, light_checkpoint, progress, crash)
    folder = MattedFolder(tmp_path / "isolated" / "clip_segments_matted")
    assert faulty_worker.breaks(folder.root) == 3
    assert list(processed(folder).values()) == [True, False, True]
    assert not list(folder.root.rglob("*.partial"))


def test_a_fault_of_the_program_costs_its_segment(
    tmp_path: Path,
    progress: Recorder,
    light_checkpoint: Path,
) -> None:
    segments = cut(tmp_path, progress)
    with pytest.raises(SegmentsFailedError, match=r"1 of 3(.|\n)*fault of this program"):
        isolated(segments, light_checkpoint, progress, faulty_worker.fault)
    assert progress.mentions("Traceback")
    assert progress.mentions("no number")
    folder = MattedFolder(tmp_path / "isolated" / "clip_segments_matted")
    assert list(processed(folder).values()) == [True, False, True]


def test_an_interruption_ends_the_process(
    tmp_path: Path,
    progress: Recorder,
    light_checkpoint: Path,
    undisturbed: MattedFolder,
) -> None:
    segments = cut(tmp_path, progress)
    folder = MattedFolder(tmp_path / "isolated" / "clip_segments_matted")
    interrupt_after(progress, folder, "output_000.mp4")
    with pytest.raises(KeyboardInterrupt):
        isolated(segments, light_checkpoint, progress)
    assert list(processed(folder).values()) == [True, False, False]
    assert not list(folder.root.rglob("*.partial"))
    again = Recorder()
    isolated(segments, light_checkpoint, again)
    assert again.totals == [40]
    assert_same(folder, undisturbed)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot fork from what is loaded")
def test_processes_of_tests_come_loaded() -> None:
    """Else each imports for seconds what it needs, and no other test fails."""
    loaded = partial(eval, "{'torch', 'matting.workers.worker'} <= {*__import__('sys').modules}")
    assert run_isolated(loaded, 60) is True


def test_a_worker_left_behind_lets_go(
    tmp_path: Path, progress: Recorder, light_checkpoint: Path, undisturbed: MattedFolder
) -> None:
    """The run is killed, its worker is not: that one notices, and the next run can start."""
    segments = cut(tmp_path, progress)
    ours, theirs = process_context().Pipe(duplex=False)
    given = (theirs, segments, light_checkpoint, segments.parent / "isolated")
    run = process_context().Process(target=faulty_worker.run_aloud, args=given)
    with ours:
        with theirs:
            run.start()
        while "output_001.mp4: ratio" not in ours.recv():
            pass
        run.kill()
        run.join()
    folder = isolated(segments, light_checkpoint, progress)
    assert_same(folder, undisturbed)


class NoMemory(MattingStage):
    """A stage on a machine without memory for a single frame.

    Attributes:
        refused: how often.
    """

    refused = 0

    def run_recurrent(
        self, features: FeatureBatch, progress: Progress
    ) -> Iterator[TimedBatch[FrameParts[RecurrentOutput]]]:
        NoMemory.refused += 1
        raise OutOfMemoryError("There is too little memory.")


@pytest.fixture
def without_memory() -> Iterator[ExecutorFactory]:
    """Return a factory of supervisors whose workers have no memory."""

    def start(setup: WorkerSetup, _folder: Path, _progress: Progress) -> Worker:
        return Worker(setup, stage_of=NoMemory)

    NoMemory.refused = 0
    yield partial(Supervisor, start=start)


def test_no_memory_for_one_frame_fails_the_segment_after_three_tries(
    tmp_path: Path, progress: Recorder, light_checkpoint: Path, without_memory: ExecutorFactory
) -> None:
    segments = cut(tmp_path, progress, 20)
    options = with_compute(matting_options(light_checkpoint), largest_chunk=1)
    with pytest.raises(SegmentsFailedError, match="too little memory"):
        infer(segments, options, None, progress, without_memory)
    assert NoMemory.refused == 3


def test_weights_that_are_replaced_while_they_are_used(
    tmp_path: Path,
    light_checkpoint: Path,
    empty_checkpoint: Path,
    without_memory: ExecutorFactory,
) -> None:
    """A worker that takes over must not continue with other weights."""
    segments = cut(tmp_path, Recorder())
    weights = tmp_path / "weights.pth"
    weights.write_bytes(light_checkpoint.read_bytes())

    class ReplacingWeights(Recorder):
        def say(self, text: str) -> None:
            if "Trying again" in text:
                weights.write_bytes(empty_checkpoint.read_bytes())

    with pytest.raises(InputError, match="was replaced"):
        infer(segments, matting_options(weights), None, ReplacingWeights(), without_memory)
    folder = MattedFolder.of(segments)
    assert not any(processed(folder).values())
    assert "was replaced" not in folder.manifest.read_text(encoding="utf-8")


def test_weights_that_are_none_cost_nothing(
    tmp_path: Path, progress: Recorder, light_checkpoint: Path
) -> None:
    """What was done before stays done, and the fault is shown once, not for each segment."""
    segments = cut(tmp_path, progress)
    folder = matte(segments, light_checkpoint, progress, segments.parent / "isolated")
    before = [path.read_bytes() for path in composites(folder)]
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"no weights")
    with pytest.raises(InputError, match="does not hold the weights"):
        isolated(segments, weights, progress)
    assert all(processed(folder).values())
    assert [path.read_bytes() for path in composites(folder)] == before


def test_the_processors_lack_of_memory_is_told_as_such() -> None:
    words = "[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"
    with pytest.raises(OutOfMemoryError, match="too little memory"), enough_memory():
        raise RuntimeError(words)
    with pytest.raises(MachineError, match="graphics card"), enough_memory():
        raise RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED")
    with pytest.raises(RuntimeError, match="our own"), enough_memory():
        raise RuntimeError("a fault of our own")
