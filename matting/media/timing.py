"""Arithmetic on the times of packets; ticks of any time base."""

from __future__ import annotations

from collections.abc import Sequence


def decode_times(pts: Sequence[int]) -> list[int]:
    """When each packet is decoded, given when it is shown; both in ticks, in decoding order.

    The display times in rising order, late enough that no packet is shown before it is decoded:
    what an encoder of the whole would have written.
    """
    shown = sorted(pts)
    rank = {time: index for index, time in enumerate(shown)}
    delay = max(index - rank[time] for index, time in enumerate(pts))
    step = max(1, shown[1] - shown[0]) if len(shown) > 1 else 1
    early = [shown[0] - step * (delay - index) for index in range(delay)]
    return (early + shown)[: len(pts)]
