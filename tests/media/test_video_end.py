"""Whether a video is there to its end."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from matting.media.video_end import is_whole_at_end
from tests.support.clips import make_clip

SECONDS = 12


def with_header_first(clip: Path) -> Path:
    """Copy an MP4 so that its header comes first, as in those made for the web."""
    path = clip.with_name(f"first_{clip.name}")
    with (
        av.open(str(clip)) as source,
        av.open(str(path), "w", options={"movflags": "faststart"}) as target,
    ):
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_part_of_a_video_is_not_whole(tmp_path: Path, name: str) -> None:
    clip = make_clip(tmp_path / name, 30 * SECONDS, audio=True)
    if name.endswith(".mp4"):
        clip = with_header_first(clip)
    assert is_whole_at_end(clip)
    content = clip.read_bytes()
    for share in (0.01, 0.5, 0.9):
        clip.write_bytes(content[: int(len(content) * share)])
        assert not is_whole_at_end(clip), share


def test_a_stream_that_says_nothing_of_its_end_is_whole_where_it_decodes(tmp_path: Path) -> None:
    assert is_whole_at_end(make_clip(tmp_path / "a.ts", 60, audio=True))


def test_a_copy_of_full_size_whose_end_is_empty_is_not_whole(tmp_path: Path) -> None:
    """As copies are that take their room first."""
    clip = with_header_first(make_clip(tmp_path / "a.mp4", 60))
    content = clip.read_bytes()
    clip.write_bytes(content[: len(content) // 2] + bytes(len(content) - len(content) // 2))
    assert not is_whole_at_end(clip)


def test_what_is_no_video_is_not_whole(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video" * 1000)
    assert not is_whole_at_end(tmp_path / "a.mp4")
    assert not is_whole_at_end(tmp_path / "gone.mp4")
