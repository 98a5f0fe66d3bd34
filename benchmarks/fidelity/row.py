"""A row of the fidelity table: one video, and what must come out of all four stages."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from benchmarks.fidelity import heard, measure
from benchmarks.fidelity.clip import Clip
from benchmarks.fidelity.job import PIECE_SECONDS, Done, Networks, through_all_stages
from benchmarks.fidelity.measure import Colours
from benchmarks.fidelity.program import ProgramError
from benchmarks.fidelity.seen import UNKNOWN, FrameFeatures, see
from benchmarks.fidelity.signal import flatten_alpha
from matting.errors import MattingError
from matting.options import VideoCodec

SHARED = Path(os.environ.get("RVM_SHARED", Path(__file__).resolve().parents[3] / "shared"))
MEAN_BOUND = 1.0  # in 1/255, of the issue
BIAS_BOUND = 0.1  # in 1/255: no systematic shift
SOUND_BOUND = Fraction(1, 1000)  # seconds
PLAIN = ("size", "depth", "layout")  # need no name in the table
ALWAYS = {*PLAIN, "sound", "subtitles", "chapters", "cover", "timecode", "stereo", "spherical"}
ALWAYS |= {"mastering display", "light level"}
ASKED = {"rate"}  # compared only where a row is about it: of VFR it is a guess


@dataclass(frozen=True)
class Result:
    """What came of one row.

    Attributes:
        preserved: what was looked at and is as it was.
        broken: what is not, each in a few words.
        pts_error, sound_offset: seconds; None where not measured.
        skipped: why it was not tried.
    """

    name: str
    preserved: Sequence[str] = ()
    broken: Sequence[str] = ()
    colours: Colours | None = None
    pts_error: Fraction | None = None
    sound_offset: Fraction | None = None
    skipped: str = ""


@dataclass(frozen=True)
class Row:
    """One video to be put through.

    Attributes:
        clip: how it is made; None: `file` of the shared folder of formats.
        about: the facts that the row is there for; all others are compared too.
        expect: facts that may differ from the source's, and what they must be; "" for anything.
        stream, before, filters: how a player has to show the source.
        alpha: the source has one, and is put over black.
        said: a pattern that must be found in what the stages tell.
        seconds, ratio, codec: options of the stages: the length of a piece; the downsample
            ratio, smaller for larger pictures; the codec of the result.
        start: whether the absolute time of the first frame stays, too.
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
    seconds: Fraction = PIECE_SECONDS
    ratio: float = 1.0
    codec: VideoCodec = VideoCodec.HEVC
    short: bool = False

    def run(self, folder: Path, networks: Networks) -> Result:
        """Makes the video in `folder`, puts it through, and compares."""
        if self.clip is None:
            original = SHARED / "media" / "formats" / self.file
            if not original.is_file():
                return Result(self.name, skipped="not in the shared folder")
            source = folder / original.name
            source.write_bytes(original.read_bytes())
        else:
            source = self.clip.write(folder / "clip")
        shown = see(source, self.stream, self.before, self.filters)
        if self.alpha:
            shown = _without_alpha(shown)
        try:
            done = through_all_stages(
                source, networks.opaque, seconds=self.seconds, ratio=self.ratio, codec=self.codec
            )
            final = see(done.final)
        except (MattingError, ProgramError) as error:
            return Result(self.name, broken=[refusal(error, folder)])
        return self._compare(source, shown, done, final)

    def _compare(
        self, source: Path, shown: FrameFeatures, done: Done, final: FrameFeatures
    ) -> Result:
        wanted = {**shown.facts, **heard.facts(source), **self.expect}
        got = {**final.facts, **heard.facts(done.final)}
        broken = [
            f"{name}: {want}, now {got.get(name, 'none')}"
            for name, want in wanted.items()
            if want
            and (name in self.about or name not in ASKED)
            and not _same(name, want, got.get(name, ""), shown)
        ]
        lacking = [name for name in self.about if wanted.get(name, UNKNOWN) == UNKNOWN]
        broken += [f"the clip itself has no {name}" for name in lacking]
        preserved = [
            want if name in PLAIN else f"{name} {want}"
            for name, want in wanted.items()
            if (name in self.about or name in ALWAYS) and want == got.get(name)
        ]
        if self.said:
            named = re.search(self.said, done.said, re.IGNORECASE)
            (preserved if named else broken).append(f"said: {named[0] if named else self.said}")
        colours = measure.colours(shown, final)
        broken += colour_faults(colours)
        starts = (heard.starts(source), heard.starts(done.final))
        late = measure.pts_error(shown, final, starts)
        if late:
            broken.append("times")
        if self.start:
            first = [seen.times[0] for seen in (shown, final)]
            stays = "" if first[0] == first[1] else f", now {float(first[1]):.3f} s"
            (broken if stays else preserved).append(f"starts at {float(first[0]):.3f} s{stays}")
        result = Result(self.name, preserved, broken, colours, late)
        return _with_sound(result, (source, shown), (done.final, final))


def colour_faults(colours: Colours) -> list[str]:
    """What of the bounds of the full chain does not hold."""
    faults = []
    if colours.mean > MEAN_BOUND:
        faults.append(f"mean error {colours.mean:.2f}")
    if max(map(abs, colours.bias)) > BIAS_BOUND:
        faults.append("bias")
    return faults


def _with_sound(
    result: Result, source: tuple[Path, FrameFeatures], final: tuple[Path, FrameFeatures]
) -> Result:
    sounds = [heard.listen(path) for path, _ in (source, final)]
    if sounds[0] is None or not sounds[0].beeps:
        return result
    if sounds[1] is None:
        return replace(result, broken=[*result.broken, "the sound is gone"])
    try:
        offset, end = measure.sound_offset((source[1], sounds[0]), (final[1], sounds[1]))
    except ValueError as error:
        return replace(result, broken=[*result.broken, str(error)])
    broken = [*result.broken]
    if offset > SOUND_BOUND:
        broken.append(f"sound is off by {float(offset * 1000):.1f} ms")
    times = source[1].times
    half_a_frame = (times[-1] - times[0]) / max(1, len(times) - 1) / 2
    if end > max(half_a_frame, SOUND_BOUND):
        broken.append(f"the ends differ by {float(end * 1000):.1f} ms")
    return replace(result, broken=broken, sound_offset=offset)


def _same(name: str, want: str, got: str, shown: FrameFeatures) -> bool:
    if name == "size":  # an odd side may grow by a pixel
        sides = zip(want.split("x"), got.split("x"), strict=True)
        return all(int(b) in {int(a), int(a) + int(a) % 2} for a, b in sides)
    if name == "chroma location":  # means something in 4:2:0 only, where untagged is left
        return want in {UNKNOWN, got} or shown.layout.name != "4:2:0"
    return want == got


def _without_alpha(shown: FrameFeatures) -> FrameFeatures:
    layout = replace(shown.layout, alpha=False)
    frames = [flatten_alpha(frame, shown.layout, full=shown.full) for frame in shown.frames]
    return replace(shown, frames=frames, layout=layout)


def refusal(error: Exception, folder: Path) -> str:
    """What a stage said instead of working, in one line."""
    what = error.what if isinstance(error, MattingError) else f"cannot be shown: {error}"
    return " ".join(f"refused: {what}".replace(f"{folder}{os.sep}", "").split())
