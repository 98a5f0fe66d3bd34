"""The demo: the whole program on a drawn film, and how close the result is to the truth."""

from __future__ import annotations

import wave
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from demo.audio import make_audio
from demo.film import DEMO_SEED, Film
from demo.measure import alpha_errors, beep_times, flash_indices, grey
from demo.report import DemoReport
from matting.errors import writing
from matting.imaging.colour_conversion import convert_planes
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, Size
from matting.media import ffmpeg
from matting.media.audio import read_audio
from matting.media.colour_tags import BT709_TAGS
from matting.media.encoders import encoder_input
from matting.media.images.png import write_png
from matting.media.video_source import VideoSource
from matting.media.video_writer import VideoWriter
from matting.network_choice import SmallPeople
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
from matting.progress import Progress, Relay, SegmentReport
from matting.project.paths import DEMO_FILM, MattedFolder, segments_folder
from matting.project.plan import read_plan
from matting.run import run
from matting.system import atomic_files
from matting.system.device import choose_device, share_cores
from matting.system.temporary_files import create_temporary

CHECKPOINT = Path(__file__).resolve().parent.parent / "demo" / "demo_checkpoint.pth"
RATIO = 0.25  # of 1280x720: for speed, the smaller of the sizes that the network was trained at
ENCODING = EncodingOptions(
    VideoCodec.H264, quality=20, preset="superfast", encoder=CodecBackend.SOFTWARE
)
RGB8 = SampleFormat()
SEGMENT_SECONDS = Fraction(4)
SAMPLE_RATE = 48_000
FILM_SIZE = Size(1280, 720)
SHEET_COLUMNS = 4
SHEET_SHRINK = 4
LABEL = (
    "The demo's network was trained on drawn figures, to show that the program works: "
    "it is useless on real people."
)


def demo(
    folder: Path,
    progress: Progress,
    *,
    device: str = AUTO_DEVICE,
    size_px: Size = FILM_SIZE,
    seconds: int = 12,
) -> DemoReport:
    """Draw a film, matte it by all four stages, and measure the result.

    Args:
        folder: where everything is put; an interrupted demo there is resumed.
        size_px, seconds: of the film.
    Raises:
        MattingError: as the stages do.
    """
    progress.say(LABEL)
    share_cores(choose_device(device))  # other threads draw at the same time
    atomic_files.make_folder(folder)
    film = Film(DEMO_SEED, *size_px, frames=30 * seconds, fps=30)
    video = folder / DEMO_FILM
    drawing = draw_film(film, video, progress)
    ratio = min(1.0, RATIO * 720 / size_px.height)
    options = MattingOptions(
        # Its network knows one figure at one size.
        matte=MatteOptions(CHECKPOINT, ratio=ratio, small_people=SmallPeople.OFF),
        output=OutputOptions(kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA), encoding=ENCODING),
        compute=ComputeOptions(device, isolated=False),
    )
    speed = _SpeedMeter(progress)
    result = run(video, CuttingOptions(seconds=SEGMENT_SECONDS), options, None, speed)
    return _report(film, drawing, video, result, speed.frames_per_second)


class _SpeedMeter(Relay):
    """Measures how fast segments were matted; what was done before does not count."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(progress)
        self._frames = 0
        self._seconds = 0.0

    def report(self, segment: SegmentReport) -> None:
        self._frames += segment.frames
        self._seconds += segment.seconds
        super().report(segment)

    @property
    def frames_per_second(self) -> float | None:
        """The speed; None where nothing was matted."""
        return self._frames / self._seconds if self._frames and self._seconds else None


@dataclass(frozen=True)
class Drawing:
    """What the report needs of the film.

    Attributes:
        truth: the true alpha of each frame, uint8 [H, W].
        sources: a frame for each column of the contact sheet, uint8 [3, H, W].
    """

    truth: list[Tensor]
    sources: list[Tensor]


def draw_film(film: Film, video: Path, progress: Progress) -> Drawing:
    """Write the film with its audio to `video`.

    Raises:
        StorageError, EncodeError, MissingError.
    """
    picture, beeps, heard = (create_temporary(video) for _ in range(3))
    drawing = Drawing([], [])
    columns = _columns(len(film))
    colour = BT709_TAGS
    sample_format = colour.sample_format(8, (2, 2), film.window.height)
    samples = encoder_input(ENCODING, sample_format, colour, film.window.height)
    progress.start("Drawing a film", len(film), "frame")
    try:
        with VideoWriter(
            picture,
            size_px=Size(film.window.width, film.window.height),
            time_base=Fraction(1, film.fps),
            rate=Fraction(film.fps),
            colour=colour,
            encoding=ENCODING,
            samples=samples,
        ) as writer:
            for index, frame in enumerate(film.draw_ahead()):
                rgb = Planes(RGB8, torch.from_numpy(frame.rgb)[None])
                writer.write(convert_planes(rgb, sample_format), [index])
                alpha = (frame.alpha[0] * 255 + 0.5).astype(np.uint8)
                drawing.truth.append(torch.from_numpy(alpha))
                if index in columns:
                    drawing.sources.append(torch.from_numpy(frame.rgb))
                progress.advance(1)
            writer.finish()
        _write_wav(beeps, film)
        _add_audio(picture, beeps, heard)
        atomic_files.publish(heard, video)
    finally:
        progress.finish()
        for path in (picture, beeps, heard):
            atomic_files.discard(path)
    return drawing


def _write_wav(path: Path, film: Film) -> None:
    samples = make_audio(DEMO_SEED, len(film), film.fps, SAMPLE_RATE)
    with writing(path), wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.astype("<i2").tobytes())


def _add_audio(picture: Path, beeps: Path, video: Path) -> None:
    arguments = [*ffmpeg.input_file(picture), *ffmpeg.input_file(beeps)]
    arguments += ["-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", "-b:a", "160k"]
    arguments += ["-fflags", "+bitexact", "-f", "mp4", video.name]
    ffmpeg.run(arguments, folder=video.parent, subject=video, hint="", on_frames=lambda _: None)


def _report(
    film: Film, drawing: Drawing, video: Path, result: Path, matting_fps: float | None
) -> DemoReport:
    segments = segments_folder(video)
    matted = MattedFolder.of(segments)
    plan = read_plan(segments)
    lengths = [segment.frames for segment in plan.segments] if plan else [len(film)]
    cuts = [sum(lengths[:index]) for index in range(1, len(lengths))]
    # Segments begin with a flash, since key frames lie on whole seconds: compare with flashes.
    flashes = [index for index in film.flashes if index not in film.cuts]
    columns = _columns(len(film))
    with ThreadPoolExecutor(2) as pool:
        watching = pool.submit(_watch, result, columns)
        reading = pool.submit(_alphas, matted.combined(OutputKind.ALPHA))
        alphas = reading.result()
        errors = alpha_errors(alphas, drawing.truth, cuts, flashes)
        times, brightness, composites = watching.result()
    sheet = video.with_name("contact_sheet.png")
    greys = [[row[i].expand(3, -1, -1) for i in columns] for row in (alphas, drawing.truth)]
    _write_sheet(sheet, [drawing.sources, *greys, composites])
    return DemoReport(
        frames_in=len(film),
        frames_out=len(times),
        segments=len(lengths),
        alpha=errors,
        audio_offset_seconds=_audio_offsets(result, brightness, times, film.fps),
        matting_fps=matting_fps,
        film=video,
        result=result,
        sheet=sheet,
    )


def _alphas(path: Path) -> list[Tensor]:
    """Return every frame of a grey video, uint8 [H, W]."""
    return [alpha for rgb in _frames(VideoSource(path)) for alpha in grey(rgb).clone()]


def _frames(source: VideoSource) -> Iterator[Tensor]:
    """Yield every frame in R'G'B', uint8 [1, 3, H, W]."""
    for chunk in source.chunks(1):
        yield convert_planes(chunk.pictures, RGB8).luma_or_rgb


def _watch(
    result: Path, columns: Collection[int]
) -> tuple[list[Fraction], list[float], list[Tensor]]:
    """Return the time and brightness of every frame, and the frames `columns`."""
    source = VideoSource(result)
    brightness: list[float] = []
    frames: list[Tensor] = []
    for index, rgb in enumerate(_frames(source)):
        brightness.append(float(rgb[..., ::4, ::4].float().mean()))
        if index in columns:
            frames.append(rgb[0])
    times = [pts * source.time_base for pts in source.times]
    return times, brightness, frames


def _audio_offsets(
    result: Path, brightness: list[float], times: list[Fraction], fps: int
) -> tuple[float, ...]:
    """Return how many seconds after each flash its beep begins, both as found in the result."""
    start, samples = read_audio(result, SAMPLE_RATE)
    beeps = [float(start) + at for at in beep_times(samples, SAMPLE_RATE)]
    flashes = [float(times[index]) for index in flash_indices(brightness, fps)]
    return tuple(beep - flash for beep, flash in zip(beeps, flashes, strict=True))


def _columns(frames: int) -> list[int]:
    """Return the frames of the contact sheet, spread evenly and clear of flashes."""
    return [round((column + 0.5) * frames / SHEET_COLUMNS) + 3 for column in range(SHEET_COLUMNS)]


def _write_sheet(path: Path, rows: list[list[Tensor]]) -> None:
    """Write rows of source, alpha, truth and result, uint8 [3, H, W] each; a column per frame."""
    strips = [torch.cat([_shrink(picture) for picture in row], dim=2) for row in rows]
    sheet = torch.cat(strips, dim=1).permute(1, 2, 0).contiguous()
    write_png(path, sheet.numpy())


def _shrink(rgb: Tensor) -> Tensor:
    """Return uint8 [3, H, W] at a quarter of its size."""
    shrunk = torch.nn.functional.avg_pool2d(rgb[None].float(), SHEET_SHRINK)[0]
    return shrunk.round().to(torch.uint8)
