"""What tests of a job's records share."""

from __future__ import annotations

from pathlib import Path

import pytest

from matting.project import ledger_files
from matting.project.paths import MattedFolder
from tests.support.killed_job import KIND, begun


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MattedFolder:
    """A job of which nothing is done, whose processed.json is not refreshed by the clock."""
    monkeypatch.setattr(ledger_files, "SHARE", 1e-9)
    folder = MattedFolder(tmp_path / "clip_segments_matted")
    folder.output_folder(KIND).mkdir(parents=True)
    begun(folder)
    return folder
