"""What a file for a headset is like is asked for in short lists, and all that can be is known."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from benchmarks.checkpoints import write_varied_checkpoint
from matting.cli.console import Console
from matting.cli.headset_choice import HEADSETS, PLAYERS, VIEWS, ask_for_headset, ask_for_view
from matting.cli.main import main
from matting.delivery.vr_plan import LIMITS, VrPlan
from matting.errors import InputError
from matting.infer import infer
from matting.options import FormatName
from matting.project.matted import find_matted
from matting.project.paths import MattedFolder, segments_folder
from matting.segment import segment
from matting.system.invocation import Command
from matting.view import parse_view
from matting.vr_options import FisheyeView, Headset, VrOptions
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.stages import SECOND, matting_options

ALPHA, GREEN = (FormatName.VR_ALPHA,), (FormatName.VR_GREEN,)
TROUBLE = InputError("No VR video.", option="--view")


def asked(monkeypatch: pytest.MonkeyPatch, typed: str) -> Console:
    monkeypatch.setenv("RVM_BATCH", "deliver_vr.bat")
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    return Console()


@pytest.mark.parametrize(
    ("typed", "answers"),
    [
        ("\n\n", {"formats": ALPHA, "headset": Headset.QUEST_2}),
        ("2\n1\n", {"formats": ALPHA, "fisheye": "180", "headset": Headset.QUEST_3}),
        ("0\nx\n3\n4\n3\n", {"formats": GREEN, "headset": Headset.ANY}),
        ("1\n", {}),  # the window is closed
    ],
)
def test_player_and_headset_are_chosen_by_number(
    typed: str, answers: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask_for_headset(asked(monkeypatch, typed), {}) == answers


def test_a_headset_that_is_typed_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    console = asked(monkeypatch, "3\n")
    assert ask_for_headset(console, {"headset": Headset.ANY}) == {"formats": GREEN}


def test_every_headset_can_be_chosen_and_enter_is_played_by_all() -> None:
    assert {choice.arguments["headset"] for choice in HEADSETS} == set(Headset)
    least = min(LIMITS.values())
    assert least == LIMITS[Headset.QUEST_2]
    assert {choice.arguments.get("fisheye") for choice in PLAYERS} == {
        None,
        FisheyeView.FISHEYE_180,
    }


@pytest.mark.parametrize(
    ("typed", "view"),
    [("1\n", "left-right,180"), ("0\n99\nLEFT-RIGHT,fisheye200\n", "left-right,fisheye200")],
)
def test_a_view_is_chosen_by_number_or_typed(
    typed: str, view: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask_for_view(asked(monkeypatch, typed), TROUBLE) == parse_view(view)
    assert TROUBLE.what in capsys.readouterr().out


def test_without_a_view_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="Nothing was chosen"):
        ask_for_view(asked(monkeypatch, "\n"), TROUBLE)
    with pytest.raises(InputError, match=TROUBLE.what):
        ask_for_view(asked(monkeypatch, ""), TROUBLE)


@pytest.mark.parametrize("typed", VIEWS)
def test_files_for_headsets_can_be_made_of_every_view_that_is_offered(typed: str) -> None:
    for name in (*ALPHA, *GREEN):
        assert VrPlan.of(name, parse_view(typed), VrOptions(), Path("clip.mp4"))


def test_what_is_no_matted_video_is_refused_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(monkeypatch, "\n\n")
    video, other = tmp_path / "clip.mp4", tmp_path / "notes.txt"
    result = tmp_path / "clip_MATTED_LR_180_SBS.mp4"
    for path in (video, other, result):
        path.touch()
    for given, words in (
        (tmp_path, "no manifest.json"),
        (other, "a file, not"),
        (tmp_path / "gone", "not there"),
        (result, "itself a result"),
    ):
        with pytest.raises(InputError, match=words):
            find_matted(given, None, Command.DELIVER_VR)
    assert main(["deliver-vr", str(video)]) == 2
    printed = capsys.readouterr()
    assert "0_all_in_one.bat" in printed.err
    assert PLAYERS[0].purpose not in printed.out


def test_a_dropped_video_becomes_a_file_for_the_headset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One whose view nothing tells."""
    checkpoint = write_varied_checkpoint(tmp_path / "varied.pth", seed=7)
    video = make_clip(tmp_path / "clip.mp4", 3, size=(128, 64))
    segments = segment(video, SECOND, None, Recorder())
    infer(segments, matting_options(checkpoint), None, Recorder())
    monkeypatch.delenv("RVM_BATCH", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(["deliver-vr", str(video)]) == 2  # nobody is there to be asked
    assert "--as vr-alpha" in capsys.readouterr().err
    asked(monkeypatch, "3\n\n1\n")
    assert main(["deliver-vr", str(video), "--device", "cpu"]) == 0
    printed = capsys.readouterr().out
    made = video.with_name("clip_MATTED_LR_180_SBS.mp4")
    assert made.is_file()
    assert f"For the headset: {made}" in printed
    assert f"{made.stem}.hsp and {made.stem}.json" in printed
    assert "#78FF9B" in printed
    matted = MattedFolder.of(segments)
    assert "For the headset" in (matted.root / "job.log").read_text("utf-8")
    for given in (matted.root, segments, video):
        assert find_matted(given, None, Command.DELIVER_VR) == matted


def test_the_job_in_the_folder_of_results_comes_before_one_beside_the_video(tmp_path: Path) -> None:
    video, output = tmp_path / "clip.mp4", tmp_path / "results"
    video.touch()
    for place in (tmp_path, output):
        job = MattedFolder.of(segments_folder(video, place))
        job.root.mkdir(parents=True)
        job.manifest.touch()
    assert find_matted(video, output, Command.REPORT).root.parent == output
    assert find_matted(video, None, Command.REPORT).root.parent == tmp_path
