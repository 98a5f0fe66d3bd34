"""Half precision on a processor that computes it slowly: rounded to it, computed in float32.

A convolution in half precision takes rounded numbers, adds their products up in float32 and rounds
the sum. Computed like that, only the order of the additions differs. All else is done in half.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


class HalfPrecision(TorchFunctionMode):
    """A context in which convolutions of half precision are emulated."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is not torch.conv2d or args[0].dtype == torch.float32:
            return func(*args, **kwargs)
        wide: list[Any] = [a.float() if isinstance(a, Tensor) else a for a in args]
        return func(*wide, **kwargs).to(args[0].dtype)
