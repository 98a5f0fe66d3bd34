"""What else a file holds: its sound decoded with its times; tracks, chapters and titles."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.stream import Disposition, Stream

GLOBAL_KEYS = ("title", "artist", "comment", "location", "creation_time", "make", "model")
LOUD = 0.4  # of the loudest sample: where a beep begins
QUIET_SECONDS = 0.1  # between two beeps at least


@dataclass(frozen=True)
class Heard:
    """The first sound track.

    Attributes:
        beeps: when each begins, in seconds.
        ends: when the last sample has been played.
    """

    beeps: list[Fraction]
    ends: Fraction


def listen(path: Path) -> Heard | None:
    """The beeps of a file; None where it has no sound."""
    times: list[Fraction] = []
    parts: list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = []
    rate = 0
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        for frame in container.decode(container.streams.audio[0]):
            if isinstance(frame, AudioFrame) and frame.pts is not None and frame.time_base:
                rate = frame.sample_rate
                times.append(frame.pts * frame.time_base)
                parts.append(_samples(frame))
    if not parts:
        return None
    loud = LOUD * max(float(part.max(initial=0)) for part in parts)
    beeps: list[Fraction] = []
    last = times[0] - 1
    for start, part in zip(times, parts, strict=True):
        for index in np.flatnonzero(part > loud) if loud else ():
            time = start + Fraction(int(index), rate)
            if time - last > QUIET_SECONDS:
                beeps.append(time)
            last = time
    return Heard(beeps, times[-1] + Fraction(len(parts[-1]), rate))


def facts(path: Path) -> dict[str, str]:
    """What a file holds beside its picture: name to value, only what is there."""
    with av.open(str(path)) as container:
        found = {
            "sound": "; ".join(_track(s) for s in container.streams.audio),
            "subtitles": "; ".join(_words(s) for s in container.streams.subtitles),
            "chapters": "; ".join(_chapters(container)),
            "cover": ", ".join(
                s.codec_context.name
                for s in container.streams.video
                if Disposition.attached_pic in s.disposition
            ),
            "timecode": _timecode(container),
        }
        for key in GLOBAL_KEYS:
            found[key] = _metadata(container, key)
    return {name: value for name, value in found.items() if value}


def starts(path: Path) -> Fraction:
    """When the earliest of the file's pictures and sounds starts, in seconds."""
    with av.open(str(path)) as container:
        return min(
            (stream.start_time or 0) * (stream.time_base or Fraction(1))
            for stream in (*container.streams.video, *container.streams.audio)
            if Disposition.attached_pic not in stream.disposition
        )


def _samples(frame: AudioFrame) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The loudness [samples] of the first channel, 0..1 or in steps of its format."""
    values = np.asarray(frame.to_ndarray())
    channels = 1 if frame.format.is_planar else len(frame.layout.channels)
    return np.abs(values[0, ::channels].astype(np.float64))


def _track(stream: Stream) -> str:
    return f"{stream.codec_context.name} {_words(stream)}".strip()


def _words(stream: Stream) -> str:
    language = stream.metadata.get("language", "und")
    told = (stream.metadata.get(key) for key in ("title", "name", "handler_name"))  # as in MP4
    titled = next(filter(None, told), "")
    title = "" if titled in {"SoundHandler", "SubtitleHandler"} else titled
    return " ".join(word for word in ("" if language == "und" else language, title) if word)


def _chapters(container: InputContainer) -> list[str]:
    made = []
    for chapter in container.chapters():
        base = chapter["time_base"] or Fraction(1)
        milliseconds = round(chapter["start"] * base * 1000)
        made.append(f"{milliseconds} ms {chapter['metadata'].get('title', '')}")
    return made


def _timecode(container: InputContainer) -> str:
    for stream in container.streams:
        if "timecode" in stream.metadata:
            return str(stream.metadata["timecode"])
    return str(container.metadata.get("timecode", ""))


def _metadata(container: InputContainer, key: str) -> str:
    for name, value in container.metadata.items():
        if name.lower() in {key, f"com.apple.quicktime.{key}"}:
            return str(value)
    return ""
