"""Interlaced sources become progressive, one picture for each frame, at its time."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from matting.cutting.preparation import choose_filters
from matting.errors import MediaError
from matting.media.decode_check import decode_all
from matting.media.probe import probe
from matting.media.validation import require_progressive
from matting.options import CuttingOptions, OnDamage
from matting.segment import segment
from tests.support.clips import make_clip, times
from tests.support.interlaced import FRAMES, GOOD, SIZE, combing, interlaced
from tests.support.recorder import Recorder
from tests.support.segments import plan_of, segment_files

THIRD = Fraction(1, 3)


def pictures(path: Path) -> list[NDArray[np.int64]]:
    """Return the luma [H, W] of every frame, in 8 bits."""
    with av.open(str(path)) as container:
        return [
            np.asarray(frame.reformat(format="gray").to_ndarray(), dtype=np.int64)
            for frame in container.decode(video=0)
        ]


@pytest.mark.parametrize("top_first", [True, False])
@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("libx264", "mp4"), ("mpeg2video", "ts"), ("mpeg2video", "mkv"), ("prores_ks", "mov")],
)
def test_combing_is_gone_and_every_frame_is_there(
    codec: str, suffix: str, top_first: bool, tmp_path: Path
) -> None:
    progress = Recorder()
    video = interlaced(tmp_path / f"clip.{suffix}", codec, top_first=top_first)
    before = pictures(video)
    assert min(combing(luma) for luma in before[1:]) > 4
    folder = segment(video, CuttingOptions(seconds=THIRD), None, progress)
    assert progress.mentions("bwdif")
    files = segment_files(folder)
    assert len(files) == 3
    after = [luma for file in files for luma in pictures(file)]
    assert len(after) == FRAMES
    assert max(combing(luma) for luma in after) < 1
    # The first field stays as it is, and so does the bar's place: nothing has slipped.
    first = 0 if top_first else 1
    for luma, old in zip(after, before, strict=True):
        assert np.abs(luma[first::2] - old[first::2]).mean() < 1
    plan = plan_of(folder)
    planned = [(s.first_pts + t) * plan.time_base for s in plan.segments for t in s.times()]
    assert planned == times(video)
    assert not any(decode_all(file).interlaced for file in files)


def test_frames_that_become_interlaced_later(tmp_path: Path, progress: Recorder) -> None:
    """They are noticed when the segments are decoded; progressive frames stay as they are."""
    plain = make_clip(
        tmp_path / "plain.ts", 50, size=SIZE, rate=Fraction(25), codec="mpeg2video", options=GOOD
    )
    later = interlaced(tmp_path / "later.ts", "mpeg2video")
    video = tmp_path / "both.ts"
    with av.open(str(video), "w") as output:
        stream = None
        for clip, delay in ((plain, 0), (later, 50 * 3600)):
            with av.open(str(clip)) as source:
                stream = stream or output.add_stream_from_template(source.streams.video[0])
                for packet in source.demux(video=0):
                    if packet.pts is not None and packet.dts is not None:
                        packet.stream = stream
                        packet.pts, packet.dts = packet.pts + delay, packet.dts + delay
                        output.mux(packet)
    info = probe(video)
    assert not info.interlaced
    assert not choose_filters(info)
    folder = segment(video, CuttingOptions(seconds=Fraction(1)), None, progress)
    assert progress.mentions("bwdif")
    before, after = pictures(video), [p for file in segment_files(folder) for p in pictures(file)]
    assert len(before) == len(after) == 50 + FRAMES
    assert all(np.array_equal(a, b) for a, b in zip(before[:50], after[:50], strict=True))
    assert max(combing(luma) for luma in before[50:]) > 4
    assert max(combing(luma) for luma in after[50:]) < 1


def test_with_a_damaged_frame(tmp_path: Path, progress: Recorder) -> None:
    video = interlaced(tmp_path / "clip.mkv", "mpeg2video", gop=1)
    content = bytearray(video.read_bytes())
    with av.open(str(video)) as container:
        packet = [bytes(p) for p in container.demux(video=0) if p.size][11]
    at = content.index(packet)
    content[at + 4 : at + len(packet)] = bytes(len(packet) - 4)
    video.write_bytes(content)
    options = CuttingOptions(seconds=THIRD, damaged=OnDamage.STOP)
    with pytest.raises(MediaError, match="is damaged"):
        segment(video, options, None, progress)
    options = replace(options, damaged=OnDamage.REPEAT)
    folder = segment(video, options, None, progress)
    after = [luma for file in segment_files(folder) for luma in pictures(file)]
    assert len(after) == FRAMES
    assert max(combing(luma) for luma in after) < 1


def test_infer_names_the_command_that_helps(tmp_path: Path) -> None:
    info = probe(interlaced(tmp_path / "clip.mp4", "libx264"))
    with pytest.raises(MediaError, match="clip.mp4 is interlaced") as caught:
        require_progressive(info)
    assert "segment" in caught.value.hint
    plain = probe(make_clip(tmp_path / "plain.mp4", 2))
    require_progressive(plain)
    with pytest.raises(MediaError, match="interlaced"):
        require_progressive(plain, interlaced_frame=True)


def test_h265_in_single_fields_is_refused(tmp_path: Path, progress: Recorder) -> None:
    options = {"x265-params": "log-level=none:interlace=tff"}
    video = make_clip(tmp_path / "clip.mp4", 6, codec="libx265", options=options)
    with pytest.raises(MediaError, match="clip.mp4 is interlaced H.265"):
        segment(video, CuttingOptions(), None, progress)
