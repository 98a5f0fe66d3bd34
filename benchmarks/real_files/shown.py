"""What the ffmpeg program shows of files: small pictures, their times, and how loud the audio is.

Its decoding is tolerant: the reference for what is whole.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matting.media import ffmpeg

SIDE_PX = 16  # of the copies that are compared
PICTURE_BYTES = 3 * SIDE_PX * SIDE_PX
AUDIO_RATE = 8000
BIN = Fraction(1, 20)  # seconds: how finely loudness is compared
MOST_BINS = 20 * 3600 * 12
# Audio that ends so much after the file has a wrong clock: it is heard as in a WAV file made of it.
FAR_SECONDS = 10
LIMIT_SECONDS = 600.0
PICTURES = f"scale={SIDE_PX}:{SIDE_PX}:flags=area:out_range=full,format=yuv444p,showinfo=checksum=0"
AUDIO = f"aformat=sample_fmts=s16:channel_layouts=mono:sample_rates={AUDIO_RATE},ashowinfo"

TIME_BASE = re.compile(r"config in time_base: (\d+/\d+), frame_rate")
PICTURE = re.compile(r"\[Parsed_showinfo\S* @ \S+\] \[info\] n: *\d+ pts: *(-?\d+|NOPTS) ")
BLOCK = re.compile(
    r"\[Parsed_ashowinfo\S* @ \S+\] \[info\] n:\d+ pts:(-?\d+|NOPTS) .*?nb_samples:(\d+) "
)
ERROR = re.compile(r"^(?:\[\S+ @ \S+\] )*\[(?:error|fatal|panic)\] (.*)$", re.MULTILINE)
LENGTH = re.compile(r"Duration: (\d+):(\d+):(\d+)\.")
FORMAT = re.compile(r"Input #0, (\S+),? from ")
# FFmpeg's names of still and animated pictures, and of texts that it draws.
NO_VIDEO = re.compile(r"_pipe$|^image2|^(gif|apng|ico|tty|bin|xbin|adf|idf|alias_pix|brender_pix)$")
# The complaint of the output's muxer, where the file's own times are doubled or go back.
OF_TIMES = "non monotonically increasing dts to muxer"


class NotShownError(Exception):
    """The ffmpeg program shows no picture of a file; the message says why."""


@dataclass(frozen=True)
class Shown:
    """What is shown and heard of a file, or of segments in a row.

    Attributes:
        pictures: [frames, 3, SIDE_PX, SIDE_PX], uint8: luma and both chroma planes, in code values.
        times: when each is presented, in seconds; None where it has no time.
        loudness: root mean square in 0..1 for each BIN of time after the first picture's; empty
            where there is no audio or it was not asked for.
        errors: what ffmpeg complained of.
        is_unclocked: whether the audio's times were impossible, and are those of its samples one
            after the other.
        is_restarted: whether the program takes the clock to start anew where it goes on by the
            file's own times, and these are the times without that.
    """

    pictures: NDArray[np.uint8]
    times: list[Fraction | None]
    loudness: NDArray[np.float64]
    errors: list[str]
    is_unclocked: bool = False
    is_restarted: bool = False

    @property
    def silent(self) -> bool:
        """Whether it was decoded without a word."""
        return not self.errors


def show(path: Path, *, audio: bool, as_written: bool = False) -> Shown:
    """Decode the best video stream of `path`, and its first audio stream if that is asked for.

    Args:
        as_written: leave the times of a clock that the program takes to start anew as they are.
    Raises:
        NotShownError: there is no picture in it.
    """
    streams = _run(["-i", str(path)])[1]
    if ": Video:" not in streams:
        raise NotShownError("no video stream")
    if NO_VIDEO.search(FORMAT.findall(streams)[0].rstrip(",")):
        raise NotShownError("a still picture, or a text")
    has_audio = ": Audio:" in streams
    source = [*(["-copyts"] if as_written else []), "-i", str(path)]
    # Each time the other stream is read as well: jumps of the clock are mended for both alike.
    beside = ["-map", "0:a:0", "-c", "copy", "-f", "null", "-"] if has_audio else []
    pictures_out = ["-map", "0:V:0", "-vf", PICTURES, "-fps_mode", "passthrough"]
    raw, log = _run([*source, *pictures_out, "-f", "rawvideo", "pipe:1", *beside])
    samples = np.zeros(0, np.int16)
    blocks: list[tuple[str, str]] = []
    if has_audio and audio:
        beside = ["-map", "0:V:0", "-c", "copy", "-f", "null", "-"]
        audio_out = ["-map", "0:a:0", "-af", AUDIO, "-f", "s16le", "pipe:1"]
        heard, audio_log = _run([*source, *audio_out, *beside])
        samples, blocks = np.frombuffer(heard, np.int16, len(heard) // 2), BLOCK.findall(audio_log)
    base = TIME_BASE.findall(log)
    count = len(raw) // PICTURE_BYTES
    if not count or not base:
        raise NotShownError((ERROR.findall(log) or ["no picture"])[-1])
    pictures = np.frombuffer(raw, np.uint8, count * PICTURE_BYTES)
    # The base may change with the stream's size; showinfo's times are in the latest.
    ticks = PICTURE.findall(log)
    if len(ticks) != count:
        raise NotShownError(f"{len(ticks)} times of {count} pictures")
    times = [None if pts == "NOPTS" else int(pts) * Fraction(base[-1]) for pts in ticks]
    start = next((time for time in times if time is not None), Fraction(0))
    is_unclocked = _is_impossible(blocks, streams)
    if is_unclocked:
        blocks = _one_after_the_other(blocks)
    return Shown(
        pictures.reshape(count, 3, SIDE_PX, SIDE_PX),
        times,
        _loudness(samples, blocks, start),
        [error for error in ERROR.findall(log) if OF_TIMES not in error],
        is_unclocked,
        as_written,
    )


def in_a_row(parts: Sequence[Shown], times: Sequence[Fraction]) -> Shown:
    """Return segments as one video whose frames have these times."""
    errors = [error for part in parts for error in part.errors]
    pictures = np.concatenate([part.pictures for part in parts])
    return Shown(pictures, list(times), np.zeros(0), errors)


def _is_impossible(blocks: list[tuple[str, str]], log: str) -> bool:
    """Return whether the blocks' times and lengths are far beyond what the file says of itself."""
    length = LENGTH.search(log)
    if length is None:
        return False
    hours, minutes, seconds = map(int, length.groups())
    declared = hours * 3600 + minutes * 60 + seconds + 1
    latest = max((int(pts) for pts, _ in blocks if pts != "NOPTS"), default=0)
    return latest > (2 * declared + FAR_SECONDS) * AUDIO_RATE


def _one_after_the_other(blocks: list[tuple[str, str]]) -> list[tuple[str, str]]:
    first = int(blocks[0][0]) if blocks[0][0] != "NOPTS" else 0
    ends = accumulate((int(count) for _, count in blocks), initial=first)
    return [(str(pts), count) for pts, (_, count) in zip(ends, blocks, strict=False)]


def _loudness(
    samples: NDArray[np.int16], blocks: Sequence[tuple[str, str]], start: Fraction
) -> NDArray[np.float64]:
    """Return how loud each bin after `start` is."""
    bins, power = [np.zeros(0, np.int64)], [np.zeros(0)]
    offset = 0
    for pts, count in blocks:
        block = samples[offset : offset + int(count)].astype(np.float64) / 32768
        offset += int(count)
        if pts == "NOPTS":
            continue
        seconds = float(Fraction(int(pts), AUDIO_RATE) - start)
        places = np.floor((seconds + np.arange(len(block)) / AUDIO_RATE) / float(BIN))
        inside = (places >= 0) & (places < MOST_BINS)
        bins.append(places[inside].astype(np.int64))
        power.append(block[inside] ** 2)
    where = np.concatenate(bins)
    total = np.bincount(where, np.concatenate(power))
    return np.asarray(np.sqrt(total / np.maximum(np.bincount(where), 1)), np.float64)


def _run(arguments: Sequence[str]) -> tuple[bytes, str]:
    """Run ffmpeg, which may fail; return what it wrote to its output, and its log."""
    command = [str(ffmpeg.program()), "-hide_banner", "-nostats", "-loglevel", "level+info", "-y"]
    try:
        done = subprocess.run(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise NotShownError(f"ffmpeg takes more than {LIMIT_SECONDS:g} s") from error
    return done.stdout, done.stderr.decode("utf-8", "replace")
