"""Rows: what comes back of a clip with soft alphas in every format that it is delivered in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from benchmarks.fidelity import decoded_audio, measure
from benchmarks.fidelity.composited import Seen, errors_over, see
from benchmarks.fidelity.decoded_video import DecodedVideo, decode_video
from benchmarks.fidelity.delivery_job import COLOUR, SOURCES, Delivery, deliver_all
from benchmarks.fidelity.job import Networks
from benchmarks.fidelity.program import FfmpegError
from benchmarks.fidelity.row import AUDIO_BOUND, Result, refusal
from matting.delivery.formats import FORMATS, AlphaTravel, DeliveryFormat
from matting.errors import MattingError
from matting.options import FormatName

LOSSLESS = {FormatName.PNG, FormatName.EXR, FormatName.FFV1}
LOSSLESS_BOUND, BOUND = 1.0, 2.0  # mean errors, in 1/255
MILLISECONDS = {FormatName.WEBM, FormatName.FFV1}  # hold times as whole ones
TAGS = ("range", "matrix", "primaries", "transfer")
DEPTHS = {
    FormatName.PRORES: "12 bits",  # ffmpeg decodes all of ProRes 4444 so
    FormatName.WEBM: "8 bits",
    FormatName.HEVC: "8 bits",
    FormatName.FFV1: "10 bits",
}
LAYOUTS = {FormatName.PRORES: "4:4:4", FormatName.WEBM: "4:2:0", FormatName.HEVC: "4:2:0"}
COARSE, FINE = SOURCES
LEFT_OUT = {
    COARSE: {FormatName.PRORES, FormatName.PNG, FormatName.EXR},  # they interpolate chroma
    FINE: {FormatName.BACKGROUND},  # its own colours are converted to BT.2020
}


@dataclass(frozen=True)
class DeliveryRow:
    """One clip in one format."""

    clip: str
    format: DeliveryFormat
    short: bool = False

    @property
    def name(self) -> str:
        return f"--as {self.format.name}: {self.clip}"

    def run(self, folder: Path, networks: Networks) -> Result:
        """Deliver the clip in all formats, where that is not done yet, and look at this one."""
        try:
            delivery = deliver_all(self.clip, networks.folder)
            if self.format.name in delivery.missing:
                return Result(self.name, skipped=delivery.missing[self.format.name])
            source = decode_video(delivery.source)
            height, width = source.frames[0][0].shape
            path = delivery.finished[self.format.name]
            seen = see(self.format, path, (int(width), int(height)))
        except (MattingError, FfmpegError) as error:
            return Result(self.name, broken=[refusal(error, folder)])
        return self._compare(delivery, source, seen)

    def _compare(self, delivery: Delivery, source: DecodedVideo, seen: Seen) -> Result:
        shown = len(seen.colour or seen.alpha)
        if shown != len(source.frames):
            return Result(self.name, broken=[f"{len(source.frames)} frames, now {shown}"])
        colours = errors_over(COLOUR, source, delivery.alpha, seen)
        bound = LOSSLESS_BOUND if self.format.name in LOSSLESS else BOUND
        preserved = [f"{shown} frames"]
        broken = [] if colours.mean <= bound else [f"mean error {colours.mean:.2f}"]
        result = Result(self.name, preserved, broken, colours)
        if seen.video is None:
            return result
        return self._with_video(result, delivery, source, seen.video)

    def _with_video(
        self, result: Result, delivery: Delivery, source: DecodedVideo, video: DecodedVideo
    ) -> Result:
        path = delivery.finished[self.format.name]
        grey = self.format.alpha is AlphaTravel.ALONE
        expected = {name: source.facts[name] for name in TAGS if not grey}
        expected["depth"] = DEPTHS.get(self.format.name, source.facts["depth"])
        if not grey:
            expected["layout"] = LAYOUTS.get(self.format.name, source.facts["layout"])
        preserved, broken = [*result.preserved], [*result.broken]
        for name, value in expected.items():
            now = video.facts[name]
            if now == value:
                preserved.append(value if name in {"depth", "layout"} else f"{name} {value}")
            else:
                broken.append(f"{name}: {value}, now {now}")
        starts = (decoded_audio.start_time(delivery.source), decoded_audio.start_time(path))
        late = measure.pts_error(source, video, starts)
        if late > (Fraction(1, 1000) if self.format.name in MILLISECONDS else 0):
            broken.append("times")
        tracks = [decoded_audio.decode_audio(each) for each in (delivery.source, path)]
        result = replace(result, preserved=preserved, broken=broken, pts_error=late)
        if tracks[0] is None or tracks[1] is None:
            return replace(result, broken=[*broken, "the audio is gone"])
        # The flashes are the source's: alone, an alpha has none.
        timed = replace(source, times=video.times)
        offset, _ = measure.audio_offset((source, tracks[0]), (timed, tracks[1]))
        if offset > AUDIO_BOUND:
            broken.append(f"audio is off by {float(offset * 1000):.1f} ms")
        facts = decoded_audio.container_facts(path)
        return replace(
            result,
            preserved=[*preserved, f"audio {facts.get('audio', '')}".strip()],
            broken=broken,
            audio_offset=offset,
        )


DELIVERY = [
    DeliveryRow(clip, row, short=row.name is FormatName.FFV1)
    for clip in SOURCES
    for row in FORMATS.values()
    if row.name not in LEFT_OUT[clip] and not row.name.is_vr
]
