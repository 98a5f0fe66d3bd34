"""Whole is what a tolerant decoder shows without a word; damage is named, and no frame is lost."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matting.media.video_source import VideoSource
from matting.options import CuttingOptions
from matting.segment import segment
from tests.support.clips import make_clip
from tests.support.ffmpeg_frames import frames_by_ffmpeg
from tests.support.recorder import Recorder
from tests.support.segments import decoded, joined, plan_of

THIRD = CuttingOptions(seconds=Fraction(1, 3))
TS_BYTES = 188
# Units of H.264 that hold no picture: access unit delimiter, filler, a message of user data.
NO_PICTURES = [b"\x09\xf0", b"\x0c\xff\xff\x80", b"\x06\x05\x15" + b"\x11" * 16 + b"hello\x80"]
# A message that says that it holds 32 bytes, and holds 30.
CUT_SHORT = b"\x06\x05\x20" + b"\x11" * 16 + b"x" * 14 + b"\x80"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 30 frames in three groups."""
    return make_clip(tmp_path_factory.mktemp("tolerance") / "clip.mp4", 30)


def rewritten(
    clip: Path, target: Path, change: Callable[[int, bytes], Sequence[bytes]], step: int = 1
) -> Path:
    """Copy a clip, whose packets are replaced by what `change` makes of them; return `target`.

    Args:
        step: how many ticks of those between two frames lie between two packets made of one.
    """
    with av.open(str(clip)) as source, av.open(str(target), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0], opaque=True)
        packets = [packet for packet in source.demux(video=0) if packet.size]
        for number, packet in enumerate(packets):
            for place, content in enumerate(change(number, bytes(packet))):
                copy = av.Packet(content)
                copy.pts = copy.dts = (packet.pts or 0) + step * place
                copy.time_base, copy.is_keyframe = packet.time_base, packet.is_keyframe
                copy.stream = stream
                output.mux_one(copy)
    return target


def with_length(unit: bytes) -> bytes:
    return len(unit).to_bytes(4, "big") + unit


@settings(max_examples=6)
@given(st.sets(st.integers(0, 29), min_size=1), st.sampled_from(NO_PICTURES))
def test_packets_without_a_picture_are_no_damage(clip: Path, after: set[int], unit: bytes) -> None:
    video = rewritten(
        clip,
        clip.with_name("no_picture.mp4"),
        lambda number, packet: [packet, with_length(unit)] if number in after else [packet],
    )
    progress = Recorder()
    folder = segment(video, CuttingOptions(Fraction(1, 3), overwrite=True), None, progress)
    assert joined(folder) == decoded(clip)
    assert not progress.mentions("damaged") and not progress.mentions("re-encoded")


@settings(max_examples=4)
@given(st.sets(st.integers(0, 29), min_size=1))
def test_messages_that_are_cut_short_are_no_damage(clip: Path, before: set[int]) -> None:
    video = rewritten(
        clip,
        clip.with_name("cut_short.mp4"),
        lambda n, packet: [with_length(CUT_SHORT) + packet if n in before else packet],
    )
    progress = Recorder()
    folder = segment(video, CuttingOptions(Fraction(1, 3), overwrite=True), None, progress)
    assert joined(folder) == decoded(clip)
    assert not progress.mentions("damaged") and not progress.mentions("re-encoded")


@settings(max_examples=5)
@given(st.sets(st.integers(1, 29), min_size=1, max_size=5), st.integers(0, 15))
def test_continuity_counters_that_restart_are_no_damage(
    tmp_path_factory: pytest.TempPathFactory, at: set[int], counter: int
) -> None:
    folder = tmp_path_factory.mktemp("restarting")
    video = make_clip(folder / "clip.ts", 30)
    expected = decoded(video)
    with av.open(str(video)) as container:
        places = [p.pos or 0 for p in container.demux(video=0) if p.size]
    content = bytearray(video.read_bytes())
    pid = content[places[3] + 1 : places[3] + 3]
    shift = 0
    for place in range(0, len(content), TS_BYTES):
        if content[place + 1] & 31 == pid[0] & 31 and content[place + 2] == pid[1]:
            shift += counter if place in {places[number] for number in at} else 0
            own = content[place + 3]
            content[place + 3] = own & 0xF0 | (own + shift) & 0x0F
    video.write_bytes(content)
    progress = Recorder()
    cut = segment(video, THIRD, None, progress)
    assert joined(cut) == expected
    assert sum(len(chunk.pts) for chunk in VideoSource(video).chunks(8)) == 30
    assert not progress.mentions("damaged") and not progress.mentions("re-encoded")


@pytest.mark.parametrize(
    ("suffix", "codec", "options"),
    [
        ("mp4", "libx264", {"bf": "2"}),
        ("ts", "libx265", {"x265-params": "log-level=none:bframes=2:scenecut=0:keyint=10"}),
        ("mkv", "mpeg4", {}),
        ("mov", "mjpeg", {}),
    ],
)
def test_zeroed_bytes_are_named_and_no_frame_is_lost(
    suffix: str, codec: str, options: dict[str, str], tmp_path: Path
) -> None:
    """As many frames at the same times as the ffmpeg program shows, whatever is broken."""
    whole = make_clip(
        tmp_path / f"whole.{suffix}",
        30,
        codec=codec,
        options=options,
        pixel_format="yuvj420p" if codec == "mjpeg" else "yuv420p",
    )
    with av.open(str(whole)) as container:
        packets = [(p.pos or 0, p.size) for p in container.demux(video=0) if p.size]
    for seed in range(3):
        generator = random.Random(seed)
        content = bytearray(whole.read_bytes())
        for place, size in generator.sample(packets, 3):
            start = place + generator.randrange(size // 2)
            content[start : start + size // 3] = bytes(size // 3)
        video = tmp_path / f"clip{seed}.{suffix}"
        video.write_bytes(content)
        progress = Recorder()
        folder = segment(video, THIRD, None, progress)
        shown = frames_by_ffmpeg(video)
        plan = plan_of(folder)
        times = [
            (planned.first_pts + time) * plan.time_base
            for planned in plan.segments
            for time in planned.times()
        ]
        assert times == [time for time, _ in shown]
        named = [pts for s in plan.segments for pts in (*s.doubtful, *s.missing)]
        doubtful = {pts * plan.time_base for pts in named}
        for (time, pixels), (_, expected) in zip(shown, joined(folder), strict=True):
            # What is missing of a JPEG shows what lay there in memory.
            assert pixels == expected or (codec == "mjpeg" and time in doubtful)
        assert progress.mentions("is damaged: ") == bool(named)
        assert named


def test_uncompressed_pictures_with_a_palette_that_are_cut_short_are_damaged(
    tmp_path: Path,
) -> None:
    """FFmpeg would show what lies in memory in place of what they lack."""
    whole = make_clip(tmp_path / "whole.avi", 6, codec="rawvideo", pixel_format="monow")
    content = bytearray(whole.read_bytes())
    with av.open(str(whole)) as container:
        packets = [(packet.pos or 0, packet.size) for packet in container.demux(video=0)]
    for number in (2, 5):
        start, size = packets[number]
        content[start - 4 : start] = (size // 2).to_bytes(4, "little")
    video = tmp_path / "short.avi"
    video.write_bytes(content)
    progress = Recorder()
    folder = segment(video, THIRD, None, progress)
    of_whole = [pixels for _, pixels in joined(segment(whole, THIRD, None, Recorder()))]
    assert len(set(of_whole)) == 6
    shown = [of_whole[number] for number in (0, 1, 3, 4)]
    assert [pixels for _, pixels in joined(folder)] == shown
    assert [len(planned.missing) for planned in plan_of(folder).segments] == [2]
    assert progress.mentions("is damaged: ")
