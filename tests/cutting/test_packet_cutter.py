"""Where a source can be cut, and which packets a segment takes."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from matting.cutting.packet_cutter import PacketSpan, choose_cuts, plan_spans
from matting.cutting.packet_index import SourcePacket


def test_where_packets_are_cut() -> None:
    # Decoding order. 19 is a leading picture of the key frame 20; 29 crosses the key frame 30.
    pts = [0, 2, 1, 10, 12, 11, 20, 19, 22, 31, 30, 29, 40, 41]
    keys = {0, 10, 20, 30, 40}
    packets = [SourcePacket(p, p in keys) for p in pts]
    starts = choose_cuts(packets, Fraction(10))
    assert [pts[i] for i in starts] == [0, 10, 20, 40]
    assert [pts[i] for i in choose_cuts(packets, Fraction(25))] == [0, 40]
    assert all(a < b for a, b in pairwise(starts))


def test_an_open_gop_gets_a_pre_roll() -> None:
    """Of as many GOPs as are asked for, but none before the source's start."""
    closed = {0, 4, 12}
    packets = [
        SourcePacket(n, key=n % 4 == 0, closed_gop=n in closed if n % 4 == 0 else None)
        for n in range(16)
    ]
    starts = [0, 4, 8, 12]
    assert plan_spans(packets, starts, 1) == [
        PacketSpan(0, 0, 4),
        PacketSpan(4, 4, 8),
        PacketSpan(4, 8, 12),
        PacketSpan(12, 12, 16),
    ]
    assert plan_spans(packets, starts, 8)[2] == PacketSpan(0, 8, 12)
