"""Reading what `torch.save` wrote, from files that may hold anything."""

from __future__ import annotations

import io
import pickle
import warnings
import zipfile

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
    zipfile.BadZipFile,
    NotImplementedError,
)


class UnreadableError(ValueError):
    """Bytes are not what `torch.save` writes, or hold more than tensors in plain containers."""


def load_tensors(content: bytes) -> object:
    """Return the tensors in `content`, on the CPU, in the containers they were saved in.

    Raises:
        UnreadableError: it holds none, is damaged, would run code, or would take more memory than
            `content` itself.
    """
    try:
        _require_uncompressed(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickles of other programs
            value: object = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        raise UnreadableError(str(error)) from error
    return value


def _require_uncompressed(content: bytes) -> None:
    """Refuse an archive that unpacks to more than it is; `torch.save` does not compress."""
    file = io.BytesIO(content)
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            if sum(member.file_size for member in archive.infolist()) > len(content):
                raise UnreadableError("it is compressed")
