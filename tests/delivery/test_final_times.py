"""Picture and audio of the final file are as much in time as in the source, to the very end."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import pytest

from matting.media.concat import JoinPart, join
from matting.media.probe import frame_times, probe
from matting.progress import Progress
from tests.support.clips import make_audio, make_clip
from tests.support.stream_sources import deliver, make, opened, tone

RATES = [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001), Fraction(25)]
TWO_HOURS = 7200
MILLISECOND = Fraction(1, 1000)


def combined_of(video: Path) -> Path:
    """Make a matted picture as `combine` would: as many frames, at the source's times."""
    info = probe(video)
    pts = sorted(frame_times(video))
    pictures = make_clip(video.with_name("matted.mp4"), len(pts))
    shown = tuple(time - pts[0] for time in pts)
    target = video.with_name("combined.mp4")
    parts = [JoinPart(pictures, pts[0] - info.start_pts, shown)]
    join(parts, info.time_base, target, Progress())
    return target


def picture_times(path: Path) -> list[Fraction]:
    time_base = probe(path).time_base
    return [pts * time_base for pts in sorted(frame_times(path))]


def audio_times(path: Path, track: int = 0) -> list[Fraction]:
    with av.open(str(path)) as container:
        packets = container.demux(container.streams.audio[track])
        return [p.pts * p.time_base for p in packets if p.size and p.pts is not None]


def deliver_in_time(video: Path) -> Path:
    """Deliver `video`, and require picture and audio to be in time as before."""
    combined = combined_of(video)
    final, notes = deliver(video, combined)
    assert notes == []
    after, joined, before = (picture_times(path) for path in (final, combined, video))
    tick = Fraction(0) if final.suffix != ".mkv" else MILLISECOND / 2
    offset = after[0] - joined[0]
    assert all(abs(a - b - offset) <= tick for a, b in zip(after, joined, strict=True))
    assert all(
        abs((a - after[0]) - (b - before[0])) <= probe(video).time_base
        for a, b in zip(after, before, strict=True)
    )
    for track in range(count_audio_tracks(video)):
        new, old = audio_times(final, track), audio_times(video, track)
        assert abs((new[0] - after[0]) - (old[0] - before[0])) < MILLISECOND
        half_frame = 1 / probe(video).rate / 2
        assert abs((new[-1] - after[-1]) - (old[-1] - before[-1])) < half_frame
    return final


def count_audio_tracks(path: Path) -> int:
    with av.open(str(path)) as container:
        return len(container.streams.audio)


def make_long_clip(path: Path, rate: Fraction, audio_seconds: Sequence[Fraction]) -> Path:
    """Make a clip of 30 frames at the start and 30 after two hours, and single audio packets."""
    late = round(TWO_HOURS * rate)
    picture = make_clip(
        path.with_name("picture.mp4"),
        60,
        rate=rate,
        pts=[*range(30), *range(late, late + 30)],
    )
    audio = make_audio(path.with_name("audio.mp4"))
    with (
        av.open(str(picture)) as picture_file,
        av.open(str(audio)) as audio_file,
        av.open(str(path), "w") as target,
    ):
        streams = [
            target.add_stream_from_template(picture_file.streams.video[0]),
            target.add_stream_from_template(audio_file.streams.audio[0]),
        ]
        packets = [p for p in picture_file.demux(video=0) if p.size]
        blocks = [p for p in audio_file.demux(audio=0) if p.size]
        for packet in packets:
            packet.stream = streams[0]
        for packet, at in zip(blocks, audio_seconds, strict=False):
            packet.pts = packet.dts = round(at / packet.time_base)
            packet.stream = streams[1]
        chosen = [*packets, *blocks[: len(audio_seconds)]]
        for packet in sorted(chosen, key=lambda p: (p.dts or 0) * p.time_base):
            target.mux_one(packet)
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts"])
@pytest.mark.parametrize("rate", RATES, ids=str)
def test_fractional_frame_rates(suffix: str, rate: Fraction, tmp_path: Path) -> None:
    deliver_in_time(make_clip(tmp_path / f"clip.{suffix}", 60, rate=rate, audio=True))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("rate", RATES[:3], ids=str)
def test_two_hours(suffix: str, rate: Fraction, tmp_path: Path) -> None:
    seconds = [Fraction(0), Fraction(1, 2), Fraction(3600), Fraction(7199), Fraction(14401, 2)]
    video = make_long_clip(tmp_path / f"clip.{suffix}", rate, seconds)
    assert audio_times(video)[-1] - audio_times(video)[0] > 7200
    deliver_in_time(video)


@pytest.mark.parametrize("audio", ["pcm_s16le", "libopus", "ac3", "truehd"])
def test_other_audio(audio: str, tmp_path: Path) -> None:
    plain = make_clip(tmp_path / "plain.mp4", 60, rate=RATES[1])
    deliver_in_time(
        make(
            tmp_path / "clip.mkv",
            *[*opened(plain), "-itsoffset", "0.25", *tone(440, 2)],
            *["-c:v", "copy", "-c:a", audio, "-strict", "-2"],
        )
    )


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("delay", ["-0.4", "0.123"])
def test_audio_that_starts_before_or_after_the_picture(
    suffix: str, delay: str, tmp_path: Path
) -> None:
    plain = make_clip(tmp_path / "plain.mp4", 30)
    final = deliver_in_time(
        make(
            tmp_path / f"clip.{suffix}",
            *[*opened(plain), "-itsoffset", delay, *tone(440, 1)],
            *["-c:v", "copy", "-c:a", "ac3"],
        )
    )
    distance = audio_times(final)[0] - picture_times(final)[0]
    assert abs(distance - Fraction(delay)) < Fraction(7, 1000)  # AC-3 starts with 5 ms of nothing


@pytest.mark.parametrize("suffix", ["mkv", "ts"])
def test_a_start_far_from_zero(suffix: str, tmp_path: Path) -> None:
    plain = make_clip(tmp_path / "plain.mp4", 30, rate=RATES[1], audio=True)
    moved = ["-c", "copy", "-output_ts_offset", "36000.5"]
    video = make(tmp_path / f"clip.{suffix}", *opened(plain), *moved)
    assert picture_times(video)[0] > 36000
    final = deliver_in_time(video)
    assert picture_times(final)[0] < 1


def test_a_late_start_in_matroska(tmp_path: Path) -> None:
    """Its ticks are milliseconds: the first frame's time is rounded, and every other one's."""
    rate = Fraction(30000, 1001)
    plain = make_clip(tmp_path / "plain.mp4", 30, rate=rate)
    combined = tmp_path / "combined.mp4"
    shown = tuple(index * 1001 for index in range(30))
    join([JoinPart(plain, 2 * 1001, shown)], Fraction(1, 30000), combined, Progress())
    arguments = [*opened(plain), *tone(440), "-c:v", "copy", "-c:a", "truehd", "-strict", "-2"]
    video = make(tmp_path / "clip.mkv", *arguments)
    final, _ = deliver(video, combined)
    assert final.suffix == ".mkv"
    moved = [a - b for a, b in zip(picture_times(final), picture_times(combined), strict=True)]
    assert max(moved) - min(moved) <= MILLISECOND


def test_variable_rate(tmp_path: Path) -> None:
    pts = [index * 3 + (index * index) % 3 for index in range(60)]
    for suffix in ("mp4", "mkv", "ts"):
        folder = tmp_path / suffix
        folder.mkdir()
        video = make_clip(
            folder / f"clip.{suffix}", 60, pts=pts, time_base=Fraction(1, 90), audio=True
        )
        deliver_in_time(video)


def test_frames_out_of_order(tmp_path: Path) -> None:
    for suffix in ("mp4", "mkv", "ts"):
        folder = tmp_path / suffix
        folder.mkdir()
        video = make_clip(folder / f"clip.{suffix}", 60, options={"bf": "2"}, audio=True)
        deliver_in_time(video)
