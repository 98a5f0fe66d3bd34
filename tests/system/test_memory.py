"""What is freed is used again, also where it is much: else the system clears every page of it."""

from __future__ import annotations

import platform

import pytest
import torch

from matting.system.memory import keep_freed_memory

BLOCK_BYTES = 48 << 20
FEW = 1000  # pages; a block has 12,288 of 4 KiB


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc that has to be told")
def test_a_large_block_is_not_cleared_again() -> None:
    import resource  # noqa: PLC0415 - Windows has none

    def faults_of_blocks() -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(4):
            torch.ones(BLOCK_BYTES, dtype=torch.uint8)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    keep_freed_memory()
    faults_of_blocks()
    assert faults_of_blocks() < FEW
