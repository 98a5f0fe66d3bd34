"""A file's first audio track, decoded with its times, and what else its container holds."""

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
class DecodedAudio:
    """What is heard of a file.

    Attributes:
        beeps: when each begins, in seconds.
        end: when the last sample has been played, in seconds.
    """

    beeps: list[Fraction]
    end: Fraction


def decode_audio(path: Path) -> DecodedAudio | None:
    """Return what the first audio track holds; None where there is no audio."""
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
                parts.append(_amplitudes(frame))
    if not parts:
        return None
    threshold = LOUD * max(float(part.max(initial=0)) for part in parts)
    beeps: list[Fraction] = []
    last = times[0] - 1
    for start, part in zip(times, parts, strict=True):
        for index in np.flatnonzero(part > threshold) if threshold else ():
            time = start + Fraction(int(index), rate)
            if time - last > QUIET_SECONDS:
                beeps.append(time)
            last = time
    return DecodedAudio(beeps, times[-1] + Fraction(len(parts[-1]), rate))


def container_facts(path: Path) -> dict[str, str]:
    """Return what a file holds beside its picture, by name: only what is there."""
    with av.open(str(path)) as container:
        facts = {
            "audio": "; ".join(_track(s) for s in container.streams.audio),
            "subtitles": "; ".join(_language_and_title(s) for s in container.streams.subtitles),
            "chapters": "; ".join(_chapters(container)),
            "cover": ", ".join(
                s.codec_context.name
                for s in container.streams.video
                if Disposition.attached_pic in s.disposition
            ),
            "timecode": _timecode(container),
        }
        for key in GLOBAL_KEYS:
            facts[key] = _metadata(container, key)
    return {name: value for name, value in facts.items() if value}


def start_time(path: Path) -> Fraction:
    """Return when the earliest of a file's video and audio tracks starts, in seconds."""
    with av.open(str(path)) as container:
        return min(
            (stream.start_time or 0) * (stream.time_base or Fraction(1))
            for stream in (*container.streams.video, *container.streams.audio)
            if Disposition.attached_pic not in stream.disposition
        )


def _amplitudes(frame: AudioFrame) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the amplitudes [samples] of the first channel, in 0..1 or in steps of its format."""
    values = np.asarray(frame.to_ndarray())
    channels = 1 if frame.format.is_planar else len(frame.layout.channels)
    return np.abs(values[0, ::channels].astype(np.float64))


def _track(stream: Stream) -> str:
    return f"{stream.codec_context.name} {_language_and_title(stream)}".strip()


def _language_and_title(stream: Stream) -> str:
    language = stream.metadata.get("language", "und")
    names = (stream.metadata.get(key) for key in ("title", "name", "handler_name"))  # as in MP4
    name = next(filter(None, names), "")
    title = "" if name in {"SoundHandler", "SubtitleHandler"} else name
    return " ".join(word for word in ("" if language == "und" else language, title) if word)


def _chapters(container: InputContainer) -> list[str]:
    chapters = []
    for chapter in container.chapters():
        base = chapter["time_base"] or Fraction(1)
        milliseconds = round(chapter["start"] * base * 1000)
        chapters.append(f"{milliseconds} ms {chapter['metadata'].get('title', '')}")
    return chapters


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
