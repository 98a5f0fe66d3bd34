"""What the first packets of a picture say, which its container does not, or not as well."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import av
from av.packet import Packet
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matting.imaging.orientation import Orientation
from matting.imaging.sample_format import Size
from matting.media.codecs import decode_packet, decoder_of
from matting.media.colour_tags import ColourTags
from matting.media.container import AnyStream, side_data
from matting.media.display_matrix import display_matrix, orientation_of
from matting.media.hdr_metadata import HdrMetadata, hdr_note
from matting.media.packet_content import holds_captions
from matting.media.video_info import VideoInfo

CAPTION_PACKETS = 60
MOST_REFUSED = 100  # packets that a decoder refuses before its first frame: it will give none


@dataclass(frozen=True)
class FirstFrame:
    """What a decoded frame says, and better than a container.

    Attributes:
        orientation: what brings it upright.
        orientation_note: what of that is not followed, in a sentence; "": nothing.
        hdr_note: that HDR metadata is left out, in a sentence; "": it is not.
        size_px: before that.
        colour: the stream's tags, completed by the frame's.
        stereo: FFmpeg's AVStereo3D; None: the frame says nothing of two eyes.
        is_spherical: whether it has a projection.
        interlaced: whether it is woven of two fields.
    """

    orientation: Orientation
    size_px: Size
    pixel_format: str
    colour: ColourTags
    hdr: HdrMetadata | None
    stereo: bytes | None = None
    is_spherical: bool = False
    orientation_note: str = ""
    hdr_note: str = ""
    interlaced: bool = False

    @property
    def notes(self) -> list[str]:
        """Sentences on what it says and cannot be followed."""
        return [note for note in (self.orientation_note, self.hdr_note) if note]

    @classmethod
    def of(cls, frame: VideoFrame, info: VideoInfo) -> FirstFrame:
        orientation, note = orientation_of(display_matrix(frame))
        return cls(
            orientation=orientation,
            orientation_note=note,
            size_px=Size(frame.width, frame.height),
            pixel_format=frame.format.name,
            colour=info.colour.completed(frame),
            hdr=HdrMetadata.of(frame),
            hdr_note=hdr_note(frame),
            stereo=side_data(frame, Type.STEREO3D),
            is_spherical=side_data(frame, Type.SPHERICAL) is not None,
            interlaced=bool(frame.interlaced_frame),
        )


@dataclass(frozen=True)
class StreamStart:
    """What the first packets of a picture say.

    Attributes:
        frame: the first one that comes out of the decoder; None: none does.
        refusal: what the decoder said of the first packet before it that it refused; "": of none.
        mp4_header: what FFmpeg's mp4 writer makes of a Matroska file's header; None where mp4
            does not hold the codec, and for other containers.
        has_captions: whether closed captions lie in these packets.
    """

    frame: FirstFrame | None
    refusal: str
    mp4_header: bytes | None
    has_captions: bool = False


class StartReader:
    """A StreamStart while packets are read.

    Attributes:
        is_complete: whether more packets would add nothing.
    """

    def __init__(self, picture: VideoStream, info: VideoInfo) -> None:
        """
        Raises:
            MissingError: this build of FFmpeg has no decoder for all of the picture.
        """
        self.is_complete = False
        self._picture = picture
        self._info = info
        self._decoder = decoder_of(picture)
        self._frame: FirstFrame | None = None
        self._refusals: list[str] = []
        self._mp4_header: bytes | None = None
        self._packets = 0
        self._has_captions = False

    def add(self, packet: Packet[AnyStream]) -> None:
        """Look at the picture's next packet, whose stream and times may change in the course."""
        if self._frame is None:
            self._decode(packet)
        if not self._has_captions and holds_captions(bytes(packet)):
            self._has_captions = True
        if self._packets == 0 and "matroska" in self._info.container:
            self._mp4_header = _mp4_header(self._picture, packet)
        self._packets += 1
        enough = self._packets >= CAPTION_PACKETS or self._has_captions
        self.is_complete |= self._frame is not None and enough

    def start(self) -> StreamStart:
        """Return the start, once there are no more packets or none are needed."""
        if self._frame is None and not self.is_complete:
            self._decode(None)
        refusal = self._refusals[0] if self._refusals else ""
        return StreamStart(self._frame, refusal, self._mp4_header, self._has_captions)

    def _decode(self, packet: Packet[AnyStream] | None) -> None:
        try:
            frames = decode_packet(self._decoder, packet)
        except av.error.InvalidDataError as error:
            self._refusals.append(error.strerror or str(error))
            self.is_complete = len(self._refusals) == MOST_REFUSED
            return
        if frames:
            self._frame = FirstFrame.of(frames[0], self._info)


def _mp4_header(picture: VideoStream, packet: Packet[AnyStream]) -> bytes | None:
    """Write one packet to an mp4 file in memory."""
    memory = BytesIO()
    try:
        with av.open(memory, "w", format="mp4", options={"strict": "unofficial"}) as output:
            if picture.codec_context.codec.canonical_name not in output.supported_codecs:
                return None
            packet.stream = output.add_stream_from_template(picture, opaque=True)
            output.mux_one(packet)
    except (av.error.FFmpegError, ValueError):
        return None
    return memory.getvalue()
