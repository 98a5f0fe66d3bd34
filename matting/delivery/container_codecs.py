"""What each container of a final file holds as it is, and what the rest becomes in it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from matting.media.tracks import Track
from matting.project.paths import Container

COPY = "copy"

# FFmpeg writes PCM to mp4 as well, but few players know it there.
MP4_AUDIO = {"aac", "mp3", "mp2", "ac3", "eac3", "opus", "vorbis", "flac", "alac", "dts"}
PCM = {f"pcm_{kind}{end}" for kind in ("s16", "s24", "s32", "f32", "f64") for end in ("le", "be")}
PCM |= {"pcm_u8", "pcm_alaw", "pcm_mulaw"}
PHONE_AUDIO = {"amr_nb", "amr_wb"}  # of old phones
MATROSKA_PCM = PCM - {"pcm_f32be", "pcm_f64be"}
COPIED_AUDIO: Mapping[Container, set[str]] = {
    Container.MP4: MP4_AUDIO,
    Container.MOV: PCM
    | PHONE_AUDIO
    | {"pcm_s8", "aac", "mp3", "mp2", "ac3", "eac3", "alac", "adpcm_ima_qt"},
    Container.MATROSKA: MP4_AUDIO
    | MATROSKA_PCM
    | {"truehd", "mlp", "wavpack", "tta", "wmav1", "wmav2", "wmapro", "wmalossless"}
    | {"adpcm_ms", "adpcm_ima_wav", "speex", "gsm_ms"},
    Container.WEBM: {"opus", "vorbis"},
}
# Any other audio that can be decoded becomes PCM, which these hold and every editor reads.
PCM_CONTAINERS = {Container.MOV, Container.MATROSKA}
OPUS = "libopus"  # what it becomes in WebM
MOV_PICTURE = {"h264", "hevc", "prores"}
# Of more than 16 bits, though before decoding FFmpeg does not say so.
DEEP_AUDIO = {"pcm_bluray", "pcm_dvd", "s302m"}

TEXT = {"subrip", "ass", "webvtt", "mov_text", "text"}
BITMAPS = {"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"}
COPIED_SUBTITLES = {
    Container.MP4: {"mov_text"},
    Container.MOV: {"mov_text"},
    Container.MATROSKA: {"subrip", "ass", "webvtt"} | BITMAPS,
    Container.WEBM: {"webvtt"},
}
# What other text is converted to.
CONVERTED_TEXT = {
    Container.MP4: "mov_text",
    Container.MOV: "mov_text",
    Container.MATROSKA: "subrip",
    Container.WEBM: "webvtt",
}
GOPRO = "gpmd"  # the only data that FFmpeg copies to mp4 unchanged


def converted_audio(container: Container, track: Track) -> str | None:
    """Return FFmpeg's name of what audio that is not copied becomes; None: it is left out."""
    if not track.decodable:
        return None
    if container is Container.WEBM:
        return OPUS
    return pcm_for(track) if container in PCM_CONTAINERS else None


def pcm_for(track: Track) -> str:
    """Return FFmpeg's name of the PCM that holds the decoded samples of an audio track.

    Integers are held exactly. What lossy decoders give as floating-point numbers gets 16 bits,
    which all players take; floating-point PCM stays what it is.
    """
    if track.codec in DEEP_AUDIO:
        return "pcm_s24le"
    plain = re.match(r"pcm_([suf])(\d+)", track.codec)
    if plain is None:
        return "pcm_s24le" if track.sample_format.startswith("s32") else "pcm_s16le"
    bits = int(plain[2])
    if plain[1] == "f":
        return "pcm_f64le" if bits > 32 else "pcm_f32le"
    return next(name for most, name in PCM_BY_BITS if bits <= most)


PCM_BY_BITS = ((16, "pcm_s16le"), (24, "pcm_s24le"), (64, "pcm_s32le"))
