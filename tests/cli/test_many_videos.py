"""Many videos in one command: their order, what is said and kept of each, and how it ends.

What is done for each stands in for its stages, which others test.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from matting.cli.console import Console
from matting.cli.main import main
from tests.support.many_videos import Work, many_videos, put, stand_in


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    return stand_in(monkeypatch)


def outcomes(captured: pytest.CaptureFixture[str]) -> tuple[list[str], list[str]]:
    """Return the lines on each video, of both streams."""
    out, err = captured.readouterr()
    states = ("Done", "Failed", "Not begun", "Interrupted: ")
    shown = [line for line in out.splitlines() if line.startswith(states) and ": " in line]
    return shown, [line for line in err.splitlines() if line.startswith(states)]


def test_one_that_fails_does_not_hold_up_the_others(
    tmp_path: Path, work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, "b 10.mp4", "b 2.mp4", "bad.mp4", "c.mp4")
    assert main(["run", str(tmp_path), "--background", "red"]) == 1
    assert work.names == ["b 2.mp4", "b 10.mp4", "bad.mp4", "c.mp4"]
    assert {call[2:] for call in work.calls} == {("--background", "red")}
    assert set(work.cleaning) == {"no"}  # there is nobody to ask
    shown, failed = outcomes(capsys)
    assert [Path(line.split(": ")[1]).name for line in shown] == [
        "b 2_MATTED.mp4 (1 min 10 s)",
        "b 10_MATTED.mp4 (1 min 10 s)",
        "c_MATTED.mp4 (1 min 10 s)",
    ]
    assert failed == [f"Failed: {tmp_path / 'bad.mp4'}: It is bad."]
    lines = (tmp_path / "queue.txt").read_text(encoding="utf-8").splitlines()
    listed = [line for line in lines if line and not line.startswith("#")]
    assert [line.split("   #: ")[0] for line in listed] == work.names
    assert [line.split("   #: ")[1].split(" ")[0] for line in listed] == [
        *("done", "done", "failed", "done"),
    ]


@pytest.mark.usefixtures("work")
def test_quiet_shows_what_failed_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos = put(tmp_path, "a.mp4", "bad.mp4")
    assert main(["run", *videos, "--quiet"]) == 1
    assert capsys.readouterr() == ("", f"Failed: {videos[1]}: It is bad.\n")


def test_all_that_failed_for_one_reason_have_its_exit_code(
    tmp_path: Path, work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    videos = put(tmp_path, "full.mp4", "full.mov") + put(tmp_path / "other", "full.mp4")
    assert main(["run", videos[0], videos[2]]) == 4
    assert main(["run", *videos]) == 1  # for the second has the first one's working folders
    to_one_place = ["run", videos[0], videos[2], "--output", str(tmp_path / "all")]
    assert main([*to_one_place, "--quiet"]) == 1
    assert f"names of those of {videos[0]}." in capsys.readouterr().err  # not of full.mp4
    assert work.names == ["full.mp4"] * 5


def test_after_an_interruption_the_same_goes_on(
    tmp_path: Path, work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    videos = put(tmp_path, "a.mp4", "stopped.mp4", "z.mp4")
    assert main(["run", *videos]) == 130
    shown, others = outcomes(capsys)
    assert len(shown) == 1
    assert others == [f"Interrupted: {videos[1]}", f"Not begun: {videos[2]}"]
    queue = tmp_path / "queue.txt"
    text = queue.read_text(encoding="utf-8")
    assert text.count("#: done") == 1 and "stopped.mp4\nz.mp4\n" in text
    queue.write_text(text.replace("stopped.mp4\nz.mp4\n", "z.mp4\n"), encoding="utf-8")
    work.calls.clear()
    for again in (["run", *videos], ["run", str(queue)], ["run", "--queue", str(queue)]):
        assert main(again) == 0
    assert work.names == ["a.mp4", "z.mp4"] * 3  # each finds out by itself that it is done


def test_a_video_that_was_done_and_put_away_stays_done(tmp_path: Path, work: Work) -> None:
    videos = put(tmp_path, "a.mp4", "b.mp4")
    assert main(["run", *videos]) == 0
    before = (tmp_path / "queue.txt").read_bytes()
    for video in videos:
        Path(video).unlink()
    work.calls.clear()
    assert main(["run", str(tmp_path / "queue.txt")]) == 0
    assert work.calls == [] and (tmp_path / "queue.txt").read_bytes() == before


def test_results_among_what_is_dropped_are_left_out(
    tmp_path: Path, work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    dropped = put(tmp_path, "a.mp4", "a_MATTED.mp4", "b.mp4")
    (tmp_path / "a_segments" / ".cutting").mkdir(parents=True)
    assert main(["run", *dropped, str(tmp_path / "a_segments")]) == 0
    assert work.names == ["a.mp4", "b.mp4"]
    assert main(["run", str(tmp_path / "a_segments")]) == 2
    assert "working folder" in capsys.readouterr().err


@pytest.mark.usefixtures("work")
def test_a_folder_without_videos_is_refused(tmp_path: Path) -> None:
    assert main(["run", str(tmp_path)]) == 2
    assert main(["segment", str(tmp_path)]) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_cut_without_a_queue(tmp_path: Path, work: Work) -> None:
    put(tmp_path, "a.mp4", "bad.mp4")
    assert main(["segment", str(tmp_path), "--seconds", "3"]) == 1
    assert work.calls[0] == ("segment", str(tmp_path / "a.mp4"), "--seconds", "3")
    assert not (tmp_path / "queue.txt").exists()


@pytest.mark.usefixtures("work")
def test_the_queue_goes_where_the_results_go(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4")
    output = tmp_path / "out"
    assert main(["run", str(tmp_path), "--output", str(output)]) == 0
    assert str(tmp_path / "a.mp4") in (output / "queue.txt").read_text(encoding="utf-8")
    assert not (tmp_path / "queue.txt").exists()


@pytest.mark.usefixtures("work")
def test_the_computer_is_shut_down_once_and_not_after_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered: list[object] = []
    monkeypatch.setattr("matting.cli.main.shut_down", ordered.append)
    videos = put(tmp_path, "a.mp4", "b.mp4", "bad.mp4", "stopped.mp4")
    assert main(["run", *videos[:3], "--shutdown"]) == 1
    assert len(ordered) == 1
    (tmp_path / "queue.txt").unlink()
    assert main(["run", videos[2], str(tmp_path / "gone.mp4"), "--shutdown"]) in {1, 2}
    assert len(ordered) == 2  # what is not there is found out by its own turn, which succeeds here


class Asked(Console):
    """Answers every question alike, and counts them."""

    def __init__(self, answer: bool) -> None:
        super().__init__(quiet=True)
        self.answer = answer
        self.questions = 0

    def confirm(self, question: str) -> bool | None:
        self.questions += 1
        return self.answer


@pytest.mark.parametrize("answer", [True, False])
def test_whether_to_clean_is_asked_once_beforehand(
    tmp_path: Path, work: Work, answer: bool
) -> None:
    put(tmp_path, "a.mp4", "b.mp4")
    console = Asked(answer)
    many_videos(["run", str(tmp_path)], lambda _: None, console)
    assert (console.questions, work.cleaning) == (1, ["yes" if answer else "no"] * 2)
