"""A row of the fidelity table: one video, and what must come out of all four stages."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from benchmarks.fidelity import decoded_audio, measure
from benchmarks.fidelity.clip import Clip
from benchmarks.fidelity.decoded_video import UNKNOWN, DecodedVideo, decode_video
from benchmarks.fidelity.job import SEGMENT_SECONDS, Delivered, Networks, run_all_stages
from benchmarks.fidelity.measure import ColourErrors
from benchmarks.fidelity.pattern import flatten_alpha
from benchmarks.fidelity.program import FfmpegError
from matting.errors import MattingError
from matting.network_choice import SmallPeople
from matting.options import VideoCodec

SHARED = Path(os.environ.get("RVM_SHARED", Path(__file__).resolve().parents[3] / "shared"))
MEAN_BOUND = 1.0  # in 1/255
BIAS_BOUND = 0.1  # in 1/255: no systematic shift
AUDIO_BOUND = Fraction(1, 1000)  # seconds
PLAIN = ("size", "depth", "layout")  # need no name in the table
ALWAYS = {*PLAIN, "audio", "subtitles", "chapters", "cover", "timecode", "stereo", "spherical"}
ALWAYS |= {"mastering display", "light level"}
SD_LINES = 576  # higher pictures without tags are taken as BT.709
RGB_MATRICES = {"gbr", "rgb"}
ON_DEMAND = {"rate"}  # compared only where a row is about it: of VFR it is a guess


@dataclass(frozen=True)
class Result:
    """What came of one row.

    Attributes:
        preserved: what was compared and is as it was.
        broken: what is not, each in a few words.
        pts_error, audio_offset: seconds; None where not measured.
        skipped: why it was not tried.
    """

    name: str
    preserved: Sequence[str] = ()
    broken: Sequence[str] = ()
    colours: ColourErrors | None = None
    pts_error: Fraction | None = None
    audio_offset: Fraction | None = None
    skipped: str = ""


@dataclass(frozen=True)
class Row:
    """One video to put through all stages.

    Attributes:
        clip: its recipe; None: `file` in the shared folder of formats.
        about: the facts that the row is there for; the others are compared too.
        expect: facts that differ from the source's, and what they must be; "" for anything.
        stream, before, filters: how the source is decoded, as for `decode_video`.
        alpha: whether the source has one; it is composited over black.
        said: a pattern that the stages' messages must match.
        seconds, ratio, codec: options of the stages: the length of a segment; the downsample
            ratio, smaller for larger pictures; the codec of the result.
        start: whether the absolute time of the first frame must stay, too.
        small_people: as for `run_all_stages`.
    """

    name: str
    clip: Clip | None = None
    file: str = ""
    about: Sequence[str] = ()
    expect: Mapping[str, str] = field(default_factory=dict)
    stream: str = "V:0"
    before: Sequence[str] = ()
    filters: str = ""
    alpha: bool = False
    said: str = ""
    start: bool = False
    seconds: Fraction = SEGMENT_SECONDS
    ratio: float = 1.0
    codec: VideoCodec = VideoCodec.HEVC
    small_people: SmallPeople = SmallPeople.OFF
    short: bool = False

    def run(self, folder: Path, networks: Networks) -> Result:
        """Make the video in `folder`, put it through all stages, and compare."""
        if self.clip is None:
            original = SHARED / "media" / "formats" / self.file
            if not original.is_file():
                return Result(self.name, skipped="not in the shared folder")
            source = folder / original.name
            source.write_bytes(original.read_bytes())
        else:
            source = self.clip.write(folder / "clip")
        decoded = decode_video(source, self.stream, self.before, self.filters)
        if self.alpha:
            decoded = _without_alpha(decoded)
        try:
            delivered = run_all_stages(
                source,
                networks.opaque,
                seconds=self.seconds,
                ratio=self.ratio,
                codec=self.codec,
                small_people=self.small_people,
            )
            final = decode_video(delivered.final)
        except (MattingError, FfmpegError) as error:
            return Result(self.name, broken=[refusal(error, folder)])
        return self._compare(source, decoded, delivered, final)

    def _compare(
        self, source: Path, original: DecodedVideo, delivered: Delivered, final: DecodedVideo
    ) -> Result:
        expected = {
            **original.facts,
            **_assumed_tags(original),
            **decoded_audio.container_facts(source),
            **self.expect,
        }
        facts = {**final.facts, **decoded_audio.container_facts(delivered.final)}
        broken = [
            f"{name}: {value}, now {facts.get(name, 'none')}"
            for name, value in expected.items()
            if value
            and (name in self.about or name not in ON_DEMAND)
            and not _same(name, value, facts.get(name, ""), original)
        ]
        lacking = [
            name
            for name in self.about
            if {**original.facts, **expected}.get(name, UNKNOWN) == UNKNOWN
        ]
        broken += [f"the clip itself has no {name}" for name in lacking]
        preserved = [
            value if name in PLAIN else f"{name} {value}"
            for name, value in expected.items()
            if (name in self.about or name in ALWAYS) and value == facts.get(name)
        ]
        if self.said:
            match = re.search(self.said, delivered.said, re.IGNORECASE)
            (preserved if match else broken).append(f"said: {match[0] if match else self.said}")
        colours = measure.colour_errors(original, final)
        broken += colour_faults(colours)
        starts = (decoded_audio.start_time(source), decoded_audio.start_time(delivered.final))
        late = measure.pts_error(original, final, starts)
        if late:
            broken.append("times")
        if self.start:
            first = [video.times[0] for video in (original, final)]
            change = "" if first[0] == first[1] else f", now {float(first[1]):.3f} s"
            (broken if change else preserved).append(f"starts at {float(first[0]):.3f} s{change}")
        result = Result(self.name, preserved, broken, colours, late)
        return _with_audio(result, (source, original), (delivered.final, final))


def colour_faults(colours: ColourErrors) -> list[str]:
    """Return which bounds of the full chain do not hold."""
    faults = []
    if colours.mean > MEAN_BOUND:
        faults.append(f"mean error {colours.mean:.2f}")
    if max(map(abs, colours.bias)) > BIAS_BOUND:
        faults.append("bias")
    return faults


def _with_audio(
    result: Result, source: tuple[Path, DecodedVideo], final: tuple[Path, DecodedVideo]
) -> Result:
    tracks = [decoded_audio.decode_audio(path) for path, _ in (source, final)]
    if tracks[0] is None or not tracks[0].beeps:
        return result
    if tracks[1] is None:
        return replace(result, broken=[*result.broken, "the audio is gone"])
    try:
        offset, end = measure.audio_offset((source[1], tracks[0]), (final[1], tracks[1]))
    except ValueError as error:
        return replace(result, broken=[*result.broken, str(error)])
    broken = [*result.broken]
    if offset > AUDIO_BOUND:
        broken.append(f"audio is off by {float(offset * 1000):.1f} ms")
    times = source[1].times
    half_a_frame = (times[-1] - times[0]) / max(1, len(times) - 1) / 2
    if end > max(half_a_frame, AUDIO_BOUND):
        broken.append(f"the ends differ by {float(end * 1000):.1f} ms")
    return replace(result, broken=broken, audio_offset=offset)


def _assumed_tags(video: DecodedVideo) -> dict[str, str]:
    """Return the tags that a picture without any is to get: those it is shown by."""
    if any(video.facts[name] != UNKNOWN for name in ("transfer", "primaries")):
        return {}
    if video.facts["matrix"] not in {UNKNOWN, *RGB_MATRICES}:
        return {}
    if video.height > SD_LINES:
        return dict.fromkeys(("matrix", "transfer", "primaries"), "bt709")
    tags = dict.fromkeys(("matrix", "transfer", "primaries"), "smpte170m")
    return tags | ({"primaries": "bt470bg"} if video.height == SD_LINES else {})


def _same(name: str, expected: str, actual: str, original: DecodedVideo) -> bool:
    if name == "size":  # an odd side may grow by a pixel
        sides = zip(expected.split("x"), actual.split("x"), strict=True)
        return all(int(b) in {int(a), int(a) + int(a) % 2} for a, b in sides)
    if name == "chroma location":  # means something in 4:2:0 only, where untagged is left
        return expected in {UNKNOWN, actual} or original.layout.name != "4:2:0"
    return expected == actual


def _without_alpha(video: DecodedVideo) -> DecodedVideo:
    layout = replace(video.layout, alpha=False)
    frames = [flatten_alpha(frame, video.layout, full=video.full) for frame in video.frames]
    return replace(video, frames=frames, layout=layout)


def refusal(error: Exception, folder: Path) -> str:
    """Return why a stage refused the video, in one line."""
    what = error.what if isinstance(error, MattingError) else f"cannot be shown: {error}"
    return " ".join(f"refused: {what}".replace(f"{folder}{os.sep}", "").split())
