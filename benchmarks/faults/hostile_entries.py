"""What may lie in a folder to harm those who read it; each kind makes one entry."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import NamedTuple

from benchmarks.hostile_folder import MODULES, HostileFolder
from benchmarks.hostile_images import EXIF, NEXT_PICTURES, endless_directory, png, png_bomb
from matting.media.mp4.boxes import Box, read_moov, write_moov
from matting.media.mp4.edits import Edit, put_edits

SPARSE_BYTES = 1 << 42
EDITS, CROWD = 100_000, 3000
BOMB_BYTES = 1 << 26
LONGEST_NAME = 255  # bytes
VIDEO_NAMES = (
    "\x1b[31mred\x1b[2J.mp4",
    "first\nsecond.mp4",
    "x" * (LONGEST_NAME - 4) + ".mp4",
    os.fsdecode(b"\xff\xfe.mp4"),
    "\u202e4pm.mp4",
    "-rf.mp4",
    "concat:a|b.mp4",
    "%s%n%03d.mp4",
    "$(touch executed).mp4",
    "CON.mp4",
)


class Outside(NamedTuple):
    """What lies outside the folders, and must stay as it is.

    Attributes:
        folder: holds all of it.
        clip: a video that nobody asked for.
        missing: a name in the folder that nothing has.
    """

    folder: Path
    clip: Path
    missing: Path


# Makes an entry at a path where there is none.
Make = Callable[[Path, Outside, Random], object]


def _broken_link(path: Path, outside: Outside, _: Random) -> None:
    path.symlink_to(outside.missing)


def _link(path: Path, outside: Outside, _: Random) -> None:
    path.symlink_to(outside.clip)


def _hard_link(path: Path, outside: Outside, _: Random) -> None:
    path.hardlink_to(outside.clip)


def _link_to_folder(path: Path, outside: Outside, _: Random) -> None:
    path.symlink_to(outside.folder, target_is_directory=True)


def _link_to_itself(path: Path, *_: object) -> None:
    path.symlink_to(path)


def _device(path: Path, _: Outside, rng: Random) -> None:
    path.symlink_to(rng.choice(("/dev/zero", "/dev/stdin", "/dev/full")))


def _pipe(path: Path, *_: object) -> None:
    os.mkfifo(path)


def _sparse(path: Path, *_: object) -> None:
    with path.open("wb") as file:
        file.truncate(SPARSE_BYTES)


def _folder(path: Path, *_: object) -> None:
    path.mkdir()
    (path / "inside.txt").touch()


def _file(path: Path, _: Outside, rng: Random) -> None:
    path.write_bytes(rng.randbytes(rng.choice((0, 1, 5000))))


def _forbidden(path: Path, outside: Outside, _: Random) -> None:
    shutil.copyfile(outside.clip, path)
    path.chmod(0)


def _dotted_deep(path: Path, *_: object) -> None:
    path.joinpath(*["deep"] * 200).mkdir(parents=True)


def _playlist(path: Path, outside: Outside, rng: Random) -> None:
    clip = outside.clip
    path.write_text(
        rng.choice(
            (
                f"#EXTM3U\n#EXTINF:1,\n{clip}\n#EXTINF:1,\nfile://{clip}\n#EXT-X-ENDLIST\n",
                f"ffconcat version 1.0\nfile '{clip}'\nfile '{path}'\n",
                "v=0\nm=video 5004 RTP/AVP 96\nc=IN IP4 127.0.0.1\na=rtpmap:96 H264/90000\n",
                f'<?xml version="1.0"?><MPD><BaseURL>{clip}</BaseURL></MPD>',
            )
        ),
        encoding="utf-8",
    )


def _pictures_elsewhere(path: Path, outside: Outside, _: Random) -> None:
    """Copy the video, and say that its packets are in the original."""
    shutil.copyfile(outside.clip, path)
    moov = read_moov(path)
    if moov is None:
        raise TypeError("PyAV wrote an mp4 without a header")
    for trak in moov.all(b"trak"):
        information = trak.child(b"mdia", b"minf")
        if information is None:
            raise TypeError("PyAV wrote a track without its information")
        place = Box(b"url ", bytes(4) + os.fsencode(outside.clip.as_uri()) + b"\0")
        listed = Box(b"dref", bytes(4) + (1).to_bytes(4, "big") + bytes(place))
        information.children = [
            Box(b"dinf", bytes(listed)) if box.kind == b"dinf" else box
            for box in information.children
        ]
    write_moov(path, moov)


def _edits(path: Path, outside: Outside, _: Random) -> None:
    shutil.copyfile(outside.clip, path)
    moov = read_moov(path)
    if moov is None:
        raise TypeError("PyAV wrote an mp4 without a header")
    frame = Fraction(1, 25)
    put_edits(moov, {0: [Edit(frame, frame * (number % 7)) for number in range(EDITS)]})
    write_moov(path, moov)


def _png_bomb(path: Path, _: Outside, rng: Random) -> None:
    kind = rng.choice((b"iCCP", b"zTXt", b"iTXt", b""))
    path.write_bytes(png_bomb(kind, BOMB_BYTES) if kind else png(width=1 << 30, height=1 << 30))


def _tiff(path: Path, _: Outside, rng: Random) -> None:
    path.write_bytes(endless_directory(rng.choice((NEXT_PICTURES, EXIF))))


KINDS: Mapping[str, Make] = {
    "a link to nowhere": _broken_link,
    "a link to a video outside": _link,
    "a hard link to a video outside": _hard_link,
    "a link to a folder outside": _link_to_folder,
    "a link to itself": _link_to_itself,
    "a link to a device": _device,
    "a pipe": _pipe,
    "a sparse file": _sparse,
    "a folder": _folder,
    "a deep folder": _dotted_deep,
    "a file of random bytes": _file,
    "a file without permission": _forbidden,
    "a playlist": _playlist,
    "a video with its packets elsewhere": _pictures_elsewhere,
    "a video with a long edit list": _edits,
    "a PNG bomb": _png_bomb,
    "an endless TIFF": _tiff,
}


def plant_modules(folder: Path) -> HostileFolder:
    """Put modules and programs into a folder that are named like what a program looks for."""
    return HostileFolder(folder, MODULES)


def plant_crowd(folder: Path) -> None:
    """Put thousands of entries into a folder."""
    for number in range(CROWD):
        (folder / f"other_{number:05d}.txt").touch()
