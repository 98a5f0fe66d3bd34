"""The benchmark of the stored matte, on a tiny clip: it runs, and says what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import matte_size
from benchmarks.footage import write_clip
from matting.demo import CHECKPOINT
from matting.imaging.sample_format import Size


def test_the_stored_matte_is_measured_against_the_plain_choice(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Size(64, 48), 5)
    rows = matte_size.measure_clip(clip, CHECKPOINT, 2, tmp_path)
    by_way = {row[3]: dict(zip(matte_size.HEAD, row, strict=True)) for row in rows}
    assert len(by_way) == 4
    for way, cells in by_way.items():
        assert (cells["clip"], cells["size"]) == ("clip", "64x48")
        kib, gb_an_hour = float(cells["KiB a frame"]), float(cells["GB an hour at 30"])
        assert kib > 0, way
        assert gb_an_hour == pytest.approx(kib * 1024 * 108_000 / 1e9, abs=0.06)
    both, alone = (float(by_way[way]["KiB a frame"]) for way in ("alpha and correction", "alpha"))
    assert both >= alone
