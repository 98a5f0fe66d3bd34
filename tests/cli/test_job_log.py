"""The log of a job: all that its runs said and did, nothing about whose computer it is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from matting.cli.job_log import LARGEST_BYTES, SIGN, JobLog
from matting.cli.log_names import NameRemover
from matting.cli.main import main
from matting.cli.notices import notice_lines
from matting.cli.parser import parse
from matting.cli.run_log import job_folders, log_of
from matting.progress import Notice
from matting.project.paths import PLAN_NAME, MattedFolder
from matting.workers.cluster.worker_names import name_here
from tests.support.clips import make_clip
from tests.support.repository import ROOT


def log_in(*folders: Path) -> JobLog:
    return JobLog(folders, ["infer", "take"], NameRemover({}), lambda: "Versions")


def make_job(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    MattedFolder(folder).manifest.touch()
    return folder


def text_of(folder: Path) -> str:
    return (folder / "job.log").read_text(encoding="utf-8")


def test_there_is_none_where_there_is_no_job(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    log = log_in(tmp_path / "gone", tmp_path / "there")
    log.write("Hello.")
    assert log.path is None
    assert list(tmp_path.rglob("*")) == [tmp_path / "there"]


def test_it_begins_with_the_run_and_moves_on_with_the_job(tmp_path: Path) -> None:
    segments, matted = tmp_path / "a_segments", tmp_path / "a_segments_matted"
    log = log_in(matted, segments)
    log.write("Before.")
    segments.mkdir()
    (segments / PLAN_NAME).touch()
    log.write("While it is cut.")
    assert log.path == segments / "job.log"
    make_job(matted)
    log.write("While it is matted:\none, two.")
    assert log.path == matted / "job.log"
    lines = text_of(matted).splitlines()
    assert lines[0].startswith(SIGN)
    assert lines[1:3] == ["command: infer take", "Versions"]
    said = [line.partition(" ")[2] for line in lines[3:]]
    assert said == ["Before.", "While it is cut.", "While it is matted:", "one, two."]
    assert "While it is cut." in text_of(segments)
    assert "matted" not in text_of(segments)


def test_it_does_not_grow_for_ever(tmp_path: Path) -> None:
    make_job(tmp_path)
    log = log_in(tmp_path)
    for number in range(9):
        log.write(f"{number} " + "x" * (LARGEST_BYTES // 2 - 100))
    sizes = {path.name: path.stat().st_size for path in tmp_path.glob("job*")}
    assert sizes.keys() == {"job.log", "job.1.log", "job.2.log"}
    assert max(sizes.values()) <= LARGEST_BYTES
    for name in sizes:
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(SIGN)
    assert " 8 xxx" in text_of(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="links and pipes as POSIX has them")
@pytest.mark.parametrize("kind", ["link", "hard link", "dangling", "pipe", "folder", "another's"])
def test_nothing_else_of_its_name_is_touched(kind: str, tmp_path: Path) -> None:
    folder, victim = make_job(tmp_path / "job"), tmp_path / "victim"
    path = folder / "job.log"
    if kind != "dangling":
        victim.write_text("precious", encoding="utf-8")
    if kind in {"link", "dangling"}:
        path.symlink_to(victim)
    elif kind == "hard link":
        path.hardlink_to(victim)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_text("precious", encoding="utf-8")
    log = log_in(folder)
    log.write("Hello.")
    assert log.path is None
    assert victim.exists() == (kind != "dangling")
    for one in (victim, path):
        assert not one.is_file() or one.read_text(encoding="utf-8") == "precious"
    path.rmdir() if kind == "folder" else path.unlink()
    log.write("Again.")  # and from now on it works
    assert text_of(folder).count("Hello.") == 1


@pytest.mark.parametrize(
    "behind", ["", "/a.py", "\\a.py", ".", ": no", "...", ") and", '"', ", so"]
)
def test_a_path_is_replaced_with_a_separator_or_an_end_behind_it(behind: str) -> None:
    assert NameRemover({Path("/x/doubt"): "<it>"}).remove(f"/x/doubt{behind}") == f"<it>{behind}"


@pytest.mark.parametrize("behind", [".work", ".work/a.py", "-2", "ful", "..a"])
def test_a_path_that_only_begins_alike_is_another(behind: str) -> None:
    text = f"In /x/doubt{behind}"
    assert NameRemover({Path("/x/doubt"): "<it>"}).remove(text) == text


def test_it_may_be_written_by_many_at_once(tmp_path: Path) -> None:
    log = log_in(make_job(tmp_path))

    def write() -> None:
        for _ in range(20):
            log.write("One line.")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert text_of(tmp_path).count("One line.\n") == 80


@pytest.mark.parametrize("option", ["--checkpoint ", "--model ", "--checkpoint=", "--model="])
def test_names_of_the_computer_and_the_user_are_left_out(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / "alice"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("RVM_CHECKPOINT", str(tmp_path / "secret" / "own.pth"))
    matted = MattedFolder(home / "clip_segments_matted").root
    matted.mkdir(parents=True)
    make_job(matted)
    weights = home / "models" / "mine.pth"
    arguments = ["infer", str(home / "clip_segments"), *f"{option}{weights}".split()]
    log = log_of(parse(arguments), arguments)
    assert log is not None
    log.write(f'File "{ROOT / "matting" / "x.py"}", line 3')
    log.write(f"{weights} and {tmp_path / 'secret' / 'own.pth'} in {home}, {home!s}x")
    log.write("A name \x1b[31m with\r controls\u202e")
    text = text_of(matted)
    assert "alice\n" not in text.replace("alicex", "")
    for secret in ("mine.pth", "secret", f"{home}/", f"{home},", str(ROOT), "\x1b", "\r", "\u202e"):
        assert secret not in text, secret
    assert "command: infer" in text
    assert "~/clip_segments" in text.replace("\\", "/")
    assert '"<program>' in text
    assert "<weights> and <RVM_CHECKPOINT> in ~," in text


def test_addresses_and_names_of_other_computers_are_left_out(tmp_path: Path) -> None:
    segments = tmp_path / "clip_segments"
    matted = MattedFolder.of(segments).root
    matted.mkdir()
    make_job(matted)
    keys = tmp_path / "elsewhere" / "keys"
    arguments = ["infer", str(segments), "--workers", "render-pc", f"--certificates={keys}"]
    log = log_of(parse(arguments), arguments)
    assert log is not None
    log.write(f"tls://10.0.0.7:43211, and 'tcp://[fe80::1]:8786'. {keys / 'key.pem'} is damaged")
    log.write(f"{name_here('cuda:1')} takes part.")
    text = text_of(matted)
    assert f"<computer> (cuda:1, process {os.getpid()}) takes part." in text
    for secret in ("render-pc", "10.0.0.7", "43211", "fe80", "elsewhere", socket.gethostname()):
        assert secret not in text, secret
    assert "--workers '<address>' '--certificates=<certificates>'" in text
    assert "<address>, and '<address>'. <certificates>/key.pem is damaged" in text


@pytest.mark.parametrize(
    ("line", "folders"),
    [
        ("segment v/a.mp4", ["v/a_segments"]),
        ("infer v/a_segments --output o", ["o/a_segments_matted"]),
        ("combine v/a_segments_matted", ["v/a_segments_matted"]),
        ("combine v/a_segments_matted --output o", ["o/a_segments_matted"]),
        ("add-audio v/a.mp4", ["v/a_segments_matted", "v/a.mp4_matted", "v_matted"]),
        ("run v/a.mp4 --output o", ["o/a_segments_matted", "o/a_segments"]),
        (
            "report v/a.mp4 --output o",
            ["o/a_segments_matted", "v/a_segments_matted", "v/a.mp4_matted", "v/a.mp4"],
        ),
        ("demo d", ["d/demo_segments_matted", "d/demo_segments"]),
        ("doctor", []),
        ("scheduler", []),
        ("worker tcp://127.0.0.1:8786", []),
    ],
)
def test_where_it_is(line: str, folders: list[str]) -> None:
    found = [os.path.relpath(folder) for folder in job_folders(parse(line.split()))]
    assert [folder.replace(os.sep, "/") for folder in found] == folders


def test_each_run_has_a_section_that_a_failure_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 4)
    assert main(["segment", str(clip), "--quiet"]) == 0
    assert main(["segment", str(clip), "--seconds", "7"]) == 2
    log = tmp_path / "clip_segments" / "job.log"
    assert capsys.readouterr().err.splitlines()[-1].endswith(str(log))

    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("matting.segment.segment", fail)
    assert main(["segment", str(clip)]) == 70
    text = log.read_text(encoding="utf-8")
    assert text.count(SIGN) == 3
    assert "4 frames in 1 segment, 1 shot, all checked" in text
    assert "RuntimeError: a bug" in text
    assert [line[-2:] for line in text.splitlines() if "Exit code" in line] == ["0.", "2.", "0."]
    assert "ffmpeg " in text and "torch " in text
    capsys.readouterr()
    gone = tmp_path / "gone.mp4"
    assert main(["add-audio", str(gone)]) == 2
    assert "job.log" not in capsys.readouterr().err


def test_where_a_package_is_missing_the_log_says_so(tmp_path: Path) -> None:
    clip, segments = tmp_path / "clip.mp4", tmp_path / "clip_segments"
    segments.mkdir()
    (segments / PLAN_NAME).touch()
    program = "import sys; sys.modules['av'] = None; from matting.cli.main import main; "
    done = subprocess.run(
        [sys.executable, "-c", f"{program}sys.exit(main(['segment', sys.argv[1]]))", str(clip)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert done.stderr.splitlines()[-1].endswith(str(segments / "job.log"))
    assert "ModuleNotFoundError" in text_of(segments)


def test_what_was_noticed_is_listed_at_the_end() -> None:
    names = Counter([f"output_{number:03d}.mp4" for number in range(8)])
    names["output_001.mp4"] += 1
    lines = notice_lines(
        {
            Notice.LEFT_BEHIND: Counter(["Track 3 is left out.", "Track 4 is left out."]),
            Notice.TRIED_AGAIN: names,
        }
    )
    assert lines == [
        "Tried again after a failure: output_000.mp4, output_001.mp4 (2 times), output_002.mp4, "
        "output_003.mp4, output_004.mp4 and 3 more.",
        "Not carried over as it was:",
        "  Track 3 is left out.",
        "  Track 4 is left out.",
    ]
    assert notice_lines({}) == []
