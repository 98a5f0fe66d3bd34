"""Audio is beside its picture, whatever the source's clocks and edit lists do."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from matting.delivery.mux_check import check_mux
from matting.delivery.muxing import MuxRequest
from matting.errors import EncodeError
from matting.media.concat import JoinPart, join
from matting.options import CuttingOptions
from matting.progress import Progress
from matting.project.plan import Plan, read_plan
from matting.segment import segment
from tests.support.clips import audio_packets, make_clip, times
from tests.support.edits import EMPTY, with_edits
from tests.support.joined_streams import join_streams
from tests.support.recorder import Recorder
from tests.support.stream_sources import deliver, make, opened, tone

FRAME = Fraction(1, 30)


def plan_of(video: Path, progress: Recorder) -> Plan:
    plan = read_plan(segment(video, CuttingOptions(seconds=Fraction(1)), None, progress))
    assert plan is not None
    return plan


def combined_of(video: Path, plan: Plan) -> Path:
    """Make a matted picture as `combine` would: as many frames, at the plan's times."""
    pts = [s.first_pts + time for s in plan.segments for time in s.times()]
    picture = make_clip(video.with_name("matted.mp4"), len(pts))
    part = JoinPart(picture, pts[0] - plan.start_pts, tuple(time - pts[0] for time in pts))
    target = video.with_name("combined.mp4")
    join([part], plan.time_base, target, Progress())
    return target


def samples(path: Path) -> tuple[float, NDArray[np.float32]]:
    """Return when the first audio track is first heard, in seconds, and its samples."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    first = frames[0]
    assert first.pts is not None
    assert first.time_base is not None
    heard = [np.asarray(frame.to_ndarray(), np.float32)[0] for frame in frames]
    return float(first.pts * first.time_base), np.concatenate(heard)


# The last goes on where its first part ends, but for audio, which overlaps by less than a packet.
STARTS = [(2, 2), (2, 25_200), (25_200, 2), (50, 2, 40, 40), (2, 2 + 40 * FRAME)]


@pytest.mark.parametrize("starts", STARTS, ids=str)
def test_clocks_that_start_again_or_jump_or_go_on(
    starts: tuple[Fraction | int, ...], tmp_path: Path, progress: Recorder
) -> None:
    video = join_streams(tmp_path / "clip.ts", starts)
    plan = plan_of(video, progress)
    assert plan.frames == 40 * len(starts)
    final, notes = deliver(video, combined_of(video, plan))
    assert notes == []
    shown = times(final)
    assert all(abs(b - a - FRAME) <= Fraction(1, 90_000) for a, b in pairwise(shown))
    heard = [time for time, _ in audio_packets(final)]
    per_part = len(heard) // len(starts)
    assert len(heard) == per_part * len(starts)
    for part in range(len(starts)):  # as far apart as in the first; packets at a joint may overlap
        distance = heard[part * per_part + 2] - shown[part * 40]
        assert abs(distance - (heard[2] - shown[0])) <= Fraction(1, 1000)


def test_audio_at_the_time_of_another_part_is_refused(tmp_path: Path, progress: Recorder) -> None:
    """As ffmpeg would put it by itself: what is checked is every packet."""
    video = join_streams(tmp_path / "clip.ts", (2, 2))
    combined = combined_of(video, plan_of(video, progress))
    squeezed = make(
        tmp_path / "squeezed.mp4",
        *opened(combined),
        *["-copyts", "-itsoffset", "-2", *opened(video)],
        *["-map", "0:v", "-map", "1:a", "-c", "copy"],
    )
    with pytest.raises(EncodeError, match="track 2 .* at another time"):
        check_mux(MuxRequest.of(video, combined), squeezed)


@pytest.mark.parametrize("suffix", ["ts", "mpg"])
def test_audio_that_begins_late(suffix: str, tmp_path: Path, progress: Recorder) -> None:
    """So late that ffmpeg, unasked, does not look that far for what kind of audio it is."""
    codecs = ["-c:v", "mpeg2video", "-r", "24"] if suffix == "mpg" else ["-c:v", "copy"]
    plain = make_clip(tmp_path / "plain.mp4", 132, rate=Fraction(12))
    late = ["-itsoffset", "10", *tone(440, 1), *codecs, "-c:a", "mp2"]
    video = make(tmp_path / f"clip.{suffix}", *opened(plain), *late)
    final, _ = deliver(video, combined_of(video, plan_of(video, progress)))
    distance = audio_packets(final)[0][0] - times(final)[0]
    assert abs(distance - 10) < Fraction(1, 20)


edits = st.lists(
    st.tuples(
        st.sampled_from([EMPTY, *(Fraction(place, 50) for place in range(0, 80, 7))]),
        st.integers(1, 40).map(lambda length: Fraction(length, 50)),
    ),
    min_size=2,
    max_size=4,
).filter(lambda parts: any(start != EMPTY for start, _ in parts))


@settings(deadline=None, max_examples=5)
@given(edits)
def test_several_edits_of_the_audio(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[Fraction, Fraction]]
) -> None:
    """Repeated, left out, silent between: it is heard to the sample as from the source."""
    folder = tmp_path_factory.mktemp("edits")
    video = make_clip(folder / "clip.mp4", 60, audio=True)
    with_edits(video, {b"soun": parts})
    final, notes = deliver(video, make_clip(folder / "combined.mp4", 60))
    assert notes == []
    before, after = samples(video), samples(final)
    assert abs(before[0] - after[0]) < 1e-6
    assert np.array_equal(before[1], after[1])


def test_edited_audio_where_there_are_no_edit_lists(tmp_path: Path) -> None:
    """Matroska takes it as samples that are cut already."""
    plain = make_clip(tmp_path / "plain.mp4", 60)
    tracks = [*opened(plain), *tone(440, 2), "-c:v", "copy", "-c:a", "pcm_s16le"]
    parts = [(Fraction(1), Fraction(1, 2)), (Fraction(0), Fraction(1, 2))]
    video = with_edits(make(tmp_path / "clip.mov", *tracks), {b"soun": parts})
    picture = make_clip(tmp_path / "combined.mp4", 60, codec="libsvtav1", options={"preset": "12"})
    final, _ = deliver(video, picture)
    assert final.suffix == ".mkv"
    assert abs(len(samples(final)[1]) - len(samples(video)[1])) <= 1024
