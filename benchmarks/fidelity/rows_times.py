"""Rows: times, geometry, several tracks, alpha, audio and the rest."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from pathlib import Path

from benchmarks.fidelity import boxes
from benchmarks.fidelity.clip import Clip
from benchmarks.fidelity.program import run_ffmpeg
from benchmarks.fidelity.row import Row
from benchmarks.fidelity.rows_formats import MPEG2, PCM, PRORES_4444, VP9_FINE
from matting.network_choice import SmallPeople

TICK = Fraction(1, 600)
INTERLACED = ("-c:v", "libx264", "-crf", "4", "-preset", "ultrafast", "-flags", "+ilme+ildct")
BWDIF = "bwdif=mode=send_frame:parity=auto:deint=all"
BLANK = ("-f", "lavfi", "-i", "color=gray:s=96x64:r=30:d=1")
COVER_PICTURE = ("-f", "lavfi", "-i", "color=gray:s=96x64:r=30,trim=end_frame=1")
SUBTITLES = "1\n00:00:00,200 --> 00:00:00,700\nHello\n\n2\n00:00:00,800 --> 00:00:01,000\nAgain\n"
CHAPTERS = (
    ";FFMETADATA1\ntitle=A title\nartist=Somebody\ncomment=A comment\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=600\ntitle=First\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=600\nEND=1200\ntitle=Second\n"
)
GERMAN = ("-metadata:s:a:0", "language=ger", "-metadata:s:a:0", "title=Ton")
ENGLISH = ("-map", "1:a", "-metadata:s:a:1", "language=eng", "-metadata:s:a:1", "title=Music")
FRENCH = ("-metadata:s:s:0", "language=fre")
COVER = ("-disposition:v:1", "attached_pic")


def _without_first_key_frame(path: Path) -> None:
    """Drop the first packet, the key frame, as in a recording that begins in the middle."""
    whole = path.with_name("whole.ts")
    path.rename(whole)
    drop = "noise=drop=not(n)"
    run_ffmpeg(["-i", str(whole), "-map", "0", "-c", "copy", "-bsf:v", drop, str(path)])


def _behind_another(path: Path) -> None:
    """Put another video track before the clip's own, which stays the default one."""
    alone = path.with_name("alone.mkv")
    path.rename(alone)
    order = ["-map", "1:v", "-map", "0:v", "-map", "0:a", "-c:v:0", "ffv1", "-c:v:1", "copy"]
    marks = ["-disposition:v:0", "0", "-disposition:v:1", "default"]
    run_ffmpeg(["-i", str(alone), *BLANK, *order, "-c:a", "copy", *marks, str(path)])


def _with_boxes(suffix: str, more: bytes) -> Clip:
    """Return a clip whose video sample entry has more boxes."""
    put = boxes.into_matroska if suffix == "mkv" else boxes.insert
    return Clip(suffix, after=partial(put, boxes=more))


TIMES = [
    Row("VFR in MP4", Clip(tick=TICK, stretch=20, wobble=(9, 3)), short=True),
    Row("VFR in MKV", Clip("mkv", tick=TICK, stretch=20, wobble=(9, 3))),
    *(
        Row(
            f"{name} frames a second, {suffix.upper()}",
            Clip(suffix, rate=Fraction(rate, 1001)),
            about=("rate",),
            short=name == "29.97" and suffix == "mp4",
        )
        for name, rate in (("23.976", 24000), ("29.97", 30000), ("59.94", 60000))
        for suffix in ("mp4", "ts")
    ),
    Row("picture 0.5 s after the audio", Clip(delay=Fraction(1, 2)), start=True, short=True),
    Row("picture 0.5 s after the audio, MKV", Clip("mkv", delay=Fraction(1, 2)), start=True),
    Row("everything from 3 s on, MP4", Clip(output=("-output_ts_offset", "3")), start=True),
    Row("a clock that begins at 3 s, MKV", Clip("mkv", output=("-output_ts_offset", "3"))),
    Row(
        "2 hours, a frame each 30 to 39 s",
        Clip(
            size=(64, 48),
            frames=200,
            every=25,
            tick=Fraction(1),
            stretch=36,
            wobble=(3, 3),
            audio=("-c:a", "flac", "-frame_size", "16384"),
            sample_rate=8000,
        ),
        seconds=Fraction(900),
    ),
    Row("one frame", Clip(frames=1, audio=None)),
    Row(
        "first key frame missing",
        Clip("ts", after=_without_first_key_frame),
        before=("-flags", "-output_corrupt"),
        short=True,
    ),
]

GEOMETRY = [
    *(
        Row(
            f"rotated {degrees}",
            Clip(before=("-display_rotation", str(degrees))),
            short=degrees == 90,
        )
        for degrees in (90, 180, 270)
    ),
    Row("95x63", Clip("mkv", ("-c:v", "ffv1"), size=(95, 63)), small_people=SmallPeople.AUTO),
    Row("95x63, VP9", Clip("mkv", VP9_FINE, size=(95, 63)), short=True),
    Row("pixels of 8:9", Clip(filters="setsar=8/9"), about=("pixel aspect",), short=True),
    Row(
        "pixels of 8:9, rotated 90",
        Clip(filters="setsar=8/9", before=("-display_rotation", "90")),
        about=("pixel aspect",),
    ),
    Row(
        "cropped by H.264",
        Clip(output=("-bsf:v", "h264_metadata=crop_left=4:crop_right=8:crop_top=2:crop_bottom=6")),
    ),
    Row("cropped by MP4 (clap)", _with_boxes("mp4", boxes.clean_aperture((80, 48), (-2, 4)))),
    Row("cropped by MKV", _with_boxes("mkv", boxes.clean_aperture((80, 48), (-2, 4)))),
    Row(
        "interlaced H.264, top field first",
        Clip(video=INTERLACED, fields=True, filters="setfield=tff"),
        filters=BWDIF,
        said="bwdif",
        short=True,
    ),
    Row(
        "interlaced MPEG-2, top field first",
        Clip("ts", (*MPEG2, "-flags", "+ilme+ildct"), fields=True, filters="setfield=tff"),
        filters=BWDIF,
        said="bwdif",
    ),
    Row("stereo, left and right (st3d)", _with_boxes("mp4", boxes.stereo(2)), about=("stereo",)),
    Row(
        "stereo and spherical (st3d, sv3d)",
        _with_boxes("mp4", boxes.stereo(1) + boxes.equirectangular()),
        about=("stereo", "spherical"),
        short=True,
    ),
    Row(
        "stereo and spherical, MKV",
        _with_boxes("mkv", boxes.stereo(2) + boxes.equirectangular()),
        about=("stereo", "spherical"),
    ),
]

TRACKS = [
    Row(
        "two video tracks, the second the default",
        Clip("mkv", after=_behind_another),
        stream="v:1",
        said="default",
        short=True,
    ),
    Row(
        "a cover picture",
        Clip(
            inputs=COVER_PICTURE,
            output=("-map", "2:v", "-c:v:1", "png", *COVER),
        ),
        about=("cover",),
        short=True,
    ),
    Row(
        "VP9 with alpha",
        Clip("webm", (*VP9_FINE, "-auto-alt-ref", "0"), "yuva420p"),
        before=("-c:v", "libvpx-vp9"),
        alpha=True,
        said="black",
    ),
    Row(
        "ProRes 4444 with alpha",
        Clip("mov", PRORES_4444, "yuva444p10le", audio=PCM),
        alpha=True,
        expect={"depth": ""},
        said="black",
        short=True,
    ),
    Row(
        "two audio tracks with languages and titles",
        Clip("mkv", output=(*GERMAN, *ENGLISH)),
        about=("audio",),
        short=True,
    ),
    Row("PCM audio", Clip("mov", audio=PCM), about=("audio",), short=True),
    Row("no audio", Clip(audio=None), said="no audio", short=True),
    Row(
        "subtitles, MP4",
        Clip(
            inputs=("-i", "{}/words.srt"),
            output=("-map", "2:s", "-c:s", "mov_text", *FRENCH),
            side_files=[("words.srt", SUBTITLES)],
        ),
        about=("subtitles",),
    ),
    Row(
        "subtitles, MKV",
        Clip(
            "mkv",
            inputs=("-i", "{}/words.srt"),
            output=("-map", "2:s", "-c:s", "subrip", *FRENCH),
            side_files=[("words.srt", SUBTITLES)],
        ),
        about=("subtitles",),
    ),
    Row(
        "chapters, title, artist, comment",
        Clip(
            inputs=("-i", "{}/words.txt"),
            output=("-map_metadata", "2"),
            side_files=[("words.txt", CHAPTERS)],
        ),
        short=True,
    ),
    Row("time code", Clip("mov", output=("-timecode", "01:02:03:04")), about=("timecode",)),
]

FILES = [
    Row(f"file: {name}", file=name, ratio=0.25)
    for name in (
        "bt2020_10bit.mp4",
        "bt601_full_range.mp4",
        "bt601_limited_range.mp4",
        "discard_first_keyframe.mp4",
        "h265_10bits.mp4",
        "nasa_13013_rotated.mp4",
        "testsrc2_444_8bit_hevc.mp4",
        "testsrc2_hdr.mp4",
        "testsrc2_odd_height_and_width_vp9.mp4",
        "testsrc2_vp8.webm",
    )
]
