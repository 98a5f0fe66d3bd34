"""Frames between the CPU and a GPU."""

from __future__ import annotations

import torch

from matting.imaging.device_copy import allocate_pinned, to_device, to_host
from tests.support.frames import NV12, random_video
from tests.support.markers import without_gpu

CPU = torch.device("cpu")


def test_nothing_is_copied_where_there_is_no_gpu() -> None:
    planes = random_video(NV12, 1, 46, 70)
    assert to_host(planes) is planes
    assert to_device(planes, CPU).luma_or_rgb is planes.luma_or_rgb


@without_gpu
def test_memory_that_cannot_be_pinned_is_done_without() -> None:
    assert allocate_pinned(torch.zeros(2, 3)) is None
