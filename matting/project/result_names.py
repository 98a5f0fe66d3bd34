"""What the results of each input are called: no two alike, on any file system."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path, PurePath
from typing import NamedTuple

from matting.project.paths import LIST_NAME

# What earlier versions added to the names of what was not finished. By these, too, names collide:
# their jobs have to go on, under the same names.
PARTIAL, REPLACED = ".partial", ".replaced"


class InputName(NamedTuple):
    """The name of an input, and whether it is a folder of pictures."""

    name: str
    is_sequence: bool

    @property
    def stem(self) -> str:
        return self.name if self.is_sequence else PurePath(self.name).stem


class _Claim(NamedTuple):
    """A name that is taken in a kind of folder, in a form in which a file system may know it."""

    in_pictures: bool
    form: str


def result_stems(inputs: Sequence[InputName]) -> list[str]:
    """Return what the results of each input are called, without a suffix.

    Use the input's name without its suffix; with the suffix where results of another input would
    collide with that; and with a number added where they still would. The options play no part, so
    that results of all kinds have the same name.
    """
    own_stems = Counter(own.stem for own in inputs)
    # Of exactly equal stems none stays, though one could: earlier versions named results like that,
    # and their unfinished jobs have to go on.
    stems = [own.stem if own_stems[own.stem] == 1 else own.name for own in inputs]
    while shortened := [i for i in _colliding(inputs, stems) if stems[i] != inputs[i].name]:
        for index in shortened:
            stems[index] = inputs[index].name
    _number(inputs, stems, _colliding(inputs, stems))
    return stems


def same_name_forms(name: str) -> tuple[str, str]:
    """Return a name in the forms by which file systems that ignore case compare names.

    macOS compares letters, in whatever case and Unicode normalisation form. Windows compares code
    points one by one, and drops dots and spaces at the end.
    """
    decomposed = unicodedata.normalize("NFD", name)
    letters = unicodedata.normalize("NFD", decomposed.casefold())
    code_points = "".join(map(_upper, name.rstrip(". ")))
    return f"letters {letters}", f"code points {code_points}"


def places(path: Path) -> set[tuple[Path, str]]:
    """Return a path in the forms by which file systems compare names."""
    return {(path.parent, form) for form in same_name_forms(path.name)}


def _number(inputs: Sequence[InputName], stems: list[str], colliding: Sequence[int]) -> None:
    """Number those of `stems` that collide; the first keeps its name where it can."""
    others = set(range(len(inputs))).difference(colliding)
    taken = _reserved().union(*(_claims(inputs[i], stems[i]) for i in others))
    for index in colliding:
        own = inputs[index]
        names = (f"{own.name} ({number})" if number > 1 else own.name for number in count(1))
        stems[index] = next(name for name in names if not _claims(own, name) & taken)
        taken |= _claims(own, stems[index])


def _colliding(inputs: Sequence[InputName], stems: Sequence[str]) -> list[int]:
    """Return which inputs' results share a name with those of others."""
    claims = [_claims(own, stem) for own, stem in zip(inputs, stems, strict=True)]
    taken = Counter(_reserved())
    for own_claims in claims:
        taken.update(own_claims)
    return [i for i, own_claims in enumerate(claims) if any(taken[c] > 1 for c in own_claims)]


def _claims(own: InputName, stem: str) -> set[_Claim]:
    """Return all names that results of an input may have, with any options."""
    claims = set(_forms(stem, in_pictures=True)) | set(_forms(f"{stem}.mp4", in_pictures=False))
    return claims.union(_forms(stem, in_pictures=False)) if own.is_sequence else claims


def _reserved() -> set[_Claim]:
    return {*_forms(LIST_NAME, in_pictures=True), *_forms(LIST_NAME, in_pictures=False)}


def _forms(name: str, *, in_pictures: bool) -> Iterator[_Claim]:
    """Yield the claims to a final name: its forms, and those of what was temporarily beside it."""
    for path in (name, name + PARTIAL, name + REPLACED):
        for form in same_name_forms(path):
            yield _Claim(in_pictures, form)


def _upper(character: str) -> str:
    upper = character.upper()
    return upper if len(upper) == 1 else character
