"""The queue of several videos and its file, which others may have made, and edit meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from matting.errors import BusyError, InputError
from matting.project.queue_text import SIGN
from matting.project.video_queue import VideoQueue, held_queue
from tests.support.recorder import Recorder


@pytest.fixture
def queue_of(tmp_path: Path, progress: Recorder) -> Callable[..., VideoQueue]:
    def open_queue(*names: str, is_given: bool = False) -> VideoQueue:
        queue = VideoQueue(tmp_path / "queue.txt", progress, is_given=is_given)
        queue.add(tmp_path / name for name in names)
        queue.save()
        return queue

    return open_queue


def edit(queue: Path, change: Callable[[str], str]) -> None:
    queue.write_text(change(queue.read_text(encoding="utf-8")), encoding="utf-8")


def work_off(queue: VideoQueue) -> list[str]:
    done = []
    while (video := queue.next()) is not None:
        done.append(video.name)
        queue.record(video, "done")
    return done


def test_the_file_is_edited_while_it_is_worked_off(
    tmp_path: Path, queue_of: Callable[..., VideoQueue]
) -> None:
    queue = queue_of("a.mp4", "b.mp4", "c.mp4", "d.mp4")
    first = queue.next()
    assert first == tmp_path / "a.mp4"
    edit(tmp_path / "queue.txt", lambda text: text.replace("b.mp4\nc.mp4\n", "new.mp4\nb.mp4\n"))
    queue.record(first, "failed: for a reason")
    assert work_off(queue) == ["new.mp4", "b.mp4", "d.mp4"]
    lines = (tmp_path / "queue.txt").read_text(encoding="utf-8").splitlines()
    assert "a.mp4   #: failed: for a reason" in lines
    assert not any(line.startswith("c.mp4") for line in lines)


def test_a_line_removed_stays_out_and_a_new_video_comes_in(
    tmp_path: Path, queue_of: Callable[..., VideoQueue]
) -> None:
    queue_of("a.mp4", "b.mp4")
    edit(tmp_path / "queue.txt", lambda text: text.replace("a.mp4\n", ""))
    again = VideoQueue(tmp_path / "queue.txt", Recorder(), is_given=False)
    taken_out = again.add(tmp_path / name for name in ("a.mp4", "b.mp4", "later.mp4"))
    assert taken_out == [tmp_path / "a.mp4"]
    assert work_off(again) == ["b.mp4", "later.mp4"]


def test_a_queue_that_was_found_leads_nowhere_else(tmp_path: Path) -> None:
    """It may have come with a folder from anybody; one that is given is followed."""
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "secret.mp4").touch()
    (folder / "out").symlink_to(tmp_path)
    path = folder / "queue.txt"
    names = ["own.mp4", "../secret.mp4", "out/secret.mp4", f"{tmp_path}/secret.mp4", "//far/s.mp4"]
    path.write_text("\n".join([SIGN, *names]), encoding="utf-8")
    found = VideoQueue(path, Recorder(), is_given=False)
    assert work_off(found) == ["own.mp4"]
    assert len(found.leading_out) == 3  # two of the lines are of one file
    found.add([tmp_path / "secret.mp4"])  # somebody gives it, too
    assert work_off(found) == ["secret.mp4"]
    given = VideoQueue(path, Recorder(), is_given=True)
    assert work_off(given) == ["own.mp4", "secret.mp4", "secret.mp4", "s.mp4"]


def test_what_is_no_queue_of_this_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "queue.txt"
    path.write_text("milk, bread\n", encoding="utf-8")
    with pytest.raises(InputError, match="in the way"):
        VideoQueue(path, Recorder(), is_given=False)
    assert path.read_text(encoding="utf-8") == "milk, bread\n"
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere.txt")
    with pytest.raises(InputError, match="link"):
        VideoQueue(path, Recorder(), is_given=True)


def test_a_file_that_cannot_be_read_any_more_is_not_overwritten(
    tmp_path: Path, queue_of: Callable[..., VideoQueue]
) -> None:
    queue = queue_of("a.mp4", "b.mp4")
    first = queue.next()
    assert first is not None
    path = tmp_path / "queue.txt"
    whole = path.read_bytes()
    path.write_bytes(b"caf\xe9.mp4")  # as ANSI
    queue.record(first, "done")
    assert path.read_bytes() == b"caf\xe9.mp4"
    assert queue.next() == tmp_path / "b.mp4"
    path.write_bytes(whole)
    assert work_off(queue) == ["b.mp4"]
    assert path.read_text(encoding="utf-8").count("#: done") == 2


def test_what_was_listed_while_the_file_was_damaged_is_still_done(
    tmp_path: Path, queue_of: Callable[..., VideoQueue]
) -> None:
    queue = queue_of("a.mp4")
    path = tmp_path / "queue.txt"
    whole = path.read_bytes()
    path.write_bytes(b"caf\xe9.mp4")
    queue.add([tmp_path / "b.mp4"])
    queue.save()
    path.write_bytes(whole)
    assert work_off(queue) == ["a.mp4", "b.mp4"]
    assert path.read_text(encoding="utf-8").count("#: done") == 2


def test_a_file_that_is_deleted_is_written_anew(
    tmp_path: Path, queue_of: Callable[..., VideoQueue]
) -> None:
    """As the message on a damaged one says."""
    queue = queue_of("a.mp4", "b.mp4")
    path = tmp_path / "queue.txt"
    path.write_bytes(b"caf\xe9.mp4")
    assert queue.next() == tmp_path / "a.mp4"
    path.unlink()
    assert work_off(queue) == ["a.mp4", "b.mp4"]
    assert path.read_text(encoding="utf-8").count("#: done") == 2


def test_two_runs_do_not_share_a_queue_and_nothing_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "queue.txt"
    with held_queue(path, Recorder(), is_given=False) as queue:
        with pytest.raises(BusyError), held_queue(path, Recorder(), is_given=False):
            pass
        queue.add([tmp_path / "a.mp4"])
        queue.save()
    assert [own.name for own in tmp_path.iterdir()] == ["queue.txt"]
