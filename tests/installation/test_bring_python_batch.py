"""setup.bat where no Python serves, under Wine: stand-ins play Windows' own programs and uv."""

from __future__ import annotations

import hashlib

import pytest

from tests.support.wine.harness import SETUP, Run, Wine, explorer

FOLDER = "cpython-3.13.99-windows-x86_64-none"


@pytest.fixture(scope="module")
def tools(wine: Wine) -> Wine:
    wine.provide_windows_tools()
    # Such an "archive" tar's stand-in unpacks by copying it.
    wine.path(r"C:\served\uv.zip").write_bytes(wine.path(r"C:\windows_tools.exe").read_bytes())
    wine.path(r"C:\served\page.zip").write_bytes(b"<html>Please sign in</html>")
    return wine


def download(wine: Wine, home: str, *files: str) -> str:
    """Put the program there, with a table of these files, each at a place of its own."""
    wine.install(home)
    sha256 = hashlib.sha256(wine.path(r"C:\served\uv.zip").read_bytes()).hexdigest()
    rows = [
        f"archive windows-x86_64 {sha256} in/uv.exe https://place{number}.example/{file}"
        for number, file in enumerate(files)
    ]
    pythons = ["python linux-x86_64 other", f"python windows-x86_64 {FOLDER}"]
    other = f"archive linux-x86_64 {'0' * 64} uv https://linux.example/uv.zip"
    table = ["# a remark", "version 9.9.9", *pythons, other, *rows]
    wine.path(rf"{home}\installation\uv.txt").write_text("\n".join(table) + "\n", encoding="ascii")
    return explorer(rf"{home}\{SETUP}")


def test_a_python_is_brought_and_stays(tools: Wine) -> None:
    """The first place serves a page instead, the second the archive; again, it needs neither."""
    home = r"C:\it's (new)! & up^2"
    setup = download(tools, home, "page.zip", "uv.zip")
    outcomes = tools.run(Run(setup), Run(setup))
    for outcome in outcomes:
        [call] = outcome.calls
        assert call.program == rf"{home}\.python\{FOLDER}\python.exe"
        assert call.arguments == [rf"{home}\installation"]
        assert outcome.exit_code == 0
    fetched = ["Getting uv from place1.example" in outcome.printed for outcome in outcomes]
    assert fetched == [True, False]
    names = {path.name for path in tools.path(rf"{home}\.python").iterdir()}
    assert names == {FOLDER, "uv-9.9.9.exe", "download.log"}


def test_what_hinders_it_is_said(tools: Wine) -> None:
    cases = [  # the only file in the table, what uv says, the exit code, and the sentence
        ("page.zip", "", 3, "What came from place0.example is not the file"),
        ("fails-23", "", 4, "disk is full"),
        ("fails-60", "", 3, "place0.example is not trusted"),
        ("fails-6", "", 3, "place0.example cannot be reached"),
        ("uv.zip", "failed to write: os error 112", 4, "disk is full"),
        ("uv.zip", "invalid peer certificate: UnknownIssuer", 3, "is not trusted"),
        ("uv.zip", "Checksum mismatch for cpython", 3, "is not the file that was asked for"),
    ]
    runs = [
        Run(download(tools, rf"C:\hindered {number}", file), variables={"UV_SAYS": said})
        for number, (file, said, *_) in enumerate(cases)
    ]
    for (*_, code, sentence), outcome in zip(cases, tools.run(*runs), strict=True):
        assert (outcome.exit_code, outcome.calls) == (code, [])
        assert sentence in outcome.printed
        assert "winget install" in outcome.printed
