"""The batch files: what they are, and what they do under Wine (tests/support/wine/harness.py)."""

import re
import shutil
from pathlib import Path, PureWindowsPath

import pytest

from matting.cli.queue_options import dropped_paths
from matting.options import DEFAULT_SEGMENT_SECONDS
from matting.system.invocation import Command
from tests.support.repository import ROOT
from tests.support.wine.harness import (
    BARE_HOME,
    ELSEWHERE,
    HOME,
    KEY,
    SETUP,
    STAGES,
    WINDOWS_PATH,
    Outcome,
    Run,
    Wine,
    explorer,
    terminal,
)

STARTED = {SETUP: "setup", **STAGES}
BATCH_FILES = [
    *(ROOT / PureWindowsPath(name) for name in STARTED),
    *sorted((ROOT / "windows").glob("*.bat")),
]
INTERRUPTED = {130, -1073741510}  # the second is Windows' own code for a program that Ctrl+C ended


def arguments(stage: str, path: str, *options: str, home: str = HOME) -> list[str]:
    return [rf"{home}\inference_custom.py", stage, path, *options]


def queue_arguments(*options: str) -> list[str]:
    return [rf"{HOME}\inference_custom.py", "run", *options]


def queued(outcome: Outcome) -> list[str]:
    """Return the videos that the program would take from its variable."""
    return dropped_paths(outcome.calls[0].variables["RVM_PATHS"])


# ---- What the files are


@pytest.mark.parametrize("path", BATCH_FILES, ids=lambda path: path.name)
def test_a_batch_file_is_ascii_with_crlf_and_no_bom(path: Path) -> None:
    content = path.read_bytes()
    content.decode("ascii")  # which refuses a BOM too
    assert content.endswith(b"\r\n")
    assert content.count(b"\n") == content.count(b"\r") == content.count(b"\r\n")


def test_git_keeps_their_line_endings() -> None:
    assert "*.bat text eol=crlf" in (ROOT / ".gitattributes").read_text().splitlines()


def test_the_batch_files_differ_only_in_their_stage_and_first_remark() -> None:
    bodies = set()
    for name, stage in STARTED.items():
        lines = (ROOT / PureWindowsPath(name)).read_text(encoding="ascii").splitlines()
        assert lines[1].startswith("rem Double-click " if name == SETUP else "rem Drop ")
        bodies.add(
            "\n".join(lines[2:])
            .replace(f'launch.bat" {stage} ', 'launch.bat" STAGE ')
            .replace(r"..\windows", "windows")
        )
    assert len(bodies) == 1


@pytest.mark.parametrize("path", BATCH_FILES, ids=lambda path: path.name)
def test_no_path_is_expanded_twice_or_stands_outside_quotation_marks(path: Path) -> None:
    """This keeps odd names intact in Windows' own cmd.exe, too, which Wine's is not."""
    names = "PATH|REST|TAKE|TAIL|HOME|BATCH|TRY|PYTHON|LINE|DROPPED|ENVIRONMENT|ANSWER|SHOWN|FAILED"
    values = rf"%RVM_({names})[%:]"
    for line in path.read_text(encoding="ascii").splitlines():
        if line.startswith("rem "):
            continue
        called = re.search(r"\bcall (.*)", line)
        assert not called or re.fullmatch(r":\w+\)?|\.\\(find|bring)_python\.bat", called[1]), line
        assert "enabledelayedexpansion" not in line.lower()
        assert "%*" not in line
        for found in re.finditer(rf"{values}|%~?[a-z]*[0-9]", line):
            if found[0] == "%RVM_ANSWER%" and "--seconds" in line:
                continue  # nothing but digits by then
            assert line[: found.start()].count('"') % 2 == 1, line


def test_the_default_that_the_question_names_is_the_programs() -> None:
    question = f"Seconds per segment [{DEFAULT_SEGMENT_SECONDS}]: "
    launcher = (ROOT / "windows" / "launch.bat").read_text(encoding="ascii")
    assert question in launcher
    assert f"press Enter for {DEFAULT_SEGMENT_SECONDS}." in launcher


# ---- What reaches Python


def test_each_file_starts_its_stage_with_the_answers_as_options(wine: Wine) -> None:
    video = r"C:\clips\my clip.mp4"
    answers: list[tuple[str, tuple[str, ...], list[str]]] = [
        ("0_all_in_one.bat", ("\n",), []),
        ("0_all_in_one.bat", ("maybe\n", "y\n"), ["--shutdown"]),
        ("1_segment.bat", ("\n",), []),
        ("1_segment.bat", ("20\n",), ["--seconds", "20"]),
        ("1_segment.bat", ("0\n", "-3\n", "1.5\n", "a&b\n", '"\n', "7\n"), ["--seconds", "7"]),
        ("2_infer.bat", ("\n",), []),
        ("2_infer.bat", ("N\n",), []),
        ("2_infer.bat", ("y\n",), ["--shutdown"]),
        ("2_infer.bat", ("perhaps\n", '"&\n', "YES\n"), ["--shutdown"]),
        ("3_combine.bat", (), []),
        ("4_add_audio.bat", (), []),
        (r"extras\deliver.bat", (), []),
        (r"extras\deliver_vr.bat", (), []),
        (r"extras\rematte.bat", (), []),
        (r"extras\preview.bat", (), []),
        (r"extras\report.bat", (), []),
    ]
    outcomes = wine.run(
        *(
            Run(explorer(rf"{HOME}\{name}", video), typed=(*typed, KEY))
            for name, typed, _ in answers
        )
    )
    for (name, typed, options), outcome in zip(answers, outcomes, strict=True):
        assert outcome.arguments == [arguments(STAGES[name], video, *options)]
        assert (outcome.exit_code, outcome.typed) == (0, len(typed) + 1)
        assert outcome.printed.count("Please type") == max(0, len(typed) - 1)
        assert "\r\nDone.\r\n" in outcome.printed
        assert outcome.calls[0].variables["PYTHONUTF8"] == "1"
        assert outcome.calls[0].folder == ELSEWHERE


def test_without_a_keyboard_the_default_answers_are_used(wine: Wine) -> None:
    everything, segment, infer = wine.run(
        *(
            Run(explorer(rf"{HOME}\{name}", r"C:\a.mp4"), typed=(), keyboard_ends=True)
            for name in ("0_all_in_one.bat", "1_segment.bat", "2_infer.bat")
        )
    )
    assert everything.arguments == [arguments("run", r"C:\a.mp4")]
    assert segment.arguments == [arguments("segment", r"C:\a.mp4")]
    assert infer.arguments == [arguments("infer", r"C:\a.mp4")]


ODD_PATHS = [
    r"C:\clips\a clip.mp4",
    r"C:\clips\a&b.mp4",
    r"C:\clips\a & b.mp4",
    r"C:\clips\wow!.mp4",
    r"C:\clips\wow! so!good.mp4",
    r"C:\clips\a^b.mp4",
    r"C:\clips\a^^b ^c.mp4",
    r"C:\clips\clip(1).mp4",
    r"C:\clips\a)b(.mp4",  # an unquoted a&(b.mp4 is refused by cmd.exe itself
    r"C:\clips\a ) & ( b.mp4",
    r"C:\clips\it's.mp4",
    r"C:\clips\a=b,c;d.mp4",
    r"C:\clips\a = b, c; d.mp4",
    r"C:\clips\#@$~`{}[]+-_.mp4",
    "C:\\clips\\Видео_из_отпуска.mp4",
    "C:\\clips\\休暇の ビデオ.mp4",
    "C:\\clips\\ideographic\u3000space.mp4",
    "C:\\clips\\caf\u00e9 \U0001f3ac.mp4",
    r"\\server\share$\clips\a b.mp4",
    r"\\server\share\a&b.mp4",
    "D:\\",  # the root of a drive: in "D:\" the backslash would escape the quotation mark
    "C:\\my clips\\",
    "\\\\server\\share\\",
    "C:\\odd\\\\\\",
]
PERCENT_PATHS = [
    r"C:\clips\100%.mp4",
    r"C:\clips\100% sure.mp4",
    r"C:\clips\%PATH%.mp4",
    r"C:\clips\a%20b&100%d!.mp4",
    r"C:\clips\%1%~2%%A.mp4",
]


def test_a_dropped_path_reaches_python_unchanged(wine: Wine) -> None:
    alone = [path for path in ODD_PATHS if set(path) & set("&^!,") and " " not in path]
    together, everything, *outcomes = wine.run(
        Run(explorer(rf"{HOME}\3_combine.bat", *ODD_PATHS)),
        Run(explorer(rf"{HOME}\0_all_in_one.bat", *ODD_PATHS[1:]), typed=("n\n", "n\n", KEY)),
        *(Run(explorer(rf"{HOME}\2_infer.bat", path), typed=("y\n", KEY)) for path in alone),
    )
    assert together.arguments == [arguments("combine", path) for path in ODD_PATHS]
    assert everything.arguments == [queue_arguments("--clean", "no")]
    assert queued(everything) == ODD_PATHS[1:]
    for path, outcome in zip(alone, outcomes, strict=True):
        assert outcome.arguments == [arguments("infer", path, "--shutdown")]
        assert outcome.exit_code == 0


def test_a_dropped_path_with_percent_signs_reaches_python_unchanged(wine: Wine) -> None:
    if not wine.keeps_percent_signs():
        pytest.skip("this Wine's cmd.exe loses percent signs, which Windows' own keeps")
    [outcome] = wine.run(Run(explorer(rf"{HOME}\3_combine.bat", *PERCENT_PATHS)))
    assert outcome.arguments == [arguments("combine", path) for path in PERCENT_PATHS]


def test_a_path_of_more_than_260_characters_reaches_python_unchanged(wine: Wine) -> None:
    """A path is passed on whether it exists or not."""
    long = "C:\\" + "\\".join([f"f{n} {'x' * 60}!" for n in range(7)]) + "\\a&b.mp4"
    bare = "C:\\" + "\\".join([f"f{n}&{'y' * 60}!" for n in range(7)]) + "\\a^b.mp4"
    dropped, typed = wine.run(
        Run(explorer(rf"{HOME}\3_combine.bat", long, bare)),
        Run(terminal(rf"{HOME}\3_combine.bat", long)),
    )
    assert len(long) > 400 < len(bare)
    assert dropped.arguments == [arguments("combine", path) for path in (long, bare)]
    assert typed.arguments == [arguments("combine", long)]


def test_many_paths_dropped_at_once_are_all_processed(wine: Wine) -> None:
    """Some 4500 characters: more than once in a line of a batch file would be too many."""
    many = [rf"C:\clips\{'z' * 60}{n} & {n}.mp4" for n in range(60)]
    [outcome] = wine.run(Run(explorer(rf"{HOME}\3_combine.bat", *many)))
    assert len(" ".join(many)) > 4500
    assert outcome.arguments == [arguments("combine", path) for path in many]
    assert outcome.exit_code == 0


def test_more_than_windows_passes_on_is_refused(wine: Wine) -> None:
    too_many = [rf"C:\clips\{'z' * 200}{n}.mp4" for n in range(37)]
    drop = explorer(rf"{HOME}\3_combine.bat", *too_many)
    [outcome] = wine.run(Run(drop))
    assert 7950 < len(drop) < 8191  # beyond that, cmd.exe itself refuses
    assert (outcome.exit_code, outcome.calls) == (2, [])
    assert "too many at once" in outcome.printed
    assert 'Drop fewer on "3_combine.bat"' in outcome.printed


def test_a_quoted_path_from_a_terminal_reaches_python_unchanged(wine: Wine) -> None:
    """So does the current folder, to which it may be relative."""
    paths = [*ODD_PATHS, "clip.mp4", r"..\a b.mp4", ";first.mp4"]
    eights = [paths[first : first + 8] for first in range(0, len(paths), 8)]
    outcomes = wine.run(*(Run(terminal(rf"{HOME}\3_combine.bat", *eight)) for eight in eights))
    for eight, outcome in zip(eights, outcomes, strict=True):
        assert outcome.arguments == [arguments("combine", path) for path in eight]
        assert {call.folder for call in outcome.calls} == {ELSEWHERE}


def test_no_part_of_a_name_is_run_as_a_command(wine: Wine) -> None:
    """canary.exe is in the current folder and on the PATH, and would record that it ran."""
    nest = r"C:\canaries"
    wine.stand_in(rf"{nest}\canary.exe")
    variables = {"PATH": rf"{WINDOWS_PATH};{nest}"}
    # Started from a batch file without precautions it does run, or this test could not fail.
    wine.path(r"C:\careless.bat").write_bytes(b"@exit /b 0\r\n")
    names = ["a&canary", "a&&canary.exe", "a^&canary.exe", "a(&canary.exe&)"]
    drops = [rf"C:\{name}" for name in names]
    careless, *outcomes = wine.run(
        Run(explorer(r"C:\careless.bat", drops[0]), typed=(), variables=variables, folder=nest),
        *(
            Run(
                explorer(rf"{home}\3_combine.bat", drop),
                typed=typed,
                variables=variables,
                folder=nest,
            )
            for home, typed in ((HOME, (KEY,)), (BARE_HOME, ("y\n", KEY)))
            for drop in drops
        ),
    )
    assert [call.program.lower() for call in careless.calls] == [r"c:\canaries\canary.exe"]
    for drop, done, no_python in zip(drops, outcomes[:4], outcomes[4:], strict=True):
        assert done.arguments == [arguments("combine", drop)]
        assert (done.exit_code, no_python.exit_code) == (0, 3)
        assert no_python.calls == []


def test_several_paths_are_processed_in_order(wine: Wine) -> None:
    paths = [r"D:\a,b.mp4", r"C:\c & d.mp4", r"C:\e&f.mp4", r"C:\g h!.mp4"]
    infer_all = explorer(rf"{HOME}\2_infer.bat", *paths)
    infer, interrupted, segment, too_many = wine.run(
        Run(infer_all, typed=("y\n", KEY), variables={"RVM_EXIT": "0 4 1 0"}),
        Run(infer_all, typed=("y\n", KEY), variables={"RVM_EXIT": "0 130"}),
        Run(explorer(rf"{HOME}\1_segment.bat", *paths), typed=("3\n", KEY)),
        Run(terminal(rf"{HOME}\3_combine.bat", *paths, *paths, "x")),
    )
    assert infer.arguments == [
        *(arguments("infer", path) for path in paths[:-1]),
        arguments("infer", paths[-1], "--shutdown"),  # only after the last one
    ]
    assert infer.exit_code == 4  # the first that failed
    assert interrupted.arguments == [arguments("infer", path) for path in paths[:2]]
    assert interrupted.exit_code == 130
    assert segment.arguments == [arguments("segment", path, "--seconds", "3") for path in paths]
    assert (too_many.calls, too_many.exit_code) == ([], 2)
    assert "eight" in too_many.printed
    assert [line for line in too_many.printed.splitlines() if line.startswith("Not done")] == [
        f'Not done: "{path}"' for path in (*paths, *paths, "x")
    ]


def test_several_videos_and_folders_are_one_queue(wine: Wine) -> None:
    """Whether working files go is asked beforehand: a question in between would hold up the next.

    One video is asked about by the program itself, when it is finished.
    """
    drops = [r"C:\a&b.mp4", r"C:\c ^d!.mp4", r"C:\e.mp4", r"C:\f g.mp4"]
    everything = rf"{HOME}\0_all_in_one.bat"
    some_failed, interrupted, folder, queue_file, alone = wine.run(
        Run(explorer(everything, *drops), ("what\n", "yes\n", "y\n", KEY), {"RVM_EXIT": "1"}),
        Run(terminal(everything, *drops), ("n\n", "n\n", KEY), {"RVM_EXIT": "130"}),
        Run(explorer(everything, ELSEWHERE), ("\n", "n\n", KEY)),
        Run(explorer(everything, r"C:\my clips\queue.txt"), ("\n", "n\n", KEY)),
        Run(explorer(everything, drops[1]), ("n\n", KEY), {"RVM_EXIT": "4"}),
    )
    assert some_failed.arguments == [queue_arguments("--clean", "yes", "--shutdown")]
    assert interrupted.arguments == [queue_arguments("--clean", "no")]
    assert queued(some_failed) == queued(interrupted) == drops
    assert (some_failed.exit_code, interrupted.exit_code) == (1, 130)
    assert "it continues where it stopped" in interrupted.printed
    assert folder.arguments == [arguments("run", ELSEWHERE, "--clean", "no")]
    assert queue_file.arguments == [arguments("run", r"C:\my clips\queue.txt", "--clean", "no")]
    assert (alone.arguments, alone.exit_code) == ([arguments("run", drops[1])], 4)
    assert {call.variables["RVM_BATCH"] for call in some_failed.calls} == {"0_all_in_one.bat"}


def test_several_are_counted_and_those_that_failed_are_named(wine: Wine) -> None:
    drops = [r"C:\a&b.mp4", r"C:\c ^d!.mp4", r"C:\e.mp4", r"C:\f g.mp4"]
    start = explorer(rf"{HOME}\1_segment.bat", *drops)
    mixed, interrupted = wine.run(
        Run(start, typed=("\n", KEY), variables={"RVM_EXIT": "1 0 70 0"}),
        Run(start, typed=("\n", KEY), variables={"RVM_EXIT": "0 2 130"}),
    )
    counted = [f'{number} of 4: "{drop}"' for number, drop in enumerate(drops, 1)]

    def lines(outcome: Outcome, beginning: str) -> list[str]:
        return [line for line in outcome.printed.splitlines() if re.match(beginning, line)]

    assert mixed.exit_code == 1  # the first that failed
    assert lines(mixed, r"\d of") == counted
    assert lines(mixed, "Not finished") == [f'Not finished: "{drops[n]}"' for n in (0, 2)]
    assert lines(interrupted, r"\d of") == counted[:3]
    assert lines(interrupted, "Not finished") == [f'Not finished: "{drops[1]}"']
    assert lines(interrupted, "Interrupted") and interrupted.exit_code == 2


def test_a_list_of_failed_paths_as_long_as_windows_passes_on_is_named(wine: Wine) -> None:
    many = [rf"C:\clips\{'z' * 106}{n}&{n}.mp4" for n in range(60)]
    longer = [many[0].replace("z0", "zz0"), *many[1:]]
    drops = [
        explorer(rf"{HOME}\4_add_audio.bat", *longer),
        explorer(rf"{HOME}\0_all_in_one.bat", *many),
    ]
    assert {7500 < len(drop) < 7900 for drop in drops} == {True}
    named, queue = wine.run(
        Run(drops[0], variables={"RVM_EXIT": "1"}), Run(drops[1], typed=("n\n", "n\n", KEY))
    )
    assert re.findall(r'Not finished: "(.+)"', named.printed) == longer
    assert queued(queue) == many


# ---- How it ends


def test_the_exit_code_is_passed_on_and_explained(wine: Wine) -> None:
    starts = [(explorer, code) for code in (0, 1, 2, 3, 130, 255, -1073741510, -1073741819)]
    starts += [(terminal, code) for code in (3, 130, -1)]
    outcomes = wine.run(
        *(
            Run(start(rf"{HOME}\3_combine.bat", r"C:\a"), variables={"RVM_EXIT": str(code)})
            for start, code in starts
        )
    )
    for (_, code), outcome in zip(starts, outcomes, strict=True):
        assert outcome.exit_code == code
        last_line = outcome.printed.split("\r\n")[-2]
        if code in INTERRUPTED:
            assert last_line.startswith("Interrupted. Start it again in the same way")
        elif code:
            assert last_line.startswith(f"This did not finish: exit code {code}. The text above")
        else:
            assert last_line == "Done."


def test_after_an_interruption_it_is_said_what_another_start_does(wine: Wine) -> None:
    """As the program itself says it, which Windows may end before it can say anything."""
    drops = [explorer(rf"{HOME}\{name}", r"C:\a") for name in STAGES]
    ends = {"RVM_EXIT": "130"}
    outcomes = wine.run(
        *(Run(drop, typed=(), variables=ends, keyboard_ends=True) for drop in drops)
    )
    for stage, outcome in zip(STAGES.values(), outcomes, strict=True):
        assert outcome.exit_code == 130
        goes_on = "it continues where it stopped." in outcome.printed
        assert goes_on == Command(stage).resumes
        assert ("this step begins anew." in outcome.printed) != goes_on


def test_the_window_stays_open_until_a_key_is_pressed(wine: Wine) -> None:
    wine.install(r"C:\incomplete")
    wine.path(r"C:\incomplete\inference_custom.py").unlink()
    wine.install(r"C:\alone")
    shutil.rmtree(wine.path(r"C:\alone\windows"))
    combine = explorer(rf"{HOME}\3_combine.bat", r"C:\a")
    ends = [  # the first two are also observed while they wait
        (combine, "0", 0),
        (explorer(rf"{BARE_HOME}\{SETUP}"), "0", 3),
        (explorer(rf"{HOME}\3_combine.bat"), "0", 2),
        (combine, "2", 2),
        (combine, "130", 130),
        (explorer(r"C:\incomplete\3_combine.bat", r"C:\a"), "0", 3),
        (explorer(r"C:\alone\3_combine.bat", r"C:\a"), "0", 3),
    ]
    runs = [(line, {"RVM_EXIT": python_ends_with}) for line, python_ends_with, _ in ends]
    outcomes = wine.run(
        *(Run(line, variables=exit_code) for line, exit_code in runs),
        *(Run(line, variables={**exit_code, "RVM_NO_PAUSE": "1"}) for line, exit_code in runs),
        *(Run(line, typed=(), variables=v, until="Press any key") for line, v in runs[:2]),
    )
    pressed, automatic, waiting = outcomes[:7], outcomes[7:14], outcomes[14:]
    expected = [code for _, _, code in ends]
    for outcome, code in zip(pressed, expected, strict=True):
        assert (outcome.exit_code, outcome.typed) == (code, 1)
    for outcome, code in zip(automatic, expected, strict=True):
        assert (outcome.exit_code, outcome.typed) == (code, 0)
    for outcome in waiting:
        assert outcome.exit_code is None
        assert outcome.printed.splitlines()[-1].startswith("Press any key")
    assert "inference_custom.py" in pressed[5].printed
    for outcome in pressed[5:]:
        assert "Unpack the whole download" in outcome.printed


def test_nothing_dropped_says_what_to_drop(wine: Wine) -> None:
    starts = [(name, start) for name in STAGES for start in (explorer, terminal)]
    outcomes = wine.run(*(Run(start(rf"{HOME}\{name}")) for name, start in starts))
    for (name, _), outcome in zip(starts, outcomes, strict=True):
        sentence, _, rest = outcome.printed.partition("\r\n")
        assert re.fullmatch(rf'Drop .+ on "{PureWindowsPath(name).name}" to .+\.', sentence)
        assert rest.startswith("Press any key")
        assert (outcome.exit_code, outcome.typed, outcome.calls) == (2, 1, [])


def test_a_batch_file_that_calls_them_goes_on_afterwards(wine: Wine) -> None:
    """Even if something was dropped on it: only the batch file of a window may close it."""
    calls = [f'call "{HOME}\\{name}" "%~1"\r\necho {name} [%RVM_CODE%]\r\n' for name in STAGES]
    wine.path(r"C:\all.bat").write_bytes(f"{''.join(calls)}exit /b 40\r\n".encode("ascii"))
    drop = explorer(r"C:\all.bat", r"C:\a b.mp4")
    [outcome] = wine.run(Run(drop, typed=("n\n", "5\n", "n\n"), variables={"RVM_NO_PAUSE": "1"}))
    assert [call.arguments[1] for call in outcome.calls] == list(STAGES.values())
    for name in STAGES:
        assert f"\n{name} []" in outcome.printed  # and no variable is left behind
    assert outcome.exit_code == 40


# ---- Which Python


def test_python_is_searched_for_in_order(wine: Wine) -> None:
    """Each place has a stand-in; they are removed one by one."""
    folder = r"C:\places (x86) & more"
    path = rf"{folder}\path;{WINDOWS_PATH}"
    places = {  # the variable that leads there, its value, and what follows in the program's path
        "VIRTUAL_ENV": (rf"{folder}\venv", r"Scripts\python.exe"),
        "CONDA_PREFIX": (rf"{folder}\conda", "python.exe"),
        "CONDA_EXE": (rf"{folder}\mini\Scripts\conda.exe", r"..\..\envs\rvm\python.exe"),
        "USERPROFILE": (rf"{folder}\user", r"miniconda3\envs\rvm\python.exe"),
        "LOCALAPPDATA": (rf"{folder}\local", r"miniforge3\envs\rvm\python.exe"),
        "ProgramData": (rf"{folder}\all", r"anaconda3\envs\rvm\python.exe"),
        "PATH": (rf"{folder}\launcher;{path}", ""),
    }
    variables = {name: value for name, (value, _) in places.items()}
    combine = r"3_combine.bat"
    runs = [Run(explorer(rf"{HOME}\{combine}", r"C:\a b"), variables=dict(variables))]
    expected = [rf"{HOME}\.venv\Scripts\python.exe"]
    drop = explorer(rf"{BARE_HOME}\{combine}", r"C:\a b")
    for name, (value, rest) in places.items():
        runs.append(Run(drop, variables=dict(variables)))
        program = rf"{value}\{rest}" if rest else rf"{folder}\launcher\py.exe"
        expected.append(program.replace(r"\Scripts\conda.exe\..\..", ""))
        del variables[name]
    runs.append(Run(drop, variables={"PATH": path}))
    expected.append(rf"{folder}\path\python.exe")
    for program in expected[1:]:
        wine.stand_in(program)
    *outcomes, none_left = wine.run(*runs, Run(drop, typed=("y\n", KEY)))

    for program, outcome in zip(expected, outcomes, strict=True):
        [call] = outcome.calls
        assert call.program == program
        version = ["-3"] if program.endswith("py.exe") else []
        home = HOME if program.startswith(HOME) else BARE_HOME
        assert call.arguments == [*version, *arguments("combine", r"C:\a b", home=home)]
        # A conda environment that is not activated finds its libraries through the PATH.
        environment = program.removesuffix(r"\python.exe")
        added = call.variables["PATH"].removesuffix(path).split(";")
        assert (environment in added) == (r"\envs\rvm" in program)
        assert (rf"{environment}\Library\bin" in added) == (r"\envs\rvm" in program)
    assert (none_left.exit_code, none_left.calls) == (3, [])
    assert "3.10 to 3.13, the 64-bit version" in none_left.printed
    assert "https://www.python.org/downloads/windows/" in none_left.printed
    assert "Add python.exe to PATH" in none_left.printed
    assert 'use "3_combine.bat" again' in none_left.printed


def test_a_python_that_does_not_start_is_not_used(wine: Wine) -> None:
    """A .venv whose Python was removed, and the python.exe that only opens the Microsoft Store."""
    home, store = r"C:\broken", r"C:\Microsoft\WindowsApps"
    wine.install(home)
    for program in (rf"{home}\.venv\Scripts\python.exe", rf"{store}\python.exe"):
        wine.stand_in(program)
        wine.path(program + ".broken").touch()
    wine.stand_in(r"C:\working launcher\py.exe")
    wine.stand_in(r"C:\further on\python.exe")
    drop = explorer(rf"{home}\3_combine.bat", r"C:\a")
    with_launcher, behind, alone = wine.run(
        Run(drop, variables={"PATH": rf"{store};C:\working launcher;{WINDOWS_PATH}"}),
        Run(drop, variables={"PATH": rf"{store};{WINDOWS_PATH};C:\further on"}),
        Run(drop, ("y\n", KEY), variables={"PATH": rf"{store};{WINDOWS_PATH}"}),
    )
    assert [call.program for call in with_launcher.calls] == [r"C:\working launcher\py.exe"]
    assert [call.program for call in behind.calls] == [r"C:\further on\python.exe"]
    assert (alone.exit_code, alone.calls) == (3, [])
    for outcome in (with_launcher, behind, alone):
        [line] = [line for line in outcome.printed.splitlines() if "Not used" in line]
        assert line.endswith(rf'"{home}\.venv\Scripts\python.exe"')


def test_no_python_is_taken_from_the_current_folder(wine: Wine) -> None:
    """A python.exe among the videos is not used; the current drive may be another one."""
    videos = r"C:\clips here"
    for name in ("python.exe", "py.exe", r".venv\Scripts\python.exe"):
        wine.stand_in(rf"{videos}\{name}")
    without, beside, other_drive = wine.run(
        Run(explorer(rf"{BARE_HOME}\3_combine.bat", r"C:\a"), ("y\n", KEY), folder=videos),
        Run(explorer(rf"{HOME}\3_combine.bat", r"C:\a"), folder=videos),
        Run(explorer(rf"{HOME}\3_combine.bat", r"C:\a"), folder="Z:\\"),
    )
    assert (without.exit_code, without.calls) == (3, [])
    for outcome, folder in ((beside, videos), (other_drive, "Z:\\")):
        [call] = outcome.calls
        assert call.program == rf"{HOME}\.venv\Scripts\python.exe"
        assert call.folder == folder


def test_the_program_may_be_in_any_folder(wine: Wine) -> None:
    homes = [
        r"C:\Program Files (x86)\RVM on Segments",
        "C:\\Björn & Søn\\it's, a=b; (new)!",
        r"C:\up^2",
    ]
    runs = []
    for home in homes:
        wine.install(home)
        wine.stand_in(rf"{home}\.venv\Scripts\python.exe")
        one, two = rf"{home}\1_segment.bat", rf"{home}\3_combine.bat"
        runs += [Run(explorer(one, r"C:\a&b.mp4"), typed=("2\n", KEY))]
        runs += [Run(explorer(two, r"C:\a b!.mp4"))]
    outcomes = wine.run(*runs)
    for number, home in enumerate(homes):
        segment, combine = outcomes[2 * number : 2 * number + 2]
        assert segment.arguments == [
            arguments("segment", r"C:\a&b.mp4", "--seconds", "2", home=home)
        ]
        assert combine.arguments == [arguments("combine", r"C:\a b!.mp4", home=home)]
        assert combine.calls[0].program == rf"{home}\.venv\Scripts\python.exe"
