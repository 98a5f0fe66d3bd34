"""setup.bat, and the other batch files before setup, under Wine (tests/support/wine/harness.py).

A stand-in plays Python; what setup itself does is tested in test_installer.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from installation.arguments import SetupOptions, parse_arguments
from tests.support.wine.harness import (
    BARE_HOME,
    ELSEWHERE,
    HOME,
    KEY,
    SETUP,
    WINDOWS_PATH,
    Outcome,
    Run,
    Wine,
    explorer,
    terminal,
)

LAUNCHER = rf"C:\launcher;{WINDOWS_PATH}"
QUESTION = "Set it up now? (y/n) [n]: "


@pytest.fixture(scope="session")
def py(wine: Wine) -> Wine:
    """Give Wine a py.exe that starts Python 3.12, without any packages."""
    wine.stand_in(r"C:\launcher\py.exe")
    for name in ("py.exe.bare", "py.exe.versions", "py.exe-3.12"):
        wine.path(rf"C:\launcher\{name}").touch()
    return wine


def setup_arguments(home: str) -> list[str]:
    return ["-3.12", rf"{home}\installation"]


def fresh(wine: Wine, home: str) -> str:
    """Put the whole download there, without a .venv."""
    wine.install(home)
    return home


# ---- setup.bat


def test_a_double_click_runs_setup_and_passes_its_exit_code_on(py: Wine) -> None:
    codes = (0, 1, 2, 3, 4, 130, -1, -1073741819)
    starts = [(explorer(rf"{BARE_HOME}\{SETUP}"), BARE_HOME, code) for code in codes]
    starts += [(terminal(rf"{HOME}\{SETUP}"), HOME, code) for code in (0, 3, -1)]
    outcomes = py.run(
        *(
            Run(line, variables={"PATH": LAUNCHER, "RVM_EXIT": str(code)})
            for line, _, code in starts
        )
    )
    for (_, home, code), outcome in zip(starts, outcomes, strict=True):
        assert outcome.arguments == [setup_arguments(home)]
        assert (outcome.exit_code, outcome.typed) == (code, 1)
        assert outcome.calls[0].variables["PYTHONUTF8"] == "1"
        assert outcome.calls[0].folder == ELSEWHERE
        assert ('drop your video on "0_all_in_one.bat"' in outcome.printed) == (code == 0)
        assert ("Start it again in the same way" in outcome.printed) == (code == 130)
        assert (f"exit code {code}." in outcome.printed) == (code not in {0, 3, 130})


def test_it_runs_again_if_everything_is_there(py: Wine) -> None:
    """Setup itself finds out what is left to do."""
    [outcome] = py.run(Run(explorer(rf"{HOME}\{SETUP}"), variables={"PATH": LAUNCHER}))
    assert outcome.arguments == [setup_arguments(HOME)]


def test_the_best_python_is_used(wine: Wine) -> None:
    for place, versions in (("all", ("3.11", "3.13", "3.14")), ("old", ())):
        wine.stand_in(rf"C:\{place}\py.exe")
        for name in ("py.exe.versions", *(f"py.exe-{version}" for version in versions)):
            wine.path(rf"C:\{place}\{name}").touch()
    for name in (r"Python311\python.exe", r"Python313\python.exe"):
        wine.stand_in(rf"C:\local (x)\Programs\Python\{name}")
    files = r"C:\Program Files\Python312\python.exe"  # Windows sets the variable for this itself
    wine.stand_in(files)
    wine.stand_in(r"C:\user (x)\miniforge3\python.exe")
    wine.stand_in(r"C:\on path\python.exe")
    local = {"LOCALAPPDATA": r"C:\local (x)"}
    user = {"USERPROFILE": r"C:\user (x)"}
    expected = [
        ({"PATH": rf"C:\all;C:\on path;{WINDOWS_PATH}", **local}, r"C:\all\py.exe", ["-3.13"]),
        ({"PATH": rf"C:\old;C:\on path;{WINDOWS_PATH}", **local}, r"C:\on path\python.exe", []),
        ({**local, **user}, r"C:\local (x)\Programs\Python\Python313\python.exe", []),
        (user, files, []),
    ]
    setup = explorer(rf"{BARE_HOME}\{SETUP}")
    outcomes = wine.run(*(Run(setup, variables=variables) for variables, *_ in expected))
    wine.path(files).unlink()
    outcomes += wine.run(Run(setup, variables=user))
    expected += [(user, r"C:\user (x)\miniforge3\python.exe", [])]
    for (_, program, version), outcome in zip(expected, outcomes, strict=True):
        [call] = outcome.calls
        assert call.program == program
        assert call.arguments == [*version, rf"{BARE_HOME}\installation"]


def test_why_a_python_is_not_used_is_said(wine: Wine) -> None:
    wine.stand_in(r"C:\aged\py.exe")
    wine.path(r"C:\aged\py.exe.versions").touch()
    wine.path(r"C:\aged\py.exe-3").touch()
    wine.path(r"C:\aged\py.exe.old").touch()
    wine.stand_in(r"C:\Microsoft\WindowsApps\python.exe")
    wine.path(r"C:\Microsoft\WindowsApps\python.exe.broken").touch()
    path = rf"C:\aged;C:\Microsoft\WindowsApps;{WINDOWS_PATH}"
    setup, drop = wine.run(
        *(
            Run(explorer(rf"{BARE_HOME}\{name}", *paths), typed, variables={"PATH": path})
            for name, paths, typed in (
                (SETUP, (), (KEY,)),
                ("3_combine.bat", (r"C:\a",), ("y\n", KEY)),
            )
        )
    )
    for outcome, name in ((setup, SETUP), (drop, "3_combine.bat")):
        assert (outcome.exit_code, outcome.calls) == (3, [])
        assert outcome.printed.splitlines()[0] == "Not used: it is too old."
        assert "winget install Python.Python.3.13" in outcome.printed
        assert "https://www.python.org/downloads/windows/" in outcome.printed
        assert f'Then use "{name}" again.' in outcome.printed


def test_setup_runs_nothing_from_the_current_folder(py: Wine) -> None:
    for name in ("python.exe", "py.exe", "find_python.bat"):
        py.stand_in(rf"C:\clips there\{name}")
    setup = explorer(rf"{BARE_HOME}\{SETUP}")
    there = r"C:\clips there"
    without, beside, other_drive = py.run(
        Run(setup, folder=there),
        Run(setup, folder=there, variables={"PATH": LAUNCHER}),
        Run(setup, folder="Z:\\", variables={"PATH": LAUNCHER}),
    )
    assert (without.exit_code, without.calls) == (3, [])
    for outcome, folder in ((beside, there), (other_drive, "Z:\\")):
        assert outcome.arguments == [setup_arguments(BARE_HOME)]
        assert outcome.calls[0].folder == folder


def test_setup_may_be_in_any_folder(py: Wine) -> None:
    homes = [
        fresh(py, home)
        for home in (
            r"C:\Program Files (x86)\RVM & more",
            "C:\\it's a=b, c; (new)!\\up^2 休暇 \U0001f3ac",
            r"C:\a&canary",
            "C:\\" + "\\".join(["long" * 10] * 4),
        )
    ]
    outcomes = py.run(
        *(Run(explorer(rf"{h}\{SETUP}"), variables={"PATH": LAUNCHER}) for h in homes)
    )
    for home, outcome in zip(homes, outcomes, strict=True):
        assert outcome.arguments == [setup_arguments(home)]


def test_what_is_dropped_on_setup_is_ignored(py: Wine) -> None:
    nest = r"C:\more canaries"
    py.stand_in(rf"{nest}\canary.exe")
    outcomes = py.run(
        *(
            Run(
                explorer(rf"{BARE_HOME}\{SETUP}", rf"C:\{name}"),
                variables={"PATH": rf"{LAUNCHER};{nest}"},
                folder=nest,
            )
            for name in ("a&canary", "a&&canary.exe", "a b & canary.mp4", "a^&canary.exe")
        )
    )
    for outcome in outcomes:
        assert outcome.arguments == [setup_arguments(BARE_HOME)]
        assert outcome.exit_code == 0


def test_options_typed_after_setup_reach_it_unchanged(py: Wine) -> None:
    older = r"C:\it's old & (odd)! 休暇"
    typed = [terminal(rf"{HOME}\{SETUP}", *x) for x in (("--cpu", "--from", older), ())]
    outcomes = py.run(*(Run(line, variables={"PATH": LAUNCHER}) for line in typed))
    options = [parse_arguments([], outcome.calls[0].variables) for outcome in outcomes]
    assert options == [SetupOptions(cpu=True, older=Path(older)), SetupOptions()]


def test_a_file_that_is_missing_is_named(py: Wine) -> None:
    homes = {
        missing: fresh(py, rf"C:\without {number}")
        for number, missing in enumerate(
            (r"installation\python_check.py", r"windows\find_python.bat", "inference_custom.py")
        )
    }
    for missing, home in homes.items():
        py.path(rf"{home}\{missing}").unlink()
    outcomes = py.run(
        *(Run(explorer(rf"{h}\{SETUP}"), variables={"PATH": LAUNCHER}) for h in homes.values())
    )
    for missing, outcome in zip(homes, outcomes, strict=True):
        assert (outcome.exit_code, outcome.typed, outcome.calls) == (3, 1, [])
        assert missing in outcome.printed
        assert "Unpack the whole download" in outcome.printed


# ---- The others, before setup


def drop_on_fresh(py: Wine, name: str, *typed: str, **variables: str) -> tuple[str, Run]:
    home = fresh(py, rf"C:\fresh {name}")
    drop = explorer(rf"{home}\2_infer.bat", r"C:\a&b.mp4", r"C:\c d!.mp4")
    return home, Run(
        drop,
        typed=typed,
        variables={"PATH": LAUNCHER, **variables},
        keyboard_ends=not typed,
    )


def was_asked(outcome: Outcome) -> int:
    return outcome.printed.count(QUESTION)


def test_yes_runs_setup_and_continues_with_what_was_dropped(py: Wine) -> None:
    """Even if doctor found something missing (3): the stage itself says so."""
    for code in ("0", "3"):
        python = rf"C:\fresh yes {code}\.venv\Scripts\python.exe"
        py.path(python)
        home, run = drop_on_fresh(
            *(py, f"yes {code}", "perhaps\n", '"Y"\n', "y\n", KEY),
            RVM_MAKES=python,
            RVM_EXIT=f"{code} 0",
        )
        [outcome] = py.run(run)
        setup, first, second = outcome.calls
        assert setup.arguments == setup_arguments(home)
        assert (first.program, second.program) == (python, python)
        program = rf"{home}\inference_custom.py"
        assert first.arguments == [program, "infer", r"C:\a&b.mp4"]
        assert second.arguments == [program, "infer", r"C:\c d!.mp4", "--shutdown"]
        assert (outcome.exit_code, outcome.typed) == (0, 4)
        assert was_asked(outcome) == 2
        assert "about 3 GB" in outcome.printed


def test_nothing_is_installed_without_a_yes(py: Wine) -> None:
    for number, typed in enumerate((("n\n", KEY), ("\n", KEY), ("perhaps\n", "NO\n", KEY), ())):
        _, run = drop_on_fresh(py, f"no {number}", *typed)
        [outcome] = py.run(run)
        assert outcome.calls == []
        assert (outcome.exit_code, outcome.typed) == (3, len(typed))
        assert was_asked(outcome) == max(1, len(typed) - 1)
        assert 'double-click "setup.bat"' in outcome.printed


def test_if_setup_fails_the_stage_does_not_start(py: Wine) -> None:
    for code, passed_on in ((4, 4), (0, 3), (130, 130)):
        home, run = drop_on_fresh(py, f"fails {code}", "y\n", KEY, RVM_EXIT=str(code))
        [outcome] = py.run(run)
        assert outcome.arguments == [setup_arguments(home)]
        assert (outcome.exit_code, outcome.typed) == (passed_on, 2)


def test_another_python_with_the_packages_is_used_without_a_question(py: Wine) -> None:
    for place in ("conda", r"venv\Scripts", "bare conda"):
        py.stand_in(rf"C:\active\{place}\python.exe")
    py.path(r"C:\active\bare conda\python.exe.bare").touch()
    drop = explorer(rf"{BARE_HOME}\3_combine.bat", r"C:\a b")
    path = {"PATH": LAUNCHER}
    conda, venv, bare = py.run(
        Run(drop, variables={**path, "CONDA_PREFIX": r"C:\active\conda"}),
        Run(drop, variables={**path, "VIRTUAL_ENV": r"C:\active\venv"}),
        Run(drop, ("n\n", KEY), {**path, "CONDA_PREFIX": r"C:\active\bare conda"}),
    )
    assert [call.program for call in conda.calls] == [r"C:\active\conda\python.exe"]
    assert [call.program for call in venv.calls] == [r"C:\active\venv\Scripts\python.exe"]
    assert was_asked(conda) == was_asked(venv) == 0
    assert "Not used: a package is missing." in bare.printed
    assert (bare.calls, was_asked(bare), bare.exit_code) == ([], 1, 3)


def test_a_broken_venv_is_reported_and_set_up_anew(py: Wine) -> None:
    for number, flaw in enumerate(("broken", "bare")):
        home = fresh(py, rf"C:\half {number}")
        python = rf"{home}\.venv\Scripts\python.exe"
        py.stand_in(python)
        py.path(f"{python}.{flaw}").touch()
        drop = explorer(rf"{home}\4_add_audio.bat", r"C:\a.mp4")
        [outcome] = py.run(Run(drop, ("y\n", KEY), {"PATH": LAUNCHER, "RVM_EXIT": "4"}))
        assert outcome.arguments == [setup_arguments(home)]
        assert outcome.printed.startswith("Not used")
        assert outcome.exit_code == 4
