"""Audio of MP4 and QuickTime files that is put together from several parts by its edit list."""

from __future__ import annotations

from pathlib import Path

from matting.delivery.stream_mapping import Fallback, Fallbacks, StreamMapping
from matting.media.media_index import IndexPart, index_of
from matting.media.mp4.edits import Edit, edits_of
from matting.media.tracks import Contents, TrackKind

Edits = dict[int, tuple[Edit, ...]]  # by the tracks' numbers in their file


def edits_for_header(source: Path, contents: Contents, mapping: StreamMapping) -> Edits:
    """Return the edit lists that the result's header takes over, by the source's tracks.

    ffmpeg follows one edit of a track that it copies, by leaving out whole packets; of several it
    lets the hidden packets be heard.
    """
    if mapping.container.is_matroska:
        return {}
    copied = {own.track.index for own in mapping.tracks if own.is_copied}
    edits = _edited_audio(source, contents)
    return {index: own for index, own in edits.items() if index in copied}


def without_edits(
    source: Path, contents: Contents, mapping: StreamMapping, fallbacks: Fallbacks
) -> Fallbacks:
    """Return the fallbacks with which a container gets no audio that needs an edit list there."""
    if mapping.container.is_matroska:  # it has none
        edits = _edited_audio(source, contents)
        for own in mapping.tracks:
            if own.is_copied and own.track.index in edits:
                fallbacks = fallbacks.with_track(own.track, Fallback.CONVERT)
    return fallbacks


def _edited_audio(source: Path, contents: Contents) -> Edits:
    """Return the edits of the audio tracks that have more than one."""
    index = index_of(source, IndexPart.MOOV)
    if index.moov is None:
        return {}
    edits = edits_of(index.moov)
    heard = {track.index for track in contents.of(TrackKind.AUDIO)}
    return {
        stream.index: edits[stream.id]
        for stream in index.streams.streams
        if stream.index in heard and len(edits.get(stream.id, ())) > 1
    }
