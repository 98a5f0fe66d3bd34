"""Stage three joins all segments at the source's times, or names those that are missing."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path

import av
import pytest

from matting.combine import combine
from matting.errors import EncodeError, InputError
from matting.infer import infer
from matting.media import concat
from matting.media.concat import JoinPart, check_joined, join
from matting.media.foreign_files import guarded_reading
from matting.media.packet_table import decode_times
from matting.options import CuttingOptions, EncodingOptions, OutputKind, OutputOptions, VideoCodec
from matting.progress import Progress
from matting.project.paths import MattedFolder
from matting.segment import segment
from matting.system.file_lock import LOCK_FILE
from tests.support import harmful_reads
from tests.support.clips import decode, make_clip, numbers, times
from tests.support.file_systems import refuse_writing
from tests.support.opens import OpenCounter
from tests.support.recorder import Recorder
from tests.support.repository import ROOT
from tests.support.stages import FAST, SECOND, composites, cut, matte, matting_options


@pytest.fixture(scope="module")
def matted_once(tmp_path_factory: pytest.TempPathFactory, opaque_checkpoint: Path) -> Path:
    """Return a folder with a clip of 70 frames that is matted in three segments."""
    folder = tmp_path_factory.mktemp("matted")
    matte(cut(folder, Recorder()), opaque_checkpoint, Recorder())
    return folder


@pytest.fixture
def matted(matted_once: Path, tmp_path: Path) -> MattedFolder:
    """Return the matted folder of a copy for one test."""
    shutil.copytree(matted_once, tmp_path, dirs_exist_ok=True)
    return MattedFolder.of(tmp_path / "clip_segments")


def test_all_frames_at_the_sources_times(
    tmp_path: Path, progress: Recorder, matted: MattedFolder
) -> None:
    combined = combine(matted.root, None, progress)
    assert combined == matted.root / "COMPOSITE_SEGMENTS_COMBINED.mp4"
    assert numbers(combined) == list(range(70))
    assert times(combined) == times(tmp_path / "clip.mp4")
    assert not list(matted.root.glob("*.partial"))


def test_folders_on_a_read_only_share_with_results_elsewhere(
    tmp_path: Path,
    progress: Recorder,
    opaque_checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    segments = cut(tmp_path, progress)
    refuse_writing(segments, monkeypatch)
    folder = matte(segments, opaque_checkpoint, progress, tmp_path / "mine")
    refuse_writing(folder.root, monkeypatch)
    combined = combine(folder.root, tmp_path / "elsewhere", progress)
    assert combined.parent.parent == tmp_path / "elsewhere"
    assert numbers(combined) == list(range(70))


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_variable_rate_and_odd_ticks(
    codec: str, tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    pts = [index * 1001 + (index % 4) * 90 + 500 for index in range(60)]
    video = make_clip(tmp_path / "a.mp4", 60, pts=pts, time_base=Fraction(1, 30000))
    segments = segment(video, SECOND, None, progress)
    output = OutputOptions(encoding=EncodingOptions(VideoCodec(codec)))
    folder = infer(segments, matting_options(opaque_checkpoint, output), None, progress)
    combined = combine(folder.root, None, progress)
    presented = times(combined)
    expected = [Fraction(p - pts[0], 30000) for p in pts]
    assert [time - presented[0] for time in presented] == expected
    assert numbers(combined) == list(range(60))


def test_the_rate_survives_many_joins(
    tmp_path: Path, progress: Recorder, empty_checkpoint: Path
) -> None:
    rate = Fraction(30000, 1001)
    video = make_clip(tmp_path / "a.mp4", 120, rate=rate, gop=3, size=(32, 16))
    segments = segment(video, CuttingOptions(seconds=Fraction(1, 10)), None, progress)
    folder = matte(segments, empty_checkpoint, progress)
    assert len(composites(folder)) == 40
    combined = combine(folder.root, None, progress)
    assert times(combined) == [index / rate for index in range(120)]
    with av.open(str(combined)) as container:
        assert container.streams.video[0].average_rate == rate


def test_2400_joins_do_not_drift(tmp_path: Path) -> None:
    rate = Fraction(30_000, 1001)
    clips = [
        make_clip(tmp_path / f"{n}.mp4", n, rate=rate, size=(32, 32), gop=4) for n in (1, 2, 3)
    ]
    counts = [1 + index % 3 for index in range(2401)]
    time_base = Fraction(1, 30_000)
    starts = [1001 * sum(counts[:index]) for index in range(len(counts))]
    parts = [JoinPart(clips[n - 1], start) for n, start in zip(counts, starts, strict=True)]
    target = tmp_path / "joined.mp4"
    expected = join(parts, time_base, target, Progress())
    check_joined(target, expected, time_base, Progress())
    presented = times(target)
    assert len(presented) == sum(counts)
    assert all(abs(time - n / rate) <= time_base for n, time in enumerate(presented))


@pytest.mark.parametrize(("counts", "reads"), [((20, 1), 1), ((1, 20), 2)])
def test_a_part_is_read_once_unless_a_later_one_needs_more_delay(
    counts: tuple[int, int],
    reads: int,
    tmp_path: Path,
    open_counter: OpenCounter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own, target, progress = Fraction(1, 15360), tmp_path / "joined.mp4", Recorder()
    reordered = {"bf": "2", "b_strategy": "0"}
    clips = [make_clip(tmp_path / f"{n}.mp4", n, options=reordered) for n in counts]
    starts = (0, counts[0] * 512)
    parts = [
        JoinPart(clip, start, tuple(range(0, count * 512, 512)))
        for clip, start, count in zip(clips, starts, counts, strict=True)
    ]
    expected = join(parts, own, target, progress)
    assert [open_counter.demuxed(clip) for clip in clips] == [reads, reads]
    assert expected == [512 * frame for frame in range(21)]
    assert progress.done == 21
    check_joined(target, expected, own, Progress())
    content = target.read_bytes()
    monkeypatch.setattr(concat, "MOST_HELD_BYTES", 0)
    join(parts, own, target, Progress())
    assert target.read_bytes() == content


def test_a_joined_file_with_wrong_times_or_damage_is_found(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 20)
    own = Fraction(1, 15360)
    parts = [JoinPart(clip, 0), JoinPart(clip, 20 * 512)]
    expected = join(parts, own, tmp_path / "two.mp4", Progress())
    check_joined(tmp_path / "two.mp4", expected, own, Progress())
    late = [*expected[:-1], expected[-1] + 2]
    for wrong in (expected[:-1], late):
        with pytest.raises(EncodeError, match="at other times"):
            check_joined(tmp_path / "two.mp4", wrong, own, Progress())
    content = bytearray((tmp_path / "two.mp4").read_bytes())
    middle = content.index(b"mdat") + 2000
    content[middle : middle + 600] = bytes(600)
    (tmp_path / "broken.mp4").write_bytes(content)
    with pytest.raises(EncodeError, match="damaged"):
        check_joined(tmp_path / "broken.mp4", expected, own, Progress())


def test_alpha_and_foreground_are_combined_too(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    output = OutputOptions(
        kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA, OutputKind.FOREGROUND), encoding=FAST
    )
    segments = cut(tmp_path, progress, 40)
    folder = infer(segments, matting_options(opaque_checkpoint, output), None, progress)
    combine(folder.root, None, progress)
    assert numbers(folder.combined(OutputKind.FOREGROUND)) == list(range(40))
    assert len(decode(folder.combined(OutputKind.ALPHA))) == 40
    for path in (folder.combined(OutputKind.FOREGROUND), *composites(folder)):
        content = path.read_bytes()
        assert content.index(b"moov") < content.index(b"mdat")  # players find the header first


@pytest.mark.parametrize("how", ["deleted", "damaged", "failed"])
def test_segments_that_are_not_done_are_named(
    how: str, progress: Recorder, matted: MattedFolder
) -> None:
    combined = combine(matted.root, None, progress)
    earlier = combined.read_bytes()
    middle = composites(matted)[1]
    if how == "deleted":
        middle.unlink()
    elif how == "damaged":
        middle.write_bytes(middle.read_bytes()[:-1])
    else:
        text = matted.processed.read_text(encoding="utf-8")
        matted.processed.write_text(
            text.replace('"output_001.mp4": true', '"output_001.mp4": false'), encoding="utf-8"
        )
    with pytest.raises(InputError, match="1 of 3 segments are not done: output_001.mp4"):
        combine(matted.root, None, progress)
    assert combined.read_bytes() == earlier


def test_a_manifest_that_lost_a_segment_is_refused(
    progress: Recorder, matted: MattedFolder
) -> None:
    manifest = json.loads(matted.manifest.read_text(encoding="utf-8"))
    manifest["segments"]["output_001.mp4"]["frames"] += 2**31
    matted.manifest.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(
        InputError, match=r"manifest\.json is damaged: output_001\.mp4 was cut with"
    ):
        combine(matted.root, None, progress)
    del manifest["segments"]["output_001.mp4"]
    matted.manifest.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(InputError, match="does not hold all that was cut"):
        combine(matted.root, None, progress)


def test_an_intact_combined_file_is_left_alone(progress: Recorder, matted: MattedFolder) -> None:
    written = combine(matted.root, None, progress).stat().st_mtime_ns
    assert combine(matted.root, None, progress).stat().st_mtime_ns == written
    assert progress.mentions("Already combined")
    content = bytearray(matted.combined().read_bytes())
    content[-200] ^= 1
    matted.combined().write_bytes(content)
    assert numbers(combine(matted.root, None, progress)) == list(range(70))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"version": 99}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_record_that_cannot_be_read_means_to_combine_anew(
    content: bytes, progress: Recorder, matted: MattedFolder
) -> None:
    combined = combine(matted.root, None, progress)
    record = combined.with_suffix(".json")
    intact = record.read_bytes()
    record.write_bytes(content)
    assert numbers(combine(matted.root, None, progress)) == list(range(70))
    assert not progress.mentions("Already combined")
    assert record.read_bytes() == intact
    combine(matted.root, None, progress)
    assert progress.mentions("Already combined")


def test_other_files_in_the_folder_are_ignored(progress: Recorder, matted: MattedFolder) -> None:
    make_clip(matted.output_folder(OutputKind.COMPOSITE) / "output_0005.mp4", 5)
    assert numbers(combine(matted.root, None, progress)) == list(range(70))


def test_a_folder_not_made_by_infer_is_refused(tmp_path: Path, progress: Recorder) -> None:
    segments = cut(tmp_path, progress, 10)
    for path, words in (
        (segments, "no results of infer"),
        (tmp_path / "gone", "not there"),
        (tmp_path / "clip.mp4", "a file"),
    ):
        with pytest.raises(InputError, match=words):
            combine(path, None, progress)


@pytest.mark.parametrize(
    ("presented", "decoded"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3]),
        ([0, 2, 1, 4, 3], [-1, 0, 1, 2, 3]),
        ([5], [5]),
        ([0, 8, 4, 2, 6], [-4, -2, 0, 2, 4]),
    ],
)
def test_decoding_times(presented: list[int], decoded: list[int]) -> None:
    assert decode_times(presented) == decoded
    assert all(d <= p for d, p in zip(decoded, presented, strict=True))


def test_another_process_joins_and_a_crash_there_is_reported(
    tmp_path: Path,
    progress: Recorder,
    open_counter: OpenCounter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(ROOT / "tests" / "data" / "earlier_jobs" / "finished", tmp_path / "job")
    matted = MattedFolder(tmp_path / "job" / "clip_segments_matted")
    matted.combined().unlink()
    before = sorted(tmp_path.rglob("*"))
    with guarded_reading():
        with monkeypatch.context() as patch, pytest.raises(EncodeError, match="crashed"):
            patch.setattr("matting.media.concat._check_times", harmful_reads.crash)
            combine(matted.root, None, progress)
        left = sorted(path for path in tmp_path.rglob("*") if not LOCK_FILE.match(path.name))
        assert left == before
        combined = combine(matted.root, None, progress)
    assert progress.done == len(times(combined))
    results = matted.output_folder(OutputKind.COMPOSITE).iterdir()
    assert not sum(map(open_counter.demuxed, results))
    assert not open_counter.demuxed_before_published(combined)
