"""setup.bat where no Python serves, under Wine: stand-ins play Windows' own programs and uv."""

from __future__ import annotations

import hashlib
import shutil

import pytest

from tests.support.wine.harness import SETUP, TOOLS, Outcome, Run, Wine, explorer

FOLDER = "cpython-3.13.99-windows-x86_64-none"
VARIABLES = {"SystemRoot": TOOLS}
HOMES = {name: rf"C:\{name}" for name in ("it's (new)! & up^2", "one page", "no disk", "no trust")}


@pytest.fixture(scope="module")
def tools(wine: Wine) -> Wine:
    wine.provide_windows_tools()
    uv = wine.path(r"C:\windows_tools.exe").read_bytes()  # tar's stand-in makes it of the archive
    wine.path(r"C:\served\uv.zip").write_bytes(uv)
    wine.path(r"C:\served\page.zip").write_bytes(b"<html>Please sign in</html>")
    for home in HOMES.values():
        wine.install(home)
        wine.path(rf"{home}\installation\uv.txt").write_text(
            "# a remark\nversion 9.9.9\n"
            f"python linux-x86_64 other\npython windows-x86_64 {FOLDER}\n"
            f"archive linux-x86_64 {'0' * 64} uv https://linux.example/uv.zip\n"
            + "".join(
                f"archive windows-x86_64 {hashlib.sha256(uv).hexdigest()} in/uv.exe "
                f"https://{place}.example/{name}.zip\n"
                for place, name in (("first", "page"), ("second", "uv"))
            ),
            encoding="ascii",
        )
    return wine


def set_up(wine: Wine, home: str) -> Outcome:
    [outcome] = wine.run(Run(explorer(rf"{home}\{SETUP}"), variables=VARIABLES))
    return outcome


def test_a_python_is_brought_and_stays(tools: Wine) -> None:
    """The first place serves a page instead, the second the archive; again, it needs neither."""
    home = HOMES["it's (new)! & up^2"]
    for served in (True, False):
        tools.path(r"C:\served\away").unlink(missing_ok=True)
        if not served:
            shutil.move(tools.path(r"C:\served\uv.zip"), tools.path(r"C:\served\away"))
        outcome = set_up(tools, home)
        [call] = outcome.calls
        assert call.program == rf"{home}\.python\{FOLDER}\python.exe"
        assert call.arguments == [rf"{home}\installation"]
        assert outcome.exit_code == 0
        assert ("Getting uv from second.example" in outcome.printed) == served
        names = {path.name for path in tools.path(rf"{home}\.python").iterdir()}
        assert names == {FOLDER, "uv-9.9.9.exe", "download.log"}
    shutil.move(tools.path(r"C:\served\away"), tools.path(r"C:\served\uv.zip"))


def test_what_hinders_it_is_said(tools: Wine) -> None:
    served = tools.path(r"C:\served\uv.zip")
    content = served.read_bytes()
    served.write_bytes(b"<html>")
    page = set_up(tools, HOMES["one page"])
    assert (page.exit_code, page.calls) == (3, [])
    assert "What came from second.example is not the file" in page.printed
    served.unlink()
    for code, home, exit_code, sentence in (
        (23, HOMES["no disk"], 4, "disk is full"),
        (60, HOMES["no trust"], 3, "second.example is not trusted"),
        (6, HOMES["no trust"], 3, "second.example cannot be reached"),
    ):
        tools.path(r"C:\served\fails").write_text(str(code))
        outcome = set_up(tools, home)
        assert (outcome.exit_code, outcome.calls) == (exit_code, [])
        assert sentence in outcome.printed
        assert "winget install" in outcome.printed
    served.write_bytes(content)
    for said, exit_code, sentence in (
        ("error: failed to write: os error 112", 4, "disk is full"),
        ("invalid peer certificate: UnknownIssuer", 3, "is not trusted"),
    ):
        tools.path(r"C:\served\uv-fails").write_text(said)
        outcome = set_up(tools, HOMES["no trust"])
        assert (outcome.exit_code, outcome.calls) == (exit_code, [])
        assert sentence in outcome.printed
    tools.path(r"C:\served\uv-fails").unlink()
