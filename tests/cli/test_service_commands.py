"""`scheduler` and `worker` as they are given, and as they end."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from matting.cli.main import main
from matting.cli.parser import parse
from matting.errors import InputError, MissingError
from matting.workers.cluster.certificates import security


def test_a_scheduler_is_for_this_computer_unless_it_is_told_otherwise() -> None:
    options = parse(["scheduler"])
    assert (options.address, options.certificates) == ("tcp://127.0.0.1:8786", None)
    options = parse(["SCHEDULER", "0.0.0.0", "--certificates", "keys"])
    assert options.address == "tcp://0.0.0.0:8786"
    assert options.certificates == Path.cwd() / "keys"
    assert (options.path, options.output) == (None, None)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("worker", "worker needs the ADDRESS of a scheduler"),
        ("worker some/folder", "is no address"),
        ("worker host --device cuda:0,cuda:1", "worker computes on one device only"),
        ("worker host --output x", "--output is an option of"),
        ("worker host port", "worker takes one ADDRESS"),
        ("scheduler --map=a=b", "--map is an option of worker"),
    ],
)
def test_what_is_no_such_command_is_refused(line: str, words: str) -> None:
    with pytest.raises(InputError) as info:
        parse(line.split())
    assert words in str(info.value)


def test_certificates_are_made_where_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder, options in (
        ("certificates", []),
        ("a b/keys", ["--certificates", str(tmp_path / "a b" / "keys")]),
    ):
        assert main(["worker", "--make-certificates", *options]) == 0
        assert security(tmp_path / folder, "tcp://10.0.0.1:8786").require_encryption
        out = capsys.readouterr().out
        assert str(tmp_path / folder) in out
        assert "Copy" in out
        assert main(["worker", "--make-certificates", *options]) == InputError.exit_code
        assert "already" in capsys.readouterr().err


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_the_end_of_a_service_is_no_interruption(
    quiet: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def end(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("matting.workers.cluster.scheduler_node.serve_scheduler", end)
    assert main(["scheduler", *quiet]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out == ("" if quiet else "The scheduler has ended.\n")


def test_a_worker_gets_what_was_typed(
    tmp_path: Path, opaque_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    def serve(address: str, **others: object) -> None:
        given.update(others, address=address)
        raise KeyboardInterrupt

    node = SimpleNamespace(serve_worker=serve)
    monkeypatch.setitem(sys.modules, "matting.workers.cluster.worker_node", node)
    monkeypatch.chdir(tmp_path)
    there = "/there/films"
    words = ["worker", "localhost", "--device", "cpu", "--map", f"{there}={tmp_path}"]
    assert main([*words, "--checkpoint", str(opaque_checkpoint), "--threads", "3"]) == 0
    assert given["address"] == "tcp://localhost:8786"
    assert (given["device"], given["threads"]) == ("cpu", 3)
    assert given["checkpoint"] == opaque_checkpoint
    assert given["certificates"] is None
    assert given["mapping"].to_here(f"{there}/a.mp4") == tmp_path / "a.mp4"
    assert main(["worker", "localhost", "--map", "nowhere"]) == InputError.exit_code
    assert main(["worker", "localhost", "--device", "cuda:99"]) != 0  # at once, not by a job
    gone = ["--checkpoint", str(tmp_path / "gone.pth")]
    assert main(["worker", "localhost", *gone]) == InputError.exit_code


def test_missing_packages_are_named_with_what_installs_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise MissingError("distributed is missing.", "pip install it")

    monkeypatch.setattr("matting.workers.cluster.installed.require_dask", refuse)
    for words in (["scheduler"], ["worker", "localhost"]):
        assert main(words) == MissingError.exit_code
        assert "pip install it" in capsys.readouterr().err
