"""Whether a container says that its picture is encrypted: MP4, Matroska, transport streams, ASF."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from matting.media.matroska_header import SEGMENT, TRACK, TRACKS, elements
from matting.media.mp4.boxes import Box, entries, read_moov, track_id

HEAD_BYTES = 1 << 22  # more than any header that is looked into takes, MP4's aside

# Names of encrypted video: ISO/IEC 14496-12, 8.12.1 (Common Encryption), and Apple's FairPlay.
ENCRYPTED_ENTRIES = {b"encv", b"drmi"}

# Matroska's element identifiers: RFC 9559, section 5.1.4.1.31.
EBML = b"\x1a\x45\xdf\xa3"
TRACK_TYPE, VIDEO_TYPE = 0x83, 1
ENCODINGS, ENCODING, ENCRYPTION, ALGORITHM = 0x6D80, 0x6240, 0x5035, 0x47E1

# Advanced Systems Format Specification, 3.14, 3.15 and 4.10.
ASF_HEADER = UUID("75b22630-668e-11cf-a6d9-00aa0062ce6c").bytes_le
ASF_ENCRYPTION = (
    UUID("2211b3fb-bd23-11d2-b4b7-00a0c955fc6e").bytes_le,
    UUID("298ae614-2622-4c17-b935-dae07ee9289c").bytes_le,
    UUID("43058533-6981-49e6-9b74-ad12cb86d58c").bytes_le,
)

# ITU-T H.222.0, 2.4.3.2; the packets of Blu-ray discs have four bytes more before each.
SYNC, PACKET_BYTES, M2TS_EXTRA_BYTES, NULL_PID = 0x47, 188, 4, 0x1FFF
SAMPLE_BYTES, SAMPLES = 1 << 20, 3


def is_encrypted(path: Path, picture: int | None = None, moov: Box | None = None) -> bool:
    """Return whether the picture of `path` is encrypted by its container's own word.

    Args:
        picture: the number that its container gives it; None: unknown, as of what looks like no
            picture. Matroska and ASF are looked at as a whole.
        moov: the header of an MP4 or QuickTime file, where that has been read.
    """
    if moov is not None:
        return _is_encrypted_mp4(moov, picture)
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if head.startswith(EBML):
            return any(map(_is_encrypted_track, _inside(head, SEGMENT, TRACKS, TRACK)))
        if head.startswith(ASF_HEADER):
            own_bytes = int.from_bytes(head[16:24], "little")
            return any(kind in head[:own_bytes] for kind in ASF_ENCRYPTION)
        if head[:1] and SYNC in (head[0], *head[M2TS_EXTRA_BYTES : M2TS_EXTRA_BYTES + 1]):
            return _is_scrambled(file, head[0] == SYNC, path.stat().st_size, picture)
    moov = read_moov(path)
    return moov is not None and _is_encrypted_mp4(moov, picture)


def _is_encrypted_mp4(moov: Box, picture: int | None) -> bool:
    return any(
        {entry.kind for entry in entries(trak)} & ENCRYPTED_ENTRIES
        for trak in moov.all(b"trak")
        if picture in {None, track_id(trak)}
    )


def _is_encrypted_track(track: bytes) -> bool:
    """Return whether a Matroska track is video, and encrypted rather than only signed."""
    types = [int.from_bytes(value[:8], "big") for value in _inside(track, TRACK_TYPE)]
    algorithms = _inside(track, ENCODINGS, ENCODING, ENCRYPTION, ALGORITHM)
    return VIDEO_TYPE in types and any(any(value) for value in algorithms)


def _inside(content: bytes, *names: int) -> Iterator[bytes]:
    """Yield the contents of all Matroska elements at the end of that path."""
    if not names:
        yield content
        return
    for name, inside in elements(content):
        if name == names[0]:
            yield from _inside(inside, *names[1:])


def _is_scrambled(file: BinaryIO, plain: bool, size: int, picture: int | None) -> bool:
    """Return whether most packets of a transport stream's picture are scrambled.

    A recording's first seconds may be, before the receiver has the key. A picture that is not known
    is that with most packets.
    """
    packet_bytes = PACKET_BYTES if plain else PACKET_BYTES + M2TS_EXTRA_BYTES
    packets: Counter[int] = Counter()
    scrambled: Counter[int] = Counter()
    for sample in range(SAMPLES):
        file.seek(sample * (size // SAMPLES) // packet_bytes * packet_bytes)
        part = file.read(SAMPLE_BYTES)
        for at in range(0 if plain else M2TS_EXTRA_BYTES, len(part) - 3, packet_bytes):
            pid = int.from_bytes(part[at + 1 : at + 3], "big") & NULL_PID
            if part[at] == SYNC and pid != NULL_PID:
                packets[pid] += 1
                scrambled[pid] += bool(part[at + 3] >> 6)
    largest = max(packets, key=packets.__getitem__, default=NULL_PID)
    pid = largest if picture is None else picture
    return 2 * scrambled[pid] > packets[pid]
