"""Delivered formats as whoever takes them sees them: over a colour, in planes or in RGB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.fidelity.decoded_video import DecodedVideo, decode_video
from benchmarks.fidelity.measure import ColourErrors
from benchmarks.fidelity.program import run_ffmpeg
from benchmarks.fidelity.reference import (
    CodeValues,
    Plane,
    code_ranges,
    downsampled_to_left_siting,
    eight_bit_step,
    luma_weights,
    to_codes,
    to_rgb,
)
from matting.delivery.formats import AlphaTravel, DeliveryFormat
from matting.options import FormatName

FINE_BITS = 16
DECODERS = {FormatName.WEBM: ("-c:v", "libvpx-vp9")}
PICTURE_SAMPLES = {FormatName.PNG: "gbrap16le", FormatName.EXR: "gbrapf32le"}


@dataclass(frozen=True)
class Seen:
    """Straight planes and alpha of each frame.

    Attributes:
        colour: of each frame luma and chroma in code values, or R, G and B in 0..255; none: the
            alpha is all there is.
        alpha: of each frame [H, W], in 0..1; none: the colours are a composite.
        video: what was decoded; None: pictures.
    """

    colour: Sequence[Sequence[Plane]] = ()
    alpha: Sequence[Plane] = ()
    video: DecodedVideo | None = None


def see(row: DeliveryFormat, path: Path, size: tuple[int, int]) -> Seen:
    """Decode a delivered file or folder by the ffmpeg program.

    Args:
        size: width and height of the source.
    Raises:
        FfmpegError: it cannot be shown.
    """
    if row.pictures:
        return _see_pictures(row, path, size)
    video = decode_video(path, before=DECODERS.get(row.name, ()))
    frames = [[plane.astype(np.float64) for plane in frame] for frame in video.frames]
    if row.alpha is AlphaTravel.NONE:
        return Seen(frames, (), video)
    if row.alpha is AlphaTravel.STRAIGHT:
        top = (1 << video.layout.bits) - 1
        return Seen([frame[:3] for frame in frames], [frame[3] / top for frame in frames], video)
    if row.alpha is AlphaTravel.ALONE:
        return Seen((), [_grey(video, frame[0]) for frame in frames], video)
    axis = 0 if row.alpha is AlphaTravel.BELOW else 1
    halves = [[np.split(plane, 2, axis) for plane in frame] for frame in frames]
    colour = [[first for first, _ in frame] for frame in halves]
    return Seen(colour, [_grey(video, frame[0][1]) for frame in halves], video)


def errors_over(
    colour: tuple[int, int, int], source: DecodedVideo, alpha: Sequence[Plane], seen: Seen
) -> ColourErrors:
    """Return how far what is seen over a colour is from the source over it, by its alpha.

    What is alpha alone is compared with that; pictures are compared in RGB.
    """
    if not seen.colour:
        return ColourErrors.of(
            [[(_crop(own, true) - true) * 255] for own, true in zip(seen.alpha, alpha, strict=True)]
        )
    frames = [[plane.astype(np.float64) for plane in frame] for frame in source.frames]
    if seen.video is None:
        pairs = zip(frames, alpha, seen.colour, seen.alpha, strict=True)
        return ColourErrors.of(
            (
                [
                    _over(own, value, share) - _over(true, value, true_share)
                    for own, true, value in zip(shown, _rgb(source, frame), colour, strict=True)
                ]
                for frame, true_share, shown, share in pairs
            ),
            "RGB",
        )
    both = tuple(
        max(a, b) for a, b in zip(source.layout.shift, seen.video.layout.shift, strict=True)
    )
    shift = (both[0], both[1])
    theirs = [_composited(source, *each, colour, shift) for each in zip(frames, alpha, strict=True)]
    own_alpha: Sequence[Plane | None] = seen.alpha or [None] * len(seen.colour)
    ours = [
        _composited(seen.video, frame, share, colour, shift)
        for frame, share in zip(seen.colour, own_alpha, strict=True)
    ]
    return ColourErrors.of(
        [_crop(own, true) - true for own, true in zip(*pair, strict=True)]
        for pair in zip(ours, theirs, strict=True)
    )


def _composited(
    video: DecodedVideo,
    frame: Sequence[Plane],
    alpha: Plane | None,
    colour: tuple[int, int, int],
    shift: tuple[int, int],
) -> list[Plane]:
    """Return planes over a colour, chroma as coarse as `shift`, in steps of 8 bits."""
    bits, full = video.layout.bits, video.full
    step = eight_bit_step(bits, full=full)
    weights = luma_weights(video.facts["matrix"], video.height)
    rgb = np.array(colour, np.float64)[None, None] / 255
    behind = to_codes(rgb, weights, FINE_BITS, full=full)
    scale = eight_bit_step(bits, full=full) / eight_bit_step(FINE_BITS, full=full)
    left = tuple(wanted - own for wanted, own in zip(shift, video.layout.shift, strict=True))
    planes = []
    for number, (plane, value) in enumerate(zip(frame, behind, strict=True)):
        share = alpha
        if number and alpha is not None:
            share = downsampled_to_left_siting(alpha, video.layout.shift)
        mixed = plane if share is None else _over(plane, value.item() * scale, _fit(share, plane))
        coarse = downsampled_to_left_siting(mixed, (left[0], left[1])) if number else mixed
        planes.append(coarse / step)
    return planes


def _over(plane: Plane, behind: float, alpha: Plane) -> Plane:
    return np.asarray(plane * alpha + behind * (1 - alpha))


def _grey(video: DecodedVideo, luma: Plane) -> Plane:
    """Return luma as alpha, in 0..1."""
    black, height, _, _ = code_ranges(video.layout.bits, full=video.full)
    return (luma - black) / height


def _rgb(video: DecodedVideo, frame: Sequence[CodeValues]) -> list[Plane]:
    """Return R, G and B of a frame in 4:4:4, in 0..255."""
    weights = luma_weights(video.facts["matrix"], video.height)
    planes = [plane.astype(np.float64) for plane in frame]
    rgb = np.clip(to_rgb(planes, weights, video.layout.bits, full=video.full), 0, 255)
    return list(np.moveaxis(rgb, 2, 0))


def _fit(plane: Plane, like: Plane) -> Plane:
    """Return a plane with its last lines repeated up to another's size."""
    missing = [(0, max(0, b - a)) for a, b in zip(plane.shape, like.shape, strict=True)]
    return np.pad(plane, missing, mode="edge")


def _crop(plane: Plane, like: Plane) -> Plane:
    """Return a plane without the lines that an odd size grew by."""
    return plane[: like.shape[0], : like.shape[1]]


def _see_pictures(row: DeliveryFormat, folder: Path, size: tuple[int, int]) -> Seen:
    names = sorted(path.name for path in folder.iterdir())
    start = ["-start_number", str(int(Path(names[0]).stem))]
    samples = PICTURE_SAMPLES[row.name]
    form = ["-f", "rawvideo", "-pix_fmt", samples, "pipe:1"]
    pattern = str(folder / f"%07d{row.suffix}")
    raw, _ = run_ffmpeg([*start, "-i", pattern, "-fps_mode", "passthrough", *form])
    kind, top = ("<f4", 1.0) if samples.endswith("f32le") else ("<u2", 65535.0)
    width, height = size
    values = np.frombuffer(raw, kind).reshape(-1, 4, height, width).astype(np.float64) / top
    colour, alpha = values[:, (2, 0, 1)], values[:, 3]
    if row.alpha is AlphaTravel.PREMULTIPLIED:
        light = colour / np.maximum(alpha, 1e-6)[:, None]
        colour = _camera_code(light)
    return Seen([list(frame * 255) for frame in colour], list(alpha))


def _camera_code(light: Plane) -> Plane:
    """Return code values of light, 0..1, by the camera's curve. Source: ITU-R BT.709-6, 1.2."""
    bright = 1.099 * np.maximum(light, 0.018) ** 0.45 - 0.099
    return np.where(light < 0.018, 4.5 * light, bright)
