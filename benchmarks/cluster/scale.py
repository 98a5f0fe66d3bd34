"""Row: many workers over thousands of segments, with a stand-in for the network that sleeps."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.cluster.row import Row
from benchmarks.cluster.scale_part import SHOT_SEGMENTS, Shared
from benchmarks.processes import module_command, run

# Each worker gets as many shots as any other: what is left is not how they are divided.
WORKERS, SEGMENTS, SECONDS = 64, 5120, 4.0
MOST_OVERHEAD, MOST_GROWTH = 0.02, 1.1
MB = 10**6


def measure(folder: Path) -> Row:
    """Measure it in a process of its own."""
    command = module_command("cluster.scale_part", folder, SEGMENTS, WORKERS, SECONDS)
    shared = Shared(**json.loads(run(command).output))
    overhead = shared.worker_seconds / shared.busy_seconds - 1
    growth = shared.late_bytes / shared.early_bytes
    tail = shared.tail_seconds / shared.busy_seconds
    return Row(
        f"{WORKERS} workers in one process over {SEGMENTS:,} segments in shots of {SHOT_SEGMENTS}, "
        f"each {SECONDS:g} s of work for a stand-in that sleeps; from when all have their first",
        f"workers idle for less than {MOST_OVERHEAD:.0%} of the work; memory of run, scheduler and "
        "workers flat",
        f"{overhead:.2%}, of which {tail:.2%} at the end, where no segment was left; "
        f"{shared.early_bytes / MB:.0f} MB after a tenth, {shared.late_bytes / MB:.0f} MB at the "
        f"end; {shared.cpu_seconds:.0f} s of the processor, {shared.run_seconds:.1f} s of which "
        "are the run's own thread",
        overhead < MOST_OVERHEAD and growth < MOST_GROWTH,
    )
