"""python -m benchmarks.real_files FOLDER... [--all] [--jobs N] [--write]

Cut every media file below the folders and compare the segments' frames and times with what the
ffmpeg program's tolerant decoding shows. With --all: matte, join and deliver it as well, with a
network that finds everything to be foreground, and compare the final file, its audio included.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from benchmarks import results
from benchmarks.real_files.outcome import Kind, Outcome
from benchmarks.real_files.trial import Trial, opaque_checkpoint

JOBS = 2
MOST_REFUSED = 0.02  # of the files that ffmpeg decodes without a word
NEVER = (Kind.DIFFERENT, Kind.FAULT, Kind.HANG)
SMALLEST_BYTES = 16
# What programs' folders are full of; everything else the ffmpeg program is asked about.
CODE = {".c", ".css", ".h", ".html", ".js", ".json", ".md", ".py", ".pyc", ".so", ".txt"}


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real_files", description=__doc__)
    parser.add_argument("folders", metavar="FOLDER", nargs="+", type=Path)
    parser.add_argument("--all", action="store_true", help="all four stages, not the cut alone")
    parser.add_argument("--seconds", default="2", help="of a segment (default: 2)")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"at once (default: {JOBS})")
    parser.add_argument("--write", action="store_true", help="write the table to RESULTS.md")
    parser.add_argument("--about", default="", help="with --write: a sentence on the files")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Try the files; return 1 where a bar is not met."""
    options = parse(argv)
    files = sorted({path for folder in options.folders for path in media_files(folder)})
    with tempfile.TemporaryDirectory(prefix="real_files_") as name:
        checkpoint = opaque_checkpoint(Path(name)) if options.all else None
        outcomes = list(_try_all(files, Trial(checkpoint, options.seconds), options.jobs))
    table = table_of(outcomes)
    print(f"\n{table}")
    if options.write:
        results.write_section(
            "Real files, all stages" if options.all else "Real files",
            f"{options.about}\n\n{table}\n\n{results.measured_on()}",
        )
    return 0 if bars_met(outcomes) else 1


def media_files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, or the one file, that may be videos."""
    for path in [folder] if folder.is_file() else folder.rglob("*"):
        if path.suffix.lower() in CODE or path.is_symlink() or not path.is_file():
            continue
        if path.stat().st_size >= SMALLEST_BYTES:
            yield path.resolve()


def table_of(outcomes: Sequence[Outcome]) -> str:
    """Return the table by outcome, and that of the refusals' reasons."""
    silent = [outcome for outcome in outcomes if outcome.silent]
    lines = ["| outcome | of all files | of those that ffmpeg decodes without a word |"]
    lines += ["|---|---|---|"]
    for kind in Kind:
        of_all = sum(outcome.kind is kind for outcome in outcomes)
        of_silent = sum(outcome.kind is kind for outcome in silent)
        lines.append(f"| {kind.value} | {of_all} | {of_silent} |")
    lines += [f"| all | {len(outcomes)} | {len(silent)} |", ""]
    reasons = Counter(
        (outcome.kind.value, outcome.reason_class, outcome.silent)
        for outcome in outcomes
        if outcome.kind is not Kind.EQUAL
    )
    if reasons:
        lines += ["| outcome | reason | ffmpeg silent | files |", "|---|---|---|---|"]
    for (kind_name, reason, is_silent), count in reasons.most_common():
        escaped = reason.replace("|", "\\|")
        lines.append(f"| {kind_name} | {escaped} | {'yes' if is_silent else 'no'} | {count} |")
    return "\n".join(lines)


def bars_met(outcomes: Sequence[Outcome]) -> bool:
    """Return whether nothing is worse than refused, and few silent files are refused."""
    silent = [outcome for outcome in outcomes if outcome.silent]
    refused = sum(outcome.kind is Kind.REFUSED for outcome in silent)
    worse = any(outcome.kind in NEVER for outcome in outcomes)
    return not worse and refused <= MOST_REFUSED * len(silent)


def _try_all(files: Sequence[Path], trial: Trial, jobs: int) -> Iterator[Outcome]:
    """Yield what came of each file that shows a picture, as it ends."""
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        for done in as_completed([pool.submit(trial, path) for path in files]):
            outcome = done.result()
            if outcome is None:
                continue
            word = "" if outcome.silent else " (ffmpeg complains)"
            print(f"{outcome.path}{word}: {outcome.kind.value} {outcome.reason}", flush=True)
            yield outcome


if __name__ == "__main__":
    sys.exit(main())
