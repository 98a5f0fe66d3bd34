"""What is said where there is too little memory: before, and when it was too little."""

from __future__ import annotations

import pytest

from matting.errors import MachineError, OutOfMemoryError
from matting.imaging.sample_format import Size
from matting.workers.memory_need import ended_by_the_system, warn_of_little_memory
from tests.support.recorder import Recorder

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("size", "available", "warned"),
    [
        (Size(1920, 1080), 0.9, True),
        (Size(1920, 1080), 3, False),
        (Size(8192, 4096), 3, True),
        (Size(8192, 4096), 8, False),
        (Size(64, 48), 0.9, True),
    ],
)
def test_too_little_memory_is_told_before(
    size: Size, available: float, warned: bool, progress: Recorder
) -> None:
    warn_of_little_memory(size, progress, int(available * GB))
    assert bool(progress.said) == warned
    if warned:
        assert f"{size.width}x{size.height}" in " ".join(progress.said)
        assert ("900 MB" if available < 1 else f"{available:.1f} GB") in " ".join(progress.said)


@pytest.mark.parametrize("for_memory", [True, False])
def test_a_worker_that_was_killed_is_no_matter_of_drivers(for_memory: bool) -> None:
    error = ended_by_the_system(for_memory=for_memory)
    assert isinstance(error, MachineError) and isinstance(error, OutOfMemoryError)
    assert "memory" in error.what.lower()
    assert "driver" not in f"{error.what} {error.advice()}"
    assert ("Memory ran out" in error.what) == for_memory
