"""Where the clock of a stream jumps, found while its packets are read in the order of the file."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

# Containers in which FFmpeg's program, too, takes clocks to start again (AVFMT_TS_DISCONT).
RESTARTING = {"mpegts", "mpeg", "ogg"}
# An mp4 file's times jump at its edits only, and those are right; AVI counts frames.
STEADY = ("mp4", "avi")
# So few packets on another clock, after which the earlier one goes on, have bad times.
MOST_STRAY_PACKETS = 64
# From packet to packet; smaller ones are bad times of single frames.
JUMP_SECONDS = Fraction(1, 2)
# Backwards, where clocks start again: as in FFmpeg's program.
STEP_BACK_SECONDS = Fraction(1, 10)
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
        self._last_written: int | None = None
        self._is_after_step = False  # whether the run began by a step back
        self._is_steady = any(name in container for name in STEADY)
        self._restarts = container in RESTARTING
        self._least_step_back = int(STEP_BACK_SECONDS / time_base)
        self._least_jump = int(JUMP_SECONDS / time_base)
        self._least_jump_reordered = int(REORDERED_SECONDS / time_base)

    def add(
        self,
        pts: int | None,
        dts: int | None,
        duration: int,
        place: int,
        *,
        is_written: bool = True,
    ) -> None:
        """Note the stream's next packet.

        Args:
            place: among all packets of the file.
            is_written: whether the file holds its time; FFmpeg makes up those between, which may
                run ahead.
        """
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
        steps = is_written and dts is not None and self._steps(decoded)
        if is_written:
            self._last_written = decoded
        jumps = not self.runs or self._jumps(decoded, known=known and self._last_is_known)
        if not jumps and not steps:
            self.runs[-1].add(decoded, presented, duration)
            return
        self._is_after_step = steps and not self._is_after_step
        run = ClockRun(number, place, 1, decoded, decoded, presented, presented, duration)
        self.runs.append(run)

    def _steps(self, decoded: int) -> bool:
        """Return whether the clock goes back a little, or ahead again after a few packets."""
        if not self._restarts or self._last_written is None:
            return False
        step = decoded - self._last_written
        is_soon = self._is_after_step and self.runs[-1].packets <= MOST_STRAY_PACKETS
        return step < -self._least_step_back or (is_soon and step > self._least_step_back)

    def _jumps(self, decoded: int, *, known: bool) -> bool:
        least = self._least_jump if known else self._least_jump_reordered
        return not self._is_steady and abs(decoded - self.runs[-1].last) > least
