"""The report of a job that has come to its end: offered in the browser to whoever is there."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from matting.cli.console import Console
from matting.cli.preview_command import has_display
from matting.project.paths import MattedFolder, segments_folder
from matting.system.invocation import Command

SEVERAL = "RVM_TOTAL"  # in a batch file's environment: how many paths were dropped


def offer_report(options: argparse.Namespace, console: Console) -> None:
    """Offer to show the report of the job that a command has finished.

    Nobody is asked who would hold up something: the next of several that were dropped, or the
    computer's shutdown.
    """
    report = _report_of(options)
    if report is None or options.quiet or vars(options).get("shutdown") or _is_one_of_several():
        return
    if report.is_file() and has_display() and console.confirm("Show the report in the browser?"):
        import webbrowser  # noqa: PLC0415 - with all that it imports, hardly ever needed

        webbrowser.open(report.absolute().as_uri())


def _report_of(options: argparse.Namespace) -> Path | None:
    """Return where the report of a command's job is; None: it has none to be offered."""
    path, output = options.path, options.output
    if options.command is Command.INFER:
        return MattedFolder.of(path, output).report
    if options.command is Command.RUN:
        return MattedFolder.of(segments_folder(path, output)).report
    return None


def _is_one_of_several() -> bool:
    return os.environ.get(SEVERAL, "1") != "1"
