"""Records survive being written and read; what is no record is an `InputError`, whatever it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matting.cutting.checkpoint import CutCheckpoint
from matting.errors import InputError
from matting.options import Chroma, CodecBackend, OutputKind, Precision, VideoCodec
from matting.project import records
from matting.project.entry import (
    AutoRatio,
    Entry,
    InitialState,
    Lineage,
    OutputFile,
    RecordedSettings,
)
from matting.project.join_record import JoinRecord
from matting.project.ledger import Ledger, Manifest
from matting.project.paths import MattedFolder
from matting.project.plan import Plan, PlannedSegment, SourceFingerprint, read_plan
from matting.system.fingerprint import Fingerprint
from tests.support.repository import ROOT

EARLIER_JOBS = ROOT / "tests" / "data" / "earlier_jobs"
JOB_FILES = {
    "segments.json": "finished/clip_segments/segments.json",
    "manifest.json": "finished/clip_segments_matted/manifest.json",
    "processed.json": "finished/clip_segments_matted/processed.json",
    "join record": "finished/clip_segments_matted/COMPOSITE_SEGMENTS_COMBINED.json",
    "kept.json": "damaged/clip_segments/.cutting/kept.json",
}
in_this_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)


NAMES = ("utf-8", "surrogateescape")  # how Python decodes the names of files on Linux


def as_bytes(text: str) -> bytes:
    return text.encode(*NAMES)


# What can be recorded.

hashes = st.text("0123456789abcdef", min_size=64, max_size=64)

fingerprints = st.builds(Fingerprint, st.integers(0, 2**63 - 1), hashes)
file_names = st.text(
    # Bytes that are no valid UTF-8 come as lone surrogates.
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0:\\")
    | st.integers(0xDC80, 0xDCFF).map(chr),
    min_size=1,
    max_size=50,
).filter(lambda name: name not in {".", ".."} and as_bytes(name).decode(*NAMES) == name)
fractions = st.fractions(min_value=Fraction(1, 10**9), max_value=10**9)
sources = st.builds(
    SourceFingerprint,
    file_names,
    st.integers(0, 2**63 - 1),
    hashes,
)
rising = st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=30, unique=True).map(sorted)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    names = draw(st.lists(file_names, min_size=1, max_size=4, unique=True))
    return Plan(
        source=draw(sources),
        time_base=draw(fractions),
        rate=draw(fractions),
        start_pts=draw(st.integers(-(2**63), 2**63 - 1)),
        seconds=draw(fractions),
        reencoded=draw(st.booleans()),
        segments=tuple(
            PlannedSegment.of(
                name,
                draw(rising),
                draw(fingerprints),
                tuple(draw(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3))),
            )
            for name in names
        ),
    )


output_files = st.builds(
    lambda name, fingerprint: OutputFile.of(Path(name), fingerprint), file_names, fingerprints
)
recorded_settings = st.builds(
    RecordedSettings,
    checkpoint=hashes,
    ratio=st.one_of(
        st.floats(0, 1, exclude_min=True, allow_subnormal=False), st.sampled_from(AutoRatio)
    ),
    precision=st.sampled_from(Precision),
    background=st.integers(0, 0xFFFFFF).map("#{:06X}".format),
    kinds=st.lists(st.sampled_from(OutputKind), unique=True).map(tuple),
    codec=st.sampled_from(VideoCodec),
    encoder=st.sampled_from(CodecBackend),
    quality=st.none() | st.integers(0, 63),
    bitrate_bps=st.none() | st.integers(1, 10**9),
    preset=st.none() | st.text(max_size=20),
    chroma=st.sampled_from(Chroma),
    frame_rate=st.none() | st.just("pictures") | fractions.map(str),
    first_frame=st.integers(0, 10**9),
)
entries = st.builds(
    Entry,
    source=st.none() | fingerprints,
    settings=st.just(RecordedSettings()) | recorded_settings,
    start_state=st.none() | st.sampled_from(InitialState),
    frames=st.integers(0, 10**9),
    outputs=st.dictionaries(st.sampled_from(OutputKind), output_files),
    end_state=st.none() | fingerprints,
    error=st.text(),
    lineage=st.none()
    | st.builds(
        Lineage,
        st.none() | hashes,
        st.booleans(),
    ),
)
manifests = st.builds(
    Manifest,
    plan=st.none() | plans(),
    segments=st.dictionaries(file_names, entries, max_size=4),
)
join_records = st.builds(
    JoinRecord,
    source=st.none() | sources,
    frames=st.integers(0, 10**9),
    parts_sha256=hashes,
    file=st.none() | fingerprints,
)


@in_this_folder
@given(record=plans() | manifests | join_records)
def test_what_is_written_can_be_read(tmp_path: Path, record: Plan | Manifest | JoinRecord) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(as_bytes(records.to_json(record)))
    assert records.read(path, type(record), "") == record


@given(pts=rising)
def test_a_planned_segment_keeps_its_times(pts: list[int]) -> None:
    segment = PlannedSegment.of("a.mp4", pts, Fingerprint(0, "0" * 64))
    assert segment.frames == len(pts)
    assert [segment.first_pts + time for time in segment.times()] == pts


# What cannot.

HOSTILE: list[Any] = [
    None,
    True,
    -1,
    0,
    2**63,
    10**30,
    -(10**400),
    0.5,
    float("nan"),
    float("inf"),
    "",
    "0",
    "1/0",
    "-1",
    "1e999999999",
    "../../secret",
    "..",
    "a/b",
    "a\0b",
    "512x99999999999999999999",
    "0x1",
    "-1x-1",
    "x" * 100_000,
    [],
    [[]],
    [1] * 1000,
    {},
    {"": {"": {}}},
]


def places(value: Any, *before: str | int) -> Iterator[tuple[str | int, ...]]:
    """The ways to all values in a JSON value, from its root on."""
    yield before
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, *before, name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, *before, index)


@st.composite
def altered(draw: st.DrawFn, original: Any) -> str:
    """A record in which something is replaced, or missing."""
    value = json.loads(json.dumps(original))
    for _ in range(draw(st.integers(1, 2))):
        *way, last = draw(st.sampled_from([way for way in places(value) if way]))
        inner = value
        for key in way:
            inner = inner[key]
        if draw(st.booleans()):
            del inner[last]
        else:
            inner[last] = deepcopy(draw(st.sampled_from(HOSTILE)))
        if not value:
            break
    return json.dumps(value)


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
                work, video, SourceFingerprint.of(video), Fraction(1, 3)
            ),
        }
        return readers[name]

    def refuses(self, name: str, content: str) -> bool:
        """Whether the file `name` is refused with `content`, in a sentence that names it.

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
    original = json.loads((EARLIER_JOBS / JOB_FILES[name]).read_text(encoding="utf-8"))
    job.refuses(name, data.draw(altered(original)))


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
        (PLAN, '"output_000.mp4"', json.dumps("a" * 10_000_000)),
        (PLAN, '"512x9"', '"512x9999999999"'),
        (PLAN, '"512x9"', '"512x8"'),
        (PLAN, '"512x9"', '"512x-9"'),
        (PLAN, '"512x9"', json.dumps("512x1 " * 2_000_000)),
        (PLAN, '"frames": 10', '"frames": 99999999999'),
        (MANIFEST, '"version": 2', '"version": 1'),
        (MANIFEST, '"COMPOSITE": {', '"OTHER": {'),
        (MANIFEST, '"file": "output_000.mp4"', '"file": "../output_000.mp4"'),
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


def test_what_later_versions_may_add_is_passed_over(job: Job) -> None:
    content = (EARLIER_JOBS / JOB_FILES[PLAN]).read_text(encoding="utf-8")
    assert not job.refuses(PLAN, content.replace("{", '{"shots": [1, 2],', 1))
