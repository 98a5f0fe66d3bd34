"""Videos that would come out wrong are refused by name, before work starts."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from uuid import UUID

import pytest

from matting.errors import MediaError, SegmentsFailedError
from matting.infer import infer
from matting.media.probe import probe, require_unencrypted
from matting.media.validation import require_supported
from matting.options import CuttingOptions
from matting.segment import segment
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.segments import ffmpeg_copy
from tests.support.stages import matting_options


@pytest.mark.parametrize(
    "matrix", ["bt2020c", "ictcp", "ycgco", "chroma-derived-nc", "chroma-derived-c"]
)
def test_unsupported_matrices(matrix: str, tmp_path: Path, progress: Recorder) -> None:
    options = {"x265-params": f"log-level=none:colormatrix={matrix}"}
    video = make_clip(tmp_path / "clip.mp4", 3, codec="libx265", options=options)
    with pytest.raises(MediaError, match="clip.mp4 has its colours as") as raised:
        segment(video, CuttingOptions(), None, progress)
    assert "Convert" in raised.value.hint
    assert not (tmp_path / "clip_segments").exists()


@pytest.mark.parametrize("matrix", ["bt709", "bt2020nc", "smpte170m", "fcc", "smpte240m"])
def test_supported_matrices(matrix: str, tmp_path: Path, progress: Recorder) -> None:
    options = {"x265-params": f"log-level=none:colormatrix={matrix}"}
    video = make_clip(tmp_path / "clip.mp4", 3, codec="libx265", options=options)
    assert segment(video, CuttingOptions(), None, progress).is_dir()


def dolby_vision(path: Path, profile: int) -> Path:
    """Write a clip in which Dolby Vision's configuration replaces the box of the pixel aspect."""
    clip = make_clip(path, 3, codec="libx265", pixel_aspect=Fraction(2))
    content = clip.read_bytes()
    aspect = b"pasp" + bytes([0, 0, 0, 2])
    assert content.count(aspect) == 1
    configuration = b"dvcC" + bytes([1, 0, profile << 1, 6 << 3 | 5])
    clip.write_bytes(content.replace(aspect, configuration))
    return clip


def test_dolby_vision_without_a_compatible_base(tmp_path: Path, progress: Recorder) -> None:
    video = dolby_vision(tmp_path / "clip.mp4", 5)
    assert probe(video).header.dolby_vision_profile == 5
    with pytest.raises(MediaError, match="Dolby Vision profile 5"):
        segment(video, CuttingOptions(), None, progress)
    require_supported(probe(dolby_vision(tmp_path / "other.mp4", 8)))


@pytest.mark.parametrize("pixel_format", ["xyz12le", "bayer_rggb8", "gbrpf32le", "grayf16le"])
def test_unsupported_samples(pixel_format: str, tmp_path: Path) -> None:
    info = probe(make_clip(tmp_path / "clip.mp4", 2))
    require_supported(info)
    with pytest.raises(MediaError, match="clip.mp4 h"):
        require_supported(replace(info, pixel_format=pixel_format))


@pytest.mark.parametrize("recognisable", [True, False])
def test_an_encrypted_video_is_said_to_be_so(
    recognisable: bool, tmp_path: Path, progress: Recorder
) -> None:
    clip = make_clip(tmp_path / "plain.mp4", 3)
    encryption = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "76" * 16]
    video = ffmpeg_copy(clip, tmp_path / "clip.mp4", *encryption, "-encryption_kid", "a7" * 16)
    if not recognisable:  # by what FFmpeg finds in its packets
        video.write_bytes(video.read_bytes().replace(b"avcC", b"free"))
    with pytest.raises(MediaError, match="clip.mp4 is encrypted"):
        segment(video, CuttingOptions(), None, progress)


def test_an_encrypted_one_of_separate_videos_is_said_to_be_so_before_any_work(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    clip = make_clip(videos / "plain.mp4", 3)
    encryption = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "76" * 16]
    ffmpeg_copy(clip, videos / "clip.mp4", *encryption, "-encryption_kid", "a7" * 16)
    with pytest.raises(SegmentsFailedError, match=r"1 of 2(.|\n)*clip.mp4 is encrypted"):
        infer(videos, matting_options(opaque_checkpoint), None, progress)
    clip.unlink()
    with pytest.raises(MediaError, match="clip.mp4 is encrypted"):
        infer(videos, matting_options(opaque_checkpoint), None, progress)


def encrypted_matroska(video: Path) -> None:
    """Put in place of the picture's title that it is encrypted by AES: RFC 9559, 5.1.4.1.31."""
    title = b"\x53\x6e\x8e" + b"x" * 14
    encryption = bytes.fromhex("6d808e 62408b 50338101 503584 47e18105")
    content = video.read_bytes()
    assert content.count(title) == 1
    video.write_bytes(content.replace(title, encryption))


def scrambled_transport_stream(video: Path) -> None:
    """Mark the packets of the picture's stream as scrambled: ITU-T H.222.0, 2.4.3.3."""
    content = bytearray(video.read_bytes())
    is_disc = video.suffix == ".m2ts"
    pid, start, size = (0x1011, 4, 192) if is_disc else (0x100, 0, 188)
    for at in range(start, len(content), size):
        if int.from_bytes(content[at + 1 : at + 3], "big") & 0x1FFF == pid:
            content[at + 3] |= 0x80
    video.write_bytes(content)


def protected_asf(video: Path) -> None:
    """Put a Content Encryption Object into the header: ASF Specification, 3.14."""
    content = video.read_bytes()
    own, count = struct.unpack_from("<QI", content, 16)
    kind = UUID("2211b3fb-bd23-11d2-b4b7-00a0c955fc6e").bytes_le
    protection = kind + struct.pack("<Q4I", 40, 0, 0, 0, 0)
    header = content[:16] + struct.pack("<QI", own + 40, count + 1) + content[28:own]
    video.write_bytes(header + protection + content[own:])


@pytest.mark.parametrize(
    ("suffix", "codec", "encrypt"),
    [
        ("mkv", "mpeg4", encrypted_matroska),
        ("ts", "mpeg2video", scrambled_transport_stream),
        ("m2ts", "mpeg2video", scrambled_transport_stream),
        ("asf", "mpeg4", protected_asf),
    ],
)
def test_what_other_containers_say_of_encryption(
    suffix: str, codec: str, encrypt: Callable[[Path], None], tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "plain.mp4", 12, codec=codec)
    video = ffmpeg_copy(clip, tmp_path / f"clip.{suffix}", "-metadata:s:v", "title=" + "x" * 14)
    require_unencrypted(video)
    encrypt(video)
    with pytest.raises(MediaError, match=f"clip.{suffix} is encrypted"):
        require_unencrypted(video)
