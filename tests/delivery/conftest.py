"""What several tests of the delivery wing start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.clips import make_clip


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Write a clip of 30 frames, without audio."""
    return make_clip(tmp_path / "picture.mp4")
