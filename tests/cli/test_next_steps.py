"""A command's last words: what it made, how long it took, what comes next; or how to go on."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from matting.cli.main import main
from matting.cli.next_steps import Invocation, failure_text, interruption_text, success_text
from matting.cli.parser import parse
from matting.errors import InputError, MediaError, StorageError
from matting.options import FormatName, OutputKind
from matting.project.job_options import JobOptions
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.project.plan import Plan, PlannedSegment, write_plan
from matting.project.source_fingerprint import SourceFingerprint
from matting.system.fingerprint import Fingerprint
from matting.system.humanize import time_taken
from matting.system.invocation import command_line, program_line
from matting.view import Projection, StereoLayout, View
from tests.support.clips import make_clip
from tests.support.commands import TINY, running_infer
from tests.support.repository import ROOT

TYPED = Invocation(("python", "inference_custom.py"), ("run", "my clip.mp4"))
DROPPED = Invocation(
    ("python.exe", "inference_custom.py"), ("segment", "clip.mp4"), "1_segment.bat"
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "less than a second"), (7.4, "7 s"), (200, "3 min 20 s"), (19_200, "5 h 20 min")],
)
def test_how_long_it_took(seconds: float, text: str) -> None:
    assert time_taken(seconds) == text


def test_a_line_can_be_typed_as_shown() -> None:
    words = ["python", "a b.mp4", "it's.mp4", "C:\\a&b.mp4", "#78FF9B"]
    assert command_line(["D:\\", "D:\\my files\\"], windows=True) == r'D:\ "D:\my files\\"'
    assert command_line(words, windows=True) == (
        'python "a b.mp4" "it\'s.mp4" "C:\\a&b.mp4" "#78FF9B"'
    )
    shown = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {command_line(words, windows=False)}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown.splitlines() == words


def next_line(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Return the line that a command gives for the next one."""
    assert main([str(a) for a in arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"Time taken: .*\. Next:", lines[-2])
    return lines[-1].strip()


def test_each_line_leads_to_the_next(
    tmp_path: Path, opaque_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(tmp_path / "my clip.mp4", 40, audio=True)
    options = ["--checkpoint", str(opaque_checkpoint), *TINY]
    line = next_line(capsys, "segment", clip)
    segments = tmp_path / "my clip_segments"
    assert line == program_line("infer", segments)
    line = next_line(capsys, "infer", segments, *options)
    matted = tmp_path / "my clip_segments_matted"
    assert line == program_line("combine", matted)
    line = next_line(capsys, "combine", matted)
    assert line == program_line("add-audio", clip)
    assert main(["add-audio", str(clip)]) == 0
    *_, done, taken = capsys.readouterr().out.splitlines()
    final = re.escape(str(tmp_path / "my clip_MATTED.mp4"))
    assert re.fullmatch(rf"Done\. 0:01 long, \d+ KB: {final}", done)
    assert re.fullmatch(r"Time taken: .*\.", taken)


def test_with_results_elsewhere_the_next_line_says_so(
    tmp_path: Path, opaque_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    clip, other = make_clip(tmp_path / "in" / "clip.mp4", 40), tmp_path / "out"
    options = ["--checkpoint", str(opaque_checkpoint), *TINY]
    line = next_line(capsys, "segment", clip, "--output", other)
    assert line.endswith(f"infer {other / 'clip_segments'}")
    line = next_line(capsys, "infer", other / "clip_segments", *options)
    line = next_line(capsys, "combine", other / "clip_segments_matted")
    assert line.endswith(f"add-audio clip.mp4 --output {other}")
    assert main(["add-audio", str(clip), "--output", str(other)]) == 0
    assert str(other / "clip_MATTED.mp4") in capsys.readouterr().out


def test_run_says_only_the_last_file(
    tmp_path: Path, opaque_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 40)
    options = ["--checkpoint", str(opaque_checkpoint), *TINY]
    assert main(["run", str(clip), *options]) == 0
    out = capsys.readouterr().out
    assert "Next" not in out
    assert str(tmp_path / "clip_MATTED.mp4") in out.splitlines()[-2]


def test_videos_that_never_were_one_get_their_audio_next(
    tmp_path: Path, opaque_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "FIX_ME").mkdir()
    make_clip(tmp_path / "FIX_ME" / "a.mp4", 4)
    options = ["--checkpoint", str(opaque_checkpoint), *TINY]
    assert main(["infer", str(tmp_path / "FIX_ME"), *options]) == 0
    out = capsys.readouterr().out
    assert out.rstrip().endswith(f"add-audio {tmp_path / 'FIX_ME'}")
    assert f"It is matted: {tmp_path / 'FIX_ME_matted'}" in out


def test_a_batch_file_says_what_to_drop_next(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 4)
    done = subprocess.run(
        [sys.executable, str(ROOT / "inference_custom.py"), "segment", str(clip)],
        env={**os.environ, "RVM_BATCH": "1_segment.bat"},
        capture_output=True,
        text=True,
        check=True,
    )
    last = done.stdout.splitlines()[-1]
    assert last.endswith("Next: drop the folder clip_segments on 2_infer.bat.")


@pytest.mark.parametrize(
    ("formats", "is_next"),
    [((FormatName.EXR,), True), ((FormatName.GREEN, FormatName.EXR), False)],
)
def test_a_composite_that_is_delivered_is_not_combined_next(
    formats: tuple[FormatName, ...], is_next: bool, tmp_path: Path
) -> None:
    """Whether that was typed now, or when the job was begun."""
    segments = tmp_path / "clip_segments"
    segments.mkdir()
    (segments / "segments.json").touch()
    ledger = Ledger(MattedFolder.of(segments))
    ledger.begin([], None, options=JobOptions(formats=formats))
    ledger.folder.root.mkdir()
    ledger.save()
    words = ["infer", str(segments)]
    text = success_text(parse(words), Invocation(("program",), tuple(words)), 1)
    assert ("combine" in text) is is_next


VR = View(StereoLayout.LEFT_RIGHT, Projection.HALF_EQUIRECTANGULAR)


@pytest.mark.parametrize(
    ("view", "stored", "words", "is_next"),
    [
        (VR, True, ["run"], True),
        (VR, True, ["add-audio"], True),
        (VR, True, ["run", "--as", "vr-alpha"], False),
        (VR, False, ["run"], False),
        (View(), True, ["run"], False),
        (replace(VR, projection=Projection.EQUIRECTANGULAR), True, ["run"], False),
    ],
)
def test_a_finished_vr_video_is_made_into_a_file_for_a_headset_next(
    view: View, stored: bool, words: list[str], is_next: bool, tmp_path: Path
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 2)
    segments = tmp_path / "clip_segments"
    segments.mkdir()
    cut = Plan(
        source=SourceFingerprint.of(video),
        time_base=Fraction(1, 30),
        rate=Fraction(30),
        start_pts=0,
        seconds=Fraction(1),
        reencoded=False,
        segments=(PlannedSegment.of("output_000.mp4", [0, 1], Fingerprint.of(video)),),
        view=view,
    )
    write_plan(segments, cut)
    matted = MattedFolder.of(segments)
    if stored:
        matted.output_folder(OutputKind.MATTE).mkdir(parents=True)
    command, *more = words
    typed = [command, str(video), *more]
    text = success_text(parse(typed), Invocation(("program",), tuple(typed)), 1)
    assert (f"deliver-vr {matted.root}" in text) is is_next
    dropped = Invocation(("program",), tuple(typed), "4_add_audio.bat")
    assert ("extras\\deliver_vr.bat" in success_text(parse(typed), dropped, 1)) is is_next
    matted.output_folder(OutputKind.VR_ALPHA).mkdir(parents=True)
    assert "deliver-vr" not in success_text(parse(typed), Invocation(("program",), tuple(typed)), 1)


def test_how_to_go_on_after_an_interruption() -> None:
    words, line = interruption_text(TYPED).splitlines()
    assert words == "Interrupted. Run the same command again: it goes on where it stopped."
    assert line.split() == [
        "python",
        "inference_custom.py",
        "run",
        *command_line(["my clip.mp4"]).split(),
    ]
    assert interruption_text(DROPPED) == (
        "Interrupted. Drop the same on 1_segment.bat again: this step begins anew."
    )


@pytest.mark.parametrize(("words", "resumes"), [(["demo"], True), (["demo", "--vr", "a"], False)])
def test_test_cards_begin_anew(words: list[str], resumes: bool) -> None:
    text = interruption_text(Invocation(("program",), tuple(words)))
    assert ("goes on where it stopped" in text) is resumes
    assert ("begins anew" in text) is not resumes


def test_a_batch_file_says_how_to_give_an_option() -> None:
    error = InputError("It is in the way.", "Choose a place with --output.", option="--output")
    assert failure_text(error, TYPED) == str(error)
    what, hint, help_, line = failure_text(error, DROPPED).splitlines()
    assert [what, hint] == str(error).splitlines()
    assert "typed" in help_
    assert line.strip() == "python.exe inference_custom.py segment clip.mp4"


def test_a_batch_file_names_the_command_that_takes_the_option() -> None:
    dropped = Invocation(("python.exe", "x.py"), ("infer", "clip_segments"), "2_infer.bat")
    error = InputError("It cannot be read.", "Cut it again.", option="--overwrite")
    assert (
        failure_text(error, dropped).splitlines()[-1].strip()
        == "python.exe x.py segment VIDEO --overwrite"
    )


def test_a_path_that_looks_like_an_option_brings_no_help_with_options() -> None:
    name = "holiday --final cut.mp4"
    error = MediaError(f"C:\\clips\\{name} is empty.", "Copy or download it again.")
    dropped = Invocation(("python.exe", "x.py"), ("segment", name), "1_segment.bat")
    assert failure_text(error, dropped) == str(error)


def test_a_path_of_our_own_words_stays_as_it_is() -> None:
    error = MediaError("run the same command again.mp4 is empty.")
    assert failure_text(error, DROPPED) == str(error)


def test_how_to_go_on_after_a_failure() -> None:
    error = StorageError("The disk is full.", "Free some space.")
    assert failure_text(error, DROPPED).splitlines()[-1] == (
        "Free some space. Then drop the same on 1_segment.bat again."
    )
    assert failure_text(error, TYPED).splitlines()[-1] == (
        "Free some space. Then run the same command again: it goes on where it stopped."
    )


def test_ctrl_c_turned_into_another_error_is_still_an_interruption(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def swallow(*_: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("half a package") from None

    monkeypatch.setattr("matting.segment.segment", swallow)
    assert main(["segment", "a.mp4"]) == 130
    error = capsys.readouterr().err
    assert "Run the same command again" in error
    assert "package" not in error


def test_a_second_ctrl_c_does_not_break_the_cleaning_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cleaned_up = []

    def work(*_: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)
            cleaned_up.append(True)

    monkeypatch.setattr("matting.segment.segment", work)
    assert main(["segment", "a.mp4"]) == 130
    assert cleaned_up == [True]
    signal.raise_signal(signal.SIGINT)  # nor what comes after the last word
    capsys.readouterr()


def test_no_shutdown_after_a_ctrl_c_that_was_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lose(*_: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            return

    def never(_: object) -> None:
        raise AssertionError("shut down")

    monkeypatch.setattr("matting.infer_and_deliver.infer_and_deliver", lose)
    monkeypatch.setattr("matting.cli.main.shut_down", never)
    assert main(["infer", "somewhere", "--shutdown"]) == 0
    capsys.readouterr()


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for its processes")
@pytest.mark.parametrize("to_all", [True, False])
def test_pressed_three_times_it_leaves_nothing_behind_and_goes_on(
    *, to_all: bool, tmp_path: Path, light_checkpoint: Path
) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    make_clip(clips / "a.mp4", 800)
    with running_infer(clips, light_checkpoint, at="a.mp4") as infer:
        pressed = time.monotonic()
        for _ in range(3):
            if to_all:
                os.killpg(infer.process.pid, signal.SIGINT)
            else:
                infer.process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        error = infer.wait_for_end()
        assert time.monotonic() - pressed < 5
    assert infer.process.returncode == 130
    assert error.splitlines()[-2:] == [
        "Interrupted. Run the same command again: it goes on where it stopped.",
        f"  {command_line(infer.command)}",
    ]
    assert "Traceback" not in error
    assert list(infer.composites.iterdir()) == []
    # What multiprocessing keeps for the rest ends when it sees that its parent is gone.
    deadline = time.monotonic() + 10
    while living(infer.process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert living(infer.process.pid) == []


def living(session: int) -> list[str]:
    """Return the processes of a session that are not dead."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            # Behind the name, which may hold anything: state, parent, group, session.
            state, _, _, own, *_ = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
            if own == str(session) and state != "Z":
                found.append(stat.parent.name)
    return found
