"""How many frames the session computes at once on a device."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from matting.imaging.sample_format import SampleFormat, Size
from matting.inference.rvm import RvmInference
from matting.inference.session import (
    GPU_CHUNK_FRAMES,
    MattingSession,
    automatic_ratio,
    frames_that_fit,
)
from matting.inference.weights import load_checkpoint
from matting.network_choice import Subject
from matting.options import Precision
from model import MattingNetwork

GIB = 1 << 30
BT709 = (0.2126, 0.0722)
C420_8 = SampleFormat(8, BT709, subsampling=(2, 2))
C420_10 = SampleFormat(10, BT709, subsampling=(2, 2))
CPU = torch.device("cpu")
HD = Size(1920, 1080)


def network_bytes(size: Size, ratio: float) -> float:
    """Return how many bytes the network needs on a GPU for a frame."""
    return RvmInference(MattingNetwork(), CPU).frame_bytes(size, ratio)


@pytest.mark.parametrize("sample_format", [C420_8, C420_10])
def test_large_pictures_fit_a_small_gpu(sample_format: SampleFormat) -> None:
    size = Size(8192, 4096)
    ratio = automatic_ratio(size, Subject.FULL_BODY)
    frames = frames_that_fit(5 * GIB, sample_format, size, network_bytes(size, ratio))
    assert 1 <= frames <= 4
    # Eight chunks in flight, beside the network's own memory for one.
    assert frames * 8 * size.width * size.height * sample_format.pixel_bytes < 3 * GIB


def test_small_pictures_are_computed_many_at_once() -> None:
    frames = frames_that_fit(5 * GIB, C420_8, HD, network_bytes(HD, 0.4))
    assert frames >= GPU_CHUNK_FRAMES


def test_a_full_gpu_still_computes_one_frame() -> None:
    assert frames_that_fit(0, C420_8, HD, network_bytes(HD, 0.4)) == 1


@pytest.mark.parametrize(("largest_chunk", "frames"), [(None, 1), (3, 3)])
def test_a_cpu_computes_one_frame_at_once_unless_asked_for_more(
    largest_chunk: int | None, frames: int, random_checkpoint: Path
) -> None:
    network = load_checkpoint(random_checkpoint).network
    session = MattingSession(network, CPU, Precision.FP32, largest_chunk)
    assert session.chunk_frames(C420_8, HD, 0.4) == frames
