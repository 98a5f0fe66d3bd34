"""Reading what `torch.save` wrote, from files that may hold anything."""

from __future__ import annotations

import io
import pickle
import warnings

import torch

# What torch.load was seen to raise on files that it did not write.
UNREADABLE = (
    OSError,
    RuntimeError,
    pickle.UnpicklingError,
    ValueError,
    TypeError,
    EOFError,
    LookupError,
    AttributeError,
    AssertionError,
)


class UnreadableError(ValueError):
    """Bytes are not what `torch.save` writes, or hold more than tensors in plain containers."""


def load_tensors(content: bytes) -> object:
    """Return the tensors in `content`, on the CPU, in the containers they were saved in.

    Raises:
        UnreadableError: it holds none, is damaged, or would run code.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickles of other programs
            value: object = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        raise UnreadableError(str(error)) from error
    return value
