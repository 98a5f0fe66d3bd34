"""One continuous line of time for a file whose clocks jump, the same for all its streams."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from matting.errors import MediaError
from matting.media.clock_runs import JUMP_SECONDS, MOST_STRAY_PACKETS, ClockRun

# How far a stream may start before, or end after, the picture that it belongs to.
SLACK_SECONDS = Fraction(5)
# From when on a pause may be a jump: as in FFmpeg's program (`-dts_delta_threshold`).
GAP_SECONDS = Fraction(10)
# The audio of joined files usually overlaps by a packet or two.
OVERLAP_SECONDS = Fraction(1, 10)
# They are told to ffmpeg in its arguments, which are limited on Windows.
MOST_SHIFTS = 400


class Shift(NamedTuple):
    """What is added to the times of a stream's packets, from that one on; in seconds."""

    packet: int
    seconds: Fraction


@dataclass(frozen=True)
class Timeline:
    """How the times that the packets carry become those on one line.

    Attributes:
        start: what its time 0 is, in seconds as the first packets carry them.
        shifts: by the stream's index, rising; nothing is added to the packets before, and to
            streams that are not there.
        strays: the picture's packets [first, stop) whose times say nothing.
        unclocked: the indexes of audio streams whose times contradict what their packets hold; each
            packet follows on the one before.
    """

    start: Fraction = Fraction(0)
    shifts: Mapping[int, tuple[Shift, ...]] = field(default_factory=dict)
    strays: tuple[tuple[int, int], ...] = ()
    unclocked: frozenset[int] = frozenset()

    @property
    def is_cut(self) -> bool:
        """Whether a clock jumps."""
        return any(shift.seconds for shifts in self.shifts.values() for shift in shifts)

    def require_followed(self, path: Path) -> None:
        """Refuse a file whose clocks jump more often than can be followed.

        Raises:
            MediaError: they do; names `path`.
        """
        jumps = sum(map(len, self.shifts.values()))
        if jumps > MOST_SHIFTS:
            raise MediaError(
                f"{path}: its clocks jump {jumps} times, more than can be followed.",
                "Convert it with a video converter first, which gives it one clock.",
            )

    def shift(self, stream: int, packet: int) -> Fraction:
        """Return what is added to the times of a stream's packet, in seconds."""
        shifts = self.shifts.get(stream, ())
        index = bisect_right(shifts, packet, key=lambda shift: shift.packet) - 1
        return shifts[index].seconds if index >= 0 else Fraction(0)

    def is_stray(self, packet: int) -> bool:
        """Return whether the time of a packet of the picture says nothing."""
        return any(first <= packet < stop for first, stop in self.strays)


class _Run(NamedTuple):
    """A ClockRun in seconds."""

    packet: int
    place: int
    packets: int
    first: Fraction
    last: Fraction
    least: Fraction
    most: Fraction
    step: Fraction

    @classmethod
    def of(cls, run: ClockRun, time_base: Fraction, step: Fraction) -> _Run:
        first, last = run.first * time_base, run.last * time_base
        least, most = run.least * time_base, run.most * time_base
        own_step = run.step * time_base or step
        return cls(run.packet, run.place, run.packets, first, last, least, most, own_step)

    @property
    def end(self) -> Fraction:
        return self.most + self.step


class Clock(NamedTuple):
    """A stream's runs, and its time base."""

    runs: Sequence[ClockRun]
    time_base: Fraction

    def in_seconds(self, step: Fraction) -> list[_Run]:
        """Return the runs in seconds.

        Args:
            step: from frame to frame where that is not known.
        """
        return [_Run.of(run, self.time_base, step) for run in self.runs]


def timeline_of(
    clocks: Mapping[int, Clock],
    picture: int,
    audio: Sequence[int],
    *,
    step: Fraction,
    restarts: bool,
) -> Timeline:
    """Return the line of time of a file, but for where it starts.

    Where the picture's clock jumps, the picture goes on at its own cadence; it waits until audio
    that belongs to what came before is over. The other streams follow by the same amounts. A pause
    that the audio does not have in common with the picture is one, and no jump.

    Args:
        clocks: of every stream that has packets, by its index.
        picture: the index of the picture's stream.
        audio: those of the audio's.
        step: of a picture that says nothing of its own, in seconds.
        restarts: whether a clock may jump ahead in such a container.
    """
    if all(len(clock.runs) < 2 for clock in clocks.values()) or picture not in clocks:
        return Timeline()
    runs = {index: clock.in_seconds(step) for index, clock in clocks.items()}
    kept, strays = _without_strays(runs[picture])
    heard = [_without_strays(runs[index])[0] for index in audio if index in runs]
    epochs = [kept[0]]
    for run in kept[1:]:
        jump = run.first - epochs[-1].last
        if _is_pause(jump, heard, restarts=restarts) or _is_slip(jump, heard):
            epochs[-1] = _merged(epochs[-1], run)
        else:
            epochs.append(run)
    shifts = [Fraction(0)]
    for number, (before, after) in enumerate(pairwise(epochs), 1):
        shift = before.end + shifts[-1] - after.least
        shifts.append(max([shift, *_shifts_without_overlap(heard, epochs, number, shifts)]))
    own = [Shift(epoch.packet, shift) for epoch, shift in zip(epochs, shifts, strict=True)]
    others = {
        index: _shifts_of(stream, epochs, shifts, restarts=restarts)
        for index, stream in runs.items()
        if index != picture
    }
    moved = {i: s for i, s in {**others, picture: tuple(own)}.items() if any(x.seconds for x in s)}
    return Timeline(shifts=moved, strays=strays)


def _is_pause(jump: Fraction, heard: Sequence[Sequence[_Run]], *, restarts: bool) -> bool:
    """Return whether a picture's clock that jumps by so much is right."""
    if jump <= 0:
        return False
    if not restarts or jump <= GAP_SECONDS:
        return True
    return bool(heard) and not any(
        abs(after.first - before.last - jump) <= SLACK_SECONDS
        for runs in heard
        for before, after in pairwise(runs)
    )


def _is_slip(jump: Fraction, heard: Sequence[Sequence[_Run]]) -> bool:
    """Return whether a picture's clock goes back a little while that of the audio goes on."""
    back = any(after.first < before.last for runs in heard for before, after in pairwise(runs))
    return -JUMP_SECONDS <= jump < 0 and bool(heard) and not back


def _without_strays(runs: Sequence[_Run]) -> tuple[list[_Run], tuple[tuple[int, int], ...]]:
    """Return the runs without those after which the clock goes on as before them, and these."""
    kept: list[_Run] = []
    strays: list[tuple[int, int]] = []
    for run in runs:
        stray = kept[-1] if len(kept) > 1 else None
        if stray is not None and _is_stray(kept[-2], stray, run):
            strays.append((stray.packet, run.packet))
            kept[-2:] = [_merged(kept[-2], run)]
        else:
            kept.append(run)
    return kept, tuple(strays)


def _is_stray(before: _Run, run: _Run, after: _Run) -> bool:
    expected = before.last + (run.packets + 1) * before.step
    in_order = before.last < run.first and run.last < after.first
    is_few = not in_order and run.packets <= MOST_STRAY_PACKETS
    # Nearer to where the earlier clock would be than to the end of these.
    return is_few and abs(after.first - expected) <= min(
        Fraction(1), abs(after.first - run.end) / 2
    )


def _merged(before: _Run, after: _Run) -> _Run:
    return before._replace(
        packets=after.packet + after.packets - before.packet,
        last=after.last,
        least=min(before.least, after.least),
        most=max(before.most, after.most),
        step=after.step,
    )


def _epoch(run: _Run, epochs: Sequence[_Run]) -> int | None:
    """Return the number of the picture's run that another stream's belongs to, by time and place.

    None: it has nothing in common with any.
    """
    fitting = [
        number
        for number, epoch in enumerate(epochs)
        if run.first <= epoch.end + SLACK_SECONDS and run.last >= epoch.least - SLACK_SECONDS
    ]
    return min(fitting, key=lambda number: abs(epochs[number].place - run.place), default=None)


def _shifts_without_overlap(
    heard: Sequence[Sequence[_Run]], epochs: Sequence[_Run], epoch: int, shifts: Sequence[Fraction]
) -> Iterator[Fraction]:
    """Yield by how much to shift an epoch so that its audio follows on that of those before."""
    for runs in heard:
        numbered = [(run, _epoch(run, epochs)) for run in runs]
        ends = [run.end + shifts[n] for run, n in numbered if n is not None and n < epoch]
        firsts = [run.least for run, number in numbered if number == epoch]
        if ends and firsts:
            yield max(ends) - min(firsts) - OVERLAP_SECONDS


def _shifts_of(
    runs: Sequence[_Run],
    epochs: Sequence[_Run],
    epoch_shifts: Sequence[Fraction],
    *,
    restarts: bool,
) -> tuple[Shift, ...]:
    """Return a stream's shifts: those of the picture's runs that its own belong to.

    A pause stays one. A run that belongs nowhere, or would go back into the one before it, follows
    on that.
    """
    jumps = [after.first - before.last for before, after in pairwise(epochs)]
    result: list[Shift] = []
    before: _Run | None = None
    for run in runs:
        number = _epoch(run, epochs)
        shift = Fraction(0) if number is None else epoch_shifts[number]
        if before is not None:
            jump, earlier = run.first - before.last, result[-1].seconds
            overlap = before.end + earlier - run.least
            is_pause = jump > 0 and (not restarts or jump <= GAP_SECONDS)
            if is_pause and not any(abs(jump - other) <= SLACK_SECONDS for other in jumps):
                shift = earlier
            elif number is None or overlap - shift > OVERLAP_SECONDS:
                shift = overlap
        if not result or result[-1].seconds != shift:
            result.append(Shift(run.packet, shift))
        before = run
    return tuple(result)
