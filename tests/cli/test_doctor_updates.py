"""Whether a newer release is there: what is made of any answer, and that nobody asks unasked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from matting.cli.doctor_updates import judge
from matting.system import releases
from matting.system.releases import NoAnswerError, is_newer, newest_release
from tests.support.made_up_computer import Computer, ask
from tests.support.recorder import Recorder
from tests.system.test_download import head, sent, serving


def answer(content: bytes) -> bytes:
    return head(f"Content-Length: {len(content)}", "Connection: close") + content


@pytest.mark.parametrize(
    ("content", "number"),
    [
        ({"version": "1.2.3"}, "1.2.3"),
        ({"tag_name": "v0.10", "body": "text"}, "0.10"),
        ({"version": "1.0\n\x1b[31m"}, None),
        ({"version": 1}, None),
        ({"name": "1.0"}, None),
        ([{"version": "1.0"}], None),
        ({"version": "1" * 1000}, None),
    ],
)
def test_only_a_number_is_taken_from_the_answer(content: object, number: str | None) -> None:
    with serving(sent(answer(json.dumps(content).encode()))) as url:
        if number is not None:
            assert newest_release(url) == number
            return
        with pytest.raises(NoAnswerError, match="names no release"):
            newest_release(url)


def test_an_answer_that_is_none_is_a_clause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "LIMITS", releases.LIMITS._replace(largest_bytes=1000))
    for content, reason in (
        (answer(b"<html>sign in</html>"), "no announcement"),
        (answer(b"[" * 900), "no announcement"),
        (answer(b" " * 1001), "more came than the 1000 bytes"),
        (b"HTTP/1.1 404 Gone\x1b[31m\r\nContent-Length: 0\r\n\r\n", r"Gone\\x1b\[31m"),
    ):
        with serving(sent(content)) as url, pytest.raises(NoAnswerError, match=reason):
            newest_release(url)


def test_releases_are_compared_by_their_numbers() -> None:
    assert is_newer("1.10", "1.9") and is_newer("0.1.1", "0.1") and is_newer("1", "0.9.9")
    assert not is_newer("1.0", "1") and not is_newer("0.1.0", "0.1") and not is_newer("1.9", "1.10")


def test_the_doctor_asks_only_where_it_is_asked(tmp_path: Path, progress: Recorder) -> None:
    class Asking(Computer):
        def newest_release(self) -> str:
            asked.append(True)
            return "99.1"

    asked: list[bool] = []
    assert "Updates" not in ask(Asking(), tmp_path, progress).rows and not asked
    state, text = ask(Asking(), tmp_path, Recorder(), updates=True).rows["Updates"]
    assert state == "note" and text.startswith("99.1 is there, and this is 0.")
    assert len(asked) == 1


def test_the_address_is_in_one_place_and_without_one_the_doctor_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(releases.VARIABLE, raising=False)
    assert releases.place() == releases.ADDRESS
    monkeypatch.setenv(releases.VARIABLE, "https://releases.example/newest.json")
    assert releases.place() == "https://releases.example/newest.json"
    assert releases.VARIABLE in judge("").text
    assert judge("0.1", own="0.1.0").text == "0.1.0 is the newest release"
