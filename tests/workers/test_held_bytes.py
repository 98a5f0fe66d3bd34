"""What a batch of frames is counted as, by which queues are bounded."""

from __future__ import annotations

import torch

from matting.imaging.matte_planes import blank_corrections, from_planes
from matting.imaging.planes import Planes
from matting.imaging.renderer import StoredFrames
from matting.imaging.sample_format import SampleFormat, Size
from matting.workers.held_bytes import held_bytes
from matting.workers.segment_job import StoredBatch

SIZE = Size(64, 32)
PIXELS = SIZE.width * SIZE.height


def test_a_batch_holds_its_source_and_its_matte() -> None:
    source = _source()
    assert held_bytes(source) == PIXELS * 3 // 2
    alpha = Planes(SampleFormat(10), torch.zeros(1, 1, *SIZE[::-1], dtype=torch.uint16))
    matte = from_planes(alpha, blank_corrections(source, SIZE))
    batch = StoredBatch(StoredFrames(source, matte), (0,))
    assert held_bytes((object(), batch)) == PIXELS * (3 + 2 + 3) // 2 + PIXELS


def test_memory_that_is_shared_counts_once_and_whole() -> None:
    whole = torch.zeros(10, 100, dtype=torch.uint8)
    assert held_bytes((whole, whole[:5])) == 1000
    assert held_bytes([whole[2:4]]) == 1000
    assert held_bytes(whole[:1].expand(50, 100)) == 1000


def test_what_is_no_tensor_on_the_cpu_counts_nothing() -> None:
    assert held_bytes(("END", None, 7)) == 0
    assert held_bytes(torch.zeros(100, device="meta")) == 0


def _source() -> Planes:
    sample_format = SampleFormat(8, subsampling=(2, 2))
    width, height = sample_format.chroma_size(SIZE)
    luma = torch.zeros(1, 1, SIZE.height, SIZE.width, dtype=torch.uint8)
    chroma = torch.zeros(1, 2, height, width, dtype=torch.uint8)
    return Planes(sample_format, luma, chroma)
