"""What will not work after hours of matting is said before them, and then comes so."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import av
import pytest

from matting.delivery.dry_run import dry_run
from matting.delivery.final_file import mux_checked
from matting.delivery.mux_trial import fitting_request, reduced_request
from matting.delivery.muxing import MuxRequest
from matting.delivery.stream_mapping import Fallback
from matting.errors import InputError, MediaError, MissingError
from matting.media.ffmetadata import ffmetadata
from matting.media.mp4.boxes import Box, read_moov
from matting.media.probe import read_contents
from matting.media.tracks import TrackKind
from matting.options import Chroma
from matting.progress import Progress
from matting.run import run
from tests.delivery.test_stream_mapping import cues, decoded, with_bitmap_subtitles
from tests.support import stream_sources
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.stages import SECOND, matting_options
from tests.support.stream_sources import make, opened, tone, written

GREETING = "\u0416\u0435\u043b\u0435\u044e"  # as long as what it replaces
# ATSC A/53 part 4, 6.2.3, in a message of H.264: user data of one byte pair, and its end.
CAPTION_MESSAGE = b"\0\0\1\x06\x04\x0e\xb5\0\x31GA94\x03\x41\xff\xfc\x94\x2c\xff\x80"


def deliver_fitting(video: Path, combined: Path) -> tuple[Path, list[str]]:
    """Make the final file as add-audio does; return it and what is said of it."""
    request = fitting_request(MuxRequest.of(video, combined), video.with_name("moment"))
    final = video.with_name(f"{video.stem}_MATTED{request.mapping.container.suffix}")
    request, losses = mux_checked(request, final, Progress())
    return final, [*request.mapping.notes(), *losses]


def test_what_is_left_behind_is_named_before_and_after(
    tmp_path: Path, progress: Recorder, picture: Path
) -> None:
    tags = tmp_path / "tags.txt"
    tags.write_bytes(ffmetadata({"comment": "x" * 200_000}))
    video = make(
        tmp_path / "clip.mkv",
        *[*opened(with_bitmap_subtitles(tmp_path / "subtitles.mkv", picture)), *tone(440)],
        *["-f", "ffmetadata", *opened(tags), "-map", "0", "-map", "1", "-map_metadata", "2"],
        *["-c", "copy", "-c:a", "g722", "-ar", "16000"],
    )
    progress.said += dry_run(video, None)
    _, notes = deliver_fitting(video, picture)
    assert len(notes) == 2
    for note in notes:
        assert note in progress.said
    assert progress.mentions("The result is clip_MATTED.mov: ")
    assert progress.mentions("(adpcm_g722)")


def test_thousands_of_chapters_go_through(
    tmp_path: Path, progress: Recorder, picture: Path
) -> None:
    """In mp4 the titles of all come before the first picture."""
    lines = (f"[CHAPTER]\nTIMEBASE=1/100\nSTART={n}\nEND={n + 1}\n" for n in range(5000))
    chapters = written(tmp_path / "chapters.txt", ";FFMETADATA1\n" + "".join(lines))
    video = make(
        tmp_path / "clip.mkv",
        *[*opened(picture), *tone(440), *opened(chapters), "-map_chapters", "2"],
        *["-c:v", "copy", "-c:a", "aac"],
    )
    progress.said += dry_run(video, None, matting_options(checkpoint=None))
    assert not progress.mentions("will not work")


def test_audio_that_ffmpeg_refuses_to_copy_is_converted(tmp_path: Path, picture: Path) -> None:
    phone = make(
        tmp_path / "phone.3gp",
        *[*opened(picture), *tone(440), "-c:v", "copy", "-ac", "1", "-ar", "8000"],
        *["-c:a", "libopencore_amrnb"],
    )
    video = with_five_frames_a_sample(phone)
    final, notes = deliver_fitting(video, picture)
    assert notes == [
        "Track 2 (audio, amr_nb) becomes pcm_s16le: it sounds the same, and players take that."
    ]
    assert decoded(final) == decoded(video)


def test_audio_whose_end_a_copy_loses_is_converted(
    tmp_path: Path, progress: Recorder, picture: Path
) -> None:
    """NUT does not say how long a packet of Vorbis lasts, so the mp4 file's last one is lost."""
    video = make(
        tmp_path / "clip.nut",
        *[*opened(picture), *tone(440), "-c:v", "copy", "-c:a", "libvorbis"],
    )
    progress.said += dry_run(video, None)
    final, notes = deliver_fitting(video, picture)
    assert notes == [
        "Track 2 (audio, vorbis) becomes pcm_s16le: it sounds the same, and players take that."
    ]
    assert notes[0] in progress.said
    assert decoded(final) == decoded(video)
    # The same where only the check of the whole file finds it.
    request, losses = mux_checked(MuxRequest.of(video, picture), tmp_path / "whole", Progress())
    assert [*request.mapping.notes(), *losses] == notes


def with_five_frames_a_sample(phone: Path) -> Path:
    """Copy a clip so that each sample of its audio holds five frames, as phones write it."""
    with av.open(str(phone)) as container:
        audio = [bytes(p) for p in container.demux(container.streams.audio[0]) if p.size]
    samples = [b"".join(audio[at : at + 5]) for at in range(0, len(audio) - 4, 5)]
    content, moov = phone.read_bytes(), read_moov(phone)
    assert moov is not None
    table = moov.all(b"trak")[1].child(b"mdia", b"minf", b"stbl")
    assert table is not None
    before = content[: content.rindex(b"moov") - 4]
    sizes = [len(sample) for sample in samples]
    tables = {
        b"stts": (1, len(samples), 5 * 160),
        b"stsc": (1, 1, len(samples), 1),
        b"stsz": (0, len(samples), *sizes),
        b"stco": (1, len(before) + 8),
    }
    table.children = table.all(b"stsd") + [
        Box(kind, struct.pack(f">I{len(numbers)}I", 0, *numbers))
        for kind, numbers in tables.items()
    ]
    target = phone.with_name(f"five_{phone.name}")
    target.write_bytes(before + bytes(Box(b"mdat", b"".join(samples))) + bytes(moov))
    return target


def test_subtitles_that_are_not_utf8_are_read_as_what_they_are(
    tmp_path: Path, picture: Path
) -> None:
    text = written(tmp_path / "text.srt", stream_sources.SUBRIP)
    video = make(
        tmp_path / "clip.mkv",
        *[*opened(picture), *opened(text), "-c:v", "copy", "-c:s", "subrip"],
        *["-metadata:s:s:0", "language=rus"],
    )
    video.write_bytes(video.read_bytes().replace(b"World", GREETING.encode("cp1251")))
    final, notes = deliver_fitting(video, picture)
    assert cues(final) == [(200, "Hello"), (700, GREETING)]
    assert notes == [
        "Track 2 (subtitle, subrip) becomes mov_text: its text is kept, read as CP1251, for it is "
        "not in UTF-8."
    ]


def test_only_what_is_refused_is_given_up(tmp_path: Path, picture: Path) -> None:
    video = make(
        tmp_path / "clip.mp4",
        *[*opened(picture), *tone(440), *tone(880), "-map", "0", "-map", "1", "-map", "2"],
        *["-c:v", "copy", "-c:a", "aac"],
    )
    request = MuxRequest.of(video, picture)
    first, second = (mapped.track for mapped in request.mapping.tracks)

    def refuse_copies(part: MuxRequest) -> None:
        if any(own.track == second and own.is_copied for own in part.mapping.tracks):
            raise MediaError("refused")

    def refuse(part: MuxRequest) -> None:
        if any(own.track == second for own in part.mapping.tracks):
            raise MediaError("refused")

    reduced = reduced_request(request, refuse_copies)
    assert [own.codec for own in reduced.mapping.tracks] == ["copy", "pcm_s16le"]
    with pytest.raises(MediaError):
        reduced_request(request, refuse)  # audio never goes unasked
    reduced = reduced_request(request, refuse, audio_may_go=True)
    assert [own.track for own in reduced.mapping.tracks] == [first]
    assert reduced.fallbacks.of(second) is Fallback.LEAVE_OUT


def test_an_ffmpeg_that_is_none_stops_run_at_once_but_not_segment(
    tmp_path: Path, progress: Recorder, monkeypatch: pytest.MonkeyPatch, opaque_checkpoint: Path
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 5)
    program = tmp_path / "ffmpeg.py"
    program.write_text("")
    monkeypatch.setenv("FFMPEG_PATH", str(program))
    progress.said += dry_run(video, None)
    assert progress.mentions("will not work as it is now")
    assert progress.mentions("Correct FFMPEG_PATH")
    refused = Recorder()
    with pytest.raises(MissingError, match="ffmpeg"):
        run(video, SECOND, matting_options(opaque_checkpoint), None, refused)
    assert not refused.said  # such as what the colours are taken for, which is of no use then
    assert not (tmp_path / "clip_segments").exists()


def test_missing_weights_stop_run_at_once_but_not_segment(
    tmp_path: Path, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 5)
    options = matting_options(tmp_path / "nowhere.pth")
    with pytest.raises(InputError, match=r"nowhere\.pth"):
        run(video, SECOND, options, None, progress)
    assert not (tmp_path / "clip_segments").exists()
    monkeypatch.setenv("RVM_CHECKPOINT", str(tmp_path / "nowhere.pth"))
    progress.said += dry_run(video, None)
    assert progress.mentions("infer will not work as it is now")


def test_captions_in_the_picture_are_named(
    tmp_path: Path, progress: Recorder, picture: Path
) -> None:
    plain = make(tmp_path / "plain.h264", *opened(picture), "-c:v", "copy")
    raw = written_bytes(tmp_path / "captions.h264", CAPTION_MESSAGE + plain.read_bytes())
    video = make(tmp_path / "clip.ts", *opened(raw), "-c", "copy")
    progress.said += dry_run(video, None)
    assert progress.mentions("closed captions")
    before = len(progress.said)
    progress.said += dry_run(picture, None)
    assert not any("captions" in line for line in progress.said[before:])


def written_bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_colours_that_are_assumed_and_rare_chroma_are_named(
    tmp_path: Path, progress: Recorder
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 3, pixel_format="yuv422p10le")
    progress.said += dry_run(video, None)
    assert progress.mentions("taken for BT.601")
    assert progress.mentions("4:2:2 in 10 bits")
    assert progress.mentions("--chroma 4:2:0")
    options = matting_options(None)
    plain = replace(options.output.encoding, chroma=Chroma.YUV420)
    progress.said += dry_run(
        video, None, replace(options, output=replace(options.output, encoding=plain))
    )
    assert read_contents(video).of(TrackKind.PICTURE)
