"""`segment` keeps the frames of every kind of source: the same samples at the same times."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from benchmarks.real_files.outcome import picture_differences
from benchmarks.real_files.shown import show
from benchmarks.real_files.trial import cut_of
from matting.cutting.packet_index import read_index
from matting.errors import MediaError
from matting.media.container import open_video
from matting.media.frame_decoding import Decoding, decode_files, pixel_hash
from matting.media.pixel_formats import EQUIVALENT_FORMATS
from matting.media.probe import probe
from matting.options import CuttingOptions
from matting.project.plan import read_plan
from matting.segment import segment
from tests.support.clips import decode, make_clip, number_of
from tests.support.recorder import Recorder
from tests.support.stream_sources import make, opened, tone

HALF = CuttingOptions(seconds=Fraction(1, 2))
FAST_VP9 = {"deadline": "realtime", "cpu-used": "8"}
X265 = {"x265-params": "log-level=none:scenecut=0"}
AV1 = {"preset": "12"}


def presented(path: Path) -> list[tuple[Fraction, bytes]]:
    """Return when each frame of a file is presented, in seconds, and a hash of its samples."""
    index = read_index(path)
    return [
        ((index.packets[number].pts or 0) * index.time_base, pixel_hash(frame))
        for _, number, frame in decode_files([path], Decoding(), strict=True, threads=1)
    ]


def presented_by_segments(folder: Path) -> list[tuple[Fraction, bytes]]:
    """Return the same of all segments of a folder, at their source's times."""
    plan = read_plan(folder)
    assert plan is not None
    return [
        (s.first_pts * plan.time_base + time, pixels)
        for s in plan.segments
        for time, pixels in presented(folder / s.name)
    ]


@pytest.mark.parametrize(
    ("suffix", "codec", "pixel_format", "options"),
    [
        ("mp4", "libx264", "yuv420p", {"bf": "2"}),
        ("mov", "libx264", "yuv422p10le", {"bf": "2"}),
        ("mkv", "libx264", "yuv444p", {}),
        ("ts", "libx264", "yuv420p10le", {"bf": "2"}),
        ("mp4", "libx265", "yuv420p10le", X265),
        ("mkv", "libx265", "yuv422p12le", X265),
        ("mp4", "libx265", "yuv444p12le", X265),
        ("mp4", "libx265", "gbrp", X265),
        ("ts", "libx265", "yuv420p", X265),
        ("mp4", "libsvtav1", "yuv420p10le", AV1),
        ("webm", "libsvtav1", "yuv420p", AV1),
        ("webm", "libvpx", "yuv420p", FAST_VP9),
        ("webm", "libvpx-vp9", "yuv420p", FAST_VP9),
        ("mkv", "libvpx-vp9", "yuv444p", FAST_VP9),
        ("mp4", "libvpx-vp9", "yuv420p", FAST_VP9),
        ("ts", "mpeg2video", "yuv420p", {}),
        ("mpg", "mpeg2video", "yuv422p", {}),
        ("avi", "mpeg4", "yuv420p", {}),
        ("mp4", "mpeg4", "yuv420p", {}),
        ("mov", "prores_ks", "yuv422p10le", {}),
        ("mov", "prores_ks", "yuv444p10le", {}),
        ("mkv", "ffv1", "yuv420p", {}),
        ("mkv", "ffv1", "yuv422p12le", {}),
        ("avi", "ffv1", "yuv411p", {}),
        ("mkv", "ffv1", "yuv410p", {}),
        ("mkv", "ffv1", "yuv440p", {}),
        ("mkv", "ffv1", "yuv420p9le", {}),
        ("mkv", "ffv1", "yuv422p14le", {}),
        ("mkv", "ffv1", "yuv444p16le", {}),
        ("mkv", "ffv1", "gbrp16le", {}),
        ("avi", "ffvhuff", "yuv420p", {}),
        ("mov", "mjpeg", "yuvj422p", {"strict": "-1"}),
    ],
)
def test_same_samples_at_the_same_times(
    suffix: str,
    codec: str,
    pixel_format: str,
    options: dict[str, str],
    tmp_path: Path,
) -> None:
    video = tmp_path / f"clip.{suffix}"
    make_clip(video, 20, codec=codec, pixel_format=pixel_format, options=options)
    progress = Recorder()
    folder = segment(video, HALF, None, progress)
    assert presented_by_segments(folder) == presented(video)
    assert not progress.mentions("loss but")


@pytest.mark.parametrize(
    ("codec", "pixel_format", "planar"),
    [
        ("huffyuv", "rgb24", "gbrp"),
        ("rawvideo", "uyvy422", "yuv422p"),
        ("rawvideo", "nv12", "yuv420p"),
        ("rawvideo", "rgb48le", "gbrp16le"),
        ("v210", "yuv422p10le", "yuv422p10le"),
    ],
)
def test_packed_samples_become_planes(
    codec: str, pixel_format: str, planar: str, tmp_path: Path, progress: Recorder
) -> None:
    assert EQUIVALENT_FORMATS.get(pixel_format, pixel_format) == planar
    video = make_clip(tmp_path / "clip.nut", 6, codec=codec, pixel_format=pixel_format)
    folder = segment(video, CuttingOptions(), None, progress)
    with open_video(video) as (container, _):
        before = [pixel_hash(f.reformat(format=planar)) for f in container.decode(video=0)]
    with open_video(folder / "output_000.mp4") as (container, _):
        after = [pixel_hash(frame) for frame in container.decode(video=0)]
    assert before == after


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le", "yuv422p", "yuv444p", "gbrp"])
@pytest.mark.parametrize("size", [(65, 48), (64, 49), (65, 49)])
def test_odd_sizes_without_loss(
    pixel_format: str, size: tuple[int, int], tmp_path: Path, progress: Recorder
) -> None:
    """Encoded anew, for mp4 holds no such codec."""
    clip = tmp_path / "clip.nut"
    video = make_clip(clip, 4, codec="rawvideo", pixel_format=pixel_format, size=size)
    folder = segment(video, CuttingOptions(), None, progress)
    assert progress.mentions("re-encoded, without loss: ")
    assert presented_by_segments(folder) == presented(video)


@pytest.mark.parametrize(
    ("suffix", "codec", "options"),
    [
        ("mkv", "libx264", {}),
        ("ts", "libx264", {"bf": "2"}),
        ("mp4", "libx264", {"bf": "2"}),
        ("ts", "libx265", {"x265-params": "log-level=none:open-gop=1:bframes=3:scenecut=0"}),
        ("webm", "libvpx-vp9", FAST_VP9),
        ("webm", "libvpx", FAST_VP9),
        ("ts", "mpeg2video", {}),
        ("mkv", "libsvtav1", AV1),
    ],
)
@pytest.mark.parametrize("reencode", [False, True])
def test_a_missing_first_key_frame(
    suffix: str, codec: str, options: dict[str, str], reencode: bool, tmp_path: Path
) -> None:
    """What a player shows is kept, at its times; that the rest cannot be shown is said."""
    whole = make_clip(tmp_path / f"whole.{suffix}", 30, codec=codec, options=options)
    video = without_first_packet(whole, tmp_path / f"clip.{suffix}")
    with av.open(str(video)) as container:
        played = (
            [(f.pts or 0) * (f.time_base or 1) for f in container.decode(video=0)]
            if (codec in {"libx264", "mpeg2video"})
            else []
        )
    progress = Recorder()
    folder = segment(video, CuttingOptions(reencode=reencode), None, progress)
    plan = read_plan(folder)
    assert plan is not None
    times = [time for time, _ in presented_by_segments(folder)]
    assert progress.mentions("frames at the start cannot be shown")
    assert 19 <= len(times) <= 23
    assert times == played or not played
    lost = times[0] - plan.start_pts * plan.time_base
    assert Fraction(5, 30) < lost < Fraction(11, 30)


def without_first_packet(source: Path, target: Path) -> Path:
    with av.open(str(source)) as container, av.open(str(target), "w") as output:
        stream = output.add_stream_from_template(container.streams.video[0], opaque=True)
        packets = [packet for packet in container.demux(video=0) if packet.size]
        for packet in packets[1:]:
            packet.stream = stream
            output.mux(packet)
    return target


def test_a_shared_clip_without_its_first_key_frame(
    shared: Path, tmp_path: Path, progress: Recorder
) -> None:
    video = shared / "media" / "formats" / "discard_first_keyframe.mp4"
    folder = segment(video, CuttingOptions(), tmp_path, progress)
    assert presented_by_segments(folder) == [
        (time, pixels) for time, pixels in presented(video) if time >= 0
    ]


def test_one_frame(tmp_path: Path, progress: Recorder) -> None:
    for suffix, codec in (("mp4", "libx264"), ("avi", "ffv1"), ("mkv", "mpeg2video")):
        video = make_clip(tmp_path / f"{codec}.{suffix}", 1, codec=codec)
        folder = segment(video, CuttingOptions(), None, progress)
        assert presented_by_segments(folder) == presented(video)


def test_a_cover_picture_is_no_video(tmp_path: Path, progress: Recorder) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 10)
    video = tmp_path / "covered.mp4"
    with av.open(str(clip)) as source, av.open(str(video), "w") as output:
        cover = output.add_stream("mjpeg", rate=1, options={"strict": "-1"})
        assert isinstance(cover, av.VideoStream)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        stream = output.add_stream_from_template(source.streams.video[0])
        output.mux(cover.encode(av.VideoFrame(32, 32, "yuvj420p")))
        output.mux(cover.encode(None))
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    folder = segment(video, CuttingOptions(), None, progress)
    assert len(presented_by_segments(folder)) == 10
    assert probe(folder / "output_000.mp4").codec == "h264"


@pytest.mark.parametrize(("name", "codec"), [("clip.mp4", "libx264"), ("clip.avi", "ffvhuff")])
def test_the_header_of_segments_comes_first(
    name: str, codec: str, tmp_path: Path, progress: Recorder
) -> None:
    folder = segment(make_clip(tmp_path / name, 30, codec=codec), HALF, None, progress)
    for path in folder.glob("*.mp4"):
        content = path.read_bytes()
        assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("before", [0, 70])
def test_captions_are_named_once_wherever_they_begin(
    before: int, tmp_path: Path, progress: Recorder
) -> None:
    message = b"\0\0\1\x06\x04\x0e\xb5\0\x31GA94\x03\x41\xff\xfc\x94\x2c\xff\x80"
    without = make_clip(tmp_path / "without.h264", before).read_bytes() if before else b""
    video = make_clip(tmp_path / "video.h264", 5)
    video.write_bytes(without + message + video.read_bytes())
    segment(video, CuttingOptions(), None, progress)
    assert sum("closed captions" in line for line in progress.said) == 1


@pytest.mark.parametrize("audio", [False, True])
def test_leading_pictures_that_can_be_decoded_although_times_are_missing(
    audio: bool, tmp_path: Path, progress: Recorder
) -> None:
    """In MPEG-PS not every packet has a time; that of the key frame is after its leading ones'."""
    params = "log-level=none:open-gop=0:radl=3:bframes=3:scenecut=0:min-keyint=10"
    options = {"x265-params": params}
    whole = make_clip(tmp_path / "whole.ts", 40, codec="libx265", options=options)
    later = tmp_path / "later.ts"
    with av.open(str(whole)) as source, av.open(str(later), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0], opaque=True)
        packets = [packet for packet in source.demux(video=0) if packet.size]
        keys = [number for number, packet in enumerate(packets) if packet.is_keyframe]
        for packet in packets[keys[1] :]:
            packet.stream = stream
            output.mux_one(packet)
    heard = [*tone(440), "-c:a", "mp2"] if audio else []
    delayed = ["-itsoffset", "0.1"] if audio else []
    video = make(tmp_path / "clip.mpg", *delayed, *opened(later), *heard, "-c:v", "copy")
    folder = segment(video, CuttingOptions(), None, progress)
    numbers = [number_of(rgb) for _, rgb in decode(folder / "output_000.mp4")]
    assert numbers == list(range(7, 40))
    plan = read_plan(folder)
    assert plan is not None
    assert plan.start_pts <= plan.segments[0].first_pts
    assert not picture_differences(show(video, audio=False), cut_of(video, tmp_path))


def test_a_first_frame_without_a_time_is_shown_where_the_file_starts(
    tmp_path: Path, progress: Recorder
) -> None:
    """FFmpeg's muxer gives few packets of H.266 in MPEG-PS a time, and the first none."""
    drawn = ["-f", "lavfi", "-i", "testsrc2=s=128x96:r=25:d=2"]
    encoding = ["-c:v", "libvvenc", "-preset", "faster", "-c:a", "mp2"]
    try:
        video = make(tmp_path / "clip.mpg", *drawn, *tone(440, 2), *encoding)
    except MediaError:
        pytest.skip("this ffmpeg program has no encoder for H.266")
    segment(video, CuttingOptions(), None, progress)
    assert not picture_differences(show(video, audio=False), cut_of(video, tmp_path))
