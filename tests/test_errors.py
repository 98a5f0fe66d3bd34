"""The tree of errors: exit codes, what a program can read in their fields, what people read."""

from __future__ import annotations

import ast
import pickle
import re
from collections.abc import Iterator

import pytest

from matting.cli.parser import commands_taking
from matting.errors import (
    BusyError,
    DecodeError,
    EncodeError,
    InputError,
    MachineError,
    MachineUnusableError,
    MattingError,
    MediaError,
    MissingError,
    OutOfMemoryError,
    SegmentsFailedError,
    StorageError,
    UnforeseenError,
)
from tests.support.repository import ROOT

CODES = {
    SegmentsFailedError: 1,
    InputError: 2,
    MediaError: 2,
    DecodeError: 2,
    MissingError: 3,
    StorageError: 4,
    BusyError: 5,
    EncodeError: 70,
    UnforeseenError: 70,
    MachineError: 70,
    MachineUnusableError: 70,
    OutOfMemoryError: 70,
}
MODULES = sorted((ROOT / "matting").rglob("*.py"))
NAMES_AN_OPTION = re.compile(r"(^|\s)--[a-z]")


def subclasses(kind: type[MattingError]) -> set[type[MattingError]]:
    return {kind}.union(*(subclasses(each) for each in kind.__subclasses__()))


def test_exit_codes_are_those_of_the_design() -> None:
    assert {kind: kind.exit_code for kind in CODES} == CODES
    assert subclasses(MattingError) - {MattingError} == set(CODES)


def test_one_means_only_that_some_segments_failed() -> None:
    assert [kind for kind in subclasses(MattingError) if kind.exit_code == 1] == [
        SegmentsFailedError
    ]


def test_an_error_says_whether_to_run_it_again() -> None:
    assert str(InputError("It is not there.", "Check it.")) == "It is not there.\nCheck it."
    assert str(StorageError("It is full.", "Free some space.")) == (
        "It is full.\nFree some space. Then run the same command again."
    )
    crashed = MachineError("It crashed.", if_repeated="use --device cpu.", option="--device")
    assert str(crashed) == (
        "It crashed.\nRun the same command again. If it happens again, use --device cpu."
    )
    assert crashed.advice(again="") == "If it happens again, use --device cpu."
    assert crashed.advice("drop It.MP4 again").startswith("Drop It.MP4 again. ")
    assert not MachineError("No right.", "Do it by hand.", retry=False).retry


def test_fields_reach_another_process() -> None:
    error = MachineError("It hung.", "Wait.", option="--patience", if_repeated="report it.")
    error.segment = "output_001.mp4"
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is MachineError
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)


def constants(trees: list[ast.Module]) -> dict[str, str]:
    """Return the texts that modules hold under a name."""
    return {
        target.id: literal(node.value, {})
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def literal(node: ast.expr, names: dict[str, str]) -> str:
    """Return what is known of a text without running anything."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    return "".join(
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


def raised() -> Iterator[tuple[str, str, str | None]]:
    """Return each error in the program's source: its place, its advice and its option."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
    names = constants(list(trees.values()))
    kinds = {kind.__name__ for kind in CODES}
    for path, tree in trees.items():
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            if call.func.id in kinds:
                fields = {word.arg: word.value for word in call.keywords}
                texts = [
                    *call.args[1:2],
                    *(fields[f] for f in ("hint", "if_repeated") if f in fields),
                ]
                advice = " ".join(literal(text, names) for text in texts)
                option = literal(fields["option"], names) if "option" in fields else None
                yield f"{path.name}:{call.lineno}", advice, option


def test_every_way_out_by_an_option_is_in_the_field() -> None:
    found = list(raised())
    assert len(found) > 50
    told = [(place, option) for place, advice, option in found if NAMES_AN_OPTION.search(advice)]
    assert len(told) > 10
    # Leaving an option out is no way out by an option; --help and pip's own are not the stages'.
    others = {"weights.py", "parser.py", "ffmpeg.py"}
    assert [
        place for place, option in told if option is None and place.split(":")[0] not in others
    ] == []


@pytest.mark.parametrize("option", sorted({o for _, _, o in raised() if o}))
def test_every_such_option_exists(option: str) -> None:
    assert commands_taking(option)
