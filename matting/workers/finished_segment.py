"""The end of a segment: its files closed, checked and hashed, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable

import torch

from matting.inference.state import save_state
from matting.options import OutputKind
from matting.project.entry import OutputFile, SideFile
from matting.system import accelerators
from matting.system.fingerprint import Fingerprint
from matting.workers.executor import Outcome, TrialOutcome
from matting.workers.segment_job import SegmentJob


def finish(job: SegmentJob, device: torch.device, alive: Callable[[], None]) -> None:
    """Finish a segment that is written, and give it its outcome.

    Args:
        device: the network's.
        alive: called while its files are checked and hashed.
    Raises:
        MattingError: a file is not what it should be, or cannot be written.
    """
    job.writer.finish(lambda _frames: alive())
    task, side_files = job.task, job.side_files
    if task.end_state is not None:
        path = side_files.create(SideFile.STATE, task.end_state)
        with accelerators.alone_on(device):
            save_state(path, job.end_state)
    signs = job.writer.signs
    if task.signs is not None and signs is not None:
        signs.collected().write(side_files.create(SideFile.SIGNS, task.signs.path))
    files = job.proven_files()
    recorded = {
        file.kind: OutputFile.of(file.path, Fingerprint.of(file.temporary, alive)) for file in files
    }
    state = recorded.get(SideFile.STATE)
    outcome = Outcome(
        source=job.fingerprint(),
        start_state=job.start_state,
        exact=job.exact,
        ends_exact=job.ends_exact,
        frames=job.source.frames,
        frames_with_small_people=job.frames_with_small_people,
        outputs={kind: own for kind, own in recorded.items() if isinstance(kind, OutputKind)},
        end_state=state.fingerprint if state else None,
        files=files,
        run_up_is_whole=job.run_up_is_whole,
        signs=recorded.get(SideFile.SIGNS),
    )
    if job.clock is not None:
        for file in files:
            file.give_name()
        memory = accelerators.memory(device)
        outcome = TrialOutcome(**vars(outcome), clock=job.clock, gpu_bytes=memory)
    job.release()
    job.outcome = outcome
