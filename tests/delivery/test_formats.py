"""The table of formats is whole, and what it does not have is refused in plain words."""

from __future__ import annotations

import subprocess
import sys

import pytest

from matting.delivery.formats import FORMATS, AlphaTravel, Audio, delivery_formats
from matting.errors import InputError
from matting.options import FormatName
from tests.support.repository import ROOT


def test_every_name_has_its_row() -> None:
    assert list(FORMATS) == list(FormatName)
    for name, row in FORMATS.items():
        assert row.name is name
        assert row.purpose.endswith(".")
        assert row.takers
        assert row.suffix.startswith(".")
        assert row.pictures == (row.audio is Audio.NONE)


def test_two_formats_of_one_source_never_share_a_file_name() -> None:
    """The name of each stands in the file's, but for one."""
    own = [name for name in FormatName if name is not FormatName.GREEN]
    assert len({f"_{name}{FORMATS[name].suffix}" for name in own}) == len(own)


def test_several_are_read_in_their_order_each_once() -> None:
    rows = delivery_formats(" prores4444, GREEN,prores4444 ")
    assert [row.name for row in rows] == [FormatName.PRORES, FormatName.GREEN]


@pytest.mark.parametrize("names", ["prores", "green,webm", "", ",", "green;png"])
def test_an_unknown_format_is_refused_and_all_are_listed(names: str) -> None:
    with pytest.raises(InputError) as raised:
        delivery_formats(names)
    assert all(str(name) in raised.value.hint for name in FormatName)


def test_only_exr_is_premultiplied() -> None:
    rows = [row for row in FORMATS.values() if row.alpha is AlphaTravel.PREMULTIPLIED]
    assert [row.name for row in rows] == [FormatName.EXR]


def test_the_table_needs_neither_torch_nor_pyav() -> None:
    program = "import sys; import matting.delivery.formats; import matting.delivery.backgrounds; "
    program += "assert not {'torch', 'av', 'numpy'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_the_reference_says_of_each_format_what_the_table_does() -> None:
    reference = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    parts = {part.split("`", 1)[0]: part for part in reference.split("## `")[1:]}
    assert list(parts) == [str(name) for name in FormatName]
    for row in FORMATS.values():
        limits = [limit.sentence for limit in row.limits]
        said = (row.purpose, row.takers, row.samples, row.alpha.value, *limits)
        assert all(sentence in parts[str(row.name)] for sentence in said)
