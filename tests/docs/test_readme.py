"""The README is short, begins with what a newcomer needs, and is right about the tree."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.documentation import README
from tests.support.repository import ROOT

TEXT = README.read_text(encoding="utf-8")
FIRST_SCREEN = "\n".join(TEXT.splitlines()[:25])


def test_it_is_short() -> None:
    assert len(TEXT.splitlines()) <= 250


def test_the_first_screen_shows_a_result_and_the_two_things_to_do() -> None:
    assert re.search(r"^!\[.+\]\(demo/before_after\.png\)$", FIRST_SCREEN, re.MULTILINE)
    for needed in ("setup.bat", "0_all_in_one.bat", "setup.sh", "inference_custom.py run"):
        assert needed in FIRST_SCREEN


def test_its_commands_for_setup_and_tests_are_where_programs_look_for_them() -> None:
    for mark, last in (("run", "inference_custom.py run VIDEO.mp4"), ("tests", "-m pytest")):
        part = TEXT.split(f"<!-- {mark} -->\n")[1].split("<!-- end -->")[0]
        fence, command, end = part.splitlines()
        assert fence == end == "```"
        assert command.startswith("python3 -m venv .venv && ")
        assert command.endswith(last)


def test_the_files_that_users_know_are_at_the_top_level() -> None:
    for name in (
        "0_all_in_one.bat",
        "1_segment.bat",
        "2_infer.bat",
        "3_combine.bat",
        "4_add_audio.bat",
        "setup.bat",
        "setup.sh",
        "inference_custom.py",
        "requirements_inference.txt",
        "LICENSE",
    ):
        assert Path(ROOT, name).is_file()
