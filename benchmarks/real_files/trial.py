"""One real file through the program, in a folder of its own."""

from __future__ import annotations

import glob
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.checkpoints import write_constant_checkpoint
from benchmarks.faults.fault import NotHeldError
from benchmarks.faults.program import CommandResult, run
from benchmarks.real_files import written_clock
from benchmarks.real_files.outcome import (
    Kind,
    Outcome,
    audio_differences,
    outcome_of,
    picture_differences,
)
from benchmarks.real_files.shown import NotShownError, Shown, in_a_row, show
from matting.project.paths import FINAL_SUFFIX, segments_folder
from matting.project.plan import read_plan

PATIENCE_SECONDS = 60.0
# Longer than ffmpeg takes to decode a file: it is decoded twice and proven, and matted after that.
TIMES_SLOWER, TIMES_SLOWER_MATTED = 20, 400
FRAME_SECONDS = 2.0  # to matte one, on a busy machine
OPAQUE = "opaque.pth"


@dataclass(frozen=True)
class Trial:
    """How files are tried.

    Attributes:
        checkpoint: weights that find everything to be foreground; None: cut only.
        seconds: the segments' length.
    """

    checkpoint: Path | None
    seconds: str

    def __call__(self, path: Path, like: Path | None = None) -> Outcome | None:
        """Return what came of a file; None where the ffmpeg program shows no picture of it.

        Args:
            like: a file that shows the same, where ffmpeg itself gives the times only roughly.
        """
        started = time.monotonic()
        try:
            reference = show(like or path, audio=self.checkpoint is not None)
        except NotShownError:
            return None
        slower = TIMES_SLOWER if self.checkpoint is None else TIMES_SLOWER_MATTED
        limit = PATIENCE_SECONDS + slower * (time.monotonic() - started)
        limit += FRAME_SECONDS * len(reference.pictures) * (self.checkpoint is not None)
        with tempfile.TemporaryDirectory(prefix="real_files_") as name:
            output = Path(name)
            try:
                result = run(self._arguments(path, output), output / "log.txt", limit_seconds=limit)
                outcome = self._outcome(path, output, reference, result)
                if outcome.kind is not Kind.DIFFERENT or not written_clock.goes_on(like or path):
                    return outcome
                reference = show(like or path, audio=self.checkpoint is not None, as_written=True)
                by_file = self._outcome(path, output, reference, result)
                return outcome if by_file.kind is Kind.DIFFERENT else by_file
            except NotHeldError as error:
                return Outcome(path, Kind.HANG, reference.silent, str(error))

    def _outcome(
        self, path: Path, output: Path, reference: Shown, result: CommandResult
    ) -> Outcome:
        return outcome_of(
            path, reference, result, lambda: self._differences(path, output, reference)
        )

    def _arguments(self, path: Path, output: Path) -> list[str]:
        command = "segment" if self.checkpoint is None else "run"
        arguments = [command, str(path), "--output", str(output), "--seconds", self.seconds]
        if self.checkpoint is not None:
            arguments += ["--checkpoint", str(self.checkpoint), "--device", "cpu"]
            arguments += ["--codec", "h264", "--quality", "4"]
        return arguments

    def _differences(self, path: Path, output: Path, reference: Shown) -> str:
        try:
            if self.checkpoint is None:
                return picture_differences(reference, cut_of(path, output))
            final = show(final_of(path, output), audio=True)
            return "; ".join(
                filter(
                    None,
                    (picture_differences(reference, final), audio_differences(reference, final)),
                )
            )
        except NotShownError as error:
            return f"a result cannot be shown: {error}"


def final_of(path: Path, output: Path) -> Path:
    """Return the final file of a video, in whichever container it is.

    Raises:
        NotShownError: there is none, or there are several.
    """
    finals = list(output.glob(f"{glob.escape(path.stem)}{FINAL_SUFFIX}.*"))
    if len(finals) != 1:
        raise NotShownError(f"{len(finals)} final files")
    return finals[0]


def cut_of(path: Path, output: Path) -> Shown:
    """Return what the segments of a video show, at the times of their plan.

    Raises:
        NotShownError: there is no plan, or a segment shows nothing.
    """
    folder = segments_folder(path, output)
    plan = read_plan(folder)
    if plan is None:
        raise NotShownError("there is no plan")
    parts = [show(folder / segment.name, audio=False) for segment in plan.segments]
    times = [
        (segment.first_pts + ticks) * plan.time_base
        for segment in plan.segments
        for ticks in segment.times()
    ]
    return in_a_row(parts, times)


def opaque_checkpoint(folder: Path) -> Path:
    """Write weights that find everything to be foreground."""
    return write_constant_checkpoint(folder / OPAQUE, 1.0)
