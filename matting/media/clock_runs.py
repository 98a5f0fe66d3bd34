"""Where the clock of a stream jumps, found while its packets are read in the order of the file."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

# Containers in which FFmpeg's program, too, takes clocks to start again (AVFMT_TS_DISCONT).
RESTARTING = {"mpegts", "mpeg", "ogg"}
# An mp4 file's times jump at its edits only, and those are right; AVI counts frames.
STEADY = ("mp4", "avi")
# From packet to packet; smaller ones are bad times of single frames.
JUMP_SECONDS = Fraction(1, 2)
# Where only presentation times are known, which go back and forth within a group of pictures.
REORDERED_SECONDS = Fraction(2)


@dataclass
class ClockRun:
    """Packets of one stream between two jumps of its clock; times in ticks of the stream.

    Attributes:
        packet: the first one's number among the stream's packets.
        place: the first one's among all packets of the file.
        packets: how many.
        first, last: when the first and the last are decoded.
        least, most: when the first and the last are presented.
        step: from the last frame but one to the last, in order of presentation; 0: unknown.
    """

    packet: int
    place: int
    packets: int
    first: int
    last: int
    least: int
    most: int
    step: int = 0

    def add(self, decoded: int, presented: int, duration: int) -> None:
        """Note the next packet."""
        self.packets += 1
        self.last = decoded
        self.least = min(self.least, presented)
        if presented > self.most:
            self.step, self.most = presented - self.most, presented
        elif presented < self.most:
            self.step = min(self.step or duration, self.most - presented)


class RunReader:
    """The runs of a stream's clock while its packets are read.

    Args:
        container: FFmpeg's name of its format.
    """

    def __init__(self, container: str, time_base: Fraction) -> None:
        self.runs: list[ClockRun] = []
        self._packets = 0
        self._last_is_known = False
        self._is_steady = any(name in container for name in STEADY)
        self._least_jump = int(JUMP_SECONDS / time_base)
        self._least_jump_reordered = int(REORDERED_SECONDS / time_base)

    def add(self, pts: int | None, dts: int | None, duration: int, place: int) -> None:
        """Note the stream's next packet, which is at that place among all packets of the file."""
        number = self._packets
        self._packets += 1
        decoded = pts if dts is None else dts
        presented = dts if pts is None else pts
        if decoded is None or presented is None:
            if self.runs:
                self.runs[-1].packets += 1
            return
        # Matroska says nothing of when the first packets are decoded: those that follow have to be
        # compared with when these are presented, which may be far ahead.
        known, self._last_is_known = self._last_is_known, dts is not None
        if self.runs and not self._jumps(decoded, known=known and self._last_is_known):
            self.runs[-1].add(decoded, presented, duration)
            return
        run = ClockRun(number, place, 1, decoded, decoded, presented, presented, duration)
        self.runs.append(run)

    def _jumps(self, decoded: int, *, known: bool) -> bool:
        least = self._least_jump if known else self._least_jump_reordered
        return not self._is_steady and abs(decoded - self.runs[-1].last) > least
