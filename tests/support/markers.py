"""Which tests need a GPU, what happens without one, and what a GPU is expected to have."""

from __future__ import annotations

import os

import pytest
import torch

from matting.options import VideoCodec

HAS_GPU = torch.cuda.is_available()
PROMISE = "RVM_FAIL_WITHOUT_CUDA"

# By compute capability, data centre GPUs without NVENC: A100, A30; H100, H200; B200; B300.
# Source: NVIDIA, "Video Encode and Decode GPU Support Matrix", which names the chips below, too.
WITHOUT_NVENC = {(8, 0), (9, 0), (10, 0), (10, 3)}
CHIPS_WITHOUT_NVENC = ("GT 1030", "GeForce MX")
AV1_SINCE = (8, 9)

without_gpu = pytest.mark.skipif(HAS_GPU, reason="is for machines without a GPU")


def require_gpu(item: pytest.Item) -> None:
    """Skip a test marked `gpu` where torch can use no GPU; fail it where one is promised.

    RVM_FAIL_WITHOUT_CUDA=1 promises one.
    """
    if HAS_GPU or item.get_closest_marker("gpu") is None:
        return
    if os.environ.get(PROMISE) == "1":
        pytest.fail(f"{PROMISE}=1 promises a GPU, and torch can use none", pytrace=False)
    pytest.skip("needs an NVIDIA GPU that torch can use")


def gpu_has_nvenc(codec: VideoCodec) -> bool:
    """Return whether NVIDIA says that the first GPU encodes this codec."""
    capability = torch.cuda.get_device_capability(0)
    name = torch.cuda.get_device_name(0)
    if capability in WITHOUT_NVENC or any(chip in name for chip in CHIPS_WITHOUT_NVENC):
        return False
    return codec != VideoCodec.AV1 or capability >= AV1_SINCE
