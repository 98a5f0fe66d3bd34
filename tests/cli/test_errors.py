"""The command line: every bad input gets its exit code and plain words, and does no harm."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from matting.cli.main import main
from matting.errors import (
    MattingError,
    MediaError,
    StorageError,
)
from matting.media.container import encoding_to, reading
from matting.options import OutputKind
from tests.support.clips import make_audio, make_clip


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
    light_checkpoint: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["--checkpoint", light_checkpoint] if command == "infer" else []
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
        (["--frame-rate", "0"], "at most 1000"),
        (["--frame-rate", "23.976023976023978"], "not a number"),
        (["--downsample-ratio", "1e400"], "not a number"),
        (["--checkpoint", "."], "no file"),
        (["--checkpoint", "gone.pth"], "gone.pth"),
        (["--model", "gone.pth"], "gone.pth"),
        (["--model", "resnet"], "mean resnet50"),
        (["--model", "resnet50", "--checkpoint", "gone.pth"], "not allowed with"),
        (["--unknown"], "--unknown"),
    ],
)
def test_an_option_that_does_not_exist_or_fit(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    light_checkpoint: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    make_clip(clips / "a.mp4", 2)
    checkpoint = (
        [] if {"--checkpoint", "--model"} & {*arguments} else ["--checkpoint", light_checkpoint]
    )
    code, text = run(capsys, "infer", clips, *checkpoint, *arguments)
    assert code == 2
    assert words in text
    assert not (tmp_path / "clips_matted").exists()


@pytest.mark.parametrize("arguments", [["fly"], ["segment"], ["segment", "a", "--seconds", "-3"]])
def test_a_command_that_does_not_exist(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = run(capsys, *arguments)
    assert code == 2
    assert "--help" in text


def test_a_ratio_that_leaves_no_pixels(
    tmp_path: Path, light_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    make_clip(clips / "a.mp4", 2)
    code, text = run(
        capsys,
        "infer",
        clips,
        "--checkpoint",
        light_checkpoint,
        "--downsample-ratio",
        "0.001",
        lines=4,  # the log of the job that there is now
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
    light_checkpoint: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    clip = make_clip(clips / "a.mp4", 2)
    path = clip if command == "segment" else clips
    options = ["--checkpoint", light_checkpoint] if command == "infer" else []
    code, text = run(capsys, command, path, "--output", clip / "below_a_file", *options)
    assert code == 2
    assert str(clip) in text and "file" in text


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
