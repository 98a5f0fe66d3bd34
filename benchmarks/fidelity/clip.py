"""Clips made by the ffmpeg program: a picture that flashes when its audio beeps, in any format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from benchmarks.fidelity.pattern import SAMPLE_RATE, picture, planes, raw, write_audio
from benchmarks.fidelity.program import run_ffmpeg
from benchmarks.fidelity.reference import LUMA, MATRICES, Layout, Plane

FLASH_FRAMES = 3
FINE = ("-crf", "4", "-preset", "ultrafast")
H264 = ("-c:v", "libx264", *FINE, "-bf", "2", "-g", "15")
HEVC = ("-c:v", "libx265", *FINE, "-x265-params", "log-level=none:keyint=15:min-keyint=15")
AUDIO_CODECS = {
    "avi": ("-c:a", "libmp3lame"),
    "webm": ("-c:a", "libopus"),
}
AAC = ("-c:a", "aac")


@dataclass(frozen=True)
class Tags:
    """Colour tags by FFmpeg's names; empty ones are not written.

    Attributes:
        matrix: the one the picture is converted by, and its tag unless `untagged`.
    """

    matrix: str = "bt709"
    full: bool = False
    primaries: str = "bt709"
    transfer: str = "bt709"
    chroma: str = ""
    untagged: bool = False

    def filter(self) -> str:
        """Return the filter that tags the frames, and changes none."""
        if self.untagged:
            return "null"
        values = {
            "range": "pc" if self.full else "tv",
            "colorspace": self.matrix,
            "color_primaries": self.primaries,
            "color_trc": self.transfer,
            "chroma_location": self.chroma,
        }
        return "setparams=" + ":".join(f"{name}={value}" for name, value in values.items() if value)


@dataclass(frozen=True)
class Clip:
    """The recipe of a clip.

    Attributes:
        video: the video encoder's arguments.
        tick, stretch, wobble: frame N is presented at N * stretch + wobble[0] * (N mod wobble[1]),
            in ticks, in seconds; 1 / rate where not given.
        delay: by how much the picture starts after the audio, in seconds.
        every: from one flash to the next, in frames.
        audio: the audio encoder's arguments; (): the container's usual ones; None: no audio.
        inputs: arguments for further inputs, which follow picture (0) and audio (1).
        output: more arguments for the output.
        before: arguments before the picture's input.
        fields: interlaced: two moments a frame, the earlier one in the lines 0, 2, 4 ...
        after: a function that changes the finished file.
        side_files: name and content of text files that the inputs read.
    """

    suffix: str = "mp4"
    video: Sequence[str] = H264
    pixel_format: str = "yuv420p"
    size: tuple[int, int] = (96, 64)
    rate: Fraction = Fraction(30)
    frames: int = 36
    every: int = 12
    tags: Tags = field(default_factory=Tags)
    filters: str = ""
    tick: Fraction | None = None
    stretch: int = 1
    wobble: tuple[int, int] = (0, 1)
    delay: Fraction = Fraction(0)
    audio: Sequence[str] | None = ()
    sample_rate: int = SAMPLE_RATE
    before: Sequence[str] = ()
    inputs: Sequence[str] = ()
    output: Sequence[str] = ()
    fields: bool = False
    after: Callable[[Path], None] | None = None
    side_files: Sequence[tuple[str, str]] = ()

    def times(self) -> list[Fraction]:
        """Return when each frame is presented, in seconds from the start of the audio."""
        step, length = self.wobble
        tick = self.tick or 1 / self.rate
        ticks = (number * self.stretch + step * (number % length) for number in range(self.frames))
        return [self.delay + number * tick for number in ticks]

    def write(self, path: Path) -> Path:
        """Write the file `path` with this clip's suffix; return its path.

        Raises:
            FfmpegError: ffmpeg cannot write it.
        """
        path = path.with_suffix(f".{self.suffix}")
        for name, content in self.side_files:
            (path.parent / name).write_text(content, encoding="utf-8")
        audio = path.parent / "audio.wav"
        arguments = [
            "-f",
            "rawvideo",
            "-pix_fmt",
            self.pixel_format,
            "-s",
            "{}x{}".format(*self.size),
        ]
        arguments += ["-r", str(self.rate), *self.before]
        arguments += ["-i", "pipe:0"]
        maps = ["-map", "0:v"]
        if self.audio is not None:
            times = self.times()
            seconds = times[-1] + times[1] - times[0] if len(times) > 1 else Fraction(1, 2)
            write_audio(audio, seconds, times[: -1 or None : self.every], self.sample_rate)
            arguments += ["-i", str(audio)]
            maps += ["-map", "1:a", *(self.audio or AUDIO_CODECS.get(self.suffix, AAC))]
        arguments += [item.replace("{}", str(path.parent)) for item in self.inputs]
        arguments += [*maps, "-vf", self._filter(), "-fps_mode", "passthrough"]
        if self.tick is not None or self.delay:
            arguments += ["-enc_time_base", "filter"]
        arguments += [*self.video, *self.output, str(path)]
        run_ffmpeg(arguments, feed=self._frames())
        if self.after is not None:
            self.after(path)
        return path

    def _filter(self) -> str:
        filters = [self.tags.filter(), *([self.filters] if self.filters else [])]
        if self.tick is not None or self.delay:  # -itsoffset does not move raw video
            step, length = self.wobble
            tick = self.tick or 1 / self.rate
            shown = f"{self.delay / tick}+N*{self.stretch}+{step}*mod(N,{length})"
            filters += [f"settb={tick}", f"setpts='{shown}'"]
        return ",".join(filters)

    def _frames(self) -> bytes:
        layout = Layout.of(self.pixel_format)
        if layout is None:
            raise ValueError(f"{self.pixel_format} is not planar")
        frames = []
        for number in range(self.frames):
            frame = self._planes(layout, number * (2 if self.fields else 1), number)
            if self.fields:
                later = self._planes(layout, number * 2 + 1, number)
                for plane, other in zip(frame, later, strict=True):
                    plane[1::2] = other[1::2]
            frames.append(raw(frame, layout))
        return b"".join(frames)

    def _planes(self, layout: Layout, moment: int, number: int) -> list[Plane]:
        rgb = picture(self.size, moment, flash=number % self.every < FLASH_FRAMES)
        weights = LUMA[MATRICES.get(self.tags.matrix, "bt709")]
        return planes(rgb, layout, weights, full=self.tags.full)
