"""The command line: the stages by command, names as they are typed, and what needs no package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from matting.cli.main import main
from matting.errors import MissingError
from matting.media.encoder_table import SOFTWARE_ENCODERS
from matting.options import VideoCodec
from matting.system import fixes
from tests.support.clips import make_clip, numbers
from tests.support.commands import TINY
from tests.support.repository import ROOT


def test_a_relative_path_and_a_folder_named_by_a_dot(
    tmp_path: Path,
    opaque_checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_clip(tmp_path / "a:b.mp4", 40, audio=True)
    monkeypatch.chdir(tmp_path)
    assert main(["segment", "a:b.mp4", "--seconds", "1"]) == 0
    monkeypatch.chdir(tmp_path / "a:b_segments")
    options = ["--checkpoint", str(opaque_checkpoint), *TINY]
    assert main(["infer", ".", *options]) == 0
    monkeypatch.chdir(tmp_path)
    assert main(["combine", "a:b_segments_matted"]) == 0
    assert main(["add-audio", "a:b.mp4"]) == 0
    assert numbers(tmp_path / "a:b_MATTED.mp4") == list(range(40))
    capsys.readouterr()


def test_the_codecs_offered_are_those_there_are() -> None:
    """They are listed twice: reading the command line loads no package."""
    assert set(VideoCodec) == set(SOFTWARE_ENCODERS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [("infer --help", "--codec"), ("", "add-audio"), ("--version", "0.1.0"), ("infr", "infer?")],
)
def test_help_where_no_package_is_installed(arguments: str, words: str) -> None:
    program = [sys.executable, "-S", str(ROOT / "inference_custom.py")]
    done = subprocess.run(
        [*program, *arguments.split()], capture_output=True, text=True, check=False
    )
    assert done.returncode == (2 if "?" in words else 0)
    assert words in done.stdout + done.stderr


def test_verbose_shows_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["segment", str(tmp_path / "gone.mp4"), "--verbose"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_quiet_is_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 40)
    assert main(["segment", str(clip), "--quiet", "--seconds", "1"]) == 0
    assert capsys.readouterr() == ("", "")


def test_all_four_by_command(
    tmp_path: Path, opaque_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 40, audio=True)
    matted = tmp_path / "clip_segments_matted"
    checkpoint = ["--checkpoint", opaque_checkpoint, *TINY]
    for arguments in (
        ["segment", clip, "--seconds", "1"],
        ["infer", tmp_path / "clip_segments", *checkpoint],
        ["combine", matted],
        ["add-audio", clip],
    ):
        assert main([str(a) for a in arguments]) == 0
    out = capsys.readouterr().out
    assert "CPU" in out
    assert numbers(tmp_path / "clip_MATTED.mp4") == list(range(40))


def test_what_needs_no_network_loads_no_torch(tmp_path: Path, opaque_checkpoint: Path) -> None:
    """Three of the stages and the doctor start in a moment, and where torch is broken; the other
    stage says so, unless it finds nothing to do, for which it starts no process, either."""
    clip = make_clip(tmp_path / "clip.mp4", 40, audio=True)
    matted = tmp_path / "clip_segments_matted"
    without = "import sys; sys.modules['torch'] = None; "
    program = "from matting.cli.main import main; sys.exit(main(sys.argv[1:]))"

    def run(*arguments: object, start: str = without) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", start + program, *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    segmented = run("segment", clip)
    assert segmented.returncode == 0, segmented.stderr
    segments = tmp_path / "clip_segments"
    inferred = run("infer", segments)
    assert inferred.returncode == MissingError.exit_code
    assert "torch is missing or broken" in inferred.stderr
    assert fixes.setup() in inferred.stderr
    assert "Traceback" not in inferred.stderr
    options = ["--checkpoint", opaque_checkpoint, *TINY]
    assert main([str(word) for word in ("infer", segments, *options)]) == 0
    alone = without + (
        "sys.modules['av'] = sys.modules['numpy'] = None; import subprocess; "
        "from multiprocessing.process import BaseProcess; "
        "BaseProcess.start = subprocess.Popen.__init__ = None; "
    )
    again = run("infer", segments, start=alone)
    assert again.returncode == 0, again.stderr
    assert "It is matted" in again.stdout
    for command in (["combine", matted], ["add-audio", clip], ["run", clip, *options]):
        done = run(*command)
        assert done.returncode == 0, done.stderr
    examined = run("doctor", tmp_path)
    assert examined.returncode in {0, MissingError.exit_code}, examined.stderr
    assert "Traceback" not in examined.stderr
