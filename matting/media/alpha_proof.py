"""Whether every frame of a finished file has its alpha, wherever its codec keeps that."""

from __future__ import annotations

from pathlib import Path

from matting.errors import EncodeError
from matting.media.codecs import ALPHA_DECODERS
from matting.media.container import open_video, reading
from matting.media.hevc_alpha import has_alpha_layer
from matting.media.probe import probe


def require_alpha(path: Path) -> None:
    """Refuse a video without alpha, or with a frame that has none.

    Raises:
        EncodeError: it is such a video.
        InputError, MediaError: it cannot be read.
    """
    info = probe(path)
    if info.codec == "hevc":
        holds = has_alpha_layer(path)
    else:
        holds = info.has_alpha and (info.codec not in ALPHA_DECODERS or _is_beside_all(path))
    if not holds:
        raise EncodeError(f"{path} came out without the alpha of all its frames.")


def _is_beside_all(path: Path) -> bool:
    """Return whether every packet has a second one beside it, as WebM keeps alpha."""
    with open_video(path) as (container, stream), reading(path):
        packets = (packet for packet in container.demux(stream) if packet.size)
        return all(any(True for _ in packet.iter_sidedata()) for packet in packets)
