"""What is freed is used again, also where it is much: else the system clears every page of it."""

from __future__ import annotations

import multiprocessing
import platform
from multiprocessing.connection import Connection

import pytest
import torch

from matting.system.memory import keep_freed_memory
from matting.system.subprocesses import process_context

BLOCK_BYTES = 48 << 20
FEW = 1000  # pages; a block has 12,288 of 4 KiB
SECONDS = 60.0


def tell_faults(told: Connection) -> None:
    """Tell how many pages the system had to clear for blocks of memory that follow each other."""
    import resource  # noqa: PLC0415 - Windows has none

    def faults_of_blocks() -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(4):
            torch.ones(BLOCK_BYTES, dtype=torch.uint8)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    keep_freed_memory()
    faults_of_blocks()
    told.send(faults_of_blocks())


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc that has to be told")
def test_a_large_block_is_not_cleared_again() -> None:
    # As the program does: in a process whose threads have got no arenas of their own before.
    hears, told = multiprocessing.Pipe(duplex=False)
    with hears, told:
        process = process_context().Process(target=tell_faults, args=(told,))
        process.start()
        assert hears.poll(SECONDS)
        assert hears.recv() < FEW
        process.join()
        process.close()
