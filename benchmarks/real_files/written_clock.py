"""Whether the clock of a file goes on by the times that are written in it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

from matting.media.container import until_break

# The ffmpeg program takes a clock to start anew that goes back by more than this, or ahead by more
# than that; in seconds (its source says the first, and `-dts_delta_threshold` sets the second).
BACK_SECONDS, AHEAD_SECONDS = Fraction(1, 10), Fraction(10)


def goes_on(path: Path) -> bool:
    """Return whether no stream's clock starts anew by the times that the file itself holds.

    A program stream holds few: FFmpeg makes up those of the packets between. Where some of these
    hold no picture it runs ahead, and where it is back on time its program takes the clock to
    start anew. That program's pictures, and its audio, are late from there on.
    """
    latest: dict[int, Fraction] = {}
    with av.open(str(path)) as container:
        for packet in until_break(container.demux()):
            # Packets at no place in the file began in one that bears the time of another.
            if packet.dts is None or packet.pos is None:
                continue
            time = packet.dts * packet.time_base
            step = time - latest.get(packet.stream_index, time)
            if not -BACK_SECONDS <= step <= AHEAD_SECONDS:
                return False
            latest[packet.stream_index] = time
    return True
