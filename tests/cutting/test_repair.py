"""A damaged source is reported with its times, or repaired; nothing intact is lost."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from matting.cli.main import main
from matting.errors import DecodeError, MediaError
from matting.media.decode_check import decode_through
from matting.media.video_source import VideoSource
from matting.options import CuttingOptions, OnDamage
from matting.segment import segment
from tests.support.clips import make_clip
from tests.support.damage import damage_packets
from tests.support.recorder import Recorder
from tests.support.segments import X265_OPEN, decoded, ffmpeg_copy, joined, plan_of, x265

SECOND = CuttingOptions(seconds=Fraction(1))
STOP = replace(SECOND, damaged=OnDamage.STOP)
REPEAT = CuttingOptions(seconds=Fraction(1), damaged=OnDamage.REPEAT)
TICKS = 512  # a frame's length in the clips' time base, 1/15360 s


def without(video: Path, numbers: Collection[int], target: Path) -> Path:
    """Copy a video without those packets; return `target`."""
    with av.open(str(video)) as source, av.open(str(target), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0], opaque=True)
        packets = [packet for packet in source.demux(video=0) if packet.size]
        for number, packet in enumerate(packets):
            if number not in numbers:
                packet.stream = stream
                output.mux_one(packet)
    return target


def damaged_clip(folder: Path) -> Path:
    """Make a clip of 100 frames, for four segments; frames 43, 44 and 72 are noise."""
    return damage_packets(make_clip(folder / "clip.mp4", 100), (43, 44, 72))


def test_damage_stops_with_its_times(tmp_path: Path, progress: Recorder) -> None:
    video = damaged_clip(tmp_path)
    with pytest.raises(MediaError) as caught:
        segment(video, STOP, None, progress)
    assert caught.value.exit_code == 2
    assert "clip.mp4 is damaged: 3 frames" in caught.value.what
    assert "at 0:00:01.433, 0:00:01.467, 0:00:02.400." in caught.value.what
    assert "leave --damaged out" in caught.value.hint
    assert "2 intact segments will not be cut again" in caught.value.hint
    assert not (tmp_path / "clip_segments" / "segments.json").exists()


def test_the_last_good_frame_is_repeated(tmp_path: Path, progress: Recorder) -> None:
    whole = make_clip(tmp_path / "clip.mp4", 100)
    good = decoded(whole)
    content = whole.read_bytes()
    intact = segment(whole, SECOND, tmp_path / "intact", progress)
    whole.write_bytes(content)
    folder = segment(damage_packets(whole, (43, 44, 72)), REPEAT, None, progress)
    plan = plan_of(folder)
    assert [list(planned.repeated) for planned in plan.segments] == [
        [],
        [43 * TICKS, 44 * TICKS],
        [72 * TICKS],
        [],
    ]
    frames = joined(folder)
    assert [time for time, _ in frames] == [time for time, _ in good]
    pixels = [pixels for _, pixels in frames]
    assert pixels[:43] == [pixels for _, pixels in good[:43]]
    assert pixels[42] == pixels[43] == pixels[44]
    assert pixels[71] == pixels[72]
    assert pixels[50:72] == [pixels for _, pixels in good[50:72]]
    assert pixels[80:] == [pixels for _, pixels in good[80:]]
    for name in ("output_000.mp4", "output_003.mp4"):
        assert (folder / name).read_bytes() == (intact / name).read_bytes()
    assert progress.mentions("3 were replaced by the last good one")
    assert json.loads((folder / "segments.json").read_text("utf-8"))["segments"][2]["repeated"]
    for planned in plan.segments:
        chunks = VideoSource(folder / planned.name).chunks(16)
        assert sum(len(chunk.pts) for chunk in chunks) == planned.frames


def test_intact_segments_are_not_cut_again(tmp_path: Path, progress: Recorder) -> None:
    video = damaged_clip(tmp_path)
    for _ in range(2):
        with pytest.raises(MediaError, match="3 frames"):
            segment(video, STOP, None, progress)
    assert progress.titles == ["Cutting", *["Inspecting damage"] * 2]
    folder = segment(video, REPEAT, None, progress)
    assert progress.titles[1:] == [*["Inspecting damage"] * 3, "Repairing"]
    assert plan_of(folder).frames == len(joined(folder)) == 100
    assert not (folder / ".cutting").exists()


def test_kept_segments_that_changed_are_cut_again(tmp_path: Path, progress: Recorder) -> None:
    video = damaged_clip(tmp_path)
    with pytest.raises(MediaError):
        segment(video, STOP, None, progress)
    make_clip(tmp_path / "clip_segments" / ".cutting" / "output_003.mp4", 10)
    folder = segment(video, REPEAT, None, progress)
    assert plan_of(folder).frames == len(joined(folder)) == 100


def test_an_intact_copy_of_a_damaged_source_is_cut_anew(tmp_path: Path, progress: Recorder) -> None:
    video = damaged_clip(tmp_path)
    with pytest.raises(MediaError):
        segment(video, STOP, None, progress)
    whole = make_clip(video, 100)
    folder = segment(whole, SECOND, None, progress)
    assert joined(folder) == decoded(whole)
    assert not any(planned.repeated for planned in plan_of(folder).segments)


def test_a_lost_segment_of_a_repaired_cut_is_repaired_again(
    tmp_path: Path, progress: Recorder
) -> None:
    video = damaged_clip(tmp_path)
    folder = segment(video, REPEAT, None, progress)
    before = plan_of(folder)
    (folder / "output_002.mp4").unlink()
    segment(video, CuttingOptions(), None, progress)
    assert plan_of(folder).segments[1].repeated == before.segments[1].repeated


def test_a_segment_that_begins_with_damage_shows_the_frame_before(
    tmp_path: Path, progress: Recorder
) -> None:
    video = damage_packets(make_clip(tmp_path / "clip.mp4", 70), range(30, 60))
    folder = segment(video, REPEAT, None, progress)
    pixels = [pixels for _, pixels in joined(folder)]
    assert len(pixels) == 70
    assert set(pixels[29:60]) == {pixels[29]}
    assert len(set(pixels[60:])) == 10
    repeated = [pts for planned in plan_of(folder).segments for pts in planned.repeated]
    assert repeated == [n * TICKS for n in range(30, 60)]


@pytest.mark.parametrize("suffix", ["mkv", "ts"])
def test_a_missing_first_key_frame(suffix: str, tmp_path: Path, progress: Recorder) -> None:
    options = {"bf": "0", "x264-params": "repeat-headers=1"}
    whole = make_clip(tmp_path / f"whole.{suffix}", 50, options=options)
    video = without(whole, [0], tmp_path / f"clip.{suffix}")
    good = [pixels for _, pixels in decoded(whole)]
    folder = segment(video, SECOND, None, progress)
    assert progress.mentions("9 frames at the start cannot be shown")
    assert [pixels for _, pixels in joined(folder)] == good[10:]
    folder = segment(video, replace(REPEAT, overwrite=True), None, progress)
    frames = [pixels for _, pixels in joined(folder)]
    assert len(frames) == 49
    assert set(frames[:10]) == {good[10]}
    assert frames[9:] == good[10:]


def test_an_open_gop_at_the_start(tmp_path: Path, progress: Recorder) -> None:
    whole = make_clip(
        tmp_path / "whole.mp4", 75, codec="libx265", options=x265(f"{X265_OPEN}:keyint=10")
    )
    video = ffmpeg_copy(whole, tmp_path / "clip.ts", before=["-ss", "0.75"])
    presented = decoded(video)
    with av.open(str(video)) as container:
        indexed = sum(packet.size > 0 for packet in container.demux(video=0))
    assert len(presented) < indexed
    folder = segment(video, SECOND, None, progress)
    assert progress.mentions(f"{indexed - len(presented)} frames at the start cannot be shown")
    assert joined(folder) == presented
    folder = segment(video, replace(REPEAT, overwrite=True), None, progress)
    frames = [pixels for _, pixels in joined(folder)]
    assert len(frames) == indexed
    assert frames[indexed - len(presented) :] == [pixels for _, pixels in presented]
    assert set(frames[: indexed - len(presented)]) == {presented[0][1]}


@pytest.mark.parametrize(
    ("codec", "suffix", "options"),
    [
        ("libx265", "mkv", x265(f"{X265_OPEN}:keyint=10")),
        ("libsvtav1", "mp4", {"preset": "12"}),
        ("libvpx-vp9", "webm", {"deadline": "realtime", "cpu-used": "8"}),
        ("libx264", "avi", {"bf": "2"}),
        ("libx264", "ts", {"bf": "2"}),
    ],
)
def test_damage_in_any_format(
    codec: str, suffix: str, options: dict[str, str], tmp_path: Path, progress: Recorder
) -> None:
    video = make_clip(tmp_path / f"clip.{suffix}", 70, codec=codec, options=options)
    if suffix == "ts":
        content = bytearray(video.read_bytes())
        with av.open(str(video)) as container:
            at = [packet.pos or 0 for packet in container.demux(video=0)][30] + 188
        content[at : at + 4 * 188] = (b"G\x1f\xff\x10" + bytes(184)) * 4  # stuffing
        video.write_bytes(content)
    else:
        with av.open(str(video)) as container:
            sizes = [packet.size for packet in container.demux(video=0)]
        damage_packets(video, sorted(range(31, 40), key=lambda number: sizes[number])[-3:])
    with av.open(str(video)) as container:
        indexed = sum(packet.size > 0 for packet in container.demux(video=0))
    with pytest.raises(MediaError, match="is damaged"):
        segment(video, STOP, None, progress)
    folder = segment(video, REPEAT, None, progress)
    plan = plan_of(folder)
    assert any(planned.repeated for planned in plan.segments)
    assert progress.mentions("replaced by the last good one")
    assert plan.frames == indexed
    assert len(joined(folder)) == plan.frames


def test_a_source_without_one_good_frame(tmp_path: Path, progress: Recorder) -> None:
    whole = make_clip(tmp_path / "whole.mkv", 40, gop=1000)
    video = without(whole, [0], tmp_path / "clip.mkv")
    with pytest.raises(DecodeError, match=r"Not one frame of .*clip\.mkv"):
        segment(video, REPEAT, None, progress)
    assert not list((tmp_path / "clip_segments").glob("*.mp4"))


@pytest.mark.parametrize("options", [SECOND, REPEAT])
@pytest.mark.parametrize("at", [30, 75])
def test_an_interruption_leaves_nothing_half_done(
    options: CuttingOptions, at: int, tmp_path: Path, progress: Recorder
) -> None:
    video = damaged_clip(tmp_path)
    steps = len(progress.titles)

    def interrupt(done: int) -> None:
        if done >= at and len(progress.titles) == steps + 2:
            raise KeyboardInterrupt

    progress.on_advance = interrupt
    with pytest.raises(KeyboardInterrupt):
        segment(video, options, None, progress)
    assert not (tmp_path / "clip_segments" / ".cutting").exists()
    progress.on_advance = lambda _done: None
    folder = segment(video, REPEAT, None, progress)
    assert len(joined(folder)) == 100


def test_an_interruption_while_repairing_keeps_what_is_intact(
    tmp_path: Path, progress: Recorder
) -> None:
    video = damaged_clip(tmp_path)
    with pytest.raises(MediaError):
        segment(video, STOP, None, progress)

    def interrupt(done: int) -> None:
        if done >= 40:
            raise KeyboardInterrupt

    progress.on_advance = interrupt
    with pytest.raises(KeyboardInterrupt):
        segment(video, REPEAT, None, progress)
    work = tmp_path / "clip_segments" / ".cutting"
    assert (work / "output_000.mp4").is_file()
    assert not list(work.glob("*.partial"))


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = damaged_clip(tmp_path)
    assert main(["segment", str(video), "--seconds", "1", "--damaged", "stop", "--quiet"]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 3  # the last names the log
    assert "0:00:01.433" in lines[0]
    assert main(["segment", str(video), "--seconds", "1", "--damaged", "repeat"]) == 0
    assert main(["segment", str(video), "--damaged", "perhaps"]) == 2


def test_decode_through_names_file_and_frame(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "whole.mp4", 30, options={"bf": "2"})
    seen: list[int] = []
    assert decode_through(whole, seen.append) == [Fraction(n, 30) for n in range(30)]
    assert sum(seen) == 30
    with pytest.raises(DecodeError, match=r"clip\.mp4: frame 12 of 30"):
        decode_through(damage_packets(make_clip(tmp_path / "clip.mp4", 30), [12]))


def test_a_better_copy_of_the_same_size_and_ends_is_cut_anew(
    tmp_path: Path, progress: Recorder
) -> None:
    video = make_clip(
        tmp_path / "clip.mp4", 120, size=(640, 480), options={"crf": "1", "preset": "ultrafast"}
    )
    good = video.read_bytes()
    assert len(good) > 3 << 20  # longer than both ends that are hashed
    middle = len(good) // 2
    video.write_bytes(good[:middle] + bytes(3000) + good[middle + 3000 :])
    with pytest.raises(MediaError, match="is damaged"):
        segment(video, CuttingOptions(damaged=OnDamage.STOP), None, progress)
    video.write_bytes(good)
    plan = plan_of(segment(video, CuttingOptions(damaged=OnDamage.REPEAT), None, progress))
    assert plan.frames == 120
    assert not any(planned.repeated for planned in plan.segments)


def test_a_file_cut_off_by_less_than_a_second(tmp_path: Path, progress: Recorder) -> None:
    """With its index at the front, as videos from the web have it."""
    video = make_clip(tmp_path / "plain.mp4", 60)
    front = tmp_path / "front.mp4"
    ffmpeg_copy(video, front, "-movflags", "+faststart")
    content = front.read_bytes()
    front.write_bytes(content[: int(len(content) * 0.8)])
    with pytest.raises(MediaError, match="is cut off"):
        segment(front, CuttingOptions(damaged=OnDamage.STOP), None, progress)
