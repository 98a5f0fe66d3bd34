"""How long a whole video takes by a setting, and how much room: by matting some of its frames."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from matting.delivery.output_target import OutputTarget, target_of
from matting.errors import MachineError, MediaError, MissingError
from matting.inference.weights import Checkpoint
from matting.media.media_index import known_index
from matting.options import MattingOptions, OutputKind
from matting.progress import Progress
from matting.project.inputs import Input
from matting.project.paths import TRIAL, MattedFolder
from matting.report.comparison import Setting
from matting.system import atomic_files
from matting.workers.estimate import Forecast
from matting.workers.executor import FrameSpan, SegmentTask, WorkerSetup
from matting.workers.preflight import TrialRun, Work
from matting.workers.supervisor import Supervisor

# At twice the ratio, each takes as long as a fifth of a moment.
TRIAL_FRAMES = 8


class SettingTrial:
    """Trials of settings at one place of a video, with all that a job does with a frame.

    Args:
        item: the video.
        frames: how many it has.
        first: of the frames that are tried.
        folder: of this run alone; what a trial writes lies in it for as long as it lasts.
    """

    def __init__(
        self, item: Input, frames: int, first: int, options: MattingOptions, folder: Path
    ) -> None:
        self._item = item
        self._frames = frames
        self._first = first
        compute = replace(options.compute, isolated=False)  # a process for each takes seconds
        self._options = replace(options, compute=compute, then_joined=True)
        self._folder = folder

    def forecast(
        self, setting: Setting, checkpoint: Checkpoint, device: str, progress: Progress
    ) -> Forecast | None:
        """Return what the whole video takes; None where that cannot be tried.

        Raises:
            StorageError: what a trial writes has no room.
        """
        options = replace(self._options, matte=setting.matte)
        folder = MattedFolder(self._folder / TRIAL)
        setup = WorkerSetup(options, checkpoint.path, checkpoint.sha256, device)
        task = SegmentTask(
            self._item,
            targets=self._targets(options, folder),
            index=known_index(self._item.path),
            span=FrameSpan(self._first, 1),
        )
        work = Work([(task, self._frames)], 0, Counter(), tried_anyway=TRIAL_FRAMES)
        try:
            atomic_files.make_folder(folder.root)
            with closing(Supervisor(setup, folder.root, progress)) as executor:
                return TrialRun(work, executor, folder, options, progress).forecast()
        except (MachineError, MediaError, MissingError) as error:
            progress.detail(f"{setting.name} could not be tried: {error.what}")
            return None
        finally:
            atomic_files.discard(folder.root)

    def _targets(
        self, options: MattingOptions, folder: MattedFolder
    ) -> dict[OutputKind, OutputTarget]:
        rate = options.output.frame_rate
        return {kind: target_of(self._item, folder, kind, rate) for kind in options.output.written}
