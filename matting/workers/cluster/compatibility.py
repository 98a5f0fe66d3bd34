"""Whether another computer makes the same of a job's segments: what it runs, and what it sees."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

from matting.cluster_options import MAP_OPTION
from matting.errors import writing
from matting.system.invocation import ROOT, VERSION
from matting.system.temporary_files import NEW_FILE, temporary_name
from matting.workers.cluster.portable_paths import PathMapping

SOURCES = ("matting", "model")  # the folders with the program's own code
PROBE = "probe"
TOKEN_BYTES = 16
HASHES, HASH_LETTERS = {"sources", "weights"}, 12  # of each, so many are shown


@dataclass(frozen=True)
class Identity:
    """What decides what a computer makes of a segment.

    Attributes:
        program: the program's version.
        sources: the SHA-256 over its own code.
        torch, av: the versions of these packages.
        weights: the SHA-256 of the network's weights; "" where none are needed.
    """

    program: str
    sources: str
    torch: str
    av: str
    weights: str


# What a message calls each; the order is that of what explains most.
NAMES = {
    "program": "the program's version",
    "sources": "the program's code",
    "torch": "torch",
    "av": "av",
    "weights": "the network's weights",
}


def own_identity(checkpoint_sha256: str) -> Identity:
    """Return this computer's identity.

    Args:
        checkpoint_sha256: of the weights that it has; "" for none.
    """
    return Identity(VERSION, sources_sha256(), _version("torch"), _version("av"), checkpoint_sha256)


def sources_sha256(root: Path = ROOT) -> str:
    """Return the SHA-256 over the program's code; how its lines end makes no difference."""
    hasher = hashlib.sha256()
    paths = [path for folder in SOURCES for path in (root / folder).rglob("*.py")]
    for name, path in sorted((path.relative_to(root).as_posix(), path) for path in paths):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        for part in (name.encode(), content):
            hasher.update(len(part).to_bytes(8, "big") + part)
    return hasher.hexdigest()


def differences(asked: Identity, own: Identity) -> str:
    """Return in a sentence in what a computer differs from what a job asks for; "" for nothing."""
    clauses = []
    for name in (field.name for field in fields(Identity)):
        wanted, present = getattr(asked, name), getattr(own, name)
        if wanted == present or (name == "weights" and not wanted):
            continue
        shown, here = (_shown(name, value) for value in (wanted, present))
        clauses.append(f"{NAMES[name]} ({here} here, {shown} there)")
    return f"This computer differs from the job in {', '.join(clauses)}." if clauses else ""


@dataclass(frozen=True)
class Probe:
    """A file in a job's folder, by which another computer finds whether it sees that folder.

    Attributes:
        path: as the computer that made it writes it; text, which no mapping changes on the way.
        token: what it holds.
    """

    path: str
    token: str

    def check_here(self, mapping: PathMapping) -> str:
        """Return why this computer cannot work in the folder, as sentences; "": it can."""
        path = mapping.to_here(self.path)
        try:
            found = path.read_text(encoding="ascii", errors="replace")
        except OSError as error:
            why = "is not there" if isinstance(error, FileNotFoundError) else _reason(error)
            return f"The job's folder is not seen here: {path}: {why}. {self._hint(path)}"
        except ValueError as error:  # what can be no path
            return f"The job's folder is not seen here: {path}: {error}. {self._hint(path)}"
        if found != self.token:
            return f"{path.parent} is another folder here than the job's. {self._hint(path)}"
        try:
            _write_and_remove(path.parent)
        except OSError as error:
            return (
                f"Nothing can be written into {path.parent} here: {_reason(error)}. Give the "
                "account that runs the worker the right to write there."
            )
        return ""

    def remove(self) -> None:
        """Remove it; where that fails, it goes when the folder is swept."""
        with suppress(OSError):
            Path(self.path).unlink()

    def _hint(self, path: Path) -> str:
        if str(path) == self.path:
            return (
                f"If this computer has the folder at another place, start the worker with "
                f"{MAP_OPTION}, such as {MAP_OPTION} D:\\\\Videos=/mnt/videos."
            )
        return f"On the computer that runs the job, it is {self.path}. Check {MAP_OPTION}."


def write_probe(folder: Path) -> Probe:
    """Put a probe into a job's folder, under a temporary name, which a sweep knows.

    Raises:
        StorageError: it cannot be written.
    """
    token = secrets.token_hex(TOKEN_BYTES)
    path = temporary_name(folder / PROBE)
    with writing(path):
        _write_new(path, token.encode())
    return Probe(str(path), token)


def _write_and_remove(folder: Path) -> None:
    path = temporary_name(folder / PROBE)
    try:
        _write_new(path, PROBE.encode())
    finally:
        path.unlink(missing_ok=True)


def _write_new(path: Path, content: bytes) -> None:
    with open(os.open(path, NEW_FILE, 0o666), "wb") as file:  # noqa: PTH123 - of a descriptor
        file.write(content)


def _version(package: str) -> str:
    """Return a package's version, without what it was built for: computers may have other GPUs."""
    return importlib.metadata.version(package).partition("+")[0]


def _shown(name: str, value: str) -> str:
    if not value:
        return "none"
    return value[:HASH_LETTERS] if name in HASHES else value


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
