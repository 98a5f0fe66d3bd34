"""Formats finished: every frame at its time, with its alpha and audio; what is not ours stays."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import msgspec
import numpy as np
import pytest

from matting.delivery.container_codecs import OPUS, converted_audio, pcm_for
from matting.delivery.delivered_file import DeliveredPart, finish_format, finish_separate
from matting.delivery.formats import FORMATS, Audio, DeliveryFormat
from matting.errors import InputError, MissingError
from matting.imaging.sample_format import Size
from matting.media import ffmpeg
from matting.media.alpha_proof import require_alpha
from matting.media.hevc_alpha import require_alpha_layers
from matting.media.probe import frame_times, probe, read_contents, read_spatial
from matting.media.tracks import Track, TrackKind
from matting.options import FormatName
from matting.progress import Notice
from matting.project.paths import Container
from matting.project.source_fingerprint import SourceFingerprint
from matting.system.files import sha256
from tests.support.delivered_parts import ALL_PTS, DeliveredJob, delivered_job
from tests.support.ffmpeg_frames import pixel_aspect_by_ffmpeg
from tests.support.recorder import Recorder, once_done
from tests.support.soft_disc import (
    DISC_SIZE,
    FRAMES,
    TIME_BASE,
    disc,
    read_rgba,
    worst_mean_error,
)
from tests.support.stream_sources import SUBRIP, cover, make, opened, tone, written

AUDIO = {FormatName.PRORES: "aac", FormatName.WEBM: "opus", FormatName.FFV1: "aac"}
PACKET_SECONDS = {"aac": Fraction(1024, 48_000), "opus": Fraction(1, 50)}


def finish(job: DeliveredJob, progress: Recorder, output: Path | None = None) -> Path:
    return finish_format(
        job.matted, job.plan, job.row, job.parts, progress, video=job.video, output=output
    )


def audio_end(path: Path) -> tuple[str, Fraction]:
    """Return the codec of the audio, and when its last packet ends."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        ends = [
            (packet.pts + (packet.duration or 0)) * packet.time_base
            for packet in container.demux(stream)
            if packet.size and packet.pts is not None
        ]
        return stream.codec_context.name.removeprefix("lib"), max(ends)


@pytest.mark.parametrize("name", AUDIO, ids=str)
def test_the_whole_video_with_its_alpha_and_audio(
    name: FormatName, tmp_path: Path, progress: Recorder
) -> None:
    job = delivered_job(tmp_path, name)
    final = finish(job, progress)
    assert final == tmp_path / f"clip_MATTED_{name}{job.row.suffix}"
    tick = probe(final).time_base
    times = [pts * tick for pts in sorted(frame_times(final))]
    expected = [pts * TIME_BASE for pts in ALL_PTS]
    off = [abs(time - own) for time, own in zip(times, expected, strict=True)]
    assert max(off) <= (0 if name is FormatName.PRORES else tick / 2)
    decoder = ("-c:v", "libvpx-vp9") if name is FormatName.WEBM else ()
    shown = read_rgba(final, DISC_SIZE, *decoder)
    assert len(shown) == 2 * FRAMES
    np.testing.assert_array_equal(shown[FRAMES:], shown[:FRAMES])
    assert worst_mean_error(shown[:FRAMES], *disc()) <= 2
    codec, end = audio_end(final)
    assert codec == AUDIO[name]
    assert abs(end - audio_end(job.video)[1]) <= PACKET_SECONDS[codec]
    if codec == "opus":
        assert progress.mentions("becomes Opus")
    assert progress.said[-1] == f"{final.name} is for {job.row.takers}."
    assert not list(tmp_path.rglob("*.partial"))

    written = final.stat()
    assert finish(job, progress) == final
    assert final.stat().st_ino == written.st_ino
    assert final.stat().st_mtime_ns == written.st_mtime_ns
    assert progress.mentions("Already delivered")


def test_alpha_of_hevc_comes_through(tmp_path: Path, progress: Recorder) -> None:
    try:
        require_alpha_layers()
    except MissingError as error:
        pytest.skip(error.what)
    final = finish(delivered_job(tmp_path, FormatName.HEVC), progress)
    assert final == tmp_path / "clip_MATTED_hevc-alpha.mp4"
    require_alpha(final)
    width, height = DISC_SIZE
    shown = read_rgba(final, type(DISC_SIZE)(98, 66))[:FRAMES, :height, :width]
    assert worst_mean_error(shown, *disc()) <= 2


def test_ffmpegs_own_decoder_sees_the_alpha_of_hevc(tmp_path: Path, progress: Recorder) -> None:
    """It is another's than the encoder, and reads the layer without help from here."""
    version = ffmpeg.version()
    major = re.match(r"n?(\d+)\.", version)
    if major is not None and int(major[1]) < 8:
        pytest.skip(f"ffmpeg {version} reads no alpha layers: it does from 8.0 on.")
    final = finish(delivered_job(tmp_path, FormatName.HEVC, audio=False), progress)
    width, height = DISC_SIZE
    shown = read_rgba(final, Size(98, 66))[:, :height, :width, 3]
    _, alpha = disc()
    expected = np.concatenate([alpha, alpha])[..., 0]
    off = np.abs(shown - expected) * 255
    soft = (expected > 0) & (expected < 1)
    assert off[soft].mean() <= 2
    assert max(off[~soft].max(), off[soft].max()) <= 16  # of a lossy encoder, at most
    assert shown[expected == 0].max() < 0.05 and shown[expected == 1].min() > 0.95


def test_without_audio_and_elsewhere(tmp_path: Path, progress: Recorder) -> None:
    job = delivered_job(tmp_path, FormatName.MATTE, audio=False)
    final = finish(job, progress, tmp_path / "elsewhere")
    assert final == tmp_path / "elsewhere" / "clip_MATTED_matte.mp4"
    assert len(frame_times(final)) == 2 * FRAMES
    assert not probe(final).has_alpha


def test_pictures_of_all_segments_in_one_folder(tmp_path: Path, progress: Recorder) -> None:
    job = delivered_job(tmp_path, FormatName.PNG)
    folder = finish(job, progress)
    assert folder == tmp_path / "clip_MATTED_png"
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"{number:07d}.png" for number in range(2 * FRAMES)]
    originals = [path for part in job.parts for path in sorted(part.path.iterdir())]
    for name, original in zip(names, originals, strict=True):
        assert original.samefile(folder / name)  # it takes no room again
    (folder / "Thumbs.db").write_bytes(b"by the system")
    made = folder.stat().st_ino
    assert finish(job, progress) == folder
    assert folder.stat().st_ino == made

    content = bytearray(originals[3].read_bytes())
    content[-20] ^= 1
    (folder / names[3]).unlink()
    (folder / names[3]).write_bytes(content)  # damaged, of the same size
    assert finish(job, progress) == folder
    assert (folder / names[3]).read_bytes() == originals[3].read_bytes()

    (folder / "0000000.png").unlink()
    (folder / "0000000.png").write_bytes(b"retouched")
    with pytest.raises(InputError, match="in the way"):
        finish(job, progress)
    assert (folder / "0000000.png").read_bytes() == b"retouched"


def test_pictures_are_copied_where_there_are_no_links(
    tmp_path: Path, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    job = delivered_job(tmp_path, FormatName.EXR)
    monkeypatch.setattr(os, "link", refuse)
    folder = finish(job, progress)
    originals = [path for part in job.parts for path in sorted(part.path.iterdir())]
    copies = sorted(folder.iterdir())
    assert [path.read_bytes() for path in copies] == [path.read_bytes() for path in originals]
    assert not copies[0].samefile(originals[0])


@pytest.mark.parametrize("name", [FormatName.FFV1, FormatName.PNG], ids=str)
def test_what_is_not_ours_stays(name: FormatName, tmp_path: Path, progress: Recorder) -> None:
    job = delivered_job(tmp_path, name)
    foreign = tmp_path / f"clip_MATTED_{name}{'' if job.row.pictures else job.row.suffix}"
    if job.row.pictures:
        foreign.mkdir()
        (foreign / "mine.png").write_bytes(b"mine")
    else:
        foreign.write_bytes(b"mine")
    with pytest.raises(InputError, match="in the way"):
        finish(job, progress)
    kept = foreign / "mine.png" if job.row.pictures else foreign
    assert kept.read_bytes() == b"mine"


@pytest.mark.parametrize("name", [FormatName.FFV1, FormatName.PNG], ids=str)
def test_another_delivery_takes_the_place_of_ours(
    name: FormatName, tmp_path: Path, progress: Recorder
) -> None:
    job = delivered_job(tmp_path, name)
    before = finish(job, progress).stat().st_ino
    job.parts[0] = replace(job.parts[0], sha256="0" * 64)
    assert finish(job, progress).stat().st_ino != before
    assert not [path for path in tmp_path.iterdir() if "MATTED_" in path.name][1:]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        *((FormatName.WEBM, title) for title in ("Combining", "Checking", "Adding audio")),
        (FormatName.PNG, "Gathering pictures"),
    ],
)
def test_an_interrupted_run_leaves_nothing(
    name: FormatName, title: str, tmp_path: Path, progress: Recorder
) -> None:
    job = delivered_job(tmp_path, name)

    def interrupt() -> None:
        raise KeyboardInterrupt

    def act(_done: int) -> None:
        if progress.titles[-1] == title:
            interrupt()

    progress.on_advance = act
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(KeyboardInterrupt):
        finish(job, progress)
    assert sorted(tmp_path.rglob("*")) == before
    progress.on_advance = once_done(10**9, interrupt)
    finish(job, progress)


def test_another_source_is_refused(tmp_path: Path, progress: Recorder) -> None:
    job = delivered_job(tmp_path, FormatName.FFV1)
    content = job.video.read_bytes()
    job.video.write_bytes(content + bytes(8))
    with pytest.raises(InputError, match="another video"):
        finish(job, progress)
    middle = bytearray(content)
    middle[len(middle) // 2] ^= 1
    job.video.write_bytes(middle)
    with pytest.raises(InputError, match="another video"):
        finish(job, progress)
    assert not list(tmp_path.glob("clip_MATTED*"))


def test_a_separate_video_has_its_own_in_the_matted_folder(
    tmp_path: Path, progress: Recorder
) -> None:
    job = delivered_job(tmp_path, FormatName.WEBM)
    whole = job.matted.root / "WEBM-ALPHA" / "clip.webm"
    finish(job, progress).rename(whole)
    part = DeliveredPart(whole, sha256(whole), 2 * FRAMES)
    final = finish_separate(
        job.matted,
        job.row,
        part,
        progress,
        source=job.video,
        source_sha256=sha256(job.video),
    )
    assert final == job.matted.root / "clip_MATTED_webm-alpha.webm"
    require_alpha(final)
    assert [pts * Fraction(1, 1000) for pts in sorted(frame_times(final))] == [
        Fraction(round(pts * TIME_BASE * 1000), 1000) for pts in ALL_PTS
    ]
    assert audio_end(final)[0] == "opus"


def with_source(job: DeliveredJob, video: Path) -> DeliveredJob:
    """Return the same job as if it had been cut from another video."""
    looks = SourceFingerprint.of(video)
    source = msgspec.structs.replace(looks, content_sha256=sha256(video))
    return replace(job, video=video, plan=msgspec.structs.replace(job.plan, source=source))


def test_what_webm_does_not_take_is_converted_or_named(tmp_path: Path, progress: Recorder) -> None:
    job = delivered_job(tmp_path, FormatName.WEBM, audio=False)
    text = written(tmp_path / "text.srt", SUBRIP)
    picture = cover(tmp_path / "cover.png")
    video = make(
        tmp_path / "film.mkv",
        *[*opened(job.video), *tone(440), *opened(text), "-map", "0", "-map", "1", "-map", "2"],
        # The surround channels at the sides, which Opus has at the back.
        *["-c:v", "copy", "-af", "pan=5.1(side)|" + "|".join(f"c{n}=c0" for n in range(6))],
        *["-c:a", "ac3", "-c:s", "srt", "-metadata", "title=Film"],
        *["-metadata:s:v:0", "stereo_mode=left_right"],
        *["-attach", str(picture), "-metadata:s:t", "mimetype=image/png"],
    )
    final = finish(with_source(job, video), progress)
    contents = read_contents(final)
    assert [track.codec for track in contents.of(TrackKind.AUDIO)] == ["opus"]
    assert [track.codec for track in contents.of(TrackKind.SUBTITLE)] == ["webvtt"]
    assert contents.tags["title"] == "Film"
    assert read_spatial(final).stereo_mode == "left_right"
    for note in (
        "Track 2 (audio, ac3) becomes Opus, encoded anew: WebM takes no other.",
        "Track 3 (subtitle, subrip) becomes webvtt: its text is kept.",
        "Track 4 (cover, png) cannot be carried in webm.",
    ):
        assert note in progress.said
        assert (Notice.LEFT_BEHIND, note) in progress.notices


@pytest.mark.parametrize("rotation", [0, 90])
@pytest.mark.parametrize("name", [FormatName.WEBM, FormatName.FFV1], ids=str)
def test_pixels_keep_their_shape_in_matroska(
    name: FormatName, rotation: int, tmp_path: Path, progress: Recorder
) -> None:
    job = delivered_job(
        tmp_path, name, audio=False, rotation=rotation, pixel_aspect=Fraction(16, 11)
    )
    final = finish(job, progress)
    shape = Fraction(11, 16) if rotation else Fraction(16, 11)
    # WebM says how many pixels wide it is shown; other Matroska files give a ratio.
    close = 1 / DISC_SIZE.width if name is FormatName.WEBM else 1e-4
    for shown in (pixel_aspect_by_ffmpeg(final), probe(final).pixel_aspect):
        assert float(shown) == pytest.approx(float(shape), rel=close)


def test_apples_devices_get_no_matroska(tmp_path: Path, progress: Recorder) -> None:
    try:
        require_alpha_layers()
    except MissingError as error:
        pytest.skip(error.what)
    job = delivered_job(tmp_path, FormatName.HEVC, audio=False)
    audio = [*opened(job.video), *tone(440), "-map", "0", "-map", "1", "-c:v", "copy"]
    video = make(tmp_path / "film.mkv", *audio, "-c:a", "truehd", "-strict", "-2")
    final = finish(with_source(job, video), progress)
    assert final == tmp_path / "film_MATTED_hevc-alpha.mov"
    assert audio_end(final)[0].startswith("pcm_")
    require_alpha(final)
    assert finish(with_source(job, video), progress) == final
    assert progress.mentions("Already delivered")


def test_pictures_as_a_video_have_nothing_beside_them(tmp_path: Path, progress: Recorder) -> None:
    job = delivered_job(tmp_path, FormatName.FFV1)
    (tmp_path / "take").mkdir()
    for _ in range(2):
        final = finish_separate(
            job.matted,
            job.row,
            job.parts[0],
            progress,
            source=tmp_path / "take",
            source_sha256="0" * 64,
        )
    assert final == job.matted.root / "output_000_MATTED_ffv1.mkv"
    assert frame_times(final) == frame_times(job.parts[0].path)
    assert progress.mentions("Already delivered")


@pytest.mark.parametrize("row", FORMATS.values(), ids=lambda row: row.name)
@pytest.mark.parametrize("codec", ["aac", "opus", "vorbis", "truehd", "pcm_s24le", "cook"])
def test_the_table_says_what_becomes_of_audio(row: DeliveryFormat, codec: str) -> None:
    track = Track(1, TrackKind.AUDIO, codec, {}, frozenset(), True, "s16")
    if row.audio is Audio.NONE:
        assert not row.containers
    elif row.audio is not Audio.AS_COMPOSITE:
        (container,) = row.containers
        becomes = {Audio.PCM: pcm_for(track), Audio.OPUS: OPUS}[row.audio]
        assert converted_audio(container, track) == becomes
    else:
        assert row.containers[0] is Container.MP4
