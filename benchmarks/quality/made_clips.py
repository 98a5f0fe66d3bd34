"""Clips made for the bench: drawn films, people placed small, and clips joined by hard cuts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.quality.clips import HD, MAX_GREY, RGB8, Clip, true_clip, truth_names
from demo.film import Film
from matting.imaging.colour_conversion import convert_planes
from matting.imaging.planes import Planes
from matting.imaging.sample_format import Size
from matting.media.colour_tags import BT709_TAGS
from matting.media.encoders import encoder_input
from matting.media.video_writer import VideoWriter
from matting.options import CodecBackend, EncodingOptions, VideoCodec

RATE = 30
# As the true clips are encoded, but quickly.
ENCODING = EncodingOptions(
    VideoCodec.H264, quality=12, preset="veryfast", encoder=CodecBackend.SOFTWARE
)
PERSON = MAX_GREY // 2  # alpha above it counts for where a person is
EMPTY = MAX_GREY // 50  # a column with less is background
LEAST_BACKGROUND_PX = 64
WALK = 0.2  # of the room beside a small person: how far the person moves within the clip
DRIFT_PX = 0.5  # a frame: how fast the background behind a small person moves


def drawn(
    folder: Path,
    seed: int,
    size: Size = HD,
    frames: int = 48,
    *,
    cuts: tuple[int, ...] = (),
    flashes: tuple[int, ...] = (),
) -> Clip:
    """Draw a film of the demo's puppet; its alpha is exact.

    Args:
        folder: where the file is put.
        cuts: the first frame of each shot but the first.
        flashes: the frames in which a light flashes.
    """
    film = Film(seed, *size, frames=frames, fps=RATE, cuts=cuts, flashes=flashes)
    rgb, alpha, foreground = [], [], []
    for frame in film.draw_ahead():
        rgb.append(torch.from_numpy(frame.rgb))
        alpha.append(quantise(torch.from_numpy(frame.alpha[0])))
        foreground.append(quantise(torch.from_numpy(frame.foreground)))
    name = f"drawn {seed}"
    video = write_video(folder / f"drawn_{seed}_{size.height}_{len(cuts)}.mp4", rgb)
    return Clip(name, video, torch.stack(alpha), torch.stack(foreground), cuts)


def placed_small(
    folder: Path, clip: Clip, height_px: int, size: Size = HD, frames: int | None = None
) -> Clip:
    """Return a clip's person, shrunk or enlarged, walking a little before a background.

    Exact by construction: colour times alpha and alpha are resampled alike, then put over the
    background. That is a part of the same place that nobody is in, mirrored side by side, and it
    moves slowly. Who is cut off at the clip's lower edge stands at the picture's.

    Args:
        folder: where the file is put.
        clip: with its foreground.
        height_px: of the person, in the frame in which it takes the most room.
        size: of the new clip.
        frames: how many of the clip's to take; None: all.
    """
    if clip.foreground is None:
        raise ValueError(f"the foreground of {clip.name} is not known")
    count = min(len(clip), frames or len(clip))
    top, bottom, left, right = extent(clip.alpha_codes)
    scale = height_px / (bottom - top)
    at_edge = bottom >= clip.size.height - 1
    behind = place_without_people(clip, size, count)
    low = size.height if at_edge else round(size.height * 0.85)
    width_px = round((right - left) * scale)
    rgb, alphas, colours = [], [], []
    for index in range(count):
        share = 0.5 - WALK / 2 + WALK * index / max(1, count - 1)
        x = round((size.width - width_px) * share - left * scale)
        y = round(low - bottom * scale)
        alpha, premultiplied = _placed(
            clip.alpha_codes[index], clip.foreground[index], scale, (x, y), size
        )
        rgb.append(quantise(premultiplied + (1 - alpha) * behind[index]))
        alphas.append(quantise(alpha[0]))
        colours.append(quantise(premultiplied / alpha.clamp(min=1e-6)))
    name = f"{clip.name} {height_px} px"
    video = write_video(folder / f"{clip.video.stem}_{height_px}.mp4", rgb)
    return Clip(name, video, torch.stack(alphas), torch.stack(colours))


def joined(folder: Path, clips: Sequence[Clip]) -> Clip:
    """Return clips of one size as one, with a hard cut before each but the first."""
    lengths = [len(clip) for clip in clips]
    cuts = tuple(sum(lengths[:index]) for index in range(1, len(clips)))
    names = [clip.name for clip in clips]
    video = folder / f"joined_{'_'.join(clip.video.stem for clip in clips)}"[:200]
    foregrounds = [clip.foreground for clip in clips if clip.foreground is not None]
    return Clip(
        " + ".join(names),
        write_video(video.with_name(f"{video.name}.mp4"), (f for c in clips for f in c.rgb())),
        torch.cat([clip.alpha_codes for clip in clips]),
        torch.cat(foregrounds) if len(foregrounds) == len(clips) else None,
        cuts,
    )


def first_frames(folder: Path, clip: Clip, frames: int) -> Clip:
    """Return the beginning of a clip."""
    return replace(
        clip,
        video=write_video(folder / f"{clip.video.stem}_{frames}.mp4", clip.rgb()[:frames]),
        alpha_codes=clip.alpha_codes[:frames],
        foreground=None if clip.foreground is None else clip.foreground[:frames],
        cuts=tuple(cut for cut in clip.cuts if cut < frames),
    )


def write_video(path: Path, frames: Iterable[Tensor]) -> Path:
    """Write R'G'B' frames, uint8 [3, H, W], in H.264 of BT.709; return the path."""
    writer: VideoWriter | None = None
    try:
        for index, frame in enumerate(frames):
            height, width = frame.shape[1:]
            sample_format = BT709_TAGS.sample_format(8, (2, 2), height)
            if writer is None:
                writer = VideoWriter(
                    path,
                    size_px=Size(width, height),
                    time_base=Fraction(1, RATE),
                    rate=Fraction(RATE),
                    colour=BT709_TAGS,
                    encoding=ENCODING,
                    samples=encoder_input(ENCODING, sample_format, BT709_TAGS, height),
                )
                writer.__enter__()
            writer.write(convert_planes(Planes(RGB8, frame[None]), sample_format), [index])
        if writer is not None:
            writer.finish()
    finally:
        if writer is not None:
            writer.close()
    return path


def place_without_people(clip: Clip, size: Size, frames: int) -> Tensor:
    """Return frames of a place without anybody, [T, 3, H, W], float32, in [0, 1]."""
    name = clip.name.split()[0]
    shown = true_clip(name, HD) if name in truth_names(HD) else clip
    strip = empty_strip(shown)
    height, width = size.height, size.width + int(DRIFT_PX * frames) + 1
    scale = height / strip.shape[1]
    columns = max(1, round(strip.shape[2] * scale))
    strip = F.interpolate(strip[None], (height, columns), mode="bilinear", antialias=True)[0]
    pair = torch.cat((strip, strip.flip(2)), dim=2)
    wide = pair.repeat(1, 1, -(-width // pair.shape[2]))
    starts = [int(DRIFT_PX * index) for index in range(frames)]
    return torch.stack([wide[:, :, x : x + size.width] for x in starts])


def quantise(values: Tensor) -> Tensor:
    """Return values in [0, 1] as codes, uint8."""
    return (values.clamp(0, 1) * MAX_GREY + 0.5).to(torch.uint8)


def extent(codes: Tensor) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right of what is a person in any frame; ends are excluded."""
    ever = (codes > PERSON).any(0)
    rows, columns = ever.any(1).nonzero(), ever.any(0).nonzero()
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _placed(
    codes: Tensor, colour: Tensor, scale: float, at_px: tuple[int, int], size: Size
) -> tuple[Tensor, Tensor]:
    """Return alpha [1, H, W] and colour times alpha [3, H, W] of a frame, scaled and moved.

    Args:
        codes, colour: the frame's alpha [h, w] and foreground [3, h, w], uint8.
        at_px: where its left upper corner comes to lie.
    """
    alpha = codes[None].float() / MAX_GREY
    layers = torch.cat((alpha, colour.float() / MAX_GREY * alpha))
    shape = [max(1, round(side * scale)) for side in layers.shape[1:]]
    scaled = F.interpolate(layers[None], shape, mode="bilinear", antialias=True)[0].clamp(0, 1)
    canvas = torch.zeros(4, size.height, size.width)
    x, y = at_px
    rows = slice(max(0, y), min(size.height, y + shape[0]))
    columns = slice(max(0, x), min(size.width, x + shape[1]))
    canvas[:, rows, columns] = scaled[
        :, rows.start - y : rows.stop - y, columns.start - x : columns.stop - x
    ]
    return canvas[:1], canvas[1:]


def empty_strip(clip: Clip) -> Tensor:
    """Return the widest columns of a clip's first frame that nobody is in, float32, in [0, 1]."""
    empty = (clip.alpha_codes.amax((0, 1)) < EMPTY).numpy()
    edges = np.flatnonzero(np.diff(np.concatenate(([0], empty.astype(np.int8), [0]))))
    runs = sorted(zip(edges[::2], edges[1::2], strict=True), key=lambda run: run[1] - run[0])
    if not runs or runs[-1][1] - runs[-1][0] < LEAST_BACKGROUND_PX:
        raise ValueError(f"somebody is everywhere in {clip.name}")
    return clip.rgb()[0, :, :, int(runs[-1][0]) : int(runs[-1][1])].float() / MAX_GREY
