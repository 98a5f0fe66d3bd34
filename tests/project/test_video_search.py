"""Which videos a folder holds: what opens as one, but for what this program has made."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from matting.errors import InputError
from matting.project import video_search
from matting.project.video_search import find_videos
from tests.support.clips import make_clip
from tests.support.recorder import Recorder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    inner = folder / "inner"
    inner.mkdir(parents=True)
    clip = make_clip(folder / "clip 2.mp4", 2)
    for name in ("clip 10.mov", "no suffix", "clip_MATTED.mp4", "clip_MATTED_LR_180_SBS.mp4"):
        shutil.copyfile(clip, folder / name)
    shutil.copyfile(clip, inner / "deep.mp4")
    os.link(clip, folder / "other name.mp4")
    (folder / "broken.mp4").write_bytes(b"no video" * 100)
    for name in ("notes.txt", "picture.jpg", "rest.mp4.0123456789abcdef.partial", ".hidden.mp4"):
        shutil.copyfile(clip, folder / name)
    (folder / "empty.mp4").touch()
    for own, records in (
        ("clip_segments", ["segments.json"]),
        ("clip_segments_matted", ["manifest.json", "processed.json"]),
    ):
        (folder / own).mkdir()
        shutil.copyfile(clip, folder / own / "output_000.mp4")
        for record in records:
            (folder / own / record).touch()
    (inner / "loop").symlink_to(folder)
    return folder


def test_what_opens_as_a_video_is_taken(folder: Path) -> None:
    found = find_videos(folder, Recorder(), recursive=False)
    assert [path.name for path in found.files] == ["clip 2.mp4", "clip 10.mov", "no suffix"]
    left_out = {reason: [path.name for path in paths] for reason, paths in found.left_out.items()}
    assert left_out == {
        video_search.WORKING_FOLDERS: ["clip_segments", "clip_segments_matted"],
        video_search.RESULTS: ["clip_MATTED.mp4", "clip_MATTED_LR_180_SBS.mp4"],
        video_search.SAME: ["other name.mp4"],
        video_search.INNER_FOLDERS: ["inner"],
        video_search.NO_VIDEOS: ["broken.mp4"],
    }
    assert len(list(found.notes())) == len(left_out)


def test_folders_inside_are_looked_into_but_no_links(folder: Path) -> None:
    found = find_videos(folder, Recorder(), recursive=True)
    assert found.files[-1] == folder / "inner" / "deep.mp4"
    assert len(found.files) == 4
    assert found.left_out[video_search.LINKS] == [folder / "inner" / "loop"]


def test_a_working_folder_is_refused_as_a_whole(folder: Path) -> None:
    own = folder / "clip_segments_matted"
    (own / "COMPOSITE").mkdir()
    for given in (folder / "clip_segments", own, own / "COMPOSITE"):
        with pytest.raises(InputError, match="working folder"):
            find_videos(given, Recorder(), recursive=True)


def test_more_than_can_be_looked_at_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_search, "MOST_ENTRIES", 5)
    with pytest.raises(InputError, match="too many"):
        find_videos(folder, Recorder(), recursive=True)
