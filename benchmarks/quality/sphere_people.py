"""Who stands in the rooms around a lens, and where: cut out of the true clips, and drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.quality.bench import Bench
from benchmarks.quality.clips import HD, MAX_GREY, Clip, true_clip, truth_names
from benchmarks.quality.made_clips import empty_strip, extent
from benchmarks.quality.sphere_scenes import Place, Sprites, lying, standing
from demo.film import Film
from matting.imaging.sample_format import Size

TRUE_CLIPS = ("d1", "d3", "d5", "g2")  # whole people, and one cut off below the shoulders
DRAWN = "drawn"
DRAWN_SEED = 1_000
DRAWN_SIZE = Size(720, 720)
MARGIN = 0.03  # of the clip's height, around a person


@dataclass(frozen=True)
class Position:
    """A place in the room for whole people, and one for who is cut off below the shoulders."""

    name: str
    whole: Place
    bust: Place

    def of(self, sprites: Sprites) -> Place:
        """Return the one for that person."""
        return self.bust if sprites.is_cut_off else self.whole


# Lower edges, and so feet, at 31, 62, 59, 37 and 63 degrees below the eye.
POSITIONS = (
    Position("middle", standing(0, 2.5, 1.5, 1.75), standing(0, 1.2, 0.35, 0.8)),
    Position("near", standing(0, 0.8, 1.5, 1.75), standing(0, 0.5, 0.42, 0.75)),
    Position("near, 40° aside", standing(40, 0.9, 1.5, 1.75), standing(40, 0.55, 0.42, 0.75)),
    Position("60° aside", standing(60, 2.0, 1.5, 1.75), standing(60, 1.0, 0.35, 0.8)),
    Position("floor", lying(0.45, 0.9, 1.75), lying(0.35, 0.8, 0.8)),
)


def sprites_of(clip: Clip, frames: int) -> Sprites:
    """Return a true clip's person, before a part of the same place that nobody is in."""
    if clip.foreground is None:
        raise ValueError(f"the foreground of {clip.name} is not known")
    shown = true_clip(clip.name, HD) if clip.name in truth_names(HD) else clip
    foreground = clip.foreground[:frames].float() / MAX_GREY
    return _cut_out(clip.alpha_codes[:frames], foreground, empty_strip(shown))


def drawn_sprites(frames: int) -> Sprites:
    """Return a drawn person, and what is drawn behind."""
    film = Film(DRAWN_SEED, *DRAWN_SIZE, frames=frames, cuts=(), flashes=())
    drawn = list(film.draw_ahead())
    codes = torch.stack([torch.from_numpy(own.alpha[0]) for own in drawn]) * MAX_GREY
    foreground = torch.stack([torch.from_numpy(own.foreground) for own in drawn])
    return _cut_out(
        (codes + 0.5).to(torch.uint8), foreground, torch.from_numpy(drawn[0].background)
    )


def people(bench: Bench, frames: int) -> Iterator[tuple[str, Sprites]]:
    """Yield who was asked for, with a name for tables."""
    for clip in bench.truth():
        if clip.name in (bench.names or TRUE_CLIPS):
            yield clip.name, sprites_of(clip, frames)
    yield DRAWN, drawn_sprites(frames)


def _cut_out(codes: Tensor, foreground: Tensor, room: Tensor) -> Sprites:
    """Return who is in frames, by alpha [T, H, W], uint8, and colours [T, 3, H, W] in [0, 1]."""
    height, width = codes.shape[1:]
    top, bottom, left, right = extent(codes)
    is_cut_off = bottom >= height - 1
    margin = round(MARGIN * height)
    rows = slice(max(0, top - margin), height if is_cut_off else min(height, bottom + 2))
    columns = slice(max(0, left - margin), min(width, right + margin))
    alpha = codes[:, None, rows, columns].float() / MAX_GREY
    layers = torch.cat((foreground[:, :, rows, columns] * alpha, alpha), dim=1)
    return Sprites(layers.contiguous(), is_cut_off, room)
