"""Processors that compute alike have the same name; others another."""

from __future__ import annotations

from pathlib import Path

import pytest

from matting.system.processor import WINDOWS_VARIABLE, processor_kind, processor_name

CORE = """processor\t: {number}
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: {model}
model name\t: AMD EPYC
stepping\t: 1
flags\t\t: fpu avx2{more}

"""


def info(folder: Path, model: int, more: str = "") -> Path:
    path = folder / f"{model}{more.strip()}"
    path.write_text("".join(CORE.format(number=n, model=model, more=more) for n in range(2)))
    return path


def test_generations_of_one_name_are_told_apart(tmp_path: Path) -> None:
    older, newer = info(tmp_path, 1), info(tmp_path, 17, " avx512_bf16")
    assert processor_name(older) == processor_name(newer) == "AMD EPYC"
    assert processor_kind(older).startswith("AMD EPYC, 25/1/1, ")
    assert processor_kind(newer).startswith("AMD EPYC, 25/17/1, avx512_bf16, ")


def test_where_linux_does_not_tell_the_system_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WINDOWS_VARIABLE, "Intel64 Family 6 Model 143 Stepping 8, GenuineIntel")
    assert processor_kind(tmp_path / "none").startswith("Intel64 Family 6 Model 143 Stepping 8, ")
