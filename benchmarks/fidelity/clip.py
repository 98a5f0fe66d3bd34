"""Clips made by the ffmpeg program: a picture that flashes when its sound beeps, in any format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from benchmarks.fidelity.program import call
from benchmarks.fidelity.reference import LUMA, MATRICES, Layout, Plane
from benchmarks.fidelity.signal import SAMPLE_RATE, picture, planes, raw, write_sound

FLASH_FRAMES = 3
FINE = ("-crf", "4", "-preset", "ultrafast")
H264 = ("-c:v", "libx264", *FINE, "-bf", "2", "-g", "15")
HEVC = ("-c:v", "libx265", *FINE, "-x265-params", "log-level=none:keyint=15:min-keyint=15")
SOUND = {
    "avi": ("-c:a", "libmp3lame"),
    "webm": ("-c:a", "libopus"),
}
AAC = ("-c:a", "aac")


@dataclass(frozen=True)
class Tags:
    """Colour tags by FFmpeg's names; empty ones are not written.

    Attributes:
        matrix: what the picture is made by, and its tag unless `untagged`.
    """

    matrix: str = "bt709"
    full: bool = False
    primaries: str = "bt709"
    transfer: str = "bt709"
    chroma: str = ""
    untagged: bool = False

    def filter(self) -> str:
        """The filter that marks the frames, and changes none."""
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
    """What a clip is made of.

    Attributes:
        video: the encoder's arguments.
        tick, stretch, wobble: frame N is shown at N * stretch + wobble[0] * (N mod wobble[1]),
            in ticks, in seconds; 1 / rate where not given.
        delay: by how much the picture starts after the sound.
        every: from one flash to the next, in frames.
        sound: the sound encoder's arguments; None: no sound.
        inputs: more arguments for inputs, that come after picture (0) and sound (1).
        output: more arguments for the output.
        before: arguments before the picture's input.
        fields: two moments a frame, the earlier one in the lines 0, 2, 4 ...
        after: changes the finished file.
        side_files: name and content of files that lie in the folder while it is made.
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
    sound: Sequence[str] | None = ()
    sound_rate: int = SAMPLE_RATE
    before: Sequence[str] = ()
    inputs: Sequence[str] = ()
    output: Sequence[str] = ()
    fields: bool = False
    after: Callable[[Path], None] | None = None
    side_files: Sequence[tuple[str, str]] = ()

    def times(self) -> list[Fraction]:
        """When each frame is shown, in seconds from the sound's start."""
        step, length = self.wobble
        tick = self.tick or 1 / self.rate
        ticks = (number * self.stretch + step * (number % length) for number in range(self.frames))
        return [self.delay + number * tick for number in ticks]

    def write(self, path: Path) -> Path:
        """Makes the file `path` with this clip's suffix; returns it.

        Raises:
            ProgramError: ffmpeg cannot make it.
        """
        path = path.with_suffix(f".{self.suffix}")
        for name, content in self.side_files:
            (path.parent / name).write_text(content, encoding="utf-8")
        sound = path.parent / "sound.wav"
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
        if self.sound is not None:
            times = self.times()
            seconds = times[-1] + times[1] - times[0] if len(times) > 1 else Fraction(1, 2)
            write_sound(sound, seconds, times[: -1 or None : self.every], self.sound_rate)
            arguments += ["-i", str(sound)]
            maps += ["-map", "1:a", *(self.sound or SOUND.get(self.suffix, AAC))]
        arguments += [item.replace("{}", str(path.parent)) for item in self.inputs]
        arguments += [*maps, "-vf", self._filter(), "-fps_mode", "passthrough"]
        if self.tick is not None or self.delay:
            arguments += ["-enc_time_base", "filter"]
        arguments += [*self.video, *self.output, str(path)]
        call(arguments, feed=self._frames())
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
        made = []
        for number in range(self.frames):
            frame = self._planes(layout, number * (2 if self.fields else 1), number)
            if self.fields:
                later = self._planes(layout, number * 2 + 1, number)
                for plane, other in zip(frame, later, strict=True):
                    plane[1::2] = other[1::2]
            made.append(raw(frame, layout))
        return b"".join(made)

    def _planes(self, layout: Layout, moment: int, number: int) -> list[Plane]:
        rgb = picture(self.size, moment, flash=number % self.every < FLASH_FRAMES)
        weights = LUMA[MATRICES.get(self.tags.matrix, "bt709")]
        return planes(rgb, layout, weights, full=self.tags.full)
