"""Sources whose times or sizes are odd: they come out as a tolerant decoder shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from random import Random

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from benchmarks.faults.fault import Fault, require
from benchmarks.faults.job import SECONDS
from benchmarks.real_files.outcome import Kind
from benchmarks.real_files.trial import Trial, opaque_checkpoint
from benchmarks.stand_in import KEY_FRAMES, RATE, write_clip
from matting.media.mp4.boxes import read_moov, write_moov
from matting.media.mp4.edits import Edit, put_edits

FRAMES = 5 * KEY_FRAMES
LONGEST_JUMP_SECONDS = 24 * 3600
LIKE = "like.ts"  # what shows the same, where ffmpeg does not decide

# Gives what is added to a packet's times.
Change = Callable[["Packet[Stream]", Fraction], Fraction]


class OddSources(Fault):
    """A source has gaps, edits, another size in its middle, a clock that jumps, or a late start."""

    name = "sources"
    description = "sources with gaps, edits, changing sizes, jumping clocks, late starts"
    must_hold = "0 tracebacks, 0 hangs, 0 with other frames, times or audio than ffmpeg shows"
    tries, short_tries = 100, 1

    def prepare(self) -> None:
        self.trial = Trial(opaque_checkpoint(self.folder), SECONDS)

    def attempt(self, rng: Random, number: int, folder: Path) -> None:
        write = ODDITIES[number % len(ODDITIES)]
        path, story = write(folder, rng)
        like = folder / LIKE
        outcome = self.trial(path, like if like.exists() else None)
        if outcome is not None:
            held = outcome.kind in {Kind.EQUAL, Kind.EQUAL_WHERE_TIMED, Kind.REFUSED}
            require(held, f"{story}: {outcome.kind.value}, {outcome.reason}")


def _jump(folder: Path, rng: Random) -> tuple[Path, str]:
    """Join two recordings, each with its own clock."""
    starts = [rng.choice((2, rng.randint(2, LONGEST_JUMP_SECONDS))) for _ in range(2)]
    clips = [_clip(folder, rng) for _ in starts]
    joined = _joined(folder / "joined.ts", clips, starts)
    # ffmpeg corrects all streams by the first packet that jumps, in whichever that is.
    _joined(folder / LIKE, clips, [2, 2 + Fraction(FRAMES, RATE)])
    return joined, f"clocks that start at {starts} s"


def _joined(target: Path, clips: Sequence[Path], starts: Sequence[Fraction | int]) -> Path:
    content = b""
    for number, (clip, start) in enumerate(zip(clips, starts, strict=True)):
        part = target.with_name(f"part_{number}.ts")
        _remux(clip, part, lambda *_, start=start: Fraction(start))
        content += part.read_bytes()
    target.write_bytes(content)
    return target


def _edit(folder: Path, rng: Random) -> tuple[Path, str]:
    """Put picture or audio, or both, together from parts."""
    clip = _clip(folder, rng)
    moov = read_moov(clip)
    if moov is None:
        raise TypeError("PyAV wrote an mp4 without a header")
    frame = Fraction(1, 25)  # a whole number of the movie's ticks
    edits = {
        track: [
            Edit(frame * rng.randint(1, 15), rng.choice((None, *[frame * rng.randrange(15)] * 4)))
            for _ in range(rng.randint(1, 4))
        ]
        for track in rng.choice(((0,), (1,), (0, 1)))
    }
    if any(all(edit.start is None for edit in own) for own in edits.values()):
        return _edit(folder, rng)
    put_edits(moov, edits)
    write_moov(clip, moov)
    told = {
        track: [(str(edit.start), str(edit.seconds)) for edit in own]
        for track, own in edits.items()
    }
    return clip, f"edits {told}"


def _gap(folder: Path, rng: Random) -> tuple[Path, str]:
    """Leave out a while, of everything or of one track only."""
    suffix = rng.choice((".mp4", ".mkv", ".ts"))
    at, seconds = Fraction(rng.randint(1, FRAMES - 2), RATE), Fraction(rng.randint(1, 90), 10)
    tracks = rng.choice((("video",), ("audio",), ("video", "audio")))
    path = folder / f"gap{suffix}"

    def change(packet: Packet[Stream], time: Fraction) -> Fraction:
        return seconds if time >= at and packet.stream.type in tracks else Fraction(0)

    _remux(_clip(folder, rng), path, change)
    return path, f"{suffix}: a gap of {float(seconds)} s in {tracks} at {float(at):.2f} s"


def _late_start(folder: Path, rng: Random) -> tuple[Path, str]:
    """Start some seconds or hours late, all of it or one track."""
    suffix = rng.choice((".mp4", ".mkv", ".ts", ".nut", ".flv", ".fragments.mp4"))
    late = Fraction(rng.choice((rng.randint(1, 20), rng.randint(1, 36_000))))
    lag = Fraction(rng.randint(0, 30), 10)
    kind = rng.choice(("video", "audio"))
    path = folder / f"late{suffix}"

    def change(packet: Packet[Stream], _time: Fraction) -> Fraction:
        return late + lag * (packet.stream.type == kind)

    options = {"movflags": "frag_keyframe+empty_moov"} if "fragments" in suffix else {}
    _remux(_clip(folder, rng), path, change, options)
    return path, f"{suffix}: starts at {late} s, its {kind} {float(lag)} s later"


def _size_change(folder: Path, rng: Random) -> tuple[Path, str]:
    """Go on in another size."""
    scale = Fraction(rng.choice((1, 3, 4)), 2)
    first, second = folder / "first.ts", folder / "second.ts"
    _remux(_clip(folder, rng), first, lambda *_: Fraction(2))
    _resized(_clip(folder, rng), second, scale, start=2 + Fraction(FRAMES, RATE))
    path = folder / "sizes.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    return path, f"from its middle {scale} times as large"


ODDITIES = (_jump, _edit, _gap, _late_start, _size_change)


def _clip(folder: Path, rng: Random) -> Path:
    seed = rng.randrange(1000)
    return write_clip(folder / f"clip_{seed}.mp4", FRAMES, seed)


def _remux(
    source: Path, target: Path, change: Change, options: dict[str, str] | None = None
) -> None:
    """Copy all packets, with their times changed."""
    with (
        av.open(str(source)) as container,
        av.open(str(target), "w", options=options or {}) as output,
    ):
        streams = [output.add_stream_from_template(s, opaque=True) for s in container.streams]
        for packet in _packets(container):
            added = change(packet, (packet.pts or 0) * packet.time_base)
            _move(packet, added, streams[packet.stream_index], output)


def _resized(source: Path, target: Path, scale: Fraction, start: Fraction) -> None:
    """Encode the picture in another size, and copy the audio."""
    with av.open(str(source)) as container, av.open(str(target), "w") as output:
        picture, audio = container.streams.video[0], container.streams.audio[0]
        encoded = output.add_stream("libx264", rate=RATE, options={"bf": "0"})
        copied = output.add_stream_from_template(audio, opaque=True)
        if not isinstance(encoded, VideoStream):
            raise TypeError("PyAV gave a stream of another kind")
        encoded.width, encoded.height = int(picture.width * scale), int(picture.height * scale)
        encoded.pix_fmt = "yuv420p"
        for packet in _packets(container):
            if packet.stream is audio:
                _move(packet, start, copied, output)
                continue
            for frame in picture.codec_context.decode(packet):
                larger = frame.reformat(encoded.width, encoded.height)
                larger.pts = (frame.pts or 0) + round(start / packet.time_base)
                larger.time_base = packet.time_base
                output.mux(encoded.encode(larger))
        output.mux(encoded.encode(None))


def _packets(container: InputContainer) -> list[Packet[Stream]]:
    return [packet for packet in container.demux() if packet.size and packet.dts is not None]


def _move(
    packet: Packet[Stream], seconds: Fraction, stream: Stream, output: OutputContainer
) -> None:
    ticks = round(seconds / packet.time_base)
    packet.pts, packet.dts = (packet.pts or 0) + ticks, (packet.dts or 0) + ticks
    packet.stream = stream
    output.mux(packet)
