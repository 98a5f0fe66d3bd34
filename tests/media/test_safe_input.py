"""Hostile and odd input: files in disguise, odd names, programs in the current folder."""

from __future__ import annotations

import os
import struct
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest

from matting.errors import MediaError, MissingError
from matting.media import ffmpeg
from matting.media.container import open_video
from matting.media.mp4.boxes import Box, read_moov, write_moov
from matting.run import run
from matting.segment import segment
from tests.support.clips import SIZE, audio_packets, make_clip, numbers
from tests.support.ffmpeg_frames import frames_by_ffmpeg
from tests.support.recorder import Recorder
from tests.support.segments import plan_of
from tests.support.stages import SECOND, matting_options

SECRET = "secret.mp4"
DISGUISES = {
    "concat script": f"ffconcat version 1.0\nfile '{SECRET}'\nfile '{SECRET}'\n",
    "stream list": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{SECRET}\n#EXT-X-ENDLIST\n",
    "DASH manifest": (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT1S"><Period><AdaptationSet mimeType="video/mp4">'
        f'<Representation id="1" bandwidth="1"><BaseURL>{SECRET}</BaseURL></Representation>'
        "</AdaptationSet></Period></MPD>"
    ),
    "concat script with protocols": (
        f"ffconcat version 1.0\nfile 'file:{SECRET}'\nfile 'http://127.0.0.1:9/a.mp4'\n"
    ),
    "stream list with protocols": (
        '#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-KEY:METHOD=AES-128,URI="http://127.0.0.1:9/k"\n'
        f"#EXTINF:1,\nfile:{SECRET}\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"
    ),
    "session description": "v=0\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
    "image list": f"file,{SECRET}\n",
}
ODD_NAMES = ['it\'s "quoted" %PATH%.mp4', "-i 映画 😀.mp4"]


@pytest.mark.skipif(os.name == "nt", reason="named pipes as POSIX has them")
@pytest.mark.timeout(20)  # whatever opens the pipe waits for ever
@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".m3u8", ".ffconcat", ".mpd"])
def test_no_other_file_is_opened(disguise: str, suffix: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / SECRET)
    disguised = tmp_path / f"video{suffix}"
    disguised.write_text(DISGUISES[disguise], encoding="utf-8")
    with pytest.raises(MediaError, match="cannot be read as a video"), open_video(disguised):
        pass
    arguments = [*ffmpeg.input_file(disguised), "-f", "null", "-"]
    with pytest.raises(MediaError, match="ffmpeg could not process"):
        ffmpeg.run(arguments, folder=tmp_path, subject=disguised, hint="", on_frames=lambda _: None)


@pytest.mark.parametrize(
    ("suffix", "codec", "pixel_format", "size"),
    [
        ("y4m", "wrapped_avframe", "yuv420p", SIZE),
        ("dv", "dvvideo", "yuv420p", (720, 576)),
        ("m4v", "mpeg4", "yuv420p", SIZE),
        ("wtv", "mpeg2video", "yuv420p", SIZE),
        ("rm", "rv20", "yuv420p", (176, 144)),
        ("obu", "libsvtav1", "yuv420p", SIZE),
        ("mjpeg", "mjpeg", "yuvj420p", SIZE),
    ],
)
def test_kinds_of_files_that_are_taken(
    suffix: str,
    codec: str,
    pixel_format: str,
    size: tuple[int, int],
    tmp_path: Path,
) -> None:
    options = {"preset": "12"} if codec == "libsvtav1" else None
    video = make_clip(
        tmp_path / f"clip.{suffix}",
        6,
        codec=codec,
        pixel_format=pixel_format,
        size=size,
        rate=Fraction(25),
        options=options,
    )
    folder = segment(video, SECOND, None, Recorder())
    shown = frames_by_ffmpeg(video)
    plan = plan_of(folder)
    assert plan.frames == len(shown) == 6
    assert plan.segments[0].times()[-1] * plan.time_base == shown[-1][0] - shown[0][0]


@pytest.mark.parametrize(
    ("suffix", "codec", "pixel_format", "name"),
    [
        ("gif", "gif", "rgb8", "(GIF)"),
        ("apng", "apng", "rgb24", "Animated Portable Network Graphics"),
        ("swf", "flv", "yuv420p", "SWF (ShockWave Flash)"),
    ],
)
def test_kinds_of_files_that_are_not_taken_are_named(
    suffix: str, codec: str, pixel_format: str, name: str, tmp_path: Path
) -> None:
    video = make_clip(tmp_path / f"clip.{suffix}", 3, codec=codec, pixel_format=pixel_format)
    with pytest.raises(MediaError) as caught:
        segment(video, SECOND, None, Recorder())
    assert f"{name} is not taken" in caught.value.what
    assert "H.264" in caught.value.hint


@pytest.mark.skipif(os.name == "nt", reason="named pipes as POSIX has them")
@pytest.mark.timeout(30)  # whatever opens the pipe waits for ever
@pytest.mark.parametrize("kind", ["url", "alias"])
def test_media_that_lies_in_another_file_is_not_opened(kind: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / SECRET)
    clip = make_clip(tmp_path / "clip.mp4", 3)
    moov = read_moov(clip)
    assert moov is not None
    information = moov.child(b"trak", b"mdia", b"minf")
    assert information is not None
    place = str(tmp_path / SECRET).encode()
    if kind == "url":
        entry = Box(b"url ", bytes(4) + b"file://" + place + b"\0")
    else:  # as FFmpeg reads those of Macintosh: volume, name, levels, and the path as its type 2
        name = bytes([len(SECRET)]) + SECRET.encode().ljust(63, b"\0")
        path = struct.pack(">HH", 2, len(place)) + place + bytes(len(place) % 2)
        entry = Box(
            b"alis",
            bytes(4 + 10 + 1 + 27 + 12)
            + name
            + bytes(16)
            + b"\0\1\0\1"
            + bytes(16)
            + path
            + b"\xff" * 40,
        )
    references = Box(b"dref", bytes(7) + b"\1", [entry])
    others = [box for box in information.children if box.kind != b"dinf"]
    information.children = [*others, Box(b"dinf", children=[references])]
    write_moov(clip, moov)
    with suppress(MediaError), open_video(clip) as (container, _):
        for _ in container.demux():
            pass
    arguments = [*ffmpeg.input_file(clip), "-f", "null", "-"]
    with suppress(MediaError):
        ffmpeg.run(arguments, folder=tmp_path, subject=clip, hint="", on_frames=lambda _: None)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_through_all_stages(
    name: str, tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    video = make_clip(tmp_path / "plain.mp4", 40, audio=True).rename(tmp_path / name)
    before = audio_packets(video)
    final = run(video, SECOND, matting_options(opaque_checkpoint), None, progress)
    assert final == tmp_path / f"{video.stem}_MATTED.mp4"
    assert numbers(final) == list(range(40))
    assert audio_packets(final) == before
    assert {p.name for p in tmp_path.iterdir()} == {
        name,
        f"{video.stem}_segments",
        f"{video.stem}_segments_matted",
        final.name,
    }


def test_ffmpeg_is_never_taken_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ffmpeg", "ffmpeg.exe"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 9\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f".{os.pathsep}{tmp_path}{os.pathsep}{os.environ['PATH']}")
    program = ffmpeg.program()
    assert program.is_absolute()
    assert program.parent != tmp_path
    for relative in ("ffmpeg", "./ffmpeg"):
        monkeypatch.setenv("FFMPEG_PATH", relative)
        with pytest.raises(MissingError, match="not the full path"):
            ffmpeg.program()
    monkeypatch.setenv("FFMPEG_PATH", str(tmp_path / "ffmpeg"))
    assert ffmpeg.program() == tmp_path / "ffmpeg"
