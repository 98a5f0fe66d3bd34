"""The network's weights: finding, downloading, verifying and loading a checkpoint."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from matting.errors import InputError, StorageError
from matting.inference.published import DEFAULT_MODEL, PUBLISHED
from matting.network_choice import Model
from matting.progress import Progress
from matting.system import atomic_files, files
from matting.system.cache_folder import VARIABLE as CACHE_VARIABLE
from matting.system.cache_folder import cache_folder

if TYPE_CHECKING:
    from matting.inference.base import TrainedNetwork

VARIABLE = "RVM_CHECKPOINT"
MOST_BYTES = 1 << 28  # more than twice that of the largest published one


@dataclass(frozen=True)
class Checkpoint:
    """A network with its weights, and what identifies them."""

    path: Path
    sha256: str
    network: TrainedNetwork


def default_path(model: Model = DEFAULT_MODEL) -> Path:
    """Return where a network's weights are downloaded to, see `cache_folder`."""
    return cache_folder() / PUBLISHED[model].name


def find_checkpoint(chosen: Path | None, progress: Progress, model: Model | None = None) -> Path:
    """Return the checkpoint to use; if none is there, download the published one.

    Args:
        chosen: the one asked for; None: that of `model`.
        model: the network asked for; None: the one that the variable names, else the default.
    Raises:
        InputError: the one asked for, or named by the variable, is not there.
        MissingError: it had to be downloaded and could not be.
        StorageError: the download could not be written.
    """
    present = present_checkpoint(chosen, model)
    if present is not None:
        return present
    from matting.inference.weights_download import download

    wanted = model or DEFAULT_MODEL
    path = default_path(wanted)
    try:
        atomic_files.make_folder(path.parent)
        download(path, progress, PUBLISHED[wanted])
    except StorageError as error:
        if error.option is None:  # the disk is full
            raise
        raise StorageError(  # the results may go where they are told, which is no help here
            error.what,
            f"Set the variable {CACHE_VARIABLE} to a folder that may be written, for the "
            "network's weights.",
        ) from error
    return path


def present_checkpoint(chosen: Path | None = None, model: Model | None = None) -> Path | None:
    """Return what `find_checkpoint` does; None where that would have to be downloaded.

    Raises:
        InputError: the one asked for, or named by the variable, is not there.
    """
    if chosen is not None:
        _require(chosen, f"The checkpoint {chosen}")
        return chosen
    if model is None and os.environ.get(VARIABLE):
        named = Path(os.environ[VARIABLE])
        _require(named, f"The checkpoint {named}, named by the variable {VARIABLE},")
        return named
    path = default_path(model or DEFAULT_MODEL)
    return path if path.is_file() else None


def load_checkpoint(path: Path) -> Checkpoint:
    """Return the network with the weights of `path`; half-precision ones are widened to float32.

    Raises:
        InputError: it is a checkpoint of no known network; names the first parameter that differs.
    """
    from matting.inference import torch_files
    from matting.inference.base import WrongWeightsError
    from matting.inference.registry import network_of

    _require(path, f"The checkpoint {path}")
    if path.stat().st_size > MOST_BYTES:
        raise _refused(path, "it is far too large")
    content = _read(path)  # once, so that the hash is of what is loaded, even if it is replaced
    try:
        weights = torch_files.load_tensors(content)
    except torch_files.UnreadableError as error:
        raise _refused(path, "it cannot be read as one") from error
    if not isinstance(weights, dict):
        raise _refused(path, f"it holds a {type(weights).__name__} instead of named parameters")
    try:
        network = network_of(weights)
    except WrongWeightsError as error:
        raise _refused(path, str(error)) from error
    return Checkpoint(path, hashlib.sha256(content).hexdigest(), network)


def _read(path: Path) -> bytes:
    try:
        return atomic_files.retry_on_sharing_violation(path.read_bytes)
    except OSError as error:
        raise files.read_error(path, error) from error


def _require(path: Path, what: str) -> None:
    if not path.is_file():
        raise InputError(f"{what} is not there, or is no file.", "Check the path and its spelling.")


def _refused(path: Path, why: str) -> InputError:
    return InputError(
        f"{path} does not hold the weights of the network: {why}.",
        f"Use the file {PUBLISHED[DEFAULT_MODEL].name}, which is downloaded where no --checkpoint "
        "is given.",
    )
