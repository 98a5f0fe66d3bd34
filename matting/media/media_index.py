"""What a file says of itself without being decoded through: read in one pass, and remembered.

Asking again opens the file only if its size or its time of change is another one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Flag, auto
from functools import partial
from pathlib import Path
from threading import Lock

import av

from matting.imaging.sample_format import Size
from matting.media.container import open_video, reading, require_file, until_break
from matting.media.foreign_files import read_guarded
from matting.media.mp4.boxes import Box, read_moov, without_sample_tables
from matting.media.packet_table import PacketTable, TableWriter
from matting.media.stream_start import StartReader, StreamStart
from matting.media.streams import StreamList
from matting.media.video_info import VideoInfo
from matting.progress import Progress
from matting.system.fingerprint import FileStamp

# A packet takes 13 bytes here: those of a day at 30 frames a second, 34 MB.
MOST_FILES, MOST_PACKETS = 64, 2_592_000


class IndexPart(Flag):
    """What can be read of a file beyond what opening it reads."""

    HEADER = 0  # nothing more
    MOOV = auto()  # the header of an MP4 or QuickTime file, box by box
    START = auto()  # the first packets, decoded
    PACKETS = auto()  # the list of all packets, which takes reading the whole file


@dataclass(frozen=True, eq=False)
class MediaIndex:
    """What is known of a file; it can be sent to other processes.

    Attributes:
        stamp: of the file when it was read.
        parts: what was read.
        moov: without the tables of samples; None for other containers. Not to be changed.
    """

    path: Path
    stamp: FileStamp
    info: VideoInfo
    streams: StreamList
    parts: IndexPart = IndexPart.HEADER
    moov: Box | None = None
    known_start: StreamStart | None = None
    known_packets: PacketTable | None = None

    @property
    def start(self) -> StreamStart:
        """What the first packets say; START must have been asked for."""
        if self.known_start is None:
            raise ValueError(f"the start of {self.path} was not asked for")
        return self.known_start

    @property
    def packets(self) -> PacketTable:
        """All packets; PACKETS must have been asked for."""
        if self.known_packets is None:
            raise ValueError(f"the packets of {self.path} were not asked for")
        return self.known_packets


def upright_size(index: MediaIndex) -> Size:
    """Return the size of a picture as it is shown upright; START must have been asked for."""
    frame = index.start.frame
    if frame is None:  # none can be decoded
        return Size(index.info.width_px, index.info.height_px)
    width, height = frame.size_px
    return Size(height, width) if frame.orientation.is_sideways else frame.size_px


def accept_any(_info: VideoInfo) -> None:
    """Accept every video."""


@dataclass
class _Slot:
    """Room for the index of one file, which one thread at a time reads.

    Attributes:
        packets: how many of the cache's are counted as those of this file.
    """

    lock: Lock = field(default_factory=Lock)
    index: MediaIndex | None = None
    packets: int = 0


class IndexCache:
    """Remembers the indexes of the files that were asked for last. All threads may use it.

    Args:
        most_files, most_packets: how many to remember, in all; the latest file in any case.
    """

    def __init__(self, most_files: int = MOST_FILES, most_packets: int = MOST_PACKETS) -> None:
        self._most_files = most_files
        self._most_packets = most_packets
        self._lock = Lock()
        self._slots: OrderedDict[Path, _Slot] = OrderedDict()  # the latest last
        self._packets = 0  # of all

    def get(
        self, path: Path, parts: IndexPart, accept: Callable[[VideoInfo], None] = accept_any
    ) -> MediaIndex:
        """Return the index of a file as it is now, with at least those parts.

        Args:
            accept: called before more than the header is read; raises to refuse the video.
        Raises:
            InputError: no such file, or a folder.
            MediaError: it is no video, or holds no picture.
        """
        require_file(path)
        with self._lock:
            slot = self._slots.setdefault(path.absolute(), _Slot())
            self._slots.move_to_end(path.absolute())
        with slot.lock:
            index = slot.index
            stamp = FileStamp.of(path)
            if index is not None and (index.stamp != stamp or index.path != path):
                index = None
            if index is not None and parts in index.parts:
                accept(index.info)
                return index
            index = _read(path, stamp, parts, accept, known=index)
            # What was read of a file that changed meanwhile is for this caller alone.
            slot.index = index if FileStamp.of(path) == stamp else None
        self._count(path.absolute(), slot)
        return index

    def known(self, path: Path) -> MediaIndex | None:
        """Return what is known of a file, to hand it on; does not look at the file."""
        with self._lock:
            slot = self._slots.get(path.absolute())
        return slot.index if slot else None

    def adopt(self, index: MediaIndex | None) -> None:
        """Take over what another process knows; it is used if the file is still the same."""
        if index is None:
            return
        with self._lock:
            slot = self._slots.setdefault(index.path.absolute(), _Slot())
        with slot.lock:
            if slot.index is None or slot.index.parts in index.parts:
                slot.index = index
        self._count(index.path.absolute(), slot)

    def forget(self, path: Path) -> None:
        """Forget a file that has been written to: on some disks times are two seconds apart."""
        with self._lock:
            slot = self._slots.pop(path.absolute(), None)
            self._packets -= slot.packets if slot else 0

    def _count(self, path: Path, slot: _Slot) -> None:
        """Count what has been read of a file; forget others, if that is too much."""
        index = slot.index
        packets = 0
        if index is not None and IndexPart.PACKETS in index.parts:
            packets = len(index.packets.pts)
        with self._lock:
            if self._slots.get(path) is not slot:  # it is forgotten already
                return
            self._packets += packets - slot.packets
            slot.packets = packets
            while len(self._slots) > 1 and self._is_full:
                _, earliest = self._slots.popitem(last=False)
                self._packets -= earliest.packets

    @property
    def _is_full(self) -> bool:
        return self._packets > self._most_packets or len(self._slots) > self._most_files


_cache = IndexCache()
index_of, known_index = _cache.get, _cache.known
adopt_index, forget_index = _cache.adopt, _cache.forget


def _read(
    path: Path,
    stamp: FileStamp,
    parts: IndexPart,
    accept: Callable[[VideoInfo], None],
    known: MediaIndex | None,
) -> MediaIndex:
    """Read what is not known yet, opening the file once."""
    missing = parts if known is None else parts & ~known.parts
    if known is None or missing & (IndexPart.START | IndexPart.PACKETS):
        demux = partial(_demux, path, stamp, missing & ~IndexPart.MOOV, accept)
        index = read_guarded(path, demux)
        if known is not None:
            index = replace(
                known,
                parts=known.parts | index.parts,
                known_start=index.known_start or known.known_start,
                known_packets=index.known_packets or known.known_packets,
            )
    else:
        index = known
        accept(index.info)
    if IndexPart.MOOV in missing:
        moov = read_moov(path) if "mp4" in index.info.container else None
        index = replace(
            index, parts=index.parts | IndexPart.MOOV, moov=moov and without_sample_tables(moov)
        )
    return index


def _demux(
    path: Path,
    stamp: FileStamp,
    parts: IndexPart,
    accept: Callable[[VideoInfo], None],
    progress: Progress,
) -> MediaIndex:
    with open_video(path) as (container, picture):
        info = VideoInfo.of(path, container, picture)
        accept(info)
        index = MediaIndex(path, stamp, info, StreamList.of(container, picture), parts)
        start = StartReader(picture, info) if IndexPart.START in parts else None
        table = TableWriter(container, picture) if IndexPart.PACKETS in parts else None
        if start is None and table is None:
            return index
        breaks: list[av.error.FFmpegError] = []
        with reading(path):
            chosen = [picture] if table is None else list(container.streams)
            for packet in until_break(container.demux(chosen), breaks.append):
                progress.alive()
                if table is not None:
                    table.add(packet)
                if start and not start.is_complete and packet.stream_index == picture.index:
                    start.add(packet)
                if table is None and start and start.is_complete:
                    break
            stopped = str(breaks[0].strerror) if breaks else ""
            return replace(
                index,
                known_start=None if start is None else start.start(),
                known_packets=None if table is None else table.table(stopped),
            )
