"""The whole program at work on a film of its own, and how near the result is to the truth."""

from __future__ import annotations

import time
import wave
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from demo.film import DEMO_SEED, Film
from demo.measure import AlphaErrors, alpha_errors, beep_times, flash_indices, grey
from demo.sound import sound
from matting.errors import writing
from matting.imaging.colour_conversion import convert_planes
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.media import ffmpeg
from matting.media.audio import read_audio
from matting.media.colour_tags import BT709, LIMITED, ColourTags
from matting.media.encoders import encoder_input
from matting.media.images.png import write_png
from matting.media.video_source import VideoSource
from matting.media.video_writer import VideoWriter
from matting.options import (
    AUTO_DEVICE,
    CodecBackend,
    ComputeOptions,
    CuttingOptions,
    EncodingOptions,
    MatteOptions,
    MattingOptions,
    OutputKind,
    OutputOptions,
    VideoCodec,
)
from matting.progress import Progress
from matting.project.paths import MattedFolder, segments_folder
from matting.project.plan import read_plan
from matting.run import run
from matting.system import atomic_files
from matting.system.device import choose_device, share_cores

CHECKPOINT = Path(__file__).resolve().parent.parent / "demo" / "demo_checkpoint.pth"
DEFAULT_FOLDER = CHECKPOINT.parent.parent / "demo_output"
RATIO = 0.25  # of 1280x720; the smaller of the sizes that the network was trained at, for speed
ENCODING = EncodingOptions(
    VideoCodec.H264, quality=20, preset="superfast", encoder=CodecBackend.SOFTWARE
)
RGB8 = SampleFormat()
SEGMENT_SECONDS = Fraction(4)
SAMPLE_RATE = 48_000
SHEET_COLUMNS = 4
SHEET_SHRINK = 4
LABEL = (
    "The demo's network was trained on drawn figures, to show that the program works: "
    "it is useless on real people."
)
ALPHA_HELP = (
    "(Alpha says how much of a pixel is person, from 0 to 1. The film was drawn, so the true one "
    "is known;\nan error of 0 is a perfect match. Look at the result, or at the last picture.)"
)


@dataclass(frozen=True)
class DemoReport:
    """What came of the demo.

    Attributes:
        sound_offset_seconds: of each flash, how much later than it its beep begins.
        matting_fps: frames a second of the four stages together.
    """

    frames_in: int
    frames_out: int
    segments: int
    alpha: AlphaErrors
    sound_offset_seconds: tuple[float, ...]
    matting_fps: float
    film: Path
    result: Path
    sheet: Path

    def table(self) -> str:
        """The report for people."""
        offset_ms = max(map(abs, self.sound_offset_seconds), default=float("nan")) * 1000
        rows = [
            ("frames in, frames out", f"{self.frames_in}, {self.frames_out}"),
            ("mean error of alpha, inside", f"{self.alpha.inside:.4f}"),
            ("mean error of alpha, edges (10 px)", f"{self.alpha.edge:.4f}"),
            ("mean error of alpha, everywhere", f"{self.alpha.everywhere:.4f}"),
            (f"jump at the {self.segments - 1} cuts", f"{self.alpha.at_cuts:.4f}"),
            ("  at flashes without a cut", f"{self.alpha.elsewhere:.4f}"),
            (
                f"sound offset, worst of {len(self.sound_offset_seconds)} beeps",
                f"{offset_ms:.1f} ms",
            ),
            ("speed, all four stages", f"{self.matting_fps:.1f} frames a second"),
            ("the film", str(self.film)),
            ("the result", str(self.result)),
            ("source, alpha, truth, result", str(self.sheet)),
        ]
        width = max(len(name) for name, _ in rows)
        return "\n".join([*(f"{name:<{width}}  {value}" for name, value in rows), ALPHA_HELP])


def demo(
    folder: Path,
    progress: Progress,
    *,
    device: str = AUTO_DEVICE,
    size_px: tuple[int, int] = (1280, 720),
    seconds: int = 12,
) -> DemoReport:
    """Draws a film, mattes it by all four stages, and measures the result.

    Args:
        folder: where everything is put. What a demo interrupted there has done is used.
        size_px, seconds: of the film.
    Raises:
        whatever the stages raise.
    """
    progress.say(LABEL)
    share_cores(choose_device(device))  # drawing is done by others at the same time
    atomic_files.make_folder(folder)
    film = Film(DEMO_SEED, *size_px, frames=30 * seconds, fps=30)
    video = folder / "demo.mp4"
    drawn = draw_film(film, video, progress)
    ratio = min(1.0, RATIO * 720 / size_px[1])
    options = MattingOptions(
        matte=MatteOptions(CHECKPOINT, ratio=ratio),
        output=OutputOptions(kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA), encoding=ENCODING),
        compute=ComputeOptions(device, isolated=False),
    )
    started = time.monotonic()
    result = run(video, CuttingOptions(seconds=SEGMENT_SECONDS), options, None, progress)
    spent_seconds = time.monotonic() - started
    return _report(film, drawn, video, result, spent_seconds)


@dataclass(frozen=True)
class DrawnFilm:
    """What is kept of the film: its true alpha, uint8 [H, W] a frame, and the sheet's pictures."""

    truth: list[Tensor]
    sources: list[Tensor]  # uint8 [3, H, W], one a column


def draw_film(film: Film, video: Path, progress: Progress) -> DrawnFilm:
    """Writes the film with its sound to `video`.

    Raises:
        StorageError, EncodeError, MissingError.
    """
    picture, beeps = atomic_files.partial(video), video.with_name("demo_sound.wav")
    drawn = DrawnFilm([], [])
    columns = _columns(len(film))
    colour = ColourTags(BT709, LIMITED, BT709, BT709)
    sample_format = colour.sample_format(8, (2, 2), film.window.height)
    samples = encoder_input(ENCODING, sample_format, colour, film.window.height)
    progress.start("Drawing a film", len(film), "frame")
    try:
        with VideoWriter(
            picture,
            size_px=(film.window.width, film.window.height),
            time_base=Fraction(1, film.fps),
            rate=Fraction(film.fps),
            colour=colour,
            choice=ENCODING,
            samples=samples,
        ) as writer:
            for index, frame in enumerate(film.drawn_ahead()):
                rgb = Planes(RGB8, torch.from_numpy(frame.rgb)[None])
                writer.write(convert_planes(rgb, sample_format), [index])
                alpha = (frame.alpha[0] * 255 + 0.5).astype(np.uint8)
                drawn.truth.append(torch.from_numpy(alpha))
                if index in columns:
                    drawn.sources.append(torch.from_numpy(frame.rgb))
                progress.advance(1)
            writer.finish()
        _write_wav(beeps, film)
        _add_sound(picture, beeps, video)
    finally:
        progress.finish()
        for path in (picture, beeps):
            with writing(path):
                path.unlink(missing_ok=True)
    return drawn


def _write_wav(path: Path, film: Film) -> None:
    samples = sound(DEMO_SEED, len(film), film.fps, SAMPLE_RATE)
    with writing(path), wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.astype("<i2").tobytes())


def _add_sound(picture: Path, beeps: Path, video: Path) -> None:
    temporary = video.with_name("demo_with_sound.mp4.partial")
    arguments = [*ffmpeg.input_file(picture), *ffmpeg.input_file(beeps)]
    arguments += ["-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", "-b:a", "160k"]
    arguments += ["-fflags", "+bitexact", "-f", "mp4", temporary.name]
    ffmpeg.run(arguments, folder=video.parent, subject=video, hint="", on_frames=lambda _: None)
    atomic_files.publish(temporary, video)


def _report(
    film: Film, drawn: DrawnFilm, video: Path, result: Path, spent_seconds: float
) -> DemoReport:
    segments = segments_folder(video)
    matted = MattedFolder.of(segments)
    plan = read_plan(segments)
    lengths = [segment.frames for segment in plan.segments] if plan else [len(film)]
    cuts = [sum(lengths[:index]) for index in range(1, len(lengths))]
    # Segments begin with a flash, since key frames lie on whole seconds: flashes are their like.
    flashes = [index for index in film.flashes if index not in film.cuts]
    columns = _columns(len(film))
    with ThreadPoolExecutor(2) as pool:
        watched = pool.submit(_watch, result, columns)
        read = pool.submit(_alphas, matted.combined(OutputKind.ALPHA))
        alphas = read.result()
        errors = alpha_errors(alphas, drawn.truth, cuts, flashes)
        times, brightness, composites = watched.result()
    sheet = video.with_name("contact_sheet.png")
    greys = [[row[i].expand(3, -1, -1) for i in columns] for row in (alphas, drawn.truth)]
    _write_sheet(sheet, [drawn.sources, *greys, composites])
    return DemoReport(
        frames_in=len(film),
        frames_out=len(times),
        segments=len(lengths),
        alpha=errors,
        sound_offset_seconds=_sound_offsets(result, brightness, times, film.fps),
        matting_fps=len(film) / spent_seconds,
        film=video,
        result=result,
        sheet=sheet,
    )


def _alphas(path: Path) -> list[Tensor]:
    """Every frame of a grey video, uint8 [H, W]."""
    return [alpha for rgb in _frames(VideoSource(path)) for alpha in grey(rgb).clone()]


def _frames(source: VideoSource) -> Iterator[Tensor]:
    """Every frame in R'G'B', uint8 [1, 3, H, W]."""
    for chunk in source.chunks(1):
        yield convert_planes(chunk.pictures, RGB8).luma_or_rgb


def _watch(
    result: Path, columns: Collection[int]
) -> tuple[list[Fraction], list[float], list[Tensor]]:
    """Time and brightness of every frame, and the pictures for the sheet's `columns`."""
    picture = VideoSource(result)
    brightness: list[float] = []
    shown: list[Tensor] = []
    for index, rgb in enumerate(_frames(picture)):
        brightness.append(float(rgb[..., ::4, ::4].float().mean()))
        if index in columns:
            shown.append(rgb[0])
    times = [pts * picture.time_base for pts in picture.times]
    return times, brightness, shown


def _sound_offsets(
    result: Path, brightness: list[float], times: list[Fraction], fps: int
) -> tuple[float, ...]:
    """How much later than each flash its beep begins, in seconds, both as found in the result."""
    start, samples = read_audio(result, SAMPLE_RATE)
    beeps = [float(start) + at for at in beep_times(samples, SAMPLE_RATE)]
    flashes = [float(times[index]) for index in flash_indices(brightness, fps)]
    return tuple(beep - flash for beep, flash in zip(beeps, flashes, strict=True))


def _columns(frames: int) -> list[int]:
    """The frames of the contact sheet, spread evenly and clear of flashes."""
    return [round((column + 0.5) * frames / SHEET_COLUMNS) + 3 for column in range(SHEET_COLUMNS)]


def _write_sheet(path: Path, rows: list[list[Tensor]]) -> None:
    """Rows of source, alpha, truth and result, uint8 [3, H, W] each; a column a frame."""
    lines = [torch.cat([_small(picture) for picture in row], dim=2) for row in rows]
    sheet = torch.cat(lines, dim=1).permute(1, 2, 0).contiguous()
    write_png(path, sheet.numpy())


def _small(rgb: Tensor) -> Tensor:
    """uint8 [3, H, W] at a quarter of its size."""
    shrunk = torch.nn.functional.avg_pool2d(rgb[None].float(), SHEET_SHRINK)[0]
    return shrunk.round().to(torch.uint8)
