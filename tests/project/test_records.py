"""Records are read as they were written."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
from matting.project.manifest import Manifest
from matting.project.plan import Plan, PlannedSegment
from matting.project.source_fingerprint import SourceFingerprint
from matting.system import atomic_files
from matting.system.fingerprint import Fingerprint

in_this_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)
NAMES = ("utf-8", "surrogateescape")  # how Python decodes the names of files on Linux


def as_bytes(text: str) -> bytes:
    return text.encode(*NAMES)


hashes = st.text("0123456789abcdef", min_size=64, max_size=64)

fingerprints = st.builds(Fingerprint, st.integers(0, 2**63 - 1), hashes)
file_names = st.text(
    # Bytes that are no valid UTF-8 come as lone surrogates.
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0:\\")
    | st.integers(0xDC80, 0xDCFF).map(chr),
    min_size=1,
    max_size=50,
).filter(lambda name: name not in {".", ".."} and as_bytes(name).decode(*NAMES) == name)
ticks = st.integers(-(2**63), 2**63 - 1)
fractions = st.fractions(min_value=Fraction(1, 10**9), max_value=10**9)
time_bases = st.builds(Fraction, st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1))
sources = st.builds(
    SourceFingerprint,
    file_names,
    st.integers(0, 2**63 - 1),
    hashes,
    start_sha256=st.none() | hashes,
    content_sha256=st.none() | hashes,
    modified_ns=st.none() | st.integers(-(2**63), 2**63 - 1),
)
rising = st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=30, unique=True).map(sorted)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    names = draw(st.lists(file_names, min_size=1, max_size=4, unique=True))
    return Plan(
        source=draw(sources),
        time_base=draw(time_bases),
        rate=draw(fractions),
        start_pts=draw(ticks),
        seconds=draw(fractions),
        reencoded=draw(st.booleans()),
        segments=tuple(
            PlannedSegment.of(
                name,
                draw(rising),
                draw(fingerprints),
                repeated=tuple(draw(st.lists(ticks, max_size=3))),
                doubtful=tuple(draw(st.lists(ticks, max_size=3))),
                missing=tuple(draw(st.lists(ticks, max_size=3))),
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
    origin=st.none() | file_names.map("/videos/{}".format),
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
    text = records.to_json(record)
    path.write_bytes(as_bytes(text))
    assert records.read(path, type(record), "") == record
    assert atomic_files.json_text(json.loads(text)) == text  # in the form of all files of JSON


def test_the_same_content_is_parsed_once(tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    last: records.LastRecord[SourceFingerprint] = records.LastRecord()

    def read(path: Path) -> SourceFingerprint:
        return records.read(path, SourceFingerprint, "", last=last)

    records.write(one, SourceFingerprint("clip.mp4", 1, "0" * 64))
    first = read(one)
    other.write_bytes(one.read_bytes())
    assert read(other) is first
    records.write(other, SourceFingerprint("clip.mp4", 2, "0" * 64))
    assert read(other).size_bytes == 2
    other.write_text("{}", encoding="utf-8")
    with pytest.raises(InputError):
        read(other)
    assert read(one) == first


@given(pts=rising)
def test_a_planned_segment_keeps_its_times(pts: list[int]) -> None:
    segment = PlannedSegment.of("a.mp4", pts, Fingerprint(0, "0" * 64))
    assert segment.frames == len(pts)
    assert [segment.first_pts + time for time in segment.times()] == pts
