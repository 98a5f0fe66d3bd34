"""Whatever a name or a tag holds, it is shown as one line that is harmless and still readable."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from matting.system.atomic_files import json_text
from matting.system.text import UNSAFE, printable, printable_lines

any_text = st.text(st.characters(categories=None))
SURROGATES = re.compile("[\ud800-\udfff]")
BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@given(any_text)
@example("\ud800\udcff\x00\x1b[31m\x85\x9b\u202e\u2028\u2029\u2066\ufffe\r\n\t")
def test_any_text_becomes_one_harmless_line(text: str) -> None:
    shown = printable(text)
    for character in shown:
        assert unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
        assert unicodedata.bidirectional(character) not in BIDI_CONTROLS
    assert len(shown.splitlines()) <= 1
    shown.encode()
    assert printable(shown) == shown


@given(any_text)
def test_what_is_harmless_stays(text: str) -> None:
    harmless = UNSAFE.sub("", text)
    assert printable(harmless) == harmless
    shown = printable(text)
    for part in UNSAFE.split(text):
        assert part in shown


@pytest.mark.parametrize(
    "name",
    [
        "C:\\Users\\r\\new.mp4",
        "\u6620\u753b \u304c\u304d\u3099.mp4",  # Japanese, composed and not
        "\u0641\u064a\u0644\u0645 \u06cc\u200c\u06cc \u05e1\u05e8\u05d8\u200f.mp4",
        "\u0939\u093f\u0928\u094d\u0926\u0940 \u0e20\u0e32\u0e1e \ud55c\uad6d\uc5b4",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f3f4\U000e0067\U000e0062\u2764\ufe0f.mp4",
        'it\'s "quoted" 100% & more',
    ],
)
def test_names_in_all_alphabets_stay(name: str) -> None:
    assert printable(name) == name


@given(st.dictionaries(any_text, any_text, max_size=3))
def test_json_says_the_same(value: dict[str, str]) -> None:
    text = json_text(value)
    assert json.loads(text) == value
    for line in text.split("\n"):
        assert printable(SURROGATES.sub("", line)) == SURROGATES.sub("", line)


def test_how_they_are_shown() -> None:
    assert printable("a\nb\t\x07\x9b\u202e\udce9\ud800") == r"a\nb\t\x07\x9b\u202e\xe9\ud800"
    assert printable_lines("one\r\ntwo\u2028") == "one\\r\ntwo\\u2028"
