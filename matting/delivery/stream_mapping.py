"""Which tracks of a source go into the final file, in which container, and what is left out."""

from __future__ import annotations

from dataclasses import dataclass

from matting.media.mp4.metadata import COVER_TYPES
from matting.media.streams import Contents, Track, TrackKind
from matting.project.paths import Container

COPY = "copy"

# FFmpeg writes PCM to mp4 as well, but few players know it there.
MP4_AUDIO = {"aac", "mp3", "mp2", "ac3", "eac3", "opus", "vorbis", "flac", "alac", "dts"}
PCM = {f"pcm_{kind}{end}" for kind in ("s16", "s24", "s32", "f32", "f64") for end in ("le", "be")}
PCM |= {"pcm_u8", "pcm_s8", "pcm_alaw", "pcm_mulaw"}
MOV_AUDIO = PCM | {"aac", "mp3", "mp2", "ac3", "eac3", "alac"}
PHONE_AUDIO = {"amr_nb", "amr_wb"}  # of old phones; in mov only
MOV_PICTURE = {"h264", "hevc"}
# PCM that only discs hold: the same samples are stored as plain PCM.
DISC_PCM = {"pcm_bluray": "pcm_s24le", "pcm_dvd": "pcm_s24le"}
# The same samples in an order that Matroska has.
MATROSKA_PCM = {"pcm_f32be": "pcm_f32le", "pcm_f64be": "pcm_f64le", "pcm_s8": "pcm_s16le"}
MATROSKA_AUDIO = MP4_AUDIO | PCM | {"truehd", "mlp", "wavpack", "tta", "wmav1", "wmav2", "wmapro"}
MATROSKA_AUDIO |= {"wmalossless", "adpcm_ms", "adpcm_ima_wav", "cook", "atrac3", "speex", "gsm_ms"}

TEXT = {"subrip", "ass", "webvtt", "mov_text", "text"}
BITMAPS = {"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"}
# The subtitles that can be copied, and what other text is converted to.
COPIED_SUBTITLES = {
    Container.MP4: {"mov_text"},
    Container.MOV: {"mov_text"},
    Container.MATROSKA: {"subrip", "ass", "webvtt"} | BITMAPS,
}
CONVERTED_TEXT = {
    Container.MP4: "mov_text",
    Container.MOV: "mov_text",
    Container.MATROSKA: "subrip",
}
GOPRO = "gpmd"  # the only data that FFmpeg copies to mp4 unchanged


@dataclass(frozen=True)
class MappedStream:
    """A track that goes into the final file.

    Attributes:
        codec: COPY, or FFmpeg's name of what it is converted to.
    """

    track: Track
    codec: str = COPY


@dataclass(frozen=True)
class StreamMapping:
    """What goes into the final file beside the picture.

    Attributes:
        tracks: in the order in which they follow the picture.
        covers: pictures that the container holds outside its tracks.
        left_out: tracks that it does not hold.
    """

    container: Container
    tracks: tuple[MappedStream, ...]
    covers: tuple[Track, ...]
    left_out: tuple[Track, ...]

    def notes(self) -> list[str]:
        """Return a sentence for each track that does not go along as it was."""
        notes = [_why_left_out(track, self.container) for track in self.left_out]
        for mapped in self.tracks:
            if mapped.codec != COPY:
                is_text = mapped.track.kind == TrackKind.SUBTITLE
                kept = ": its text is kept" if is_text else ", without loss"
                notes.append(f"{_capitalised(mapped.track)} becomes {mapped.codec}{kept}.")
        return notes


def map_streams(contents: Contents, picture_codec: str) -> StreamMapping:
    """Decide what of `contents` goes along with a picture encoded in `picture_codec`."""
    container = _choose_container(contents, picture_codec)
    tracks: list[MappedStream] = []
    covers: list[Track] = []
    left_out: list[Track] = []
    for kind in (TrackKind.AUDIO, TrackKind.SUBTITLE, TrackKind.DATA, TrackKind.ATTACHMENT):
        for track in contents.of(kind):
            codec = _codec_in(container, track)
            if codec is None:
                left_out.append(track)
            else:
                tracks.append(MappedStream(track, codec))
    for track in contents.of(TrackKind.COVER):
        (covers if track.codec in COVER_TYPES else left_out).append(track)
    left_out += contents.of(TrackKind.VIDEO)
    return StreamMapping(container, tuple(tracks), tuple(covers), tuple(left_out))


def _choose_container(contents: Contents, picture_codec: str) -> Container:
    codecs = {track.codec for track in contents.of(TrackKind.AUDIO)}
    known = codecs & (MATROSKA_AUDIO | set(DISC_PCM) | PHONE_AUDIO)
    if known <= MP4_AUDIO:
        return Container.MP4
    if known <= MOV_AUDIO | set(DISC_PCM) | PHONE_AUDIO and picture_codec in MOV_PICTURE:
        return Container.MOV
    return Container.MATROSKA


def _codec_in(container: Container, track: Track) -> str | None:
    """Return what `track` becomes; None where the container cannot hold it."""
    codec, is_matroska = track.codec, container is Container.MATROSKA
    if track.kind == TrackKind.AUDIO:
        converted = DISC_PCM | (MATROSKA_PCM if is_matroska else {})
        copied = MATROSKA_AUDIO | (PHONE_AUDIO if container is Container.MOV else set())
        return converted.get(codec, COPY if codec in copied else None)
    if track.kind == TrackKind.SUBTITLE:
        if codec in COPIED_SUBTITLES[container]:
            return COPY
        return CONVERTED_TEXT[container] if codec in TEXT else None
    if track.kind == TrackKind.DATA:
        return COPY if codec == GOPRO and not is_matroska else None
    return COPY if is_matroska else None


def _why_left_out(track: Track, container: Container) -> str:
    if track.kind == TrackKind.VIDEO:
        return f"{_capitalised(track)} is left out: only one picture is matted."
    return f"{_capitalised(track)} cannot be carried in {container.suffix[1:]}."


def _capitalised(track: Track) -> str:
    text = str(track)
    return text[0].upper() + text[1:]
