"""The end of a segment: its files closed, checked and hashed, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable

import torch

from matting.inference.state import save_state
from matting.project.entry import OutputFile
from matting.system.fingerprint import Fingerprint
from matting.system.memory import gpu_bytes
from matting.workers.executor import Outcome, TrialOutcome
from matting.workers.segment_job import SegmentJob


def finish(job: SegmentJob, device: torch.device, alive: Callable[[], None]) -> None:
    """Finish a segment that is written, and give it its outcome.

    Args:
        alive: called while its files are checked and hashed.
    Raises:
        MattingError: a file is not what it should be, or cannot be written.
    """
    job.writer.finish(lambda _frames: alive())
    if job.task.end_state is not None:
        save_state(job.temporary_state(), job.end_state)
    files = job.proven_files()
    outcome = Outcome(
        source=job.fingerprint(),
        start_state=job.start_state,
        exact=job.exact,
        ends_exact=job.ends_exact,
        frames=job.source.frames,
        frames_with_small_people=job.frames_with_small_people,
        outputs={
            file.kind: OutputFile.of(file.path, Fingerprint.of(file.temporary, alive))
            for file in files
            if file.kind is not None
        },
        end_state=next((Fingerprint.of(f.temporary) for f in files if f.kind is None), None),
        files=files,
        run_up_is_whole=job.run_up_is_whole,
    )
    if job.clock is not None:
        for file in files:
            file.give_name()
        memory = gpu_bytes(device)
        outcome = TrialOutcome(**vars(outcome), clock=job.clock, gpu_bytes=memory)
    job.release()
    job.outcome = outcome
