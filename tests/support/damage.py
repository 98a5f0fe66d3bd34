"""Damaging single frames of encoded videos."""

from __future__ import annotations

import random
from collections.abc import Collection
from pathlib import Path

import av


def damage_packets(video: Path, numbers: Collection[int]) -> Path:
    """Overwrite the packets of those numbers in a video with noise; return its path."""
    with av.open(str(video)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    content = video.read_bytes()
    noise = random.Random(4)
    for number in numbers:
        assert content.count(packets[number]) == 1
        content = content.replace(packets[number], noise.randbytes(len(packets[number])))
    video.write_bytes(content)
    return video
