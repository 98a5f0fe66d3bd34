"""What a user sees of the work: one line in a window, a few in a log, and nothing that fails."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from matting.cli.console import Console
from matting.cli.main import main
from matting.progress import Notice
from tests.support.clips import make_clip
from tests.support.commands import TINY
from tests.support.repository import ROOT

PROGRAM = """
import time
from matting.cli.console import Console
console = Console()
console.start("Matting", 4500, "frame", 160)
for number in range(90):
    if number == 40:
        console.say("{sentence}")
    console.advance({units})
    console.end_segment()
    time.sleep(0.01)
console.finish()
{ending}
console.say("All done.")
"""


def shown(
    columns: int,
    units: int = 50,
    sentence: str = "A sentence.",
    ending: str = "",
    **variables: str,
) -> str:
    """Return what a program writes into a window of so many columns."""
    pty = pytest.importorskip("pty", reason="needs pseudo terminals")
    fcntl, struct, termios = (pytest.importorskip(n) for n in ("fcntl", "struct", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(units=units, sentence=sentence, ending=ending)],
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", **variables},
    ) as process:
        os.close(theirs)
        text = b"".join(_all_of(ours))
    os.close(ours)
    assert process.returncode == 0, text
    return text.decode().replace("\r\n", "\n")


def _all_of(descriptor: int) -> Iterator[bytes]:
    try:
        while part := os.read(descriptor, 1 << 16):
            yield part
    except OSError:  # the other end is closed
        return


def left_over(text: str) -> list[str]:
    """Return the lines that are left in a window after overwriting."""
    lines = []
    for line in text.split("\n"):
        cells: list[str] = []
        for written in line.split("\r"):
            cells[: len(written)] = written
        lines.append("".join(cells).rstrip())
    return [line for line in lines if line]


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_in_a_window_there_is_one_line(columns: int) -> None:
    text = shown(columns)
    assert "\x1b" not in text
    written = re.split(r"[\r\n]", text)
    assert max(map(len, written)) < max(columns, 12)
    assert any(line.startswith("Matting") and "%" in line for line in written)
    assert left_over(text) == ["A sentence.", "All done."]


def test_a_sentence_is_broken_between_words() -> None:
    sentence = (
        "A sentence that is longer than this window, on /home/a folder/clip.mp4, so it goes on."
    )
    assert left_over(shown(30, sentence=sentence))[:-1] == [
        "A sentence that is longer",
        "than this window, on",
        "/home/a folder/clip.mp4, so",
        "it goes on.",
    ]
    assert max(map(len, left_over(shown(0, sentence=sentence)))) == len(
        sentence[:79].rpartition(" ")[0]
    )


def test_the_line_of_a_task_that_ends_is_removed_however_much_was_counted() -> None:
    """A damaged video has fewer frames than packets."""
    assert left_over(shown(80, units=10)) == ["A sentence.", "All done."]


def test_the_line_of_a_task_that_fails_stays() -> None:
    left = left_over(shown(80, units=10, ending="console.leave_line()"))
    assert left[0] == "A sentence."
    assert left[1].startswith("Matting 20%")
    assert left[2] == "All done."


STOPPED = """
import sys
from pathlib import Path
from matting.cli import progress_display
from matting.cli.console import Console
progress_display.REDRAW_SECONDS = 0
console = Console()
console.start("Matting", 100_000, "frame")
for number in range(1000):
    console.advance(100)
    if number % 100 == 0:
        console.say(f"Sentence {number}.")
console.finish()
console.error("All done.")
Path(sys.argv[1]).touch()
"""


def test_the_work_goes_on_while_the_window_stands_still(tmp_path: Path) -> None:
    """As after Ctrl-S, until Ctrl-Q; what was said meanwhile is shown then."""
    pty = pytest.importorskip("pty", reason="needs pseudo terminals")
    termios = pytest.importorskip("termios")
    ours, theirs = pty.openpty()
    termios.tcflow(theirs, termios.TCOOFF)  # the key itself would be seen at some later moment
    done = tmp_path / "done"
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(done)],
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
    ) as process:
        deadline = time.monotonic() + 60
        while not done.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert process.poll() is None  # it waits for its last words to be shown
        termios.tcflow(theirs, termios.TCOON)
        os.close(theirs)
        text = b"".join(_all_of(ours)).decode().replace("\r\n", "\n")
    os.close(ours)
    assert process.returncode == 0
    assert left_over(text) == [*(f"Sentence {n}." for n in range(0, 1000, 100)), "All done."]
    assert text.count("Matting") < 200  # of a thousand


def test_a_simple_terminal_gets_no_returns() -> None:
    assert shown(80, TERM="dumb") == "A sentence.\nAll done.\n"


def test_a_log_gets_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr("matting.cli.progress_display.time.monotonic", lambda: now[0])
    log = Console()
    log.start("Matting", 4 * 3600 * 25, "frame", 160)
    for second in range(3600):
        now[0] = second
        log.advance(25)
    log.finish()
    error = capsys.readouterr().err
    assert "\r" not in error
    lines = error.splitlines()
    assert 30 <= len(lines) <= 70
    assert lines[0].startswith("Matting 0%, ")
    assert re.fullmatch(
        r"Matting 24%, \d+/360000, 25.0 fps, 3:\d\d:\d\d left, segment 1/160", lines[-1]
    )
    assert all(len(line) < 80 for line in lines)


def test_a_short_task_leaves_no_line_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    log = Console()
    log.start("Cutting", 10, "frame")
    log.advance(10)
    log.finish()
    assert capsys.readouterr().err == ""


def test_quiet_shows_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    silent = Console(quiet=True)
    silent.start("Cutting", 10, "frame")
    silent.advance(10)
    silent.say("A sentence.")
    silent.finish()
    silent.error("An error.")
    assert capsys.readouterr() == ("", "An error.\n")


def test_what_was_said_long_ago_is_listed_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.notice(Notice.DOUBTFUL, "Two frames are damaged.")
    console.start("Matting", 10, "frame")
    console.notice(Notice.TRIED_AGAIN, "output_001.mp4")
    console.notice(Notice.LEFT_BEHIND, "A track has just been left out.")
    console.finish()
    for _ in range(2):
        console.list_notices()
    assert capsys.readouterr().out.splitlines() == [
        f"{Notice.TRIED_AGAIN.value}: output_001.mp4.",
        f"{Notice.DOUBTFUL.value}:",
        "  Two frames are damaged.",
    ]


def test_an_unprintable_name_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    Console().say("\udcff\u52d5\u753b \U0001f600")
    assert capsys.readouterr().out == "\\xff\u52d5\u753b \U0001f600\n"


def test_a_name_cannot_control_the_console(capsys: pytest.CaptureFixture[str]) -> None:
    Console().say("\x1b[31mred\x07.mp4\nDone.\r\u202e4pm.\u2028\x9b2J")
    assert capsys.readouterr().out == r"\x1b[31mred\x07.mp4\nDone.\r\u202e4pm.\u2028\x9b2J" + "\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
def test_a_name_cannot_control_the_console_through_any_message(tmp_path: Path) -> None:
    clip = make_clip(
        tmp_path / "a\x1b[2J\rDone.\nAll checked \u202e\u2067\x9b \u52d5\u753b.mp4", 12
    )
    for path in (clip, clip.with_name("gone\n\x1b.mp4"), clip.parent):
        done = command(["segment", str(path)])
        shown = (done.stdout + done.stderr).decode()
        assert set(shown) <= {"\n", *filter(str.isprintable, shown)}
        assert not re.search(r"^(Done\.|All)", shown, re.MULTILINE)
        assert done.returncode == 2 or "\u52d5\u753b" in shown


@pytest.mark.parametrize("encoding", ["cp437", "cp1252", "cp932", "ascii"])
def test_every_code_page_takes_every_name(encoding: str, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "\u540d\u524d \U0001f3ac \u00fc.mp4", 12)
    done = command(["segment", str(clip)], PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert b"_segments" in done.stdout
    assert done.stderr == b""
    replaced = done.stdout.decode(encoding).count("?")
    assert replaced >= (1 if encoding == "cp932" else 3)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
def test_a_video_is_recognized_where_all_names_are_ascii(
    tmp_path: Path, opaque_checkpoint: Path
) -> None:
    clip = make_clip(tmp_path / "\u540d\u524d \u00fc.mp4", 12, audio=True)
    variables = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    options = ["--checkpoint", str(opaque_checkpoint), *TINY]
    done = command(["run", str(clip), *options], **variables)
    assert done.returncode == 0, done.stderr
    assert clip.with_name(f"{clip.stem}_MATTED.mp4").is_file()
    again = command(["segment", str(clip)])
    assert b"Already cut" in again.stdout, again.stderr


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
@pytest.mark.parametrize("both", [False, True])
def test_the_work_goes_on_when_nobody_reads(*, both: bool, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 12)
    reading, writing = os.pipe()
    os.close(reading)
    with subprocess.Popen(
        [sys.executable, str(ROOT / "inference_custom.py"), "segment", str(clip)],
        stdout=writing,
        stderr=writing if both else subprocess.PIPE,
    ) as process:
        os.close(writing)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 0
    assert not error
    assert (tmp_path / "clip_segments" / "segments.json").is_file()


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell closes them, and limits files")
def test_with_closed_streams_and_few_files_it_works(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 40, audio=True)
    words = [sys.executable, ROOT / "inference_custom.py", "segment", clip, "--seconds", "1"]
    line = f"ulimit -n 64; exec {shlex.join(map(str, words))} <&- >&- 2>&-"
    assert subprocess.run(["/bin/sh", "-c", line], check=False).returncode == 0
    assert (tmp_path / "clip_segments" / "segments.json").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_log_on_a_full_disk_is_no_reason_to_stop(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 12)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, str(ROOT / "inference_custom.py"), "segment", str(clip)],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")


def test_without_any_console_it_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 12)
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["segment", str(clip)]) == 0


def command(arguments: list[str], **variables: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, str(ROOT / "inference_custom.py"), *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
        capture_output=True,
        check=False,
    )
