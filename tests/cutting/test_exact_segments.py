"""Cutting is exact: the segments' decoded planes and times are the source's, whatever it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import pytest

from matting.media.video_source import VideoSource
from matting.options import CuttingOptions
from matting.segment import segment
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.segments import X265_OPEN, decoded, ffmpeg_copy, joined, open_hevc, plan_of, x265

HALF = CuttingOptions(seconds=Fraction(1, 2))
X265_CLOSED = "log-level=none:open-gop=0:bframes=3:scenecut=0"
X264_OPEN = {"preset": "veryfast", "bf": "3", "x264-params": "open-gop=1:b-pyramid=normal"}
VFR = [index * 33 + (index % 3) * 9 + (index // 20) * 70 for index in range(75)]
MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True)
class Variant:
    """A kind of source: how its clip is made, and what cutting should make of it."""

    name: str
    codec: str
    suffix: str
    options: dict[str, str] = field(default_factory=dict)
    gop: int = 10
    pts: Sequence[int] | None = None
    time_base: Fraction | None = None
    pixel_format: str = "yuv420p"
    segments: int = 5
    copied: bool = True


VP9 = {"deadline": "realtime", "cpu-used": "8"}
VP9_ALT_REF = {"deadline": "good", "cpu-used": "8", "auto-alt-ref": "1", "lag-in-frames": "12"}
SVT_OPEN = {"preset": "12", "svtav1-params": "irefresh-type=1:hierarchical-levels=3"}
VARIANTS = [
    Variant("h264-closed", "libx264", "mp4", {"bf": "2"}),
    Variant("h264-open-mp4", "libx264", "mp4", X264_OPEN),
    Variant("h264-open-mov", "libx264", "mov", X264_OPEN),
    Variant("h264-open-ts", "libx264", "ts", X264_OPEN),
    Variant("h264-open-mkv", "libx264", "mkv", X264_OPEN),
    Variant("h264-refresh-ts", "libx264", "ts", {"x264-params": "intra-refresh=1"}),
    Variant("h264-keys-every-2", "libx264", "mp4", X264_OPEN, gop=2),
    Variant("h264-one-key", "libx264", "mp4", {"bf": "2"}, gop=1000, segments=1),
    Variant("h264-vfr", "libx264", "mkv", X264_OPEN, pts=VFR, time_base=MILLISECOND, segments=6),
    Variant("hevc-closed-ts", "libx265", "ts", x265(f"{X265_CLOSED}:keyint=10")),
    Variant("hevc-open-mp4", "libx265", "mp4", x265(f"{X265_OPEN}:keyint=10")),
    Variant("hevc-open-mov", "libx265", "mov", x265(f"{X265_OPEN}:keyint=10")),
    Variant("hevc-open-ts", "libx265", "ts", x265(f"{X265_OPEN}:keyint=10")),
    Variant("hevc-open-mkv", "libx265", "mkv", x265(f"{X265_OPEN}:keyint=10")),
    Variant("hevc-keys-every-2", "libx265", "mp4", x265(f"{X265_OPEN}:keyint=2")),
    Variant(
        "hevc-open-vfr",
        "libx265",
        "mkv",
        x265(f"{X265_OPEN}:keyint=10"),
        pts=VFR,
        time_base=MILLISECOND,
        segments=6,
    ),
    Variant(
        "hevc-late-ts",
        "libx265",
        "ts",
        x265(f"{X265_OPEN}:keyint=10"),
        pts=[900_000 + index * 3003 for index in range(75)],
        time_base=Fraction(1, 90_000),
    ),
    Variant("av1-mp4", "libsvtav1", "mp4", {"preset": "12"}),
    Variant("av1-open-mkv", "libsvtav1", "mkv", SVT_OPEN, segments=1),
    Variant("vp9-webm", "libvpx-vp9", "webm", VP9),
    Variant("vp9-alt-ref-mkv", "libvpx-vp9", "mkv", VP9_ALT_REF),
    Variant("mpeg2-open-ts", "mpeg2video", "ts", {"bf": "2"}),
    Variant("mpeg1-open-mkv", "mpeg1video", "mkv", {"bf": "2"}, copied=False),
    Variant("mpeg4-mp4", "mpeg4", "mp4", {"bf": "2"}),
    Variant("vp8-webm", "libvpx", "webm", VP9_ALT_REF, copied=False),
    Variant("ffv1-mkv", "ffv1", "mkv", pixel_format="yuv422p10le"),
    Variant("prores-mov", "prores_ks", "mov", pixel_format="yuv422p10le", copied=False),
    Variant("h264-avi", "libx264", "avi", {"bf": "2"}, copied=False),
]


def clip(folder: Path, variant: Variant, frames: int = 75) -> Path:
    return make_clip(
        folder / f"clip.{variant.suffix}",
        frames,
        codec=variant.codec,
        gop=variant.gop,
        options=variant.options,
        pts=variant.pts,
        time_base=variant.time_base,
        pixel_format=variant.pixel_format,
    )


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: v.name)
def test_segments_are_the_source(variant: Variant, tmp_path: Path, progress: Recorder) -> None:
    video = clip(tmp_path, variant)
    folder = segment(video, HALF, None, progress)
    assert joined(folder) == decoded(video, untimed=variant.suffix == "avi")
    plan = plan_of(folder)
    assert len(plan.segments) == variant.segments
    assert progress.mentions("re-encoded") != variant.copied
    assert progress.mentions(f"75 frames in {variant.segments} segment")
    assert not (folder / ".cutting").exists()
    for planned in plan.segments:
        source = VideoSource(folder / planned.name)
        pts = [pts for chunk in source.chunks(8) for pts in chunk.pts]
        last = [pts for chunk in source.chunks(8, last=3) for pts in chunk.pts]
        assert len(pts) == planned.frames
        assert last == pts[-3:]


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
@pytest.mark.parametrize(
    "arguments",
    [((), ("-ss", "0.75")), (("-t", "1.6"), ("-ss", "0.4"))],
    ids=["start", "start-and-end"],
)
def test_an_edit_list_in_the_source_is_obeyed(
    suffix: str,
    arguments: tuple[Sequence[str], Sequence[str]],
    tmp_path: Path,
    progress: Recorder,
) -> None:
    after, before = arguments
    video = ffmpeg_copy(open_hevc(tmp_path), tmp_path / f"trimmed.{suffix}", *after, before=before)
    whole = decoded(video)
    with av.open(str(video)) as container:
        assert len(whole) < sum(packet.size > 0 for packet in container.demux(video=0))
    assert joined(segment(video, HALF, None, progress)) == whole


def test_what_an_edit_list_hides_at_the_end_stays_hidden(
    tmp_path: Path, progress: Recorder
) -> None:
    video = shortened(clip(tmp_path, Variant("", "libx264", "mp4", {"bf": "2"}, gop=1000), 40), 21)
    whole = decoded(video)
    assert len(whole) < 30
    folder = segment(video, HALF, None, progress)
    assert joined(folder) == whole


def shortened(video: Path, frames: int) -> Path:
    """Make the mp4's edit list end after that many frames, as trimming in a camera does."""
    content = bytearray(video.read_bytes())
    at = content.index(b"elst") + 12  # its type, version and count come first
    milliseconds = frames * 1000 // 30
    content[at : at + 4] = milliseconds.to_bytes(4, "big")
    video.write_bytes(content)
    return video


def test_a_negative_start(tmp_path: Path, progress: Recorder) -> None:
    early = ["-avoid_negative_ts", "disabled", "-muxdelay", "0", "-muxpreload", "0"]
    target = tmp_path / "early.ts"
    video = ffmpeg_copy(open_hevc(tmp_path), target, *early, before=["-itsoffset", "-1"])
    with av.open(str(video)) as container:
        start = container.streams.video[0].start_time
    assert start is not None
    assert start < 0
    folder = segment(video, HALF, None, progress)
    assert joined(folder) == decoded(video)
    assert len(plan_of(folder).segments) > 3


def test_segments_of_one_source_share_their_header(tmp_path: Path, progress: Recorder) -> None:
    folder = segment(open_hevc(tmp_path), HALF, None, progress)
    headers = set()
    for planned in plan_of(folder).segments:
        with av.open(str(folder / planned.name)) as container:
            headers.add(
                (
                    container.streams.video[0].codec_context.extradata,
                    container.streams.video[0].codec_context.codec_tag,
                )
            )
    assert len(headers) == 1


def test_rotated_pictures_stay_rotated(tmp_path: Path, progress: Recorder) -> None:
    aspect = Fraction(4, 3)
    for suffix in ("mp4", "avi"):
        options = {"bf": "2"}
        rotation = 90 if suffix == "mp4" else 0
        video = make_clip(
            tmp_path / f"clip_{suffix}.{suffix}",
            20,
            options=options,
            rotation=rotation,
            pixel_aspect=aspect,
        )
        folder = segment(video, HALF, None, progress)
        source = VideoSource(folder / "output_000.mp4")
        assert source.size_px == ((48, 64) if rotation else (64, 48))
        assert source.pixel_aspect == (1 / aspect if rotation else aspect)
