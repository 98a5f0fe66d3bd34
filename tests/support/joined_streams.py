"""Transport streams whose clock jumps, as recordings that were joined have them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av

from tests.support.clips import make_clip

PACKET_BYTES = 188


def join_streams(target: Path, starts_seconds: Sequence[Fraction | int], frames: int = 40) -> Path:
    """Write recordings one behind the other, each with its own clock; return `target`.

    Every one has as many frames, numbered from 0, and a tone as long.

    Args:
        starts_seconds: what each one's clock says where it begins.
    """
    plain = make_clip(target.with_name("plain.mp4"), frames, options={"bf": "2"}, audio=True)
    parts = b""
    for number, start in enumerate(starts_seconds):
        part = target.with_name(f"part_{number}.ts")
        with av.open(str(plain)) as source, av.open(str(part), "w") as output:
            streams = [output.add_stream_from_template(s, opaque=True) for s in source.streams]
            for packet in source.demux():
                if packet.size and packet.pts is not None and packet.dts is not None:
                    packet.pts += round(start / packet.time_base)
                    packet.dts += round(start / packet.time_base)
                    packet.stream = streams[packet.stream_index]
                    output.mux(packet)
        parts += part.read_bytes()
    target.write_bytes(_counted_through(parts))
    return target


def _counted_through(stream: bytes) -> bytes:
    """Number the packets of every programme through, as if none had been lost between the parts.

    Source: ISO/IEC 13818-1, 2.4.3.2.
    """
    content = bytearray(stream)
    counters: dict[int, int] = {}
    for at in range(0, len(content), PACKET_BYTES):
        programme = (content[at + 1] & 31) << 8 | content[at + 2]
        if content[at + 3] & 16:  # it has a payload
            counters[programme] = (counters.get(programme, 15) + 1) % 16
        content[at + 3] = content[at + 3] & 240 | counters.get(programme, 0)
    return bytes(content)
