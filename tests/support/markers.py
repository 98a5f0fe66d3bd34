"""Which tests need a graphics card, and what happens to them where there is none."""

from __future__ import annotations

import os

import pytest
import torch

HAS_GPU = torch.cuda.is_available()
PROMISE = "RVM_FAIL_WITHOUT_CUDA"

without_gpu = pytest.mark.skipif(HAS_GPU, reason="is for machines without a graphics card")


def require_gpu(item: pytest.Item) -> None:
    """Skip a test marked `gpu` where torch can use no GPU; fail it where one is promised.

    RVM_FAIL_WITHOUT_CUDA=1 promises one.
    """
    if HAS_GPU or item.get_closest_marker("gpu") is None:
        return
    if os.environ.get(PROMISE) == "1":
        pytest.fail(f"{PROMISE}=1 promises a GPU, and torch can use none", pytrace=False)
    pytest.skip("needs an NVIDIA graphics card that torch can use")
