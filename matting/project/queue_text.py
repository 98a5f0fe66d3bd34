"""A queue of videos as a text that people read and edit: a line for each, in the order of work.

Behind a video stands what came of it. It may come with a folder that somebody else has filled: it
is bounded, and what could control a window or is no UTF-8 is refused, or stands in it escaped.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from matting.errors import InputError
from matting.system.text import UNSAFE, printable

SIGN = "# RVM on Segments: a queue of videos"
HEAD = (
    f"{SIGN}. They are done in this order.",
    "# A line is a video. Remove a line, and its video is not done; add one, and it is; move lines",
    "# to change the order. Behind #: stands what came of a video. Save the file as UTF-8.",
)
OUTCOME = "#:"  # begins what the program says, behind a video or in a line of its own
KNOWN = f"{OUTCOME} known "
URI = "file://"
MOST_BYTES = 1 << 24
MOST_VIDEOS = 10_000
LONGEST_OUTCOME = 200  # characters
HASH_DIGITS = 10
HASH = re.compile(rf"[0-9a-f]{{{HASH_DIGITS}}}")
ESCAPED_BYTE = re.compile(rb"%([0-9A-Fa-f]{2})")
PLAIN_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._~-:")
HINT = "Correct it, or delete it to begin anew."


def place(path: Path) -> str:
    """Return what tells a file from others, by its path alone."""
    return os.path.normcase(path)


@dataclass
class QueueLine:
    """A line of a queue.

    Attributes:
        text: without the outcome.
        video: None: a comment, or an empty line.
        outcome: what came of the video; "": nothing yet.
    """

    text: str
    video: Path | None = None
    outcome: str = ""

    def __str__(self) -> str:
        outcome = printable(self.outcome)[:LONGEST_OUTCOME]
        return f"{self.text}   {OUTCOME} {outcome}" if outcome else self.text


@dataclass
class QueueText:
    """All lines of a queue.

    Attributes:
        known: by their hashes, the videos that were listed once; one that is not any more was
            taken out by somebody.
        line_end: as in the file.
    """

    folder: Path
    lines: list[QueueLine] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    line_end: str = os.linesep

    @classmethod
    def new(cls, folder: Path) -> QueueText:
        """Return a queue without videos."""
        return cls(folder, [*map(QueueLine, HEAD), QueueLine("")])

    @classmethod
    def parse(cls, content: bytes, path: Path) -> QueueText:
        """Return the queue that the file `path` holds.

        Raises:
            InputError: it is no queue; names the line.
        """
        if len(content) > MOST_BYTES:
            raise InputError(f"{path} is larger than any queue of videos.", HINT)
        try:
            text = content.removeprefix(codecs.BOM_UTF8).decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{path} is not encoded as UTF-8.",
                "Save it so (in Notepad: Save as, Encoding: UTF-8), or delete it to begin anew.",
            ) from error
        queue = cls(path.parent, line_end="\r\n" if "\r\n" in text else "\n")
        for number, raw in enumerate(text.removesuffix("\n").split("\n"), 1):
            line = raw.removesuffix("\r").replace("\t", " ").strip()
            if UNSAFE.search(line):
                raise InputError(f"{path}, line {number}: no name has such characters.", HINT)
            queue._take(line, f"{path}, line {number}")
        if sum(1 for _ in queue.videos) > MOST_VIDEOS:
            raise InputError(f"{path} lists more than {MOST_VIDEOS} videos.", HINT)
        return queue

    def _take(self, line: str, where: str) -> None:
        if line.startswith(KNOWN):
            self.known.update(HASH.findall(line.removeprefix(KNOWN)))
        elif not line or (line.startswith("#") and not line.startswith(OUTCOME)):
            self.lines.append(QueueLine(line))
        elif not line.startswith(OUTCOME):
            name, _, outcome = line.partition(f" {OUTCOME}")
            video = _path_of(name.rstrip(), self.folder, where)
            self.lines.append(QueueLine(name.rstrip(), video, outcome.strip()))

    def render(self) -> bytes:
        """Return the file's content."""
        self.known.update(self.hash_of(video) for video in self.videos)
        lines = list(map(str, self.lines))
        if self.known:
            lines.append(f"{KNOWN}{' '.join(sorted(self.known))}")
        return "".join(f"{line}{self.line_end}" for line in lines).encode()

    @property
    def videos(self) -> Iterator[Path]:
        """The videos, in order; each once."""
        return (line.video for line in self._lines_of_videos() if line.video is not None)

    def outcome_of(self, video: Path) -> str:
        """Return what came of a video; "": nothing yet, or it is not listed."""
        lines = self._lines_of_videos()
        return next((own.outcome for own in lines if _is_of(own, video)), "")

    def set_outcome(self, video: Path, outcome: str) -> None:
        """Note what came of a video, if it is listed."""
        for line in self._lines_of_videos():
            if _is_of(line, video):
                line.outcome = outcome

    def append(self, video: Path) -> None:
        """List another video, the last one."""
        self.lines.append(QueueLine(_name_of(video, self.folder), video))

    def hash_of(self, video: Path) -> str:
        """Return by what a video is known that was listed once."""
        try:
            name = video.relative_to(self.folder)
        except ValueError:
            name = video
        return hashlib.sha256(os.fsencode(place(name))).hexdigest()[:HASH_DIGITS]

    def _lines_of_videos(self) -> Iterator[QueueLine]:
        seen: set[str] = set()
        for line in self.lines:
            if line.video is not None and place(line.video) not in seen:
                seen.add(place(line.video))
                yield line


def _is_of(line: QueueLine, video: Path) -> bool:
    return line.video is not None and place(line.video) == place(video)


def _name_of(video: Path, folder: Path) -> str:
    """Return how a video is listed: by its path from the queue's folder where it is inside."""
    name = str(video.relative_to(folder) if video.is_relative_to(folder) else video)
    if UNSAFE.search(name) or OUTCOME in name or name.startswith(URI) or "\t" in name:
        return _uri_of(video)
    return f'"{name}"' if name != name.strip() or name[0] in '#"' else name


def _path_of(name: str, folder: Path, where: str) -> Path:
    if name.startswith(URI):
        name = _path_of_uri(name)
    elif len(name) > 1 and name[0] == name[-1] == '"':  # as Explorer's "Copy as path" has it
        name = name[1:-1]
    if "\0" in name:
        raise InputError(f"{where}: no name has such characters.", HINT)
    native = os.fsdecode(name.encode("utf-8", "surrogateescape"))  # as names of files are held
    return Path(os.path.abspath(folder / native))  # noqa: PTH100 - links stay


def _uri_of(path: Path) -> str:
    name = os.fsencode(path.as_posix())
    escaped = "".join(chr(byte) if byte in PLAIN_BYTES else f"%{byte:02X}" for byte in name)
    return f"{URI}{'' if escaped.startswith('/') else '/'}{escaped}"


def _path_of_uri(uri: str) -> str:
    escaped = uri.removeprefix(URI).encode()
    name = ESCAPED_BYTE.sub(lambda match: bytes.fromhex(match[1].decode("ascii")), escaped)
    has_drive = os.name == "nt" and name[2:3] == b":"
    return os.fsdecode(name[1:] if has_drive else name)
