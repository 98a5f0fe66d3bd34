"""What a file is known by."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from matting.system import files
from matting.system.fingerprint import Fingerprint

CONTENT = bytes(range(256)) * 12_000  # is read in several blocks


class TakenOnce(io.BytesIO):
    """A file that a virus scanner takes away after its first block, the first time it is read."""

    takes = 1

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() and TakenOnce.takes:
            TakenOnce.takes -= 1
            raise PermissionError("taken")
        return super().read(size)


def test_a_file_taken_while_it_is_read_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(CONTENT)
    with monkeypatch.context() as windows:
        windows.setattr(TakenOnce, "takes", 1)
        windows.setattr(Path, "open", lambda *_, **__: TakenOnce(CONTENT))
        windows.setattr(os, "name", "nt")  # where such a file is tried again
        digest = files.sha256(path)
        assert TakenOnce.takes == 0
    assert digest == hashlib.sha256(CONTENT).hexdigest()
    assert digest == Fingerprint.of(path).sha256
