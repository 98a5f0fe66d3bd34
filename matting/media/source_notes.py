"""What a source's picture holds that results will not have, or have in another way."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from av.video.format import VideoFormat

from matting.media.colour_tags import Matrix
from matting.media.encoders import encoder_input, require_encodable
from matting.media.media_index import IndexPart, index_of
from matting.media.pixel_formats import sample_format_of
from matting.media.probe import read_contents
from matting.media.tracks import TrackKind
from matting.options import EncodingOptions

CAPTIONS = (
    "The closed captions in the picture (CEA-608 or CEA-708) are lost, for the picture is made "
    "anew. To keep them, extract them as subtitles first."
)


def begins_with_captions(video: Path) -> bool:
    """Return whether there are closed captions at the start of `video`.

    Raises:
        InputError, MediaError, MissingError: as source_notes.
    """
    return index_of(video, IndexPart.START).start.has_captions


def source_notes(video: Path, encoding: EncodingOptions) -> list[str]:
    """Return a sentence on each such thing, without reading more than the start of `video`.

    Args:
        encoding: how the results will be encoded, as far as that is known.
    Raises:
        InputError, MediaError: it is no video, or cannot be used, or is too small for the codec.
        MissingError: this build of FFmpeg has no such decoder or encoder.
    """
    index = index_of(video, IndexPart.START)
    frame = index.start.frame
    notes = [CAPTIONS] if begins_with_captions(video) else []
    if not index.info.states_rate:
        notes.append(
            f"{video.name} does not say how many frames there are in a second. It goes at "
            f"{index.info.rate}, as in players."
        )
    if frame is None:
        return notes
    require_encodable(video, frame.size_px, encoding.codec)
    notes += [frame.hdr_note] if frame.hdr_note else []
    width_px, height_px = frame.size_px
    if frame.orientation.is_sideways:
        height_px = width_px
    if frame.colour.is_untagged and frame.colour.matrix == Matrix.UNSPECIFIED:
        name = "BT.709" if frame.colour.matrix_for(height_px) == Matrix.BT709 else "BT.601"
        notes.append(
            f"{video.name} does not say what its colours mean. They are taken for {name}, as "
            "players take them, and the results say so."
        )
    stored = VideoFormat(frame.pixel_format, *frame.size_px)
    sample_format = sample_format_of(stored, frame.colour, frame.orientation)
    chroma = encoder_input(encoding, sample_format, frame.colour, height_px).note
    return [*notes, chroma] if chroma else notes


def unclocked_notes(video: Path, unclocked: Collection[int]) -> list[str]:
    """Return a sentence on each audio track whose times contradict what its packets hold.

    Args:
        unclocked: the indexes of their streams, as `Timeline` has them.
    Raises:
        InputError, MediaError: it cannot be read.
    """
    if not unclocked:
        return []
    return [
        f"The times of {track} are impossible for as little as it holds: it is heard from its "
        "start to its end without a pause."
        for track in read_contents(video).of(TrackKind.AUDIO)
        if track.index in unclocked
    ]
