"""The text of a queue: what people write in it, what the program does, and what harms nobody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matting.errors import InputError
from matting.project.queue_text import (
    LONGEST_OUTCOME,
    MOST_BYTES,
    MOST_VIDEOS,
    SIGN,
    QueueText,
)

FOLDER = Path(os.path.abspath("/videos/here"))  # noqa: PTH100
QUEUE = FOLDER / "queue.txt"
# Bytes, for on Linux a name is any of them but these two.
NAMES = st.binary(min_size=1, max_size=20).map(lambda name: name.translate(None, b"\0/"))


def parsed(text: str) -> QueueText:
    return QueueText.parse(text.encode(), QUEUE)


@given(names=st.lists(NAMES.filter(lambda name: name not in {b"", b".", b".."}), unique=True))
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_any_name_is_listed_and_read_again(names: list[bytes]) -> None:
    videos = [FOLDER / "in" / os.fsdecode(name) for name in names]
    queue = QueueText.new(FOLDER)
    for video in videos:
        queue.append(video)
        queue.set_outcome(video, "done")
    again = QueueText.parse(queue.render(), QUEUE)
    assert list(again.videos) == videos
    assert all(again.outcome_of(video) == "done" for video in videos)
    assert again.render() == queue.render()


def test_what_people_write_stays_as_they_wrote_it() -> None:
    elsewhere = Path(os.path.abspath("/else/c d.mp4"))  # noqa: PTH100
    text = (
        f"\ufeff{SIGN}\r\n# mine: the best first\r\n\r\n  b.mp4\t\r\n"
        f'"{elsewhere}"\r\na.mp4   #: failed: it is no video\r\nb.mp4\r\n#: known 0123456789\r\n'
    )
    queue = parsed(text)
    assert list(queue.videos) == [FOLDER / "b.mp4", elsewhere, FOLDER / "a.mp4"]
    assert queue.outcome_of(FOLDER / "a.mp4") == "failed: it is no video"
    queue.set_outcome(FOLDER / "a.mp4", "done, at last")
    written = queue.render().decode()
    assert written.splitlines()[:6] == [
        SIGN,
        "# mine: the best first",
        "",
        "b.mp4",
        f'"{elsewhere}"',
        "a.mp4   #: done, at last",
    ]
    assert written.count("\n") == written.count("\r\n")
    assert "0123456789" in written


def test_an_outcome_is_one_bounded_line_without_controls() -> None:
    queue = parsed("a.mp4")
    queue.set_outcome(FOLDER / "a.mp4", "failed: \x1b[2J\nb.mp4\u202e" + "x" * 10_000)
    [line] = [line for line in queue.render().decode().splitlines() if line.startswith("a.mp4")]
    assert "\x1b" not in line and "\u202e" not in line
    assert len(line) < LONGEST_OUTCOME + 20
    assert list(QueueText.parse(queue.render(), QUEUE).videos) == [FOLDER / "a.mp4"]


@pytest.mark.parametrize(
    "content",
    [
        b"a.mp4\nb\x1b[2J.mp4",
        "a.mp4\nb\u202e.mp4".encode(),
        b"a.mp4\nb\0.mp4",
        b"a.mp4\nfile:///videos/b%00.mp4",
        b"caf\xe9.mp4",
        "a.mp4".encode("utf-16"),
        b"a" * (MOST_BYTES + 1),
        b"".join(b"%d\n" % number for number in range(MOST_VIDEOS + 1)),
    ],
    ids=["escape", "bidi", "nul", "nul in URI", "latin-1", "utf-16", "large", "many"],
)
def test_what_is_no_queue_is_refused(content: bytes) -> None:
    with pytest.raises(InputError, match=r"queue\.txt"):
        QueueText.parse(content, QUEUE)


def test_long_lines_take_no_time() -> None:
    """Each would take minutes in a pattern that tries every place."""
    for line in ("a" + " " * 1_000_000 + "b", " #" * 500_000, '"' * 1_000_000):
        assert len(parsed(line).render()) > len(line) // 2 or line.strip().startswith("#")
