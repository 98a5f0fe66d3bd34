"""What is known of a file is read once, kept in bounds, and read again when the file changes."""

from __future__ import annotations

import os
import pickle
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from matting.errors import InputError, MediaError
from matting.media.media_index import IndexCache, IndexPart, MediaIndex
from matting.media.packet_table import DISCARDED, KEY
from matting.media.probe import frame_times, packet_sizes, probe, read_contents, read_spatial
from matting.media.stream_times import NO_TIME
from matting.media.video_info import VideoInfo
from tests.support.clips import make_clip
from tests.support.opens import OpenCounter

ALL = IndexPart.MOOV | IndexPart.START | IndexPart.PACKETS
SUFFIXES = ["mp4", "mov", "mkv", "ts", "avi"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_table_holds_what_the_container_lists(suffix: str, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / f"clip.{suffix}", 30, options={"bf": "2"}, audio=True)
    table = IndexCache().get(clip, IndexPart.PACKETS).packets
    with av.open(str(clip)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    unknown = {None: NO_TIME}
    assert table.pts.tolist() == [unknown.get(p.pts, p.pts) for p in packets]
    assert table.sizes.tolist() == [p.size for p in packets]
    assert ((table.marks & KEY) != 0).tolist() == [p.is_keyframe for p in packets]
    assert not (table.marks & DISCARDED).any()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_parts_are_the_same_together_and_one_by_one(suffix: str, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / f"clip.{suffix}", 12, audio=True)
    together = IndexCache().get(clip, ALL)
    cache = IndexCache()
    for part in (IndexPart.HEADER, IndexPart.START, IndexPart.PACKETS, IndexPart.MOOV):
        cache.get(clip, part)
    one_by_one = cache.get(clip, ALL)
    for index in (together, one_by_one):
        assert index.parts == ALL
    assert together.info == one_by_one.info
    assert together.streams == one_by_one.streams
    assert together.start == one_by_one.start
    assert together.moov == one_by_one.moov
    assert np.array_equal(together.packets.pts, one_by_one.packets.pts)


def test_all_questions_open_a_file_once_for_each_part(
    tmp_path: Path, open_counter: OpenCounter
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 12)
    for _ in range(2):
        frame_times(clip)
        packet_sizes(clip)
        probe(clip)
        read_spatial(clip)
        read_contents(clip)
    assert open_counter.demuxed(clip) == 2  # all packets; then the first of them, decoded
    assert open_counter.read(clip) == 1  # MP4's boxes


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 12)
    cache = IndexCache()
    before = cache.get(clip, ALL)
    assert cache.get(clip, ALL) is before
    # As by a program that keeps the time of change: the size tells.
    status = clip.stat()
    make_clip(clip, 20)
    os.utime(clip, ns=(status.st_atime_ns, status.st_mtime_ns))
    longer = cache.get(clip, ALL)
    assert len(longer.packets.pts) == 20
    # Of the same size, changed later.
    os.utime(clip, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))
    assert cache.get(clip, ALL) is not longer


def test_a_file_that_changes_while_it_is_read_is_not_kept(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 12)
    cache = IndexCache()

    def change(_info: VideoInfo) -> None:
        os.utime(clip, ns=(1, 1))

    index = cache.get(clip, IndexPart.PACKETS, accept=change)
    assert cache.get(clip, IndexPart.PACKETS) is not index


def test_what_is_about_to_be_written_can_be_forgotten(tmp_path: Path) -> None:
    """On a disk that counts in seconds, a change may leave no other stamp behind."""
    clip = make_clip(tmp_path / "clip.mp4", 12)
    cache = IndexCache()
    index = cache.get(clip, IndexPart.HEADER)
    cache.forget(clip)
    assert cache.get(clip, IndexPart.HEADER) is not index


def test_what_is_not_accepted_is_not_read(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 12)
    cache = IndexCache()
    cache.get(clip, IndexPart.PACKETS)

    def refuse(info: VideoInfo) -> None:
        raise MediaError(f"{info.path} is refused.")

    for path in (clip, make_clip(tmp_path / "other.mp4", 12)):
        with pytest.raises(MediaError, match=f"{path.name} is refused"):
            cache.get(path, IndexPart.PACKETS, accept=refuse)


@pytest.mark.parametrize(("most_files", "most_packets"), [(2, 1000), (9, 25)])
def test_only_the_latest_are_kept(most_files: int, most_packets: int, tmp_path: Path) -> None:
    clips = [make_clip(tmp_path / f"{name}.mp4", 10) for name in "abc"]
    cache = IndexCache(most_files, most_packets)
    first, second, third = (cache.get(clip, IndexPart.PACKETS) for clip in clips)
    assert cache.get(clips[2], IndexPart.PACKETS) is third
    assert cache.get(clips[1], IndexPart.PACKETS) is second
    assert cache.get(clips[0], IndexPart.PACKETS) is not first
    # Asked for least recently of the two that were kept.
    assert cache.get(clips[1], IndexPart.PACKETS) is second
    assert cache.get(clips[2], IndexPart.PACKETS) is not third


def test_one_file_larger_than_the_bounds_is_kept_alone(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 30)
    cache = IndexCache(most_packets=10)
    assert cache.get(clip, IndexPart.PACKETS) is cache.get(clip, IndexPart.PACKETS)


def test_many_threads_read_a_file_once(tmp_path: Path, open_counter: OpenCounter) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 30)
    cache = IndexCache()
    found: list[MediaIndex] = []
    threads = [
        threading.Thread(target=lambda: found.append(cache.get(clip, IndexPart.PACKETS)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(index is found[0] for index in found)
    assert open_counter.demuxed(clip) == 1


def test_another_process_may_take_an_index_over(tmp_path: Path, open_counter: OpenCounter) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 12)
    own = IndexCache()
    assert own.known(clip) is None
    own.get(clip, ALL)
    sent = pickle.loads(pickle.dumps(own.known(clip)))
    cache = IndexCache()
    cache.adopt(sent)
    assert cache.get(clip, ALL) is sent
    assert open_counter.demuxed(clip) == 1
    make_clip(clip, 20)
    assert len(cache.get(clip, ALL).packets.pts) == 20


def test_an_error_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    cache = IndexCache()
    with pytest.raises(InputError, match="is not there"):
        cache.get(path, IndexPart.HEADER)
    path.write_bytes(b"no video at all")
    with pytest.raises(MediaError, match="cannot be read as a video"):
        cache.get(path, IndexPart.HEADER)
    assert cache.get(make_clip(path, 5), IndexPart.HEADER).info.rate == Fraction(30)


def test_parts_that_were_not_asked_for_are_no_facts(tmp_path: Path) -> None:
    index = IndexCache().get(make_clip(tmp_path / "clip.mp4", 5), IndexPart.HEADER)
    with pytest.raises(ValueError, match="not asked for"):
        _ = index.packets
    with pytest.raises(ValueError, match="not asked for"):
        _ = index.start
