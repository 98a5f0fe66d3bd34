"""Clips in stereo whose true alpha and disparity are known: drawn, or people put in depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.quality.clips import MAX_GREY, Clip, read_rgb
from benchmarks.quality.made_clips import place_without_people, quantise, write_video
from demo.stereo_film import EyeFrame, StereoFilm
from matting.imaging.sample_format import Size

# Disparities in px of 512x288: as somebody of 1.7 m who fills 0.85 of the picture's height has to
# eyes 64 mm apart, before a wall three times as far away.
PERSON_PX, BACKGROUND_PX = 9, 3
MARGIN_PX = 16  # of the clip's width: both eyes' pictures of the person lie within it


@dataclass(frozen=True)
class EyeClip:
    """What one eye sees.

    Attributes:
        rgb: [T, 3, H, W], uint8, as it is decoded.
        alpha: the true one, [T, 1, H, W], float32, in [0, 1].
        disparity: [T, 1, H, W], float32, in px, as `demo.stereo_film.EyeFrame` has it.
    """

    rgb: Tensor
    alpha: Tensor
    disparity: Tensor


@dataclass(frozen=True)
class StereoClip:
    """What both eyes see.

    Attributes:
        eyes: the left one's, the right one's.
    """

    name: str
    eyes: tuple[EyeClip, EyeClip]

    def __len__(self) -> int:
        return len(self.eyes[0].rgb)

    @property
    def size(self) -> Size:
        """Of what one eye sees."""
        return Size(self.eyes[0].rgb.shape[3], self.eyes[0].rgb.shape[2])


def drawn_in_stereo(folder: Path, seed: int, size: Size, frames: int) -> StereoClip:
    """Draw a film in stereo; alpha and disparity are exact.

    Args:
        folder: where each eye's film is put, for it is encoded.
        size: of what one eye sees.
    """
    film = list(StereoFilm(seed, *size, frames, cuts=(), flashes=()))
    name = f"drawn {seed} {size.height}p"
    left = _drawn_eye(folder / f"{name} left.mp4", [frame.left for frame in film])
    right = _drawn_eye(folder / f"{name} right.mp4", [frame.right for frame in film])
    return StereoClip(name, (left, right))


def person_in_stereo(folder: Path, clip: Clip, frames: int) -> StereoClip:
    """Put a clip's person before a background that is farther away; flat, as on a card.

    Both eyes see the person's very pixels, so that the true alphas are the same at matched places.

    Args:
        folder: where each eye's film is put, for it is encoded.
        clip: with its foreground.
    """
    if clip.foreground is None:
        raise ValueError(f"the foreground of {clip.name} is not known")
    width = clip.size.width - MARGIN_PX
    size = Size(width + BACKGROUND_PX, clip.size.height)
    behind = place_without_people(clip, size, frames)
    first = (MARGIN_PX - PERSON_PX) // 2
    eyes = []
    # The window that an eye looks through is further to the right for the right one.
    for name, person_from, background_from in (
        ("left", first, 0),
        ("right", first + PERSON_PX, BACKGROUND_PX),
    ):
        columns = slice(person_from, person_from + width)
        alpha = clip.alpha_codes[:frames, None, :, columns].float() / MAX_GREY
        colour = clip.foreground[:frames, :, :, columns].float() / MAX_GREY
        place = behind[..., background_from : background_from + width]
        rgb = quantise(colour * alpha + place * (1 - alpha))
        video = write_video(folder / f"{clip.name}_{name}.mp4", rgb)
        near = torch.full_like(alpha, PERSON_PX)
        disparity = near.where(alpha > 0, torch.full_like(alpha, BACKGROUND_PX))
        eyes.append(EyeClip(read_rgb(video), alpha, disparity))
    return StereoClip(clip.name, (eyes[0], eyes[1]))


def _drawn_eye(video: Path, frames: Sequence[EyeFrame]) -> EyeClip:
    def pictures() -> Iterator[Tensor]:
        return (torch.from_numpy(frame.rgb) for frame in frames)

    return EyeClip(
        read_rgb(write_video(video, pictures())),
        torch.stack([torch.from_numpy(frame.alpha) for frame in frames]),
        torch.stack([torch.from_numpy(frame.disparity) for frame in frames]),
    )
