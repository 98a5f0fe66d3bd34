"""The final file has the source's tags, chapters, time code and covers, or names what is lost."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from matting.delivery.mux_tags import MOST_TAG_BYTES, MOST_TAGS, bounded_tags
from matting.media import ffmpeg
from matting.media.container import open_video
from matting.media.ffmetadata import ffmetadata
from matting.media.probe import read_contents
from matting.media.tracks import TrackKind
from tests.support import stream_sources
from tests.support.clips import make_clip, numbers
from tests.support.stream_sources import deliver, make, opened, tone, written

TAGS = {
    "title": "Holiday",
    "artist": "Ann",
    "comment": "first take",
    "creation_time": "2020-01-02T03:04:05.000000Z",
    "location": "+12.3456+045.6789/",
    "make": "GoPro",
    "model": "Max",
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.location.ISO6709": "+12.3456+045.6789+010.000/",
    "com.android.version": "15",
    "whatever": "größer = besser",
}


@pytest.mark.parametrize("audio", ["aac", "pcm_s16le", "truehd"])
def test_tags_of_the_file(audio: str, tmp_path: Path, picture: Path) -> None:
    tags = [part for key, value in TAGS.items() for part in ("-metadata", f"{key}={value}")]
    suffix = "mkv" if audio == "truehd" else "mov"
    more = ["-movflags", "use_metadata_tags"] if suffix == "mov" else []
    video = make(
        tmp_path / f"clip.{suffix}",
        *[*opened(picture), *tone(440), "-c:v", "copy", "-c:a", audio, "-strict", "-2"],
        *[*tags, *more],
    )
    final, notes = deliver(video)
    assert notes == []
    written = {key.lower(): value for key, value in read_contents(final).tags.items()}
    for key, value in TAGS.items():
        assert written[key.lower()] == value, key
    # Where a player looks, not only where phones write.
    if final.suffix == ".mp4":
        assert b"\xa9nam" in final.read_bytes()


@pytest.mark.parametrize("audio", ["aac", "truehd"])
def test_large_and_many_tags_and_chapters(audio: str, tmp_path: Path, picture: Path) -> None:
    tags = {"comment": "é" * 100_000, "equal=sign": "a;b\\", "lines": "a\nb\\"}
    tags |= {f"key{number}": str(number) for number in range(1000)}
    chapters = [
        f"[CHAPTER]\nTIMEBASE=1/100\nSTART={n}\nEND={n + 1}\ntitle={n}\n" for n in range(5000)
    ]
    source = tmp_path / "tags.txt"
    source.write_bytes(ffmetadata(tags) + "".join(chapters).encode())
    video = make(
        tmp_path / "clip.mkv",
        *[*opened(picture), *tone(440), *ffmpeg.metadata_file(source), "-map_metadata", "2"],
        *["-map_chapters", "2", "-c:v", "copy", "-c:a", audio, "-strict", "-2"],
    )
    final, notes = deliver(video)
    assert notes == []
    contents = read_contents(final)
    written = {key.lower(): value for key, value in contents.tags.items()}
    assert {key: written[key] for key in tags} == tags
    assert len(contents.chapters) == 5000


def test_tags_have_bounds() -> None:
    many = {f"key{number}": "x" for number in range(20_000)}
    assert bounded_tags(many) == dict(list(many.items())[:MOST_TAGS])
    large = {"a": "x" * MOST_TAG_BYTES, "b": "kept"}
    assert bounded_tags(large) == {"b": "kept"}


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_the_header_comes_first(suffix: str, tmp_path: Path, picture: Path) -> None:
    audio = "aac" if suffix == "mp4" else "pcm_s16le"
    video = make(tmp_path / f"c.{suffix}", *opened(picture), *tone(440), "-c:a", audio)
    final, _ = deliver(video)
    content = final.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert content.count(b"moov") == 1


def test_chapters(tmp_path: Path, picture: Path) -> None:
    chapters = written(tmp_path / "chapters.txt", stream_sources.CHAPTERS)
    video = make(
        tmp_path / "clip.mkv",
        *[*opened(picture), *tone(440), *opened(chapters), "-map_chapters", "2"],
        *["-c:v", "copy", "-c:a", "pcm_s16le"],
    )
    for source in (video, make(tmp_path / "again.mp4", *opened(video), "-c:v", "copy")):
        final, notes = deliver(source)
        assert notes == []
        with av.open(str(final)) as container:
            written_chapters = [
                (c["metadata"]["title"], round(c["start"] * c["time_base"], 3))
                for c in container.chapters()
            ]
        assert written_chapters == [("One", 0), ("Two", 0.5)]


def test_a_chapter_that_cannot_keep_its_time_is_named(tmp_path: Path, picture: Path) -> None:
    late = stream_sources.CHAPTERS.replace("START=0", "START=200")
    chapters = written(tmp_path / "chapters.txt", late)
    video = make(
        tmp_path / "clip.mkv",
        *[*opened(picture), *opened(chapters), "-map_chapters", "1", "-c", "copy"],
    )
    _, notes = deliver(video)
    # mp4 files have no time before the first chapter.
    assert notes == ["1 of 2 chapters cannot be kept in mp4, or not at their time."]


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_time_code(suffix: str, tmp_path: Path, picture: Path) -> None:
    where = "-metadata" if suffix == "mkv" else "-metadata:s:v:0"
    audio = "pcm_s16le" if suffix == "mov" else "aac"
    video = make(
        tmp_path / f"clip.{suffix}",
        *[*opened(picture), *tone(440), "-c:v", "copy", "-c:a", audio],
        *[where, "timecode=01:02:03:04"],
    )
    final, notes = deliver(video)
    assert notes == []
    assert read_contents(final).timecode == "01:02:03:04"
    assert any(track.codec == "tmcd" for track in read_contents(final).tracks)


def test_time_code_of_a_variable_rate(tmp_path: Path) -> None:
    pts = [index + (index // 5) * 4 for index in range(30)]
    plain = make_clip(tmp_path / "plain.mp4", pts=pts)
    code = ["-metadata:s:v:0", "timecode=10:20:30:25", "-r:v", "30"]
    video = make(tmp_path / "clip.mp4", *opened(plain), "-c", "copy", *code)
    final, notes = deliver(video, plain)
    assert notes == []
    assert read_contents(final).timecode == "10:20:30:25"
    with open_video(final) as (container, stream), open_video(plain) as (other, original):
        after = [p.pts * p.time_base for p in container.demux(stream) if p.pts is not None]
        before = [p.pts * p.time_base for p in other.demux(original) if p.pts is not None]
    assert after == before


@pytest.mark.parametrize(("suffix", "audio"), [("mp4", "aac"), ("mkv", "pcm_s16le")])
@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_a_cover_comes_along_and_is_not_the_picture(
    kind: str, suffix: str, audio: str, tmp_path: Path, picture: Path
) -> None:
    still = stream_sources.cover(tmp_path / f"cover.{kind}")
    inputs = [*opened(picture), *tone(440)]
    if suffix == "mkv":
        mime = ["-metadata:s:t", f"mimetype=image/{kind.replace('jpg', 'jpeg')}"]
        art = ["-attach", str(still), *mime]
    else:
        inputs = [*opened(still), *inputs]
        art = ["-map", "0", "-map", "1", "-map", "2", "-disposition:v:0", "attached_pic"]
    video = make(tmp_path / f"clip.{suffix}", *inputs, *art, "-c:v", "copy", "-c:a", audio)
    with open_video(video) as (_, stream):
        assert stream.codec_context.name == "h264"
    final, notes = deliver(video)
    assert notes == []
    covers = read_contents(final).of(TrackKind.COVER)
    assert len(covers) == 1
    with av.open(str(final)) as container:
        stream_of_art = container.streams[covers[0].index]
        assert next(bytes(p) for p in container.demux(stream_of_art)) == still.read_bytes()
    assert numbers(final) == list(range(30))


def test_a_cover_in_matroska(tmp_path: Path, picture: Path) -> None:
    still = stream_sources.cover(tmp_path / "cover.png")
    video = make(
        tmp_path / "clip.mkv",
        *[*opened(picture), *tone(440), "-attach", str(still)],
        *["-metadata:s:t", "mimetype=image/png", "-c:v", "copy", "-c:a", "truehd", "-strict", "-2"],
    )
    final, notes = deliver(video)
    assert (final.suffix, notes) == (".mkv", [])
    assert len(read_contents(final).of(TrackKind.COVER)) == 1


def test_drop_frame_time_code(tmp_path: Path) -> None:
    picture = make_clip(tmp_path / "combined.mp4", rate=Fraction(30000, 1001))
    code = ["-metadata:s:v:0", "timecode=01:02:03;04"]
    video = make(tmp_path / "clip.mov", *opened(picture), "-c", "copy", *code)
    final, notes = deliver(video, picture)
    assert notes == []
    assert read_contents(final).timecode == "01:02:03;04"
    even = make_clip(tmp_path / "even.mp4", rate=Fraction(25))
    wrong = ["-c", "copy", "-metadata", "timecode=01:02:03;04"]
    _, notes = deliver(make(tmp_path / "clip.mkv", *opened(even), *wrong), even)
    assert notes == ["The time code 01:02:03;04 cannot be kept in mp4."]
