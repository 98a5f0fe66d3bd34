"""Reading what `torch.save` wrote, with whatever else a file of that name may hold."""

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


def loaded(content: bytes) -> object:
    """Return the tensors in `content`, on the CPU, in the containers they were saved in.

    Raises:
        UnreadableError: it holds none, is damaged, or would run code.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's thoughts on the pickles of other programs
            found: object = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        raise UnreadableError(str(error)) from error
    return found
