"""Half precision on a processor that computes it slowly: rounded to it, computed in float32.

A convolution in half precision takes rounded numbers, adds their products up in float32 and rounds
the sum. Computed like that, only the order of the additions differs. All else is left to autocast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


class _RoundedConvolutions(TorchFunctionMode):
    """Takes the place of every two-dimensional convolution."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self._dtype = dtype

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        convolution = func is torch.conv2d
        if not convolution:
            return func(*args, **(kwargs or {}))
        rounded = [self._rounded(a) if isinstance(a, Tensor) else a for a in args]
        with torch.autocast("cpu", enabled=False):
            return func(*rounded, **(kwargs or {})).to(self._dtype)

    def _rounded(self, tensor: Tensor) -> Tensor:
        return tensor.to(self._dtype).float()


@contextmanager
def half_precision(dtype: torch.dtype) -> Iterator[None]:
    """Computes what is in the block on the CPU as autocast does in `dtype`."""
    with torch.autocast("cpu", dtype=dtype), _RoundedConvolutions(dtype):
        yield
