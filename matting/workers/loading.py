"""Getting whoever does the work ready, before there is any."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from matting.errors import MattingError
from matting.options import MattingOptions
from matting.progress import Progress
from matting.project.ledger import Ledger
from matting.workers.executor import Executor
from matting.workers.job_precision import keep_precision
from matting.workers.memory_need import warn_of_little_memory
from matting.workers.schedule import Action, Step


def load(
    steps: Sequence[Step],
    executor: Executor,
    options: MattingOptions,
    ledger: Ledger,
    progress: Progress,
) -> None:
    """Have the network loaded, if the steps need it; it takes a while and much memory.

    Raises:
        MattingError: no segment could be matted.
    """
    if all(step.action is Action.RENDER for step in steps):
        executor.prepare(network=False)
        return
    with suppress(MattingError):  # the run itself will tell why
        first = steps[0].item
        warn_of_little_memory(first.open(options.output.frame_rate).size_px, progress)
    progress.start("Loading the network ...", 0, "")
    try:
        choice = executor.prepare(network=True)
    finally:
        progress.finish()
    keep_precision(choice, ledger, progress)
