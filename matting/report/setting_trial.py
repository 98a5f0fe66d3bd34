"""How long a whole video takes by a setting, and how much room: by matting some of its frames."""

from __future__ import annotations

from collections import Counter
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from matting.delivery.outputs import OutputTarget
from matting.errors import BusyError, MachineError, MediaError, MissingError, StorageError
from matting.inference.weights import Checkpoint
from matting.media.media_index import known_index
from matting.options import MattingOptions, OutputKind
from matting.progress import Progress
from matting.project.inputs import Input
from matting.project.paths import MattedFolder
from matting.report.comparison import Setting
from matting.system import atomic_files
from matting.system.file_lock import folder_lock
from matting.system.temporary_files import create_temporary_folder, is_temporary
from matting.workers.estimate import Forecast
from matting.workers.executor import FrameSpan, SegmentTask, WorkerSetup, target_of
from matting.workers.preflight import TrialRun, Work
from matting.workers.supervisor import Supervisor


def sweep_trials(beside: Path) -> None:
    """Remove what trials beside a file have left whose run was killed."""
    with suppress(OSError):
        left = [path for path in beside.parent.iterdir() if is_temporary(path, beside)]
        for folder in left:
            if folder.is_dir() and not folder.is_symlink():
                with suppress(BusyError, StorageError):  # of a run that is at work
                    with folder_lock(folder):
                        pass
                    atomic_files.discard(folder)


class SettingTrial:
    """Trials of settings at one place of a video, with all that a job does with a frame.

    Args:
        item: the video.
        frames: how many it has.
        first: of the frames that are tried.
        beside: a file; what a trial writes lies beside it for as long as it lasts.
    """

    def __init__(
        self, item: Input, frames: int, first: int, options: MattingOptions, beside: Path
    ) -> None:
        self._item = item
        self._frames = frames
        self._first = first
        compute = replace(options.compute, isolated=False)  # a process for each takes seconds
        self._options = replace(options, compute=compute, then_joined=True)
        self._beside = beside

    def forecast(
        self, setting: Setting, checkpoint: Checkpoint, device: str, progress: Progress
    ) -> Forecast | None:
        """Return what the whole video takes; None where that cannot be tried.

        Raises:
            StorageError: what a trial writes has no room.
        """
        options = replace(self._options, matte=setting.matte)
        folder = MattedFolder(create_temporary_folder(self._beside))
        setup = WorkerSetup(options, checkpoint.path, checkpoint.sha256, device)
        task = SegmentTask(
            self._item,
            targets=self._targets(options, folder),
            index=known_index(self._item.path),
            span=FrameSpan(self._first, 1),
        )
        work = Work([(task, self._frames)], 0, Counter(), is_tried_anyway=True)
        try:
            with (
                folder_lock(folder.root),
                closing(Supervisor(setup, folder.root, progress)) as executor,
            ):
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
