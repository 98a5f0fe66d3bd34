"""Stage four, and all four in a row: the source's audio, packet by packet, where it was."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import pytest

from matting.add_audio import add_audio
from matting.combine import combine
from matting.errors import InputError, SegmentsFailedError
from matting.infer import infer
from matting.options import CuttingOptions
from matting.project.paths import MattedFolder
from matting.run import run
from matting.segment import segment
from tests.support.clips import audio_packets, make_clip, numbers, times
from tests.support.image_sequences import write_take
from tests.support.recorder import Recorder, carry_on, once_done
from tests.support.stages import SECOND, composites, interrupt_after, matting_options


def finish(video: Path, checkpoint: Path, progress: Recorder, output: Path | None = None) -> Path:
    """Run the four stages, one after the other; return the final file."""
    segments = segment(video, SECOND, output, progress)
    folder = infer(segments, matting_options(checkpoint), output, progress)
    combine(folder.root, None, progress)
    return add_audio(video, output, progress)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "ts"])
def test_the_audio_is_the_sources(
    suffix: str, tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    video = make_clip(tmp_path / f"clip.{suffix}", 60, audio=True)
    final = finish(video, opaque_checkpoint, progress)
    assert final == tmp_path / "clip_MATTED.mp4"
    assert numbers(final) == list(range(60))
    source, result = audio_packets(video), audio_packets(final)
    if suffix == "ts":  # where each packet carries a header of its own
        assert len(result) == len(source)
    else:
        assert [data for _, data in result] == [data for _, data in source]
    # Picture and audio are as much in time as before.
    before = times(video)[0] - source[1][0]
    after = times(final)[0] - result[1][0]
    assert abs(before - after) < Fraction(1, 1000)


@pytest.mark.parametrize("delay", [4, -4])
def test_audio_that_starts_earlier_or_later(
    delay: int, tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    pts = [index + max(0, -delay) for index in range(60)]
    video = make_clip(
        tmp_path / "clip.mp4", 60, audio=True, audio_delay_frames=max(0, delay), pts=pts
    )
    final = finish(video, opaque_checkpoint, progress)
    before = times(video)[0] - audio_packets(video)[1][0]
    after = times(final)[0] - audio_packets(final)[1][0]
    assert abs(before - after) < Fraction(1, 1000)
    assert abs(before) > Fraction(1, 10)


def test_delayed_audio_in_a_transport_stream(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    video = make_clip(tmp_path / "clip.ts", 60, audio=True, audio_delay_frames=15)
    final = finish(video, opaque_checkpoint, progress)
    before = times(video)[0] - audio_packets(video)[1][0]
    after = times(final)[0] - audio_packets(final)[1][0]
    assert abs(before - after) < Fraction(1, 1000)
    assert abs(before) > Fraction(1, 3)


def test_another_videos_picture_is_refused(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 40, audio=True)
    final = finish(video, opaque_checkpoint, progress)
    earlier = final.read_bytes()
    make_clip(video, 40, audio=True, gop=7)
    with pytest.raises(InputError, match="another video"):
        add_audio(video, None, progress)
    assert final.read_bytes() == earlier


def test_nothing_that_was_changed_behind_its_back_is_delivered(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    """Not even what has kept its size, its ends and its date."""
    video = make_clip(tmp_path / "clip.mp4", 60, audio=True)
    final = finish(video, opaque_checkpoint, progress)
    earlier = final.read_bytes()
    combined = MattedFolder(tmp_path / "clip_segments_matted").combined()
    spoil(combined, at=combined.read_bytes().index(b"mdat") + 100)
    with pytest.raises(InputError, match="is damaged"):
        add_audio(video, None, progress)
    combine(combined.parent, None, progress)
    add_audio(video, None, progress)
    assert final.read_bytes() == earlier

    progress.on_advance = once_done(1, lambda: os.utime(video, ns=(1, 1)))
    add_audio(video, None, progress)  # touched only
    progress.on_advance = once_done(1, lambda: os.truncate(video, video.stat().st_size + 1))
    with pytest.raises(InputError, match="still being written"):
        add_audio(video, None, progress)
    os.truncate(video, video.stat().st_size - 1)

    spoil(video, at=video.stat().st_size // 2)
    with pytest.raises(InputError, match="another video"):
        add_audio(video, None, progress)
    os.utime(video)
    for stage in (
        lambda: infer(
            tmp_path / "clip_segments", matting_options(opaque_checkpoint), None, progress
        ),
        lambda: combine(combined.parent, None, progress),
    ):
        with pytest.raises(InputError, match="has changed since"):
            stage()
    assert final.read_bytes() == earlier
    assert not list(tmp_path.rglob("*.partial*"))


def spoil(path: Path, *, at: int) -> None:
    """Zero some bytes of a file, and leave it the date it had."""
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[at : at + 300] = bytes(300)
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_stale_picture_is_refused(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path, empty_checkpoint: Path
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 40, audio=True)
    finish(video, opaque_checkpoint, progress)
    infer(tmp_path / "clip_segments", matting_options(empty_checkpoint), None, progress)
    with pytest.raises(InputError, match="matted again"):
        add_audio(video, None, progress)
    combine(tmp_path / "clip_segments_matted", None, progress)
    add_audio(video, None, progress)


def test_missing_audio_is_announced(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 40)
    final = finish(video, opaque_checkpoint, progress)
    assert progress.mentions("has no audio")
    assert numbers(final) == list(range(40))


def test_title_and_chapters_come_along(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    plain = make_clip(tmp_path / "plain.mp4", 40, audio=True)
    video = tmp_path / "clip.mp4"
    with av.open(str(plain)) as source, av.open(str(video), "w") as target:
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        target.metadata["title"] = "Holiday"
        target.set_chapters(
            [
                {
                    "id": 1,
                    "start": 0,
                    "end": 1,
                    "time_base": Fraction(1),
                    "metadata": {"title": "Start"},
                }
            ]
        )
        for packet in source.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
    final = finish(video, opaque_checkpoint, progress)
    with av.open(str(final)) as container:
        assert container.metadata["title"] == "Holiday"
        assert [c["metadata"]["title"] for c in container.chapters()] == ["Start"]


def test_separate_videos_each_get_their_audio(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    folder, matted = tmp_path / "films", tmp_path / "films_matted"
    (folder / "extras").mkdir(parents=True)
    late = [index + 9 for index in range(40)]  # the audio begins before the picture
    for path in (
        make_clip(folder / "a.mp4", 40, audio=True, pts=late),
        make_clip(folder / "b.mkv", 20, audio=True, size=(80, 48)),
        make_clip(folder / "extras" / "c.mp4", 5),
    ):
        assert path.is_file()
    infer(folder, matting_options(opaque_checkpoint), None, progress)
    assert progress.mentions("2 separate videos")
    assert progress.mentions("passed over: extras")
    with pytest.raises(InputError, match="nothing to join.*separate videos"):
        combine(matted, None, progress)
    assert not list(matted.glob("*COMBINED*"))

    assert add_audio(folder, None, progress) == matted
    for name, video in (("a", folder / "a.mp4"), ("b", folder / "b.mkv")):
        final = matted / f"{name}_MATTED.mp4"
        assert numbers(final) == numbers(video)
        assert [data for _, data in audio_packets(final)] == [
            data for _, data in audio_packets(video)
        ]
        before = times(video)[0] - audio_packets(video)[1][0]
        after = times(final)[0] - audio_packets(final)[1][0]
        assert abs(before - after) < Fraction(1, 500)  # Matroska's ticks
    finals = sorted(path.name for path in matted.glob("*.mp4"))
    assert finals == ["a_MATTED.mp4", "b_MATTED.mp4"]
    assert add_audio(folder / "b.mkv", None, progress) == matted / "b_MATTED.mp4"

    spoil(folder / "a.mp4", at=(folder / "a.mp4").stat().st_size // 2)
    for path in matted.glob("*_MATTED.mp4"):
        path.unlink()
    with pytest.raises(SegmentsFailedError, match="a.mp4 has changed since it was matted"):
        add_audio(folder, None, progress)
    assert [path.name for path in matted.glob("*.mp4")] == ["b_MATTED.mp4"]
    with pytest.raises(InputError, match="a.mp4 has changed since it was matted"):
        add_audio(folder / "a.mp4", None, progress)
    make_clip(folder / "d.mp4", 3)
    MattedFolder(matted).processed.unlink()
    with pytest.raises(InputError, match="a.mp4 in .* is not matted yet, nor are 2 others"):
        add_audio(folder, None, progress)


def test_pictures_have_no_audio(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    write_take(tmp_path / "take", 2)
    infer(tmp_path / "take", matting_options(opaque_checkpoint), None, progress)
    with pytest.raises(InputError, match="no audio"):
        add_audio(tmp_path / "take", None, progress)


def test_needs_the_matted_picture_first(tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / "clip.mp4", 5)
    with pytest.raises(InputError, match="is not there"):
        add_audio(video, None, progress)
    assert not (tmp_path / "clip_MATTED.mp4").exists()


def test_output_elsewhere(tmp_path: Path, progress: Recorder, opaque_checkpoint: Path) -> None:
    video = make_clip(tmp_path / "clip.mp4", 20, audio=True)
    final = finish(video, opaque_checkpoint, progress, tmp_path / "other")
    assert final == tmp_path / "other" / "clip_MATTED.mp4"
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == ["other"]


def test_run_does_all_and_can_be_run_again(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 70, audio=True)
    options = matting_options(opaque_checkpoint)
    matted = MattedFolder(tmp_path / "clip_segments_matted")
    interrupt_after(progress, matted, "output_000.mp4")
    with pytest.raises(KeyboardInterrupt):
        run(video, SECOND, options, None, progress)
    progress.on_segment_end = carry_on
    first = tmp_path / "clip_segments_matted" / "COMPOSITE" / "output_000.mp4"
    made = first.stat().st_mtime_ns
    final = run(video, CuttingOptions(), options, None, progress)
    assert first.stat().st_mtime_ns == made
    assert numbers(final) == list(range(70))
    before = final.read_bytes()
    assert run(video, CuttingOptions(), options, None, progress).read_bytes() == before


def test_run_stops_before_combining_when_a_segment_failed(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 70)
    segments = segment(video, SECOND, None, progress)
    (segments / "output_001.mp4").write_bytes(b"broken")
    with pytest.raises(SegmentsFailedError, match="output_001.mp4"):
        run(video, CuttingOptions(), matting_options(opaque_checkpoint), None, progress)
    folder = MattedFolder.of(segments)
    assert len(composites(folder)) == 2
    assert not folder.combined().exists()
