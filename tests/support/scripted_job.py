"""A job on twelve segments that is run again and again, whose results say how they were made."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from unittest.mock import DEFAULT, patch

from matting.deliver import deliver
from matting.delivery.formats import FORMATS
from matting.errors import SegmentsFailedError
from matting.infer import infer
from matting.network_choice import Shots
from matting.options import FormatName, OutputKind
from matting.project.inputs import read_inputs
from matting.project.paths import MattedFolder
from tests.support.recorder import Recorder
from tests.support.scripted_executor import (
    ExecutorScript,
    end_of,
    expected_output,
    run_up,
    settings_in_words,
)
from tests.support.stages import matting_options, with_matte

COUNT = 12
# What makes videos of results, which are texts here.
JOINING = ("combine", "add_audio", "finish")
ALL = (OutputKind.COMPOSITE, OutputKind.MATTE)
NAMES = [f"output_{index:03d}.mp4" for index in range(COUNT)]


class ScriptedJob:
    """A job on twelve segments, run again and again."""

    def __init__(self, segments: Path, weights: Path) -> None:
        self.segments = segments
        self.script = ExecutorScript()
        self.options = with_matte(matting_options(weights), shots=Shots.OFF)
        self.folder = MattedFolder.of(segments)
        self.progress = Recorder()

    def run(self, progress: Recorder | None = None) -> list[str]:
        """Run once; return what was matted."""
        self.progress = progress or Recorder()
        self.script.matted.clear()
        try:
            infer(self.segments, self.options, None, self.progress, self.script.executor)
        except SegmentsFailedError:
            assert self.script.failing or any(not (self.segments / n).exists() for n in NAMES)
        return list(self.script.matted)

    def deliver(
        self, *formats: FormatName, progress: Recorder | None = None
    ) -> dict[str, tuple[str, ...]]:
        """Deliver some formats; return which were made of which segment.

        Raises:
            SegmentsFailedError: as `deliver`.
        """
        self.progress = progress or Recorder()
        self.script.matted.clear()
        self.script.delivered.clear()
        rows = [FORMATS[name] for name in formats]
        executor = self.script.executor
        options, root = self.options, self.folder.root
        with patch.multiple("matting.deliver", **dict.fromkeys(JOINING, DEFAULT)):
            deliver(root, rows, options, None, self.progress, executor_of=executor)
        return dict(self.script.delivered)

    def change(self, index: int) -> None:
        """Give a segment other content."""
        with (self.segments / NAMES[index]).open("ab") as file:
            file.write(b"changed")

    def lose(self, *indices: int) -> None:
        """Lose the states after some segments."""
        for index in indices:
            self.folder.state(NAMES[index]).unlink()

    def result(self, kind: OutputKind, name: str) -> Path:
        """Return where a segment's result of one kind lies."""
        folder = self.folder.output_folder(kind)
        return folder / (f"{Path(name).stem}.mkv" if kind is OutputKind.MATTE else name)

    def delete(self, *indices: int, kinds: Iterable[OutputKind] = ALL) -> None:
        """Delete some results, the mattes among them."""
        for index in indices:
            for kind in kinds:
                self.result(kind, NAMES[index]).unlink()

    def states(self) -> list[str]:
        """Return the segments the states after which are kept."""
        return sorted(path.stem for path in self.folder.state("").parent.iterdir())

    def interrupt_at(self, progress: Recorder, index: int, what: str = "") -> None:
        """Interrupt a run once it has recorded the segment before that of this index.

        Args:
            what: precedes its name in the script.
        """

        def interrupt() -> None:
            if self.script.matted[-1] == what + NAMES[index - 1]:
                raise KeyboardInterrupt

        progress.on_segment_end = interrupt

    def wrong(self) -> list[str]:
        """Return which results are not those of one uncut run."""
        wrong, state = [], ""
        items = read_inputs(self.segments).inputs
        for index, (name, item) in enumerate(zip(NAMES, items, strict=True)):
            starts = item.shot_starts if self.options.matte.shots is Shots.AUTO else ()
            starts = starts or ()
            if 0 in starts:
                state = ""
            ahead = run_up(item, items[index + 1 :]) if starts else ""
            for kind in self.options.output.written:
                result = self.result(kind, name)
                settings = settings_in_words(self.options)
                expected = expected_output(kind, state + ahead, item.path, settings)
                if not result.is_file() or result.read_text(encoding="utf-8") != expected:
                    wrong.append(name)
                    break
            state = end_of(item, starts, state, self.options.matte.ratio, ahead)
        return wrong

    def without_lineages(self) -> None:
        """Make its records those of the version before."""
        manifest = json.loads(self.folder.manifest.read_text(encoding="utf-8"))
        for entry in manifest["segments"].values():
            entry.pop("lineage")
        self.folder.manifest.write_text(json.dumps(manifest), encoding="utf-8")
