"""A drawn person: a coloured disc with a soft edge, and what it looks like over a colour."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.imaging.colour_conversion import convert_planes
from matting.imaging.delivered_frames import DeliveredFrames
from matting.imaging.matte_planes import MAX_ALPHA
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, Size
from matting.media import ffmpeg

DISC_SIZE = Size(97, 65)  # odd on both sides
FRAMES = 4
TIME_BASE = Fraction(1, 90_000)
# Of varying length, none of which is a whole number of milliseconds.
PTS = (0, 3003, 6007, 15_015)
RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)
Floats = NDArray[np.float64]


def disc(size: Size = DISC_SIZE, frames: int = FRAMES) -> tuple[Floats, Floats]:
    """Return the straight foreground [T, H, W, 3] and alpha [T, H, W, 1], in 0 to 1.

    The colours go on beyond the disc, and change slowly, so that half of the chroma is as good.
    """
    rows, columns = np.mgrid[0 : size.height, 0 : size.width]
    shades = (
        0.85 - columns / size.width / 4,
        0.3 + rows / size.height / 3,
        np.full(rows.shape, 0.6),
    )
    foreground = np.stack(shades, axis=2)
    alphas = []
    for frame in range(frames):
        distance = np.hypot(columns - size.width / 2 - 3 * frame, rows - size.height / 2)
        soft = np.clip((size.height * 0.4 - distance) / (size.height * 0.3), 0, 1)
        alphas.append(np.rint(soft * MAX_ALPHA) / MAX_ALPHA)
    return np.stack([foreground] * frames), np.stack(alphas)[..., None]


def delivered(
    foreground: Floats, alpha: Floats, target: SampleFormat, *, premultiplied: bool = False
) -> DeliveredFrames:
    """Return the frames for a writer; multiplied by alpha they would be wrong."""
    colour = foreground * alpha if premultiplied else foreground
    rgb = torch.from_numpy(np.rint(colour * 65535).astype(np.uint16)).permute(0, 3, 1, 2)
    return DeliveredFrames(
        convert_planes(Planes(SampleFormat(16), rgb.contiguous()), target), alpha_codes(alpha)
    )


def alpha_codes(alpha: Floats) -> Tensor:
    """Return alpha [T, H, W, 1] as it is stored, [T, 1, H, W], uint16."""
    codes = np.rint(alpha * MAX_ALPHA).astype(np.uint16)
    return torch.from_numpy(codes).permute(0, 3, 1, 2).contiguous()


def read_rgba(path: Path, size: Size, *decoder: str) -> Floats:
    """Return the frames that the ffmpeg program shows, [T, H, W, 4], in 0 to 1, straight.

    Args:
        decoder: options for reading it.
    """
    flags = ("-sws_flags", "accurate_rnd+full_chroma_int+bitexact")
    values = _read(path, *decoder, out=(*flags, "-pix_fmt", "rgba64le")).astype(np.float64)
    return values.reshape(-1, size.height, size.width, 4) / 65535


def read_light(path: Path, size: Size, *options: str) -> Floats:
    """Return the pictures of linear light that the ffmpeg program reads, [T, H, W, 4]."""
    values = _read(path, *options, out=("-pix_fmt", "gbrapf32le")).view("<f4").astype(np.float64)
    planes = values.reshape(-1, 4, size.height, size.width)[:, (2, 0, 1, 3)]
    return np.asarray(planes.transpose(0, 2, 3, 1))


def read_alpha(path: Path, bits: int, size: Size) -> NDArray[np.uint16]:
    """Return alpha as it is stored, [T, H, W], in more than 8 bits."""
    out = ("-vf", "extractplanes=a", "-pix_fmt", f"gray{bits}le")
    return _read(path, out=out).reshape(-1, size.height, size.width)


def _read(path: Path, *options: str, out: tuple[str, ...]) -> NDArray[np.uint16]:
    command = [str(ffmpeg.program()), "-v", "error", *options, "-i", str(path), *out]
    command += ["-fps_mode", "passthrough", "-f", "rawvideo", "-"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return np.frombuffer(done.stdout, "<u2")


def over(rgb: tuple[int, int, int]) -> Callable[[Floats, Floats], Floats]:
    """Return what puts straight colours over a colour by their alpha."""

    def composite(colour: Floats, alpha: Floats) -> Floats:
        return np.asarray(colour * alpha + np.asarray(rgb) / 255 * (1 - alpha))

    return composite


def worst_mean_error(shown: Floats, foreground: Floats, alpha: Floats) -> float:
    """Return the largest mean error over three colours of RGBA, as a player shows it, in 1/255.

    Where something is to be seen: the rest would hide errors of it.
    """
    errors, seen = [], alpha[..., 0] > 0
    for rgb in (RED, GREEN, WHITE):
        composite = over(rgb)
        difference = composite(shown[..., :3], shown[..., 3:]) - composite(foreground, alpha)
        errors.append(float(np.abs(difference)[seen].mean() * 255))
    return max(errors)
