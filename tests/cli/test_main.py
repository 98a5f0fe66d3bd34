"""The command line: every bad input gets its exit code and plain words, and does no harm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from matting.cli import arg_types, shutdown
from matting.cli.main import main
from matting.errors import (
    BusyError,
    EncodeError,
    InputError,
    MachineError,
    MattingError,
    MediaError,
    MissingError,
    SegmentsFailedError,
    StorageError,
    UnforeseenError,
)
from matting.media.container import encoding_to, reading
from matting.media.encoders import SOFTWARE_ENCODERS
from matting.options import OutputKind, VideoCodec
from matting.system import fixes
from tests.support.clips import make_audio, make_clip, numbers
from tests.support.repository import ROOT


def run(capsys: pytest.CaptureFixture[str], *arguments: object, lines: int = 2) -> tuple[int, str]:
    """Return the exit code and the error text of a command; the text is plain and short."""
    code = main([str(a) for a in arguments])
    error = capsys.readouterr().err
    text = "\n".join(line for line in error.splitlines() if "\r" not in line and "%|" not in line)
    assert "Traceback" not in text
    assert len(text.strip().splitlines()) <= lines, text
    return code, text


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    """Return bad input of every kind."""
    text = tmp_path / "text.mp4"
    text.write_text("this is no video\n" * 500, encoding="utf-8")
    nothing = tmp_path / "nothing.mp4"
    nothing.write_bytes(b"")
    clip = make_clip(tmp_path / "clip.mp4", 40)
    cut_off = tmp_path / "cut_off.mp4"
    cut_off.write_bytes(clip.read_bytes()[:-2000])
    playlist = tmp_path / "playlist.mp4"
    playlist.write_text(f"ffconcat version 1.0\nfile '{clip.name}'\n", encoding="utf-8")
    hls = tmp_path / "hls.mp4"
    hls.write_text(f"#EXTM3U\n#EXTINF:1,\n{clip.name}\n#EXT-X-ENDLIST\n", encoding="utf-8")
    empty = tmp_path / "empty"
    empty.mkdir()
    return {
        "missing": tmp_path / "gone.mp4",
        "folder": empty,
        "text": text,
        "empty file": nothing,
        "audio only": make_audio(tmp_path / "audio.m4a"),
        "cut off": cut_off,
        "playlist": playlist,
        "stream list": hls,
    }


@pytest.mark.parametrize("command", ["segment", "add-audio", "run"])
@pytest.mark.parametrize(
    "kind",
    ["missing", "folder", "text", "empty file", "audio only", "cut off", "playlist", "stream list"],
)
def test_a_file_that_is_not_a_video(
    command: str, kind: OutputKind, inputs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = inputs[kind]
    before = contents(path.parent)
    code, text = run(capsys, command, path)
    assert code == (2 if command != "run" else code)
    assert code in {2, 3}
    assert path.name in text or code == 3
    after = contents(path.parent)
    assert before.items() <= after.items()
    assert {name for name in after if name.endswith((".mp4", ".json"))} == {
        name for name in before if name.endswith((".mp4", ".json"))
    }


@pytest.mark.parametrize("kind", ["missing", "folder", "text"])
@pytest.mark.parametrize("command", ["infer", "combine"])
def test_a_folder_that_is_not_one(
    command: str,
    kind: OutputKind,
    inputs: dict[str, Path],
    random_checkpoint: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["--checkpoint", random_checkpoint] if command == "infer" else []
    code, text = run(capsys, command, inputs[kind], *options)
    assert code == 2
    assert inputs[kind].name in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--downsample-ratio", "0"], "above 0"),
        (["--downsample-ratio", "3"], "at most 1"),
        (["--downsample-ratio", "wide"], "not a number"),
        (["--codec", "divx"], "divx"),
        (["--background", "greenish"], "no colour"),
        (["--background", "300,0,0"], "no colour"),
        (["--bitrate", "fast"], "bit rate"),
        (["--bitrate", "40M", "--quality", "20"], "not allowed with"),
        (["--quality", "99"], "0 to 51"),
        (["--device", "tpu"], "tpu"),
        (["--precision", "int8"], "int8"),
        (["--chunk", "0"], "1 or more"),
        (["--threads", "many"], "whole number"),
        (["--precision", "fp16", "--device", "cpu"], "fp16"),
        (["--save", "everything"], "everything"),
        (["--frame-rate", "0"], "between 0 and 1000"),
        (["--frame-rate", "23.976023976023978"], "not a number"),
        (["--downsample-ratio", "1e400"], "not a number"),
        (["--checkpoint", "."], "no file"),
        (["--checkpoint", "gone.pth"], "gone.pth"),
        (["--unknown"], "--unknown"),
    ],
)
def test_an_option_that_does_not_exist_or_fit(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    random_checkpoint: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    make_clip(clips / "a.mp4", 2)
    checkpoint = [] if "--checkpoint" in arguments else ["--checkpoint", random_checkpoint]
    code, text = run(capsys, "infer", clips, *checkpoint, *arguments)
    assert code == 2
    assert words in text
    assert not (tmp_path / "clips_matted").exists()


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["segment"], ["segment", "a", "--seconds", "-3"]]
)
def test_a_command_that_does_not_exist(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = run(capsys, *arguments)
    assert code == 2
    assert "--help" in text


def test_a_ratio_that_leaves_no_pixels(
    tmp_path: Path, random_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    make_clip(clips / "a.mp4", 2)
    code, text = run(
        capsys,
        "infer",
        clips,
        "--checkpoint",
        random_checkpoint,
        "--downsample-ratio",
        "0.001",
        lines=3,
    )
    assert code == 1
    assert "nothing is left" in text


def test_a_fault_of_the_program_is_reported_as_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("matting.segment.segment", fail)
    assert main(["segment", "a.mp4"]) == 70
    assert "fault of the program" in capsys.readouterr().err


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
    options = ["--checkpoint", str(opaque_checkpoint), "--device", "cpu", "--codec", "h264"]
    assert main(["infer", ".", *options]) == 0
    monkeypatch.chdir(tmp_path)
    assert main(["combine", "a:b_segments_matted"]) == 0
    assert main(["add-audio", "a:b.mp4"]) == 0
    assert numbers(tmp_path / "a:b_MATTED.mp4") == list(range(40))
    capsys.readouterr()


def test_no_weights_and_no_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    make_clip(clips / "a.mp4", 2)
    code, text = run(capsys, "infer", clips)
    assert code == 3
    assert "rvm_mobilenetv3.pth" in text


@pytest.mark.parametrize("command", ["segment", "infer"])
def test_a_place_that_cannot_be_written(
    command: str,
    tmp_path: Path,
    random_checkpoint: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    clip = make_clip(clips / "a.mp4", 2)
    path = clip if command == "segment" else clips
    options = ["--checkpoint", random_checkpoint] if command == "infer" else []
    code, text = run(capsys, command, path, "--output", clip / "below_a_file", *options)
    assert code == 4
    assert "could not be written" in text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_is_reported_as_one() -> None:
    with (
        pytest.raises(StorageError, match="disk is full"),
        encoding_to(Path("/dev/full")),
        av.open("/dev/full", "w", format="mp4") as container,
    ):
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height = 64, 48
        container.mux(stream.encode(av.VideoFrame(64, 48)))
        container.mux(stream.encode(None))


def test_a_request_to_end_counts_as_ctrl_c(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("matting.segment.segment", lambda *_: signal.raise_signal(signal.SIGTERM))
    assert main(["segment", "a.mp4"]) == 130
    assert "Run the same command again" in capsys.readouterr().err


def test_every_error_of_pyav_is_translated() -> None:
    kinds = [
        kind
        for kind in vars(av.error).values()
        if isinstance(kind, type) and issubclass(kind, av.error.FFmpegError)
    ]
    assert len(kinds) > 20
    for kind in kinds:
        for guard, expected in ((reading, MediaError), (encoding_to, MattingError)):
            with pytest.raises(expected), guard(Path("a.mp4")):
                raise kind(1, "it says no")


def test_the_codecs_offered_are_those_there_are() -> None:
    """They are listed twice: reading the command line loads no package."""
    assert set(VideoCodec) == set(SOFTWARE_ENCODERS)


def test_help_where_no_package_is_installed() -> None:
    command = [sys.executable, "-S", str(ROOT / "inference_custom.py"), "infer", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "--codec" in done.stdout


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
    checkpoint = ["--checkpoint", opaque_checkpoint, "--device", "cpu", "--codec", "h264"]
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


@pytest.fixture
def shutdown_commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Return the commands that would have shut the computer down."""
    commands: list[tuple[str, ...]] = []

    def record(announce: Callable[[str], None]) -> None:
        commands.append(shutdown.shutdown_command().command)
        announce("announced")

    monkeypatch.setattr("matting.cli.main.shut_down", record)
    return commands


@pytest.mark.parametrize(
    ("failure", "code", "off"),
    [
        (None, 0, True),
        (SegmentsFailedError("x"), 1, True),
        (StorageError("x"), 4, True),
        (MachineError("x"), 70, True),
        (EncodeError("x"), 70, True),
        (InputError("x"), 2, False),
        (MissingError("x"), 3, False),
        (BusyError("x"), 5, False),
        (UnforeseenError("x"), 70, False),
        (ValueError("x"), 70, False),
        (KeyboardInterrupt(), 130, False),
    ],
)
def test_the_computer_shuts_down_only_when_the_work_has_ended(
    failure: BaseException | None,
    code: int,
    *,
    off: bool,
    shutdown_commands: list[tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work(*_: object) -> None:
        if failure is not None:
            raise failure

    monkeypatch.setattr("matting.infer.infer", work)
    assert main(["infer", "somewhere", "--shutdown"]) == code
    assert bool(shutdown_commands) is off
    assert main(["infer", "somewhere"]) == code
    assert len(shutdown_commands) <= 1
    capsys.readouterr()


@pytest.mark.parametrize("platform", ["win32", "linux", "darwin"])
def test_every_shutdown_leaves_two_minutes_and_a_way_out(platform: str) -> None:
    command = shutdown.shutdown_command(platform)
    text = " ".join(command.command)
    assert "120" in text or "+2" in text
    assert {"win32": "/a", "linux": "-c", "darwin": "Ctrl-C"}[platform] in command.cancel
    if platform == "win32":
        assert command.command[0].endswith("\\System32\\shutdown.exe")


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_interrupted_for_real(tmp_path: Path, random_checkpoint: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    make_clip(clips / "a.mp4", 2, size=(320, 240))
    make_clip(clips / "b.mp4", 200, size=(320, 240))
    command = [sys.executable, str(ROOT / "inference_custom.py"), "infer", str(clips)]
    command += ["--checkpoint", str(random_checkpoint), "--device", "cpu"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        composite = tmp_path / "clips_matted" / "COMPOSITE"
        deadline = time.monotonic() + 60
        while not (composite / "b.mp4.partial").exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Run the same command again" in error
    assert b"Traceback" not in error
    assert [p.name for p in composite.iterdir()] == ["a.mp4"]


def test_what_needs_no_network_loads_no_torch(tmp_path: Path, opaque_checkpoint: Path) -> None:
    """Three of the stages and the doctor start in a moment, and where torch is broken; the other
    stage says so."""
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
    options = ["--checkpoint", opaque_checkpoint, "--device", "cpu", "--codec", "h264"]
    assert main([str(word) for word in ("infer", segments, *options)]) == 0
    for command in (["combine", matted], ["add-audio", clip]):
        done = run(*command)
        assert done.returncode == 0, done.stderr
    examined = run("doctor", tmp_path)
    assert examined.returncode in {0, MissingError.exit_code}, examined.stderr
    assert "Traceback" not in examined.stderr


@pytest.mark.parametrize("text", ["#00B140", "00b140", "0,177,64", "'#00B140'"])
def test_a_colour_in_all_its_spellings(text: str) -> None:
    """The last is what Windows' command window makes of a colour in single quotes."""
    assert arg_types.colour(text) == (0, 177, 64)
