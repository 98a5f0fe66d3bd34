"""What half precision must leave of a network's results, whichever variant it is of."""

from __future__ import annotations

import torch

from matting.imaging.sample_format import Size
from model import MattingNetwork, optimise_for_inference


def require_float32_results(network: MattingNetwork, dtype: torch.dtype, size: Size) -> None:
    """Run a network in half precision: its results are float32, and near those without."""
    shape = 2, 3, size.height, size.width
    small = torch.rand(shape, generator=torch.Generator().manual_seed(5))
    with torch.inference_mode():
        _, expected, _ = network.run_small(small, None, 2, refine=True)
        fast = optimise_for_inference(network, dtype)
        slope, offset, state = fast.run_small(small, None, 2, refine=True)
    assert slope is not None
    assert {tensor.dtype for tensor in (slope, offset, *state)} == {torch.float32}
    assert 0 < (offset - expected).abs().mean() < 0.02
