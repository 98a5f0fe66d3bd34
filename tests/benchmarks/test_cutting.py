"""The bench of cutting: its footage is one steady video, and its ratios are of the same round."""

from __future__ import annotations

from pathlib import Path

import av

from benchmarks.cutting import Round, loop_footage, ratio
from benchmarks.footage import CAMERA, RATE, write_clip
from benchmarks.seconds import Seconds
from matting.imaging.sample_format import Size
from matting.media import ffmpeg


def test_footage_is_looped_without_a_gap(tmp_path: Path) -> None:
    drawn = write_clip(tmp_path / "drawn.mp4", Size(64, 48), RATE, CAMERA)
    video = loop_footage(ffmpeg.program(), drawn, tmp_path / "video.mp4", 2.5)
    with av.open(str(video)) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        packets = [packet for packet in container.demux() if packet.size]
        times = sorted(packet.pts for packet in packets if packet.stream is picture)
        step = 1 / (RATE * picture.time_base)
        heard = sum(packet.duration for packet in packets if packet.stream is sound)
        heard_seconds = heard * sound.time_base
    assert [time - times[0] for time in times] == [number * step for number in range(len(times))]
    assert 2.5 * RATE <= len(times) <= 2.5 * RATE + 3  # B-frames at the end
    assert abs(heard_seconds - 2.5) < 0.1


def test_ratios_are_of_what_was_measured_together() -> None:
    rounds = [
        Round(Seconds(1, 1), Seconds(9, 4), {"now": Seconds(11, 6)}),
        Round(Seconds(2, 2), Seconds(18, 8), {"now": Seconds(22, 11)}),
        Round(Seconds(1, 1), Seconds(9, 4), {"now": Seconds(20, 5)}),
    ]
    assert ratio(rounds, "now") == Seconds(cpu=1.1, wall=1.1)
