"""The network's weights: finding, downloading, verifying and loading a checkpoint."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from matting.errors import InputError, MissingError, writing
from matting.progress import Progress
from matting.system import atomic_files, files
from matting.system.download import DownloadError, DownloadLimits
from matting.system.download import download as download_file
from matting.system.temporary_files import create_temporary

if TYPE_CHECKING:
    from matting.inference.base import TrainedNetwork

NAME = "rvm_mobilenetv3.pth"
URL = f"https://github.com/PeterL1n/RobustVideoMatting/releases/download/v1.0.0/{NAME}"
SHA256 = "3c7c1d92033f7c38d6577c481d13a195d7d80a159b960f4f3119ac7b534cf4f8"
VARIABLE = "RVM_CHECKPOINT"
MOST_BYTES = 1 << 28  # sixteen times that of the published one
LIMITS = DownloadLimits(largest_bytes=15_224_325)  # the published file's size


@dataclass(frozen=True)
class Checkpoint:
    """A network with its weights, and what identifies them."""

    path: Path
    sha256: str
    network: TrainedNetwork


def default_path() -> Path:
    """Return where a checkpoint is downloaded to: beside `inference_custom.py`."""
    return Path(__file__).resolve().parents[2] / NAME


def find_checkpoint(chosen: Path | None, progress: Progress) -> Path:
    """Return the checkpoint to use; if none is there, download the published one.

    Args:
        chosen: the one asked for; None: the one that the variable names, else the default.
    Raises:
        InputError: the one asked for, or named by the variable, is not there.
        MissingError: it had to be downloaded and could not be.
        StorageError: the download could not be written.
    """
    present = present_checkpoint(chosen)
    if present is not None:
        return present
    path = default_path()
    download(path, progress)
    return path


def present_checkpoint(chosen: Path | None = None) -> Path | None:
    """Return what `find_checkpoint` does; None where that would have to be downloaded.

    Raises:
        InputError: the one asked for, or named by the variable, is not there.
    """
    if chosen is not None:
        _require(chosen, f"The checkpoint {chosen}")
        return chosen
    if os.environ.get(VARIABLE):
        named = Path(os.environ[VARIABLE])
        _require(named, f"The checkpoint {named}, named by the variable {VARIABLE},")
        return named
    path = default_path()
    return path if path.is_file() else None


def download(
    path: Path,
    progress: Progress,
    url: str | None = None,
    digest: str = "",
    limits: DownloadLimits = LIMITS,
) -> None:
    """Download the published checkpoint to `path`: whole and verified, or not at all.

    Args:
        url: where from; the RVM v1.0.0 release unless given.
        digest: its SHA-256; the release's unless given.
        limits: what the download may take.
    Raises:
        MissingError: no network, or what came is not the published file.
        StorageError: it cannot be written.
    """
    url, digest = url or URL, digest or SHA256
    progress.say(f"Downloading the network's weights once, from {url}")
    temporary = create_temporary(path)
    try:
        received = _fetch(url, temporary, progress, limits)
        if received != digest:
            raise MissingError(
                f"What came from {url} is not the published file (SHA-256 {received}).",
                _by_hand(url, path),
                retry=True,
            )
        # Another first start may have been sooner, and be reading it.
        if not path.is_file() or files.sha256(path) != digest:
            atomic_files.publish(temporary, path)
    finally:
        with writing(temporary):
            temporary.unlink(missing_ok=True)


def _fetch(url: str, temporary: Path, progress: Progress, limits: DownloadLimits) -> str:
    """Download to `temporary`, and return the SHA-256 of what came."""
    hasher = hashlib.sha256()
    with writing(temporary):
        file = temporary.open("wb")

    def on_block(block: bytes) -> None:
        hasher.update(block)
        with writing(temporary):
            file.write(block)
        progress.advance(len(block))

    with file:
        try:
            download_file(url, limits, lambda size: progress.start("Download", size, "B"), on_block)
        except DownloadError as error:
            raise MissingError(
                f"The network's weights are not here and cannot be downloaded ({error}).",
                _by_hand(url, temporary.with_name(NAME)),
                retry=True,
            ) from error
        finally:
            progress.finish()
    return hasher.hexdigest()


def _by_hand(url: str, path: Path) -> str:
    return f"Download {url} with a browser into {path.parent}, as {NAME}."


def load_checkpoint(path: Path) -> Checkpoint:
    """Return the network with the weights of `path`; half-precision ones are widened to float32.

    Raises:
        InputError: it is no RVM MobileNetV3 checkpoint; names the first parameter that differs.
    """
    from matting.inference import torch_files
    from matting.inference.base import WrongWeightsError
    from matting.inference.rvm import RvmNetwork

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
        network = RvmNetwork.of(weights)
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
        f"{path} does not hold the weights of the network, RVM MobileNetV3: {why}.",
        f"Use the file {NAME}, which is downloaded where no --checkpoint is given.",
    )
