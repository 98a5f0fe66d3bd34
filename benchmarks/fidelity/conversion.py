"""Rows: the conversion to RGB and back by itself; the background; the encoder's own loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from benchmarks.fidelity.clip import H264, HEVC, Clip, Tags
from benchmarks.fidelity.job import Networks, run_all_stages
from benchmarks.fidelity.measure import ColourErrors
from benchmarks.fidelity.pattern import picture, planes, raw
from benchmarks.fidelity.program import run_ffmpeg
from benchmarks.fidelity.reference import (
    LUMA,
    MATRICES,
    Layout,
    Plane,
    eight_bit_step,
    to_codes,
    to_rgb,
)
from benchmarks.fidelity.row import Result, refusal
from matting.errors import MattingError
from matting.imaging.colour_conversion import convert_planes
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.media.colour_tags import ColourRange, ColourTags, Matrix

MEAN_BOUND = 0.6  # in 1/255
BIAS_BOUND = 0.1  # in 1/255
BACKGROUND_BOUND = 1  # in 1/255
# Without these flags, libswscale itself is off by up to 3 for the best of all code values.
EXACT = ("-sws_flags", "bicubic+accurate_rnd+full_chroma_int")
ENCODER_BOUND = 0.2  # in 1/255: what the other rows may owe to the encoder
NUMBERS = {"smpte170m": Matrix.SMPTE170M, "bt709": Matrix.BT709, "bt2020nc": Matrix.BT2020}
SIZE = (512, 128)
RANGES = {False: "limited", True: "full"}
DEPTHS = (8, 10)


def program_conversion(
    codes: Sequence[Plane], matrix: str, bits: int, *, full: bool
) -> tuple[Plane, list[Plane]]:
    """Convert to RGB and back by the program's own functions, the only ones the bench calls.

    Args:
        codes: luma and chroma [H, W], of `bits`, 4:4:4.
        matrix: by FFmpeg's name.
    Returns:
        RGB [H, W, 3] in 0..255, and the code values that this RGB becomes again.
    """
    colour = ColourTags(NUMBERS[matrix], ColourRange.FULL if full else ColourRange.LIMITED)
    sample_format = colour.sample_format(bits, (1, 1), codes[0].shape[0])
    kind = np.uint8 if bits == 8 else np.uint16
    luma, *chroma = (torch.from_numpy(values.astype(kind))[None] for values in codes)
    between = SampleFormat(8 if bits == 8 else 16)
    rgb = convert_planes(Planes(sample_format, luma[None], torch.cat(chroma)[None]), between)
    back = convert_planes(rgb, sample_format)
    planes = [*back.luma_or_rgb[0], *([] if back.chroma is None else back.chroma[0])]
    rgb_values = rgb.luma_or_rgb[0].permute(1, 2, 0).double() * (255 / between.max_code_value)
    return rgb_values.numpy(), [plane.double().numpy() for plane in planes]


@dataclass(frozen=True)
class ConversionRow:
    """Bars and ramps in 4:4:4 to RGB and back, without a file and without an encoder."""

    matrix: str
    full: bool
    bits: int
    short: bool = True

    @property
    def name(self) -> str:
        standard = MATRICES[self.matrix].upper().replace("BT", "BT.")
        return f"conversion alone: {standard}, {RANGES[self.full]}, {self.bits} bits"

    def run(self, folder: Path, networks: Networks) -> Result:
        """Compare both ways with the standard."""
        weights = LUMA[MATRICES[self.matrix]]
        codes = to_codes(_bars_and_ramps(), weights, self.bits, full=self.full)
        rgb, back = program_conversion(codes, self.matrix, self.bits, full=self.full)
        exact = np.clip(to_rgb(codes, weights, self.bits, full=self.full), 0, 255)
        step = eight_bit_step(self.bits, full=self.full)
        to_rgb_errors = ColourErrors.of([list(np.moveaxis(rgb - exact, 2, 0))])
        back_errors = ColourErrors.of([[(b - a) / step for a, b in zip(codes, back, strict=True)]])
        broken = []
        for way, colours in (("to RGB", to_rgb_errors), ("and back", back_errors)):
            if colours.mean > MEAN_BOUND:
                broken.append(f"{way}: mean error {colours.mean:.2f}")
            if max(map(abs, colours.bias)) > BIAS_BOUND:
                broken.append(f"{way}: bias")
        means = f"mean error to RGB {to_rgb_errors.mean:.2f}, and back {back_errors.mean:.2f}"
        worse = max(to_rgb_errors, back_errors, key=lambda colours: max(map(abs, colours.bias)))
        return Result(
            self.name,
            [means],
            broken,
            ColourErrors(
                max(to_rgb_errors.mean, back_errors.mean),
                max(to_rgb_errors.largest, back_errors.largest),
                worse.bias,
                "both",
            ),
        )


@dataclass(frozen=True)
class BackgroundRow:
    """Where the network finds nobody, the final video shows the background colour asked for."""

    matrix: str
    full: bool
    bits: int
    colour: tuple[int, int, int]
    short: bool = False

    @property
    def name(self) -> str:
        standard = MATRICES[self.matrix].upper().replace("BT", "BT.")
        asked = "#{:02X}{:02X}{:02X}".format(*self.colour)
        return f"background {asked}: {standard}, {RANGES[self.full]}, {self.bits} bits"

    def run(self, folder: Path, networks: Networks) -> Result:
        """Run all stages, then convert to RGB by the ffmpeg program."""
        clip = Clip(
            video=H264 if self.bits == 8 else HEVC,
            pixel_format="yuv420p" if self.bits == 8 else f"yuv420p{self.bits}le",
            frames=4,
            tags=Tags(self.matrix, full=self.full),
            audio=None,
        )
        source = clip.write(folder / "clip")
        try:
            delivered = run_all_stages(source, networks.empty, background=self.colour)
        except MattingError as error:
            return Result(self.name, broken=[refusal(error, folder)])
        rgb = [*EXACT, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]
        shown, _ = run_ffmpeg(["-i", str(delivered.final), *rgb])
        values = np.frombuffer(shown, np.uint8).reshape(-1, 3).astype(np.float64)
        differences = values - np.array(self.colour)
        colours = ColourErrors.of([[differences[:, channel, None] for channel in range(3)]], "RGB")
        broken = []
        if colours.largest > BACKGROUND_BOUND:
            means = np.rint(values.mean(axis=0)).astype(int)
            broken.append("background is #{:02X}{:02X}{:02X}".format(*means))
        return Result(self.name, [] if broken else ["the colour asked for"], broken, colours)


@dataclass(frozen=True)
class EncoderRow:
    """What the encoder loses by itself at its finest quality: the noise of the bench."""

    pixel_format: str
    short: bool = False

    @property
    def name(self) -> str:
        layout = _layout(self.pixel_format)
        return f"the encoder alone: {layout.name}, {layout.bits} bits"

    def run(self, folder: Path, networks: Networks) -> Result:
        """Encode a clip's planes by x265 at CRF 0, and decode them."""
        layout = _layout(self.pixel_format)
        size = (96, 64)
        frames = [
            planes(picture(size, number, flash=False), layout, LUMA["bt709"], full=False)
            for number in range(12)
        ]
        form = ["-f", "rawvideo", "-pix_fmt", self.pixel_format]
        target = folder / "encoded.mp4"
        finest = ["-c:v", "libx265", "-preset", "fast", "-crf", "0", "-x265-params"]
        feed = b"".join(raw(frame, layout) for frame in frames)
        shape = ["-s", "{}x{}".format(*size), "-r", str(Fraction(30)), "-i", "pipe:0"]
        run_ffmpeg([*form, *shape, *finest, "log-level=none", str(target)], feed)
        out, _ = run_ffmpeg(["-i", str(target), *form, "pipe:1"])
        step = eight_bit_step(layout.bits, full=False)
        colours = ColourErrors.of(
            [
                [(b.astype(np.float64) - a) / step for a, b in zip(x, y, strict=True)]
                for x, y in zip(frames, layout.split(out, *size), strict=True)
            ]
        )
        broken = [] if colours.mean <= ENCODER_BOUND else [f"mean error {colours.mean:.2f}"]
        return Result(self.name, ["x265, CRF 0"], broken, colours)


ALL = [(matrix, full, bits) for matrix in NUMBERS for full in RANGES for bits in DEPTHS]
CONVERSIONS = [ConversionRow(*each) for each in ALL]
BACKGROUNDS = [
    *(BackgroundRow(*each, (120, 255, 155), short=each == ("bt709", False, 8)) for each in ALL),
    *(BackgroundRow(*each, (0, 177, 64)) for each in ALL if each[2] == 8),
]
ENCODERS = [
    EncoderRow(f"yuv{layout}p{depth}")
    for depth in ("", "10le", "12le")
    for layout in ("420", "422", "444")
]


def _layout(name: str) -> Layout:
    layout = Layout.of(name)
    if layout is None:
        raise ValueError(f"{name} is not planar")
    return layout


def _bars_and_ramps() -> Plane:
    """Draw colour bars, and ramps of grey, each channel and mixtures: RGB [H, W, 3] in 0..1."""
    rgb = picture(SIZE, 0, flash=False)
    ramp = np.linspace(0, 1, SIZE[0])
    for line, mixture in enumerate(
        ((1, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0.5, 0), (0, 1, 0.5), (0.5, 0, 1))
    ):
        rgb[SIZE[1] - 1 - line] = ramp[:, None] * np.array(mixture)
        rgb[SIZE[1] - 8 - line] = 1 - ramp[:, None] * np.array(mixture)
    return rgb
