"""The final file holds what the source held; what its container cannot hold is named."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from matting.add_audio import add_audio
from matting.media.container import open_video
from matting.media.mp4.boxes import Box
from matting.media.mp4.metadata import Additions, add_to_header
from matting.media.probe import read_contents
from matting.media.tracks import TrackKind
from matting.project.paths import Container
from matting.run import run
from tests.support import stream_sources
from tests.support.clips import make_clip, numbers
from tests.support.recorder import Recorder
from tests.support.stages import SECOND, matting_options
from tests.support.stream_sources import deliver, make, opened, tone, with_two_audio_tracks, written


@pytest.mark.parametrize(
    ("codecs", "suffix"),
    [
        (("aac", "aac"), ".mp4"),
        (("aac", "ac3"), ".mp4"),
        (("libopus", "flac"), ".mp4"),
        (("libvorbis", "libmp3lame"), ".mp4"),
        (("aac", "pcm_s16le"), ".mov"),
        (("pcm_s24le", "pcm_f32le"), ".mov"),
        (("pcm_s16le", "libopus"), ".mkv"),
        (("aac", "truehd"), ".mkv"),
    ],
)
def test_all_audio_is_carried_with_language_and_title(
    codecs: tuple[str, str], suffix: str, tmp_path: Path, picture: Path
) -> None:
    video = with_two_audio_tracks(tmp_path / "clip.mkv", picture, codecs)
    final, notes = deliver(video)
    assert final.suffix == suffix
    written, original = (read_contents(path).of(TrackKind.AUDIO) for path in (final, video))
    assert [track.codec for track in written] == [track.codec for track in original]
    assert [track.title for track in written] == ["Main", "Kommentar"]
    assert [track.language for track in written] == ["eng", "deu"]
    assert numbers(final) == list(range(30))
    for index in range(2):
        assert packet_bytes(final, index) == packet_bytes(video, index)
    flagged = [{"comment"} <= track.flags for track in written]
    assert flagged == [False, True] or any("'comment' cannot be kept" in line for line in notes)


def packet_bytes(path: Path, index: int) -> bytes:
    """Return an audio track's packets, one after the other."""
    with av.open(str(path)) as container:
        return b"".join(bytes(p) for p in container.demux(container.streams.audio[index]))


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_titles_survive_from_mp4_to_mp4(suffix: str, tmp_path: Path, picture: Path) -> None:
    video = with_two_audio_tracks(tmp_path / f"clip.{suffix}", picture, ("aac", "aac"))
    assert read_contents(video).of(TrackKind.AUDIO)[1].title == "Kommentar"
    final, _ = deliver(video)
    assert [track.title for track in read_contents(final).of(TrackKind.AUDIO)] == [
        "Main",
        "Kommentar",
    ]


@pytest.mark.parametrize(
    ("name", "encoder", "pcm"),
    [
        ("latm.ts", "aac", "pcm_s16le"),
        ("s302m.ts", "s302m", "pcm_s24le"),
        ("nellymoser.flv", "nellymoser", "pcm_s16le"),
        ("swf.flv", "adpcm_swf", "pcm_s16le"),
        ("g726.mkv", "g726", "pcm_s16le"),
        # Their packets say that they are minutes or seconds apart, or at nearly the same time.
        ("g726.avi", "g726", "pcm_s16le"),
        ("g722.avi", "g722", "pcm_s16le"),
        ("dfpwm.avi", "dfpwm", "pcm_s16le"),
        ("planar.nut", "pcm_s24le_planar", "pcm_s24le"),
        ("unsigned.nut", "pcm_u16be", "pcm_s16le"),
    ],
)
def test_audio_that_no_container_holds_is_decoded(
    name: str, encoder: str, pcm: str, tmp_path: Path, picture: Path
) -> None:
    rate = 44100 if name.endswith("flv") else {"g726": 8000, "g722": 16000}.get(encoder, 48000)
    latm = ["-mpegts_flags", "+latm"] if name.startswith("latm") else []
    video = make(
        tmp_path / name,
        *[*opened(picture), *tone(440), "-c:v", "copy", "-c:a", encoder, "-strict", "-2"],
        *["-ar", str(rate), "-ac", "2" if encoder == "s302m" else "1", *latm],
    )
    final, notes = deliver(video)
    codec = read_contents(video).of(TrackKind.AUDIO)[0].codec
    assert final.suffix == ".mov"
    converted = [note for note in notes if "becomes" in note]
    assert [note.split(":")[0].split(",")[0:2] for note in converted] == [
        ["Track 2 (audio", f" {codec}) becomes {pcm}"]
    ]
    assert len(notes) == 1 + name.endswith("avi")  # its times are said to be impossible
    assert [track.codec for track in read_contents(final).of(TrackKind.AUDIO)] == [pcm]
    assert decoded(final) == decoded(video)


def decoded(path: Path) -> bytes:
    """Return the samples of the first audio track, in 16 bits."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16")
        blocks = [
            bytes(block.planes[0])[: block.samples * 2 * block.layout.nb_channels]
            for frame in container.decode(audio=0)
            for block in resampler.resample(frame)
        ]
    return b"".join(blocks)


@pytest.mark.parametrize(("suffix", "audio"), [("mp4", "aac"), ("mov", "pcm_s16le")])
def test_ambisonic_audio_stays_so(suffix: str, audio: str, tmp_path: Path, picture: Path) -> None:
    layout = bytes(Box(b"SA3D", bytes(7) + bytes([1, 0, 0, 0, 0, 4]) + bytes(range(16))))
    four = ["-filter_complex", "[1]pan=4.0|c0=c0|c1=c0|c2=c0|c3=c0[a]"]
    video = make(
        tmp_path / f"clip.{suffix}",
        *[*opened(picture), *tone(440), *four, "-map", "0:v", "-map", "[a]", "-c:a", audio],
    )
    add_to_header(video, Additions(spatial_audio={1: [layout]}))
    final, notes = deliver(video)
    assert notes == []
    assert read_contents(final).of(TrackKind.AUDIO)[0].boxes == (layout,)
    numbers(final)


def test_unknown_audio_is_named_and_the_rest_carried(tmp_path: Path, picture: Path) -> None:
    video = with_two_audio_tracks(tmp_path / "clip.mp4", picture, ("aac", "aac"))
    content = video.read_bytes()
    at = content.rindex(b"mp4a")  # as phones' spatial audio is to FFmpeg
    changed = content[at:].replace(b"mp4a", b"apac").replace(b"esds", b"dapa")
    video.write_bytes(content[:at] + changed)
    final, notes = deliver(video)
    assert notes == ["Track 3 (audio, apac) cannot be carried in mp4."]
    assert len(read_contents(final).of(TrackKind.AUDIO)) == 1


def test_another_container_is_announced(
    tmp_path: Path, progress: Recorder, picture: Path, opaque_checkpoint: Path
) -> None:
    video = with_two_audio_tracks(tmp_path / "clip.mov", picture, ("pcm_s16le", "aac"))
    older = tmp_path / "clip_MATTED.mp4"
    older.write_bytes(b"from another day")
    final = run(video, SECOND, matting_options(opaque_checkpoint), None, progress)
    assert final == tmp_path / "clip_MATTED.mov"
    assert sum("The result is clip_MATTED.mov: " in line for line in progress.said) == 1
    assert progress.mentions("of this kind (pcm_s16le).")
    assert progress.mentions(f"{older} is an older result.")
    assert older.read_bytes() == b"from another day"
    content = final.read_bytes()
    assert add_audio(video, None, progress).read_bytes() == content
    assert len([path for path in tmp_path.iterdir() if path.stem == "clip_MATTED"]) == 2
    assert final.suffix in {container.suffix for container in Container}


@pytest.mark.parametrize("audio", ["aac", "pcm_s16le", "truehd"])
def test_subtitles(audio: str, tmp_path: Path, picture: Path) -> None:
    text = written(tmp_path / "text.srt", stream_sources.SUBRIP)
    video = make(
        tmp_path / "clip.mkv",
        *[*opened(picture), *tone(440), *opened(text), *opened(text)],
        *["-map", "0", "-map", "1", "-map", "2", "-map", "3", "-c:v", "copy", "-c:a", audio],
        *["-c:s:0", "subrip", "-c:s:1", "ass", "-strict", "-2"],
        *["-metadata:s:s:0", "language=fra", "-metadata:s:s:0", "title=Bonjour"],
        *["-disposition:s:0", "forced", "-disposition:s:1", "0"],
    )
    final, notes = deliver(video)
    first, second = read_contents(final).of(TrackKind.SUBTITLE)
    kept = final.suffix == ".mkv"
    assert [first.codec, second.codec] == (["subrip", "ass"] if kept else ["mov_text"] * 2)
    assert (first.language, first.title) == ("fra", "Bonjour")
    assert "default" not in first.flags | second.flags
    forced = "forced" in first.flags
    assert forced or any("'forced' cannot be kept in mov" in line for line in notes)
    assert forced or final.suffix == ".mov"
    assert cues(final) == [(200, "Hello"), (700, "World")]


def cues(path: Path) -> list[tuple[int, str]]:
    """Return (milliseconds, text) of the first subtitle track's cues."""
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        content = [
            (round(p.pts * p.time_base * 1000), bytes(p))
            for p in container.demux(stream)
            if p.size > 2 and p.pts is not None
        ]
    if stream.codec_context.name == "mov_text":
        return [(time, data[2 : 2 + data[1]].decode()) for time, data in content]
    return [(time, data.decode()) for time, data in content]


def test_bitmap_subtitles(tmp_path: Path, picture: Path) -> None:
    video = with_bitmap_subtitles(tmp_path / "clip.mkv", picture)
    final, notes = deliver(video)
    assert notes == ["Track 2 (subtitle, hdmv_pgs_subtitle) cannot be carried in mp4."]
    assert not read_contents(final).of(TrackKind.SUBTITLE)
    rare = make(
        tmp_path / "rare.mkv",
        *[*opened(video), *tone(440), "-map", "0", "-map", "1"],
        *["-c", "copy", "-c:a", "truehd", "-strict", "-2"],
    )
    final, notes = deliver(rare)
    assert notes == []
    assert [track.codec for track in read_contents(final).of(TrackKind.SUBTITLE)] == [
        "hdmv_pgs_subtitle"
    ]


def with_bitmap_subtitles(path: Path, picture: Path) -> Path:
    """Write `picture` with a Blu-ray's subtitle track of empty pictures; return `path`."""
    segments = path.with_suffix(".sup")
    end = b"PG" + bytes(8) + b"\x80\0\0"
    segments.write_bytes(end * 3)
    return make(
        path,
        *[*opened(picture), "-f", "sup", *opened(segments)],
        *["-map", "0", "-map", "1", "-c", "copy"],
    )


def test_fonts(tmp_path: Path, picture: Path) -> None:
    font = tmp_path / "font.ttf"
    font.write_bytes(b"\0\1\0\0 a font")
    attach = ["-attach", str(font), "-metadata:s:t", "mimetype=application/x-truetype-font"]
    video = make(
        tmp_path / "clip.mkv",
        *[*opened(picture), *tone(440), *attach, "-c:v", "copy", "-c:a", "aac"],
    )
    _, notes = deliver(video)
    name = "Track 3 (attachment, application/x-truetype-font)"
    assert notes == [f"{name} cannot be carried in mp4."]
    rare = make(
        tmp_path / "rare.mkv",
        *[*opened(picture), *tone(440), *attach, "-c:v", "copy", "-c:a", "truehd", "-strict", "-2"],
    )
    final, notes = deliver(rare)
    assert notes == []
    assert b"\0\1\0\0 a font" in final.read_bytes()


def test_data_tracks_are_carried_or_named(tmp_path: Path, picture: Path) -> None:
    data = tmp_path / "data.bin"
    data.write_bytes(bytes(range(256)) * 8)
    raw = make(
        tmp_path / "raw.ts",
        *[*opened(picture), "-f", "data", *opened(data), "-map", "0", "-map", "1", "-c", "copy"],
    )
    video = make(tmp_path / "clip.mp4", *opened(raw), "-map", "0", "-c", "copy", "-tag:d", "gpmd")
    final, notes = deliver(video)
    assert notes == []
    assert [track.codec for track in read_contents(final).of(TrackKind.DATA)] == ["gpmd"]
    content = video.read_bytes()
    at = content.rindex(b"gpmd")
    video.write_bytes(content[:at] + b"camm" + content[at + 4 :])
    final, notes = deliver(video)
    assert notes == ["Track 2 (data, camm) cannot be carried in mp4."]
    assert not read_contents(final).of(TrackKind.DATA)
    _, notes = deliver(raw)
    assert notes == ["Track 2 (data, bin_data) cannot be carried in mp4."]


@pytest.mark.parametrize("default", [0, 1])
def test_the_default_picture_of_two_is_used(default: int, tmp_path: Path, picture: Path) -> None:
    other = make_clip(tmp_path / "other.mp4", 30, size=(96, 64))
    marks = [
        part
        for n in range(2)
        for part in (f"-disposition:v:{n}", "default" if n == default else "0")
    ]
    video = make(
        tmp_path / "clip.mkv",
        *[*opened(picture), *opened(other), "-map", "0", "-map", "1", "-c", "copy", *marks],
    )
    with open_video(video) as (_, stream):
        assert (stream.index, stream.width) == (default, (64, 96)[default])
    assert read_contents(video).picture_choice(video.name) == (
        f"clip.mkv holds 2 pictures: track {default + 1}, the default one, is used."
    )
    _, notes = deliver(video)
    left = f"Track {2 - default} (video, h264)"
    assert notes == [f"{left} is left out: only one picture is matted."]


def test_the_choice_of_picture_is_announced(
    tmp_path: Path, progress: Recorder, picture: Path, opaque_checkpoint: Path
) -> None:
    video = make(
        tmp_path / "clip.mp4",
        *[*opened(picture), *opened(picture)],
        "-map",
        "0",
        "-map",
        "1",
        "-c",
        "copy",
    )
    run(video, SECOND, matting_options(opaque_checkpoint), None, progress)
    assert progress.said.count("clip.mp4 holds 2 pictures: track 1, the first one, is used.") == 1
    assert read_contents(picture).picture_choice(picture.name) is None
