"""Results of different inputs never share a name, on any file system."""

from __future__ import annotations

import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matting.errors import InputError
from matting.infer import infer
from matting.options import OutputKind, OutputOptions
from matting.project.inputs import Input, read_inputs
from matting.project.paths import LIST_NAME
from matting.project.plan import Plan, PlannedSegment, write_plan
from matting.project.source_fingerprint import SourceFingerprint
from matting.system.fingerprint import Fingerprint
from tests.support.clips import make_clip, numbers
from tests.support.recorder import Recorder
from tests.support.stages import FAST, composites, matting_options, processed


def put(folder: Path, names: Sequence[str]) -> None:
    """Put empty inputs into a folder; a name that ends in "/" is a folder of pictures."""
    for name in names:
        if name.endswith("/"):
            (folder / name).mkdir()
            (folder / name / "1.png").touch()
        else:
            (folder / name).touch()


def stems(*names: str) -> dict[str, str]:
    """Return the names of each input's results, without the suffix."""
    with tempfile.TemporaryDirectory() as folder:
        put(Path(folder), names)
        return {item.name: item.stem for item in read_inputs(Path(folder)).inputs}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        # As earlier versions called them.
        (["a.mkv", "b.mp4"], ["a", "b"]),
        (["a.mkv", "a.mp4"], ["a.mkv", "a.mp4"]),
        (["a.mkv", "a.mkv.mov"], ["a", "a.mkv"]),
        (["a.mp4.mkv", "a.mov"], ["a.mp4", "a"]),
        (["a/", "b.mp4"], ["a", "b"]),
        (["a/", "a.mp4"], ["a", "a.mp4"]),
        (["a.b/", "a.mp4"], ["a.b", "a"]),
        # Where these collided.
        (["Clip.MP4", "clip.mkv"], ["Clip.MP4", "clip.mkv"]),
        (["a.mkv", "a.mp4", "a.mkv.mov"], ["a.mkv", "a.mp4", "a.mkv.mov"]),
        (["a.mp4/", "a.mkv"], ["a.mp4", "a.mkv"]),
        (["a.mp4.partial/", "a.mkv"], ["a.mp4.partial", "a.mkv"]),
        (["\u00e9.mp4", "e\u0301.mkv"], ["\u00e9.mp4", "e\u0301.mkv"]),
        (["stra\u00dfe.mp4", "STRASSE.mkv"], ["stra\u00dfe.mp4", "STRASSE.mkv"]),
        (["a..mkv", "a.mp4"], ["a..mkv", "a.mp4"]),
        # Where only a number is left to tell them apart.
        (["Clip.mp4", "clip.mp4"], ["Clip.mp4", "clip.mp4 (2)"]),
        ([f"{LIST_NAME}/", "a.mp4"], [f"{LIST_NAME} (2)", "a"]),
    ],
)
def test_names(names: list[str], expected: list[str]) -> None:
    assert stems(*names) == dict(zip((name.rstrip("/") for name in names), expected, strict=True))


def linux(name: str) -> str:
    return name


def macos(name: str) -> str:
    """Return what macOS compares of a name: its letters, in whatever case and form."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def windows(name: str) -> str:
    """Return what Windows compares of a name; dots and spaces at the end are dropped."""
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in name.rstrip(". "))


SYSTEMS: list[Callable[[str], str]] = [linux, macos, windows]


def results(item: Input, stem: str) -> set[tuple[bool, str]]:
    """Return all names that one input's results ever have in a folder of results.

    Each with whether that folder is one of numbered pictures.
    """
    names = {(True, stem), (False, f"{stem}.mp4")} | (
        {(False, stem)} if item.is_sequence else set()
    )
    temporary = {(place, f"{name}.partial") for place, name in names}
    return names | temporary


def collide(inputs: Sequence[Input], called: Sequence[str]) -> bool:
    for same in SYSTEMS:
        taken = Counter(
            (place, same(name))
            for item, stem in zip(inputs, called, strict=True)
            for place, name in {(p, same(n)) for p, n in results(item, stem)}
        )
        lists = {(place, same(LIST_NAME)) for place in (True, False)}
        if max(taken.values()) > 1 or lists & set(taken):
            return True
    return False


def earlier_stem(inputs: Sequence[Input], item: Input) -> str:
    """Return the name that earlier versions gave an input's results."""

    def short(one: Input) -> str:
        return one.name if one.is_sequence else Path(one.name).stem

    return short(item) if [short(one) for one in inputs].count(short(item)) == 1 else item.name


LETTERS = (
    "a A b i I ss fi \u00e9 e\u0301 E\u0301 \u00df \u1e9e \u0130 \u0131 \u01c6 \u01c5 \ufb01 "
    "\u212b \u00e5 \u03c3 \u03c2 . .mp4 .mkv .partial file_list .txt"
)
letters = st.sampled_from([*LETTERS.split(), " ", " (2)"])
suffixes = st.sampled_from([".mp4", ".MP4", ".mkv", ".mov", "/", "/"])
inputs_of_a_folder = st.lists(
    st.builds(
        lambda parts, suffix: "".join(parts) + suffix, st.lists(letters, max_size=3), suffixes
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda name: name.rstrip("/"),
).map(lambda names: [n for n in names if not n.startswith(".") and n.strip("/")])


@settings(max_examples=300)
@given(names=inputs_of_a_folder)
def test_no_two_results_share_a_name(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        put(Path(folder), names)
        try:
            inputs = read_inputs(Path(folder)).inputs
        except InputError:
            assert not names
            return
        called = [item.stem for item in inputs]
        assert not collide(inputs, called)
        assert all(Path(stem).name == stem for stem in called)
        earlier = [earlier_stem(inputs, item) for item in inputs]
        if not collide(inputs, earlier):
            assert called == earlier
        # However the system lists a folder.
        with tempfile.TemporaryDirectory() as other:
            put(Path(other), names[::-1])
            assert [item.stem for item in read_inputs(Path(other)).inputs] == called


@pytest.mark.parametrize(
    "names", [("Clip.MP4", "clip.mkv"), ("a.mkv", "a.mp4", "a.mkv.mov")], ids=" ".join
)
def test_all_are_matted_once(
    names: tuple[str, ...], tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    for count, name in enumerate(names, 2):
        make_clip(clips / name, count)
    output = OutputOptions(kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA_PNG), encoding=FAST)
    options = matting_options(opaque_checkpoint, output)
    folder = infer(clips, options, None, progress)
    assert len({path.name.casefold() for path in composites(folder)}) == len(names)
    assert sorted(len(numbers(path)) for path in composites(folder)) == sorted(
        range(2, 2 + len(names))
    )
    progress.totals.clear()
    infer(clips, options, None, progress)
    assert progress.totals == []


def test_what_would_be_overwritten_is_matted_again(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    """Inputs that are added change the names that others would have had."""
    clips = tmp_path / "clips"
    clips.mkdir()
    make_clip(clips / "a.mkv", 2)
    make_clip(clips / "a.mkv.mov", 3)
    options = matting_options(opaque_checkpoint)
    folder = infer(clips, options, None, progress)
    assert [path.name for path in composites(folder)] == ["a.mkv.mp4", "a.mp4"]
    make_clip(clips / "a.mp4", 4)
    (folder.output_folder(OutputKind.COMPOSITE) / "a.mp4").unlink()
    infer(clips, options, None, progress)
    assert all(processed(folder).values())
    counts = {path.name: len(numbers(path)) for path in composites(folder)}
    assert counts == {"a.mkv.mp4": 2, "a.mkv.mov.mp4": 3, "a.mp4.mp4": 4}
    progress.totals.clear()
    infer(clips, options, None, progress)
    assert progress.totals == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["output_000.mp4", "output_001.mp4"], ["output_000", "output_001"]),
        (["a.mp4", "a.mkv"], ["a.mp4", "a.mkv"]),
        (["output_000.mp4", "OUTPUT_000.mp4"], ["output_000.mp4", "OUTPUT_000.mp4 (2)"]),
    ],
)
def test_results_of_a_plan_never_share_a_name_even_if_it_was_edited(
    names: list[str], expected: list[str], tmp_path: Path
) -> None:
    content = Fingerprint(1, "0" * 64)
    plan = Plan(
        source=SourceFingerprint("clip.mp4", 1, "0" * 64),
        time_base=Fraction(1, 1000),
        rate=Fraction(30),
        start_pts=0,
        seconds=Fraction(15),
        reencoded=False,
        segments=tuple(PlannedSegment.of(name, [0, 33], content) for name in names),
    )
    write_plan(tmp_path, plan)
    assert [item.stem for item in read_inputs(tmp_path).inputs] == expected
