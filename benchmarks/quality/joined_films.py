"""Films joined from clips by cuts, fades and dissolves at known frames, with what looks like cuts.

Half of the longer shots are disturbed: by a flash, a fast pan, a shaking camera, light that is
switched, something that passes before the camera, a zoom, or frames that are shown several times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matting.imaging.sample_format import Size

Frames = NDArray[np.uint8]  # R'G'B', [T, H, W, 3]
Rng = np.random.Generator

SIZE = Size(256, 144)
LONGEST, SHORTEST, LONG = 50, 14, 24  # shots, in frames; from LONG on they may be disturbed
KINDS = {"hard cut": 0.62, "jump cut": 0.12, "dissolve": 0.13, "fade": 0.13}
DISTURBED = 0.6  # of the long shots


@dataclass(frozen=True)
class Change:
    """From one shot to the next.

    Attributes:
        kind: one of KINDS.
        first, last: the frames at which the new shot may be said to start.
    """

    kind: str
    first: int
    last: int


@dataclass
class JoinedFilm:
    """A film with what is known of it; shots are added at its end."""

    frames: Frames = field(
        default_factory=lambda: np.zeros((0, SIZE.height, SIZE.width, 3), np.uint8)
    )
    changes: list[Change] = field(default_factory=list)

    @property
    def room(self) -> int:
        """How many frames at the end belong to the last shot alone."""
        return len(self.frames) - 3 - (self.changes[-1].last if self.changes else 0)

    def cut_to(self, shot: Frames, kind: str) -> None:
        """Add a shot after a hard cut."""
        if len(self.frames):
            self.changes.append(Change(kind, len(self.frames), len(self.frames)))
        self.frames = np.concatenate((self.frames, shot))

    def dissolve_to(self, shot: Frames, frames: int) -> None:
        """Add a shot that the last one becomes in so many frames."""
        start = len(self.frames) - frames
        shares = (np.arange(frames) + 1) / (frames + 1)
        mixed = _mixed(self.frames[start:], shot[:frames], shares)
        self.frames = np.concatenate((self.frames[:start], mixed, shot[frames:]))
        self.changes.append(Change("dissolve", start, start + frames))

    def fade_to(self, shot: Frames, frames: int, blank: int) -> None:
        """Add a shot after both fade in so many frames, with blank ones in between."""
        start, black = len(self.frames) - frames, np.zeros_like(shot[:1])
        shares = np.arange(1, frames + 1) / frames
        out = _mixed(self.frames[start:], black, shares)
        seen = _mixed(black, shot[:frames], shares - 1 / frames)
        parts = (self.frames[:start], out, black.repeat(blank, 0), seen, shot[frames:])
        self.frames = np.concatenate(parts)
        self.changes.append(Change("fade", start, start + 2 * frames + blank))


def join(clips: Mapping[str, Frames], seed: int, shots: int = 12) -> JoinedFilm:
    """Join shots from clips as the seed decides.

    Args:
        clips: by names whose first word says what is seen: jump cuts are between clips of "people",
            which were taken in one room.
    """
    rng = np.random.default_rng(seed)
    film, last = JoinedFilm(), ""
    for _ in range(shots):
        kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
        name = _next_clip(clips, kind, last, rng)
        if name.split()[0] != "people" or last.split()[:1] != ["people"]:
            kind = "hard cut" if kind == "jump cut" else kind
        shot = _shot(clips[name], mirrored=kind != "jump cut" and rng.random() < 0.5, rng=rng)
        _add(film, shot, kind, rng)
        last = name
    return film


def _add(film: JoinedFilm, shot: Frames, kind: str, rng: Rng) -> None:
    room = min(film.room, len(shot) - 6)
    if kind == "dissolve" and room >= 5:
        film.dissolve_to(shot, int(rng.integers(5, min(20, room) + 1)))
    elif kind == "fade" and room >= 5:
        film.fade_to(shot, int(rng.integers(5, min(12, room) + 1)), int(rng.integers(0, 10)))
    else:
        film.cut_to(shot, kind if kind == "jump cut" else "hard cut")


def _next_clip(clips: Mapping[str, Frames], kind: str, last: str, rng: Rng) -> str:
    """Return the name of the next clip; only a jump cut leads from people to people."""
    pools: dict[str, list[str]] = {}
    for name in clips:
        if name != last:
            pools.setdefault(name.split()[0], []).append(name)
    if last.startswith("people"):
        in_one_room = pools.pop("people", [])
        if kind == "jump cut" and in_one_room:
            return str(rng.choice(in_one_room))
    return str(rng.choice(pools[str(rng.choice(sorted(pools)))]))


def _shot(clip: Frames, *, mirrored: bool, rng: Rng) -> Frames:
    count = int(rng.integers(min(SHORTEST, len(clip)), min(LONGEST, len(clip)) + 1))
    start = int(rng.integers(0, len(clip) - count + 1))
    shot = clip[start : start + count]
    shot = shot[:, :, ::-1] if mirrored else shot
    if count >= LONG and rng.random() < DISTURBED:
        disturb = DISTURBANCES[int(rng.integers(len(DISTURBANCES)))]
        shot = disturb(shot.astype(np.float32), rng).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(shot)


def _mixed(before: Frames, after: Frames, shares: NDArray[np.float64]) -> Frames:
    """Return mixtures of frames, the later ones by these shares."""
    share = shares[:, None, None, None]
    return np.asarray(before * (1 - share) + after * share, np.uint8)


Shot = NDArray[np.float32]  # [T, H, W, 3]


def _flash(shot: Shot, rng: Rng) -> Shot:
    at, frames = int(rng.integers(3, len(shot) - 6)), int(rng.integers(1, 4))
    strength, decays = rng.uniform(0.4, 0.95), rng.random() < 0.5
    for index in range(frames):
        share = strength * (1 - index / frames) if decays else strength
        shot[at + index] += (255 - shot[at + index]) * np.float32(share)
    return shot


def _pan(shot: Shot, rng: Rng) -> Shot:
    """Pan over up to two widths within 6 to 11 frames, with the blur of that."""
    frames = int(rng.integers(6, 12))
    at = int(rng.integers(4, len(shot) - frames - 3))
    speeds = np.zeros(len(shot))
    profile = np.sin(np.linspace(0, np.pi, frames + 2)[1:-1]) ** 2
    speeds[at : at + frames] = profile / profile.sum() * rng.uniform(1, 2.2) * SIZE.width
    places = speeds.cumsum()
    for index, frame in enumerate(shot):
        wide = np.concatenate([frame, frame[:, ::-1]] * 2, axis=1)
        steps = 8 if speeds[index] > 2 else 1
        starts = [int(places[index] - speeds[index] * step / (2 * steps)) for step in range(steps)]
        shot[index] = np.mean([wide[:, max(0, x) :][:, : SIZE.width] for x in starts], axis=0)
    return shot


def _shake(shot: Shot, rng: Rng) -> Shot:
    place = np.zeros(2)
    for index, frame in enumerate(shot):
        place = np.clip(place * 0.8 + rng.normal(0, 2.5, 2), (-8, -12), (8, 12))
        shot[index] = np.roll(frame, place.astype(int), (0, 1))
    return shot


def _switch_light(shot: Shot, rng: Rng) -> Shot:
    at, frames = int(rng.integers(4, len(shot) - 4)), int(rng.integers(1, 4))
    gain = float(rng.choice((0.45, 0.6, 1.5, 1.8)))
    for index in range(at, len(shot)):
        shot[index] *= np.float32(1 + (gain - 1) * min(1, (index - at + 1) / frames))
    return shot


def _pass_by(shot: Shot, rng: Rng) -> Shot:
    """Have something of one colour pass before the camera."""
    frames = int(rng.integers(4, 10))
    at = int(rng.integers(3, len(shot) - frames - 2))
    width = rng.uniform(0.4, 1) * SIZE.width
    colour = rng.integers(0, 200, 3)
    for index in range(frames):
        left = (SIZE.width + width) * (index + 0.5) / frames - width
        shot[at + index, :, max(0, int(left)) : max(0, int(left + width))] = colour
    return shot


def _zoom(shot: Shot, rng: Rng) -> Shot:
    frames, most = int(rng.integers(5, 12)), rng.uniform(1.3, 1.8)
    at = int(rng.integers(2, len(shot) - frames))
    for index, frame in enumerate(shot):
        scale = 1 + (most - 1) * min(1, max(0, (index - at) / frames))
        rows, columns = (
            (side * (1 - 1 / scale) / 2 + np.arange(side) / scale).astype(int)
            for side in frame.shape[:2]
        )
        shot[index] = frame[rows][:, columns]
    return shot


def _repeat(shot: Shot, rng: Rng) -> Shot:
    """Show every frame two, three or four times, as drawn films do."""
    times = int(rng.integers(2, 5))
    return shot[np.arange(len(shot)) // times * times]


DISTURBANCES: tuple[Callable[[Shot, Rng], Shot], ...] = (
    _flash,
    _pan,
    _shake,
    _switch_light,
    _pass_by,
    _zoom,
    _repeat,
)
