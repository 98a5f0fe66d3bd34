"""Tags reach ffmpeg through a file as they were, whatever characters they hold."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import av
from hypothesis import given, settings
from hypothesis import strategies as st

from matting.media.ffmetadata import ffmetadata

# All that has a meaning in such files or on a console, and any other character but NUL.
ODD = st.sampled_from([*"=;#\\[]\n\r\t \x01\x85\u2028\u202e", "[STREAM]", "[CHAPTER]"])
ANY = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXT = st.lists(ODD | ANY, min_size=1, max_size=8).map("".join)
# FFmpeg takes no notice of a key's case.
TAGS = st.lists(st.tuples(TEXT, TEXT), max_size=6, unique_by=lambda tag: tag[0].lower()).map(dict)


def read(content: bytes, path: Path) -> tuple[dict[str, str], list[dict[str, str]]]:
    path.write_bytes(content)
    with av.open(str(path), format="ffmetadata") as container:
        return dict(container.metadata), [dict(stream.metadata) for stream in container.streams]


@given(TAGS, st.lists(TAGS, max_size=3))
@settings(max_examples=60, deadline=None)
def test_odd_tags_come_through(tags: dict[str, str], streams: list[dict[str, str]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tags.txt"
        assert read(ffmetadata(tags, streams), path) == (tags, streams)


def test_long_tags_come_through_and_what_has_no_place_is_left_out(tmp_path: Path) -> None:
    long = {"comment": "x\\" * 70_000, "k" * 5000: "v"} | {f"key{i}": str(i) for i in range(1000)}
    nothing = {"empty": "", "": "keyless", "nul\0": "a\0b", "half\ud800": "c"}
    tags, streams = read(ffmetadata({**long, **nothing}, [{}, {"a": "b"}]), tmp_path / "tags.txt")
    assert tags == {**long, "nul": "ab", "half?": "c"}
    assert streams == [{}, {"a": "b"}]
