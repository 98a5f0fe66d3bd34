"""Which tracks of a source go into the final file, in which container, and what stays behind."""

from __future__ import annotations

from dataclasses import dataclass

from matting.media.mp4.metadata import COVER_TYPES
from matting.media.streams import Contents, Track, TrackKind

MP4, MOV, MATROSKA = "mp4", "mov", "matroska"
SUFFIXES = {MP4: ".mp4", MOV: ".mov", MATROSKA: ".mkv"}

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
# The subtitles that a container copies, and what other text is made into.
COPIED = {MP4: {"mov_text"}, MOV: {"mov_text"}, MATROSKA: {"subrip", "ass", "webvtt"} | BITMAPS}
MADE_TEXT = {MP4: "mov_text", MOV: "mov_text", MATROSKA: "subrip"}
GOPRO = "gpmd"  # the only data that FFmpeg writes to mp4 as it was


@dataclass(frozen=True)
class MappedStream:
    """A track that goes along.

    Attributes:
        codec: `copy`, or FFmpeg's name of what it is made into.
    """

    track: Track
    codec: str = "copy"


@dataclass(frozen=True)
class StreamMapping:
    """What goes along.

    Attributes:
        container: MP4, MOV or MATROSKA.
        tracks: in the order in which they follow the picture in the final file.
        covers: pictures that the container holds outside its tracks.
        left: tracks that stay behind.
    """

    container: str
    tracks: tuple[MappedStream, ...]
    covers: tuple[Track, ...]
    left: tuple[Track, ...]

    @property
    def suffix(self) -> str:
        """Of the final file's name."""
        return SUFFIXES[self.container]

    def notes(self) -> list[str]:
        """Sentences about all that does not go along as it was."""
        said = [_left(track, self.container) for track in self.left]
        for mapped in self.tracks:
            if mapped.codec != "copy" and mapped.track.kind == TrackKind.SUBTITLE:
                said.append(f"{_capital(mapped.track)} becomes {mapped.codec}: its text is kept.")
            elif mapped.codec != "copy":
                said.append(f"{_capital(mapped.track)} becomes {mapped.codec}, without loss.")
        return said


def map_streams(contents: Contents, picture_codec: str) -> StreamMapping:
    """What of `contents` goes along with a picture encoded in `picture_codec`, and in what."""
    container = _container(contents, picture_codec)
    mapped: list[MappedStream] = []
    covers: list[Track] = []
    left: list[Track] = []
    for kind in (TrackKind.AUDIO, TrackKind.SUBTITLE, TrackKind.DATA, TrackKind.ATTACHMENT):
        for track in contents.of(kind):
            codec = _codec(track, container)
            if codec:
                mapped.append(MappedStream(track, codec))
            else:
                left.append(track)
    for track in contents.of(TrackKind.COVER):
        (covers if track.codec in COVER_TYPES else left).append(track)
    left += contents.of(TrackKind.VIDEO)
    return StreamMapping(container, tuple(mapped), tuple(covers), tuple(left))


def _container(contents: Contents, picture_codec: str) -> str:
    sounds = {track.codec for track in contents.of(TrackKind.AUDIO)}
    known = sounds & (MATROSKA_AUDIO | set(DISC_PCM) | PHONE_AUDIO)
    if known <= MP4_AUDIO:
        return MP4
    if known <= MOV_AUDIO | set(DISC_PCM) | PHONE_AUDIO and picture_codec in MOV_PICTURE:
        return MOV
    return MATROSKA


def _codec(track: Track, container: str) -> str:
    """How `track` goes along; "" where it cannot."""
    codec = track.codec
    if track.kind == TrackKind.AUDIO:
        changed = DISC_PCM | (MATROSKA_PCM if container == MATROSKA else {})
        mapping = MATROSKA_AUDIO | (PHONE_AUDIO if container == MOV else set())
        return changed.get(codec, "copy" if codec in mapping else "")
    if track.kind == TrackKind.SUBTITLE:
        if codec in COPIED[container]:
            return "copy"
        return MADE_TEXT[container] if codec in TEXT else ""
    if track.kind == TrackKind.DATA:
        return "copy" if codec == GOPRO and container != MATROSKA else ""
    return "copy" if container == MATROSKA else ""


def _left(track: Track, container: str) -> str:
    if track.kind == TrackKind.VIDEO:
        return f"{_capital(track)} is left out: only one picture is matted."
    return f"{_capital(track)} cannot be carried in {SUFFIXES[container][1:]}."


def _capital(track: Track) -> str:
    text = str(track)
    return text[0].upper() + text[1:]
