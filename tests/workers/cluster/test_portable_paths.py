"""Paths reach another computer as it sees them, whatever system either has."""

from __future__ import annotations

import io
import pickle
from dataclasses import fields, is_dataclass
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matting import errors
from matting.background import BackgroundFile
from matting.delivery.output_target import OutputTarget
from matting.errors import InputError, MachineError, MattingError, SegmentsFailedError
from matting.options import MatteOptions, MattingOptions, OutputKind, OutputOptions
from matting.project.entry import InitialState, OutputFile, ProvenFile, SideFile
from matting.project.inputs import Input
from matting.system.fingerprint import Fingerprint
from matting.workers.cluster.portable_paths import PathMapping, dumps, loads
from matting.workers.executor import (
    Failure,
    FrameSpan,
    Outcome,
    SavedState,
    SegmentTask,
    SignsTarget,
    TrialClock,
    TrialOutcome,
    WorkerSetup,
)

WINDOWS, POSIX = PureWindowsPath, PurePosixPath
NAMES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6)
INSIDE = st.lists(NAMES, max_size=4)
KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, MattingError)
]
SHA256 = "0" * 64


def there_text(path: str, *words: str) -> str:
    return PathMapping.parse(words, POSIX).text_there(path)


def here_text(path: str, *words: str) -> str:
    return PathMapping.parse(words, POSIX).text_here(path)


@pytest.mark.parametrize(
    ("word", "there", "here"),
    [
        (r"D:\Videos=/mnt/videos", r"D:\Videos\take\a.mp4", "/mnt/videos/take/a.mp4"),
        (r"D:\Videos=/mnt/videos", "d:/videos/take/a.mp4", "/mnt/videos/take/a.mp4"),
        ("D:\\Videos\\=/mnt/videos/", r"D:\Videos", "/mnt/videos"),
        ("D:=/mnt/d", r"D:\Videos\a.mp4", "/mnt/d/Videos/a.mp4"),
        (r"\\nas\share=/mnt/share", r"\\NAS\Share\a b.mp4", "/mnt/share/a b.mp4"),
        (r"'D:\My Videos'=/mnt/v", r"D:\My Videos\a.mp4", "/mnt/v/a.mp4"),
        ("/home/me=/mnt/me", "/home/me/a", "/mnt/me/a"),
        ("/=/mnt/root", "/home/me/a", "/mnt/root/home/me/a"),
    ],
)
def test_a_folder_is_found_where_this_computer_has_it(word: str, there: str, here: str) -> None:
    assert here_text(there, word) == here


@pytest.mark.parametrize(
    ("word", "there", "here"),
    [
        ("/mnt/videos=Z:\\", "/mnt/videos/take/a.mp4", r"Z:\take\a.mp4"),
        (r"/mnt/videos=\\nas\videos", "/mnt/videos/a.mp4", r"\\nas\videos\a.mp4"),
        (r"D:\Videos=Z:\Videos", r"d:\videos\a.mp4", r"Z:\Videos\a.mp4"),
    ],
)
def test_a_computer_with_windows_finds_it_too(word: str, there: str, here: str) -> None:
    assert PathMapping.parse([word], WINDOWS).text_here(there) == here


@pytest.mark.parametrize(
    "path",
    [r"D:\Videos2\a.mp4", r"D:\Video", r"E:\Videos\a.mp4", "/mnt/videos/a", "videos/a", ""],
)
def test_what_lies_elsewhere_stays_as_it_is(path: str) -> None:
    assert here_text(path, r"D:\Videos=/mnt/videos") == path


def test_upper_case_counts_where_the_system_tells_it_apart() -> None:
    assert here_text("/Home/me/a", "/home/me=/mnt/me") == "/Home/me/a"
    assert there_text("/MNT/videos/a", r"D:\Videos=/mnt/videos") == "/MNT/videos/a"


def test_the_longest_folder_counts_in_whatever_order_they_are_given() -> None:
    words = [r"D:\Videos=/mnt/videos", r"D:\Videos\new=/data/new"]
    for order in (words, words[::-1]):
        assert here_text(r"D:\Videos\new\a.mp4", *order) == "/data/new/a.mp4"
        assert here_text(r"D:\Videos\old\a.mp4", *order) == "/mnt/videos/old/a.mp4"
        assert there_text("/data/new/a.mp4", *order) == r"D:\Videos\new\a.mp4"


def test_an_equals_sign_may_be_part_of_a_name() -> None:
    assert here_text(r"D:\a=b\c", r"D:\a=b=/mnt/a=b") == "/mnt/a=b/c"


@pytest.mark.parametrize(
    "word",
    [
        "",
        "D:\\Videos",
        "=",
        r"D:\Videos=",
        "=/mnt/videos",
        r"Videos=/mnt/videos",
        r"D:\Videos=mnt/videos",
        "/mnt/videos=D:\\Videos",  # the wrong way round
        "/a=/b=/c",  # which of the two
    ],
)
def test_what_is_no_pair_of_folders_is_refused(word: str) -> None:
    with pytest.raises(InputError) as info:
        PathMapping.parse([word], POSIX)
    assert info.value.option == "--map"


def test_a_folder_with_two_places_is_refused() -> None:
    with pytest.raises(InputError, match="twice"):
        PathMapping.parse([r"D:\Videos=/mnt/a", r"d:\videos=/mnt/b"], POSIX)
    PathMapping.parse([r"D:\Videos=/mnt/a", r"D:\Videos=/mnt/a"], POSIX)


@given(
    there=st.sampled_from([r"D:\Videos", "D:\\", r"\\nas\share", "/srv/films"]),
    here=st.sampled_from([(r"Z:\v", WINDOWS), (r"\\other\v", WINDOWS), ("/mnt/v", POSIX)]),
    inside=INSIDE,
)
def test_a_path_comes_back_as_it_went(
    there: str, here: tuple[str, type[PureWindowsPath] | type[PurePosixPath]], inside: list[str]
) -> None:
    folder, flavour = here
    mapping = PathMapping.parse([f"{there}={folder}"], flavour)
    path = str((WINDOWS if "\\" in there else POSIX)(there, *inside))
    text = mapping.text_here(path)
    assert text == str(flavour(folder, *inside))
    assert mapping.text_there(text) == path


def test_a_path_of_another_system_is_read_here() -> None:
    """As it comes from Windows, without a mapping, with one, and back."""
    mapping = PathMapping.parse([r"D:\Videos=/mnt/videos"], POSIX)
    sent = dumps({"path": PureWindowsPath(r"D:\Videos\a.mp4")})
    assert loads(sent) == {"path": Path(r"D:\Videos\a.mp4")}
    assert loads(sent, mapping) == {"path": Path("/mnt/videos/a.mp4")}
    back = dumps(PurePosixPath("/mnt/videos/b.mp4"), mapping)
    assert loads(back) == Path(r"D:\Videos\b.mp4")


def test_a_path_from_elsewhere_leaves_windows_as_it_came() -> None:
    assert PathMapping().to_there(PureWindowsPath("/mnt/videos/a.mp4")) == "/mnt/videos/a.mp4"
    assert PathMapping().to_there(PureWindowsPath("take/a.mp4")) == "take/a.mp4"


def test_bytes_that_name_no_path_are_refused() -> None:
    class Odd(pickle.Pickler):
        def persistent_id(self, obj: object) -> object:
            return 5 if obj == "odd" else None

    buffer = io.BytesIO()
    Odd(buffer).dump("odd")
    with pytest.raises(pickle.UnpicklingError):
        loads(buffer.getvalue())


def task() -> SegmentTask:
    item = Input("a.mp4", Path("/there/a.mp4"), "a", rate=Fraction(30000, 1001))
    return SegmentTask(
        item,
        before=item,
        start_state=SavedState(Path("/there/STATE/a"), exact=True),
        end_state=Path("/there/STATE/b"),
        targets={OutputKind.MATTE: OutputTarget(Path("/there/MATTE/a.mkv"))},
        refusal=MattingError("what", "hint", details=("one",)),
        matte=Path("/there/MATTE/b.mkv"),
        shot_starts=(0, 5),
        ahead=(item,),
        span=FrameSpan(0, 5, lead=1),
        signs=SignsTarget(Path("/there/SIGNS/a"), 3, Fraction(1, 3)),
    )


def setup() -> WorkerSetup:
    return WorkerSetup(
        MattingOptions(
            matte=MatteOptions(checkpoint=Path("/there/weights.pth")),
            output=OutputOptions(background=BackgroundFile(Path("/there/background.png"))),
        ),
        Path("/there/weights.pth"),
        SHA256,
        "cpu",
    )


def outcome() -> Outcome:
    files = tuple(
        ProvenFile(kind, Path("/there/a.partial"), Path("/there/a.mkv"))
        for kind in (OutputKind.MATTE, next(iter(SideFile)))
    )
    return Outcome(
        Fingerprint(5, SHA256),
        next(iter(InitialState)),
        exact=True,
        ends_exact=False,
        frames=9,
        outputs={OutputKind.MATTE: OutputFile("a.mkv", 5, SHA256)},
        files=files,
    )


def trial() -> TrialOutcome:
    known = {field.name: getattr(outcome(), field.name) for field in fields(Outcome)}
    return TrialOutcome(**known, clock=TrialClock([1.0], [2.0], 3.0), gpu_bytes=(1, 2))


def paths_in(value: object) -> list[Path]:
    """Return all paths in a value, however deep."""
    if isinstance(value, Path):
        return [value]
    if isinstance(value, dict):
        return [path for one in value.values() for path in paths_in(one)]
    if isinstance(value, (tuple, list)):
        return [path for one in value for path in paths_in(one)]
    if is_dataclass(value):
        return [path for one in fields(value) for path in paths_in(getattr(value, one.name))]
    return []


@pytest.mark.parametrize("make", [task, setup, outcome, trial])
def test_what_a_job_sends_arrives_with_its_paths_as_they_are_here(make: object) -> None:
    assert callable(make)
    value, mapping = make(), PathMapping.parse(["/there=/here"], POSIX)
    sent = dumps(value)
    arrived = loads(sent, mapping)
    before, after = paths_in(value), paths_in(arrived)
    assert before
    assert after == [Path("/here", *path.parts[2:]) for path in before]
    back = loads(dumps(arrived, mapping))
    if isinstance(value, SegmentTask):  # its refusal is an error, which is like no other
        assert paths_in(back) == before
    else:
        assert back == value


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_arrives_as_it_was_raised(kind: type[MattingError]) -> None:
    error = kind("what", "hint", details=("a", "b"), retry=True, option="--x", if_repeated="then")
    if isinstance(error, MachineError):
        error.segment = "a.mp4"
    if isinstance(error, SegmentsFailedError):
        error.failed = {"a.mp4": InputError("why", option="--y")}
    arrived = loads(dumps(Failure(error)))
    assert isinstance(arrived, Failure)
    assert type(arrived.error) is kind
    assert str(arrived.error) == str(error)
    assert repr(vars(arrived.error)) == repr(vars(error))
