"""Sentences in a window: broken between words, whatever the width, and never inside a path."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matting.cli.wrapping import columns, wrap

NAMES = st.text("ab ", min_size=1, max_size=12).map(str.strip).filter(bool)
WORDS = st.lists(st.text("abc.", min_size=1, max_size=9), max_size=12).map(" ".join)


def unbroken_spaces(text: str) -> str:
    return " ".join(text.split())


@given(before=WORDS, folders=st.lists(NAMES, min_size=1), stem=NAMES, after=WORDS, data=st.data())
@settings(deadline=None, max_examples=60)
def test_no_path_is_broken_and_no_word_is_lost(
    before: str, folders: list[str], stem: str, after: str, data: st.DataObject
) -> None:
    start = data.draw(st.sampled_from(["/", "C:\\", "\\\\server\\"]))
    path = start + ("\\" if "\\" in start else "/").join([*folders, f"{stem}.mp4"])
    path = unbroken_spaces(path)
    width = data.draw(st.integers(10, 100))
    sentence = unbroken_spaces(f"{before}: {path}, {after} and the rest of it.")
    lines = wrap(sentence, width, [unbroken_spaces(stem)])
    assert " ".join(lines) == sentence
    assert any(path in line for line in lines)
    for line in lines:
        assert columns(line) <= width or " " not in line.replace(path, "") or path in line


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Cut: 9 frames: /home/a b/my clip_segments", ["/home/a b/my clip_segments"]),
        (
            "/home/x y/a.mp4 was made from another video than /home/x y/b.mp4.",
            ["/home/x y/a.mp4", "/home/x y/b.mp4."],
        ),
        (
            "Help: '/my rvm/.venv/bin/python' '/my rvm/inference_custom.py' segment --help",
            ["'/my rvm/.venv/bin/python' '/my rvm/inference_custom.py' segment --help"],
        ),
        ("Install it again: python -m pip install av", ["python -m pip install av"]),
        ("Help: rvm-segments run --help", ["rvm-segments run --help"]),
        ("Help: python -m rvm_segments run --help", ["python -m rvm_segments run --help"]),
        ("take 1.mp4: The part that mattes broke off.", ["take 1.mp4:"]),
        ("D:\\My Videos\\new take\\clip.mp4 is empty.", ["D:\\My Videos\\new take\\clip.mp4"]),
    ],
)
def test_what_is_to_be_copied_is_in_one_line(text: str, pieces: list[str]) -> None:
    for width in (12, 20, 40):
        lines = wrap(text, width, ["take 1"])
        assert " ".join(lines) == text
        for piece in pieces:
            assert any(piece in line for line in lines), lines


def test_tables_and_short_lines_stay_and_indents_go_on() -> None:
    assert wrap("name      value and more", 10) == ["name      value and more"]
    assert wrap("", 10) == [""]
    assert wrap("  one two three", 9) == ["  one two", "  three"]
    assert wrap("\u540d\u524d \u540d\u524d", 5) == ["\u540d\u524d", "\u540d\u524d"]
