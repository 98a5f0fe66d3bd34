"""Several videos on the command line, and from a batch file."""

from __future__ import annotations

from pathlib import Path

import pytest

from matting.cli.parser import parse
from matting.cli.queue_options import (
    dropped_paths,
    given_paths,
    is_of_many,
    queue_file,
    require_possible_options,
    with_dropped,
)
from matting.errors import InputError


def test_options_may_stand_between_videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = parse(["run", "a b.mp4", "--quiet", "b.mp4", "--seconds", "3", "c.mp4"])
    assert given_paths(options) == [tmp_path / name for name in ("a b.mp4", "b.mp4", "c.mp4")]
    assert options.quiet and options.seconds == 3
    assert is_of_many(options)
    assert not is_of_many(parse(["run", "a.mp4"]))
    assert is_of_many(parse(["run", "."])) and is_of_many(parse(["segment", "."]))
    assert not is_of_many(parse(["segment", "a.mp4"]))


def test_a_queue_is_given_by_its_option_or_in_place_of_a_video(tmp_path: Path) -> None:
    path = tmp_path / "my queue.txt"
    for words in (["--queue", str(path)], [str(path)]):
        options = parse(["run", *words])
        assert (queue_file(options), given_paths(options)) == (path, [])
        assert is_of_many(options)
    both = parse(["run", str(path), "--queue", str(path), "a.mp4"])
    assert queue_file(both) == path and len(given_paths(both)) == 1
    with pytest.raises(InputError, match="two queues"):
        is_of_many(parse(["run", "a.txt", "b.txt"]))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("run", "needs a VIDEO"),
        ("run a.mp4 --as prores4444 webm-alpha", "commas"),
        ("run a.mp4 b.mp4 --folder", "no option"),
        ("segment a.mp4 b.mp4", "there is more"),
        ("segment . --watch", "is an option of run"),
        ("run a.mp4 --recursive", "--recursive needs a folder"),
        ("run a.mp4 --watch", "--watch needs a folder"),
        ("run . --watch --shutdown", "Ctrl-C"),
        ("run my film.mp4", "taken for 2 files"),
        ("run --queue gone.txt", "gone.txt is not there"),
    ],
)
def test_what_makes_no_sense_is_refused(
    line: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my film.mp4").touch()
    with pytest.raises(InputError, match=words):
        require_possible_options(parse(line.split()))


def test_what_a_batch_file_passes_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = r"|C:\c d.mp4| C:\a&b.mp4 |D:\| C:\--x.mp4  |\\server\s h\e.mp4|"
    expected = [r"C:\c d.mp4", r"C:\a&b.mp4", "D:\\", r"C:\--x.mp4", r"\\server\s h\e.mp4"]
    assert dropped_paths(passed) == expected
    monkeypatch.setenv("RVM_PATHS", "|/in a/b.mp4| /c.mp4")
    words = with_dropped(["run", "--clean", "no"])
    assert [Path(word).name for word in words] == ["run", "b.mp4", "c.mp4", "--clean", "no"]
    assert with_dropped(["segment", "x"]) == ["segment", "x"]
