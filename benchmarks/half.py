"""Half precision on a CPU that computes it slowly: rounded to it, but computed in float32.

A convolution in half precision takes rounded numbers, adds up their products in float32 and rounds
the sum. Computed like that, only the order of the additions differs. All else is done in half.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


class HalfPrecision(TorchFunctionMode):
    """Emulate convolutions of half precision, in a `with` block."""

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
        exact: list[Any] = [arg.float() if isinstance(arg, Tensor) else arg for arg in args]
        return func(*exact, **kwargs).to(args[0].dtype)
