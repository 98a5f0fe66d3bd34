"""What is no record is refused with an `InputError` that names the file, whatever it is."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from benchmarks.faults.json_edits import edited
from matting.cutting.checkpoint import CutCheckpoint
from matting.errors import InputError
from matting.project.join_record import JoinRecord
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.project.plan import read_plan
from matting.project.source_fingerprint import SourceFingerprint
from matting.system.files import sha256
from tests.support.repository import ROOT

EARLIER_JOBS = ROOT / "tests" / "data" / "earlier_jobs"
JOB_FILES = {
    "segments.json": "finished/clip_segments/segments.json",
    "manifest.json": "finished/clip_segments_matted/manifest.json",
    "processed.json": "finished/clip_segments_matted/processed.json",
    "join record": "finished/clip_segments_matted/COMPOSITE_SEGMENTS_COMBINED.json",
    "kept.json": "damaged/clip_segments/.cutting/kept.json",
}
LIMIT_SECONDS = 5.0  # of a machine that does other things, too; alone it takes milliseconds
in_this_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)


class Job:
    """A copy of an earlier version's jobs, one file of which is replaced by something hostile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("finished", "damaged"):
            shutil.copytree(EARLIER_JOBS / name, folder / name)

    def reader(self, name: str) -> Callable[[], object]:
        finished, damaged = self.folder / "finished", self.folder / "damaged"
        matted = MattedFolder(finished / "clip_segments_matted")
        video, work = damaged / "clip.mp4", damaged / "clip_segments" / ".cutting"
        readers: dict[str, Callable[[], object]] = {
            "segments.json": lambda: read_plan(finished / "clip_segments"),
            "manifest.json": lambda: Ledger(matted),
            "processed.json": lambda: Ledger(matted),
            "join record": lambda: JoinRecord.read(matted.combined()),
            "kept.json": lambda: CutCheckpoint.read(
                work,
                video,
                replace(SourceFingerprint.of(video), content_sha256=sha256(video)),
                Fraction(1, 3),
            ),
        }
        return readers[name]

    def refuses(self, name: str, content: str) -> bool:
        """Return whether the file `name` with `content` is refused in a sentence that names it.

        A checkpoint is never refused: what is no checkpoint is none.
        """
        path = self.folder / JOB_FILES[name]
        path.write_text(content, encoding="utf-8", errors="surrogatepass")
        try:
            value = self.reader(name)()
        except InputError as error:
            assert str(path) in error.what
            assert len(error.what) < len(str(path)) + 300
            assert error.hint
            return True
        return name == "kept.json" and value is None


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


@pytest.mark.parametrize("name", JOB_FILES)
def test_the_jobs_own_files_are_taken(name: str, job: Job) -> None:
    content = (EARLIER_JOBS / JOB_FILES[name]).read_text(encoding="utf-8")
    assert not job.refuses(name, content)


@pytest.mark.parametrize("name", JOB_FILES)
@in_this_folder
@given(data=st.data())
def test_altered_records_are_taken_or_refused(name: str, job: Job, data: st.DataObject) -> None:
    original = (EARLIER_JOBS / JOB_FILES[name]).read_text(encoding="utf-8")
    rng = data.draw(st.randoms(use_true_random=False))
    started = time.monotonic()
    job.refuses(name, edited(original, rng))
    assert time.monotonic() - started < LIMIT_SECONDS


@pytest.mark.parametrize("name", JOB_FILES)
@in_this_folder
@given(text=st.text())
def test_texts_are_refused(name: str, job: Job, text: str) -> None:
    try:
        is_object = isinstance(json.loads(text), dict)
    except ValueError:
        is_object = False
    assert is_object or job.refuses(name, text)


DEEP = 100_000
LARGE = 50_000_000  # bytes


@pytest.mark.parametrize("name", JOB_FILES)
@pytest.mark.parametrize(
    "content",
    [
        "[" * DEEP,
        "[" * DEEP + "]" * DEEP,
        '{"version":' * DEEP + "1" + "}" * DEEP,
        "9" * 10_000_000,
        '"' + "a" * 10_000_000 + '"',
        "\ufeff",
        "\0",
        "NaN",
        "null",
        "[]",
        '"version"',
    ],
    ids=lambda content: content[:12],
)
def test_hostile_files_are_refused(name: str, content: str, job: Job) -> None:
    assert job.refuses(name, content)


PLAN, MANIFEST, JOIN = "segments.json", "manifest.json", "join record"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (PLAN, '"version": 3', '"version": 4'),
        (PLAN, '"version": 3', '"version": 3, "version": 3'),
        (PLAN, '"1/15360"', '"1e-999999999"'),
        (PLAN, '"1/15360"', '"1/0"'),
        (PLAN, '"1/15360"', '"-1/15360"'),
        (PLAN, '"1/15360"', "0.5"),
        (PLAN, '"rate": "30"', '"rate": "0"'),
        (PLAN, '"start_pts": 0', '"start_pts": 9e99'),
        (PLAN, '"start_pts": 0', '"start_pts": NaN'),
        (PLAN, '"start_pts": 0', f'"start_pts": {"9" * 5000}'),
        (PLAN, '"output_000.mp4"', '"output_001.mp4"'),
        (PLAN, '"output_000.mp4"', '"../output_000.mp4"'),
        (PLAN, '"output_000.mp4"', '"/etc/passwd"'),
        (PLAN, '"output_000.mp4"', r'"output_000\u0000.mp4"'),
        (PLAN, '"output_000.mp4"', r'"output\ud800.mp4"'),
        (PLAN, '"clip.mp4"', r'"\uDFFF\ud800"'),
        (PLAN, '"output_000.mp4"', json.dumps("a" * 10_000_000)),
        (PLAN, '"512x9"', '"512x9999999999"'),
        (PLAN, '"512x9"', '"512x8"'),
        (PLAN, '"512x9"', '"512x-9"'),
        (PLAN, '"512x9"', '"512x4  512x5"'),
        (PLAN, '"512x9"', '"9223372036854775807x9"'),
        (PLAN, '"512x9"', '"1x2000000000"'),
        (PLAN, '"1/15360"', f'"1/{2**31}"'),
        (PLAN, '"512x9"', json.dumps("512x1 " * 2_000_000)),
        (PLAN, '"frames": 10', '"frames": 99999999999'),
        (MANIFEST, '"version": 2', '"version": 1'),
        (MANIFEST, '"COMPOSITE": {', '"OTHER": {'),
        (MANIFEST, '"file": "output_000.mp4"', '"file": "../output_000.mp4"'),
        (MANIFEST, '"output_001.mp4": {', r'"output\uDc7f.mp4": {'),
        (MANIFEST, '"start_state": "fresh"', '"start_state": "stale"'),
        (MANIFEST, '"frames": 10', '"frames": -1'),
        (MANIFEST, '"ratio": 0.4', '"ratio": NaN'),
        (MANIFEST, '"ratio": 0.4', '"ratio": 1e999'),
        (MANIFEST, '"ratio": 0.4', '"ratio": "auto"'),
        (MANIFEST, '"codec": "hevc"', '"codec": "theora"'),
        (MANIFEST, '    "output_001.mp4": {', '    "output_000.mp4": {'),
        (JOIN, '"frames": 20', '"frames": true'),
        (JOIN, '"frames": 20', '"frames": "20"'),
        (JOIN, '"parts_sha256": "', '"parts_sha256": "z'),
    ],
)
def test_a_wrong_value_is_refused(name: str, old: str, new: str, job: Job) -> None:
    content = (EARLIER_JOBS / JOB_FILES[name]).read_text(encoding="utf-8")
    assert old in content
    assert job.refuses(name, content.replace(old, new, 1))


def test_escapes_that_are_a_character_or_a_name_on_the_disk_are_taken(job: Job) -> None:
    content = (EARLIER_JOBS / JOB_FILES[PLAN]).read_text(encoding="utf-8")
    assert not job.refuses(PLAN, content.replace("clip", r"\ud83d\uDE00\udcff", 1))


def test_a_later_versions_record_is_named_as_such(job: Job) -> None:
    content = (EARLIER_JOBS / JOB_FILES[MANIFEST]).read_text(encoding="utf-8")
    path = job.folder / JOB_FILES[MANIFEST]
    path.write_text(content.replace('"version": 2', '"version": 99', 1), encoding="utf-8")
    with pytest.raises(InputError, match="another version"):
        job.reader(MANIFEST)()


def test_a_file_larger_than_any_record(tmp_path: Path) -> None:
    path = tmp_path / "segments.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="segments.json"):
        read_plan(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "[" + "0," * (LARGE // 2) + "0]",
        "0" * LARGE,
        '{"a' * (LARGE // 3),
        '"' + "1x1 " * (LARGE // 4),
    ],
    ids=["numbers", "digits", "names", "gaps"],
)
def test_large_files_are_refused_at_once(content: str, job: Job) -> None:
    started = time.monotonic()
    assert job.refuses(PLAN, content)
    assert time.monotonic() - started < LIMIT_SECONDS


def test_what_later_versions_may_add_is_passed_over(job: Job) -> None:
    content = (EARLIER_JOBS / JOB_FILES[PLAN]).read_text(encoding="utf-8")
    assert not job.refuses(PLAN, content.replace("{", '{"shots": [1, 2],', 1))
