"""`segment` keeps the time of every frame that has one, whatever else a file says of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from av.packet import Packet
from av.video.stream import VideoStream
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.real_files.shown import show
from matting.options import CuttingOptions
from matting.progress import Progress
from matting.project.plan import read_plan
from matting.segment import segment
from tests.support.clips import decode, make_clip, number_of
from tests.support.edits import with_edits
from tests.support.recorder import Recorder
from tests.support.stream_sources import make, opened

SECOND = CuttingOptions(seconds=Fraction(1))
Times = list[Fraction]


def cut(video: Path, progress: Progress) -> tuple[list[int], Times, Fraction]:
    """Cut a video; return the numbers in its frames, their times in the plan, and its start."""
    folder = segment(video, SECOND, None, progress)
    plan = read_plan(folder)
    assert plan is not None
    numbers = [number_of(rgb) for s in plan.segments for _, rgb in decode(folder / s.name)]
    times = [(s.first_pts + t) * plan.time_base for s in plan.segments for t in s.times()]
    assert all(earlier < later for earlier, later in pairwise(times))
    return numbers, times, plan.start_pts * plan.time_base


def retimed(
    video: Path,
    target: Path,
    change: Callable[[list[Packet[VideoStream]]], None],
    options: dict[str, str] | None = None,
) -> Path:
    """Copy a video's picture, with the times of its packets changed; return `target`."""
    with av.open(str(video)) as source, av.open(str(target), "w", options=options or {}) as output:
        stream = source.streams.video[0]
        copy = output.add_stream_from_template(stream, opaque=True)
        packets = [packet for packet in source.demux(stream) if packet.size]
        change(packets)
        for packet in packets:
            packet.stream = copy
            output.mux_one(packet)
    return target


def test_one_doubled_time_in_a_file_of_variable_rate(tmp_path: Path, progress: Recorder) -> None:
    pts = [*range(0, 60, 6), *range(60, 90)]
    plain = make_clip(tmp_path / "plain.mkv", len(pts), pts=pts, time_base=Fraction(1, 30))

    def double(packets: list[Packet[VideoStream]]) -> None:
        packets[25].pts = packets[25].dts = packets[24].pts

    numbers, times, _ = cut(retimed(plain, tmp_path / "clip.mkv", double), progress)
    assert numbers == list(range(40))
    others = [place for place in range(40) if place != 25]
    assert all(
        abs(times[place] - Fraction(pts[place], 30)) <= Fraction(1, 2000) for place in others
    )
    assert abs(times[25] - Fraction(pts[25], 30)) <= Fraction(1, 1000)


def shift_decoding(packets: list[Packet[VideoStream]]) -> None:
    packets[14].pts, packets[16].pts = packets[16].pts, packets[14].pts
    for packet in packets:
        packet.dts = (packet.dts or 0) - 4 * (packet.duration or 0)


def drop_composition(packets: list[Packet[VideoStream]]) -> None:
    first = packets[0].dts or 0
    for packet in packets:
        packet.pts = packet.dts = (packet.dts or 0) - first


def double_at_times(packets: list[Packet[VideoStream]]) -> None:
    for number in (12, 22, 32):
        packets[number].pts = packets[number + 1].pts


@pytest.mark.parametrize("change", [shift_decoding, drop_composition, double_at_times])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_times_in_disorder(
    change: Callable[[list[Packet[VideoStream]]], None],
    b_frames: int,
    tmp_path: Path,
    progress: Recorder,
) -> None:
    """What the ffmpeg program shows later than all before and earlier than all after stays."""
    plain = make_clip(tmp_path / "plain.mp4", 40, options={"bf": str(b_frames)})
    clip = retimed(plain, tmp_path / "clip.mp4", change)
    numbers, times, start = cut(clip, progress)
    shown = [time for time in show(clip, audio=False).times if time is not None]
    assert numbers == list(range(40))
    assert start <= times[0]
    good = [
        place
        for place, time in enumerate(shown)
        if max(shown[:place], default=-1) < time < min(shown[place + 1 :], default=Fraction(99))
    ]
    assert len(shown) == 40 and len(good) > 20
    assert {times[place] - shown[place] for place in good} == {times[0] - shown[0]}


def test_no_frame_is_shown_before_the_source_starts(tmp_path: Path, progress: Recorder) -> None:
    """The ffmpeg program shows the third frame when it is decoded, which is before that."""

    def swap_first(packets: list[Packet[VideoStream]]) -> None:
        packets[1].pts, packets[2].pts = packets[2].pts, packets[1].pts
        for packet in packets:
            packet.dts = (packet.dts or 0) - 6 * (packet.duration or 0)

    plain = make_clip(tmp_path / "plain.mp4", 40)
    numbers, times, start = cut(retimed(plain, tmp_path / "clip.mp4", swap_first), progress)
    assert numbers == list(range(40))
    assert start <= times[0]


def test_frames_that_share_a_tick(tmp_path: Path, progress: Recorder) -> None:
    """A tick of these files is as long as a frame: there is no time between two of them."""

    def share(packets: list[Packet[VideoStream]]) -> None:
        for number, packet in enumerate(packets):
            packet.time_base = Fraction(1, 30)
            packet.pts, packet.dts = number + 1 - (number > 20), number

    plain = make_clip(tmp_path / "plain.mp4", 40)
    clip = retimed(plain, tmp_path / "clip.mp4", share, {"video_track_timescale": "30"})
    numbers, times, _ = cut(clip, progress)
    assert numbers == list(range(40))
    kept = [place for place in range(40) if place != 21]
    assert [times[place] - times[0] for place in kept] == [
        Fraction(place - (place > 20), 30) for place in kept
    ]


@pytest.mark.parametrize("suffix", ["nut", "asf", "flv", "mp4"])
def test_a_late_start_is_no_missing_end(suffix: str, tmp_path: Path, progress: Recorder) -> None:
    fragments = {"movflags": "frag_keyframe+empty_moov"} if suffix == "mp4" else {}
    plain = make_clip(tmp_path / "plain.mp4", 40, codec="mpeg4" if suffix == "asf" else "libx264")
    late = tmp_path / f"late.{suffix}"
    with av.open(str(plain)) as source, av.open(str(late), "w", options=fragments) as output:
        copy = output.add_stream_from_template(source.streams.video[0], opaque=True)
        for packet in source.demux(video=0):
            if packet.size and packet.pts is not None and packet.dts is not None:
                packet.pts += round(5 / packet.time_base)
                packet.dts += round(5 / packet.time_base)
                packet.stream = copy
                output.mux_one(packet)
    numbers, times, _ = cut(late, progress)
    assert numbers == list(range(40))
    assert abs(times[-1] - times[0] - Fraction(39, 30)) <= Fraction(1, 1000)


def test_a_clock_that_runs_over_is_no_missing_end(tmp_path: Path, progress: Recorder) -> None:
    plain = make_clip(tmp_path / "plain.mp4", 90)
    late = tmp_path / "late.ts"
    offset = Fraction(2**33, 90_000) - 4  # seconds: the clock has 33 bits
    with av.open(str(plain)) as source, av.open(str(late), "w") as output:
        copy = output.add_stream_from_template(source.streams.video[0], opaque=True)
        for packet in source.demux(video=0):
            if packet.size and packet.pts is not None and packet.dts is not None:
                packet.pts += round(offset / packet.time_base)
                packet.dts += round(offset / packet.time_base)
                packet.stream = copy
                output.mux_one(packet)
    numbers, times, _ = cut(late, progress)
    assert numbers == list(range(90))
    assert times[-1] - times[0] == Fraction(89, 30)
    assert not progress.mentions("cut off")


@pytest.mark.parametrize(
    ("name", "codec"),
    [("clip.h264", "libx264"), ("clip.hevc", "libx265"), ("clip.m2v", "mpeg2video")],
)
@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30_000, 1001), Fraction(50)])
def test_bare_streams_go_at_the_rate_in_their_headers(
    name: str, codec: str, rate: Fraction, tmp_path: Path, progress: Recorder
) -> None:
    clip = make_clip(tmp_path / name, 40, codec=codec, rate=rate)
    numbers, times, _ = cut(clip, progress)
    assert numbers == list(range(40))
    assert all(
        abs(time - times[0] - place / rate) < Fraction(1, 1000) for place, time in enumerate(times)
    )
    assert not progress.mentions("does not say how many frames")


def test_frames_of_a_bare_stream_follow_on_each_other_whatever_its_packets_say(
    tmp_path: Path, progress: Recorder
) -> None:
    """The times that FFmpeg makes up for packets rise as these are decoded."""
    clip = make_clip(tmp_path / "plain.mp4", 30, rate=Fraction(25))
    bare = ["-c:v", "mpeg1video", "-bf", "2", "-g", "12", "-an", "-f", "mpeg1video"]
    numbers, times, _ = cut(make(tmp_path / "clip.m1v", *opened(clip), *bare), progress)
    assert numbers == list(range(30))
    assert {later - earlier for earlier, later in pairwise(times)} == {Fraction(1, 25)}


@pytest.mark.parametrize(("name", "codec"), [("clip.obu", "libsvtav1"), ("clip.mjpeg", "mjpeg")])
def test_that_a_bare_stream_has_no_rate_is_said(
    name: str, codec: str, tmp_path: Path, progress: Recorder
) -> None:
    pixel_format = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    clip = make_clip(tmp_path / name, 10, codec=codec, rate=Fraction(50), pixel_format=pixel_format)
    _, times, _ = cut(clip, progress)
    assert progress.mentions("does not say how many frames there are in a second. It goes at 25")
    assert [time - times[0] for time in times] == [Fraction(place, 25) for place in range(10)]


@settings(
    deadline=None,
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(1, 30)).map(
            lambda edit: (Fraction(edit[0], 25), Fraction(edit[1], 25))
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 2),
)
def test_edit_lists(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[Fraction, Fraction]], b_frames: int
) -> None:
    """Repeated, left out, in another order: the frames that FFmpeg presents, at its times."""
    folder = tmp_path_factory.mktemp("edits")
    clip = make_clip(folder / "clip.mp4", 60, rate=Fraction(25), options={"bf": str(b_frames)})
    with_edits(clip, {b"vide": edits})
    shown = decode(clip)
    numbers, times, _ = cut(clip, Progress())
    assert numbers == [number_of(rgb) for _, rgb in shown]
    counts = Counter(time for time, _ in shown)
    for time, (other, _) in zip(times, shown, strict=True):
        assert time == other or counts[other] > 1
