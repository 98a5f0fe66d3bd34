"""Many videos in one command: each is run by itself, one after another, also after one that fails.

What came of each is kept in the queue's file, and said at the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from matting.cli.command_run import INTERRUPTED, Ending
from matting.cli.console import Console
from matting.cli.outcomes import Outcomes
from matting.cli.queue_options import given_paths, is_watching
from matting.cli.video_finder import VideoFinder, clash_reason, clashes
from matting.cli.video_turn import VideoTurn
from matting.errors import InputError
from matting.job_option import CleanUp
from matting.progress import quantity
from matting.project.queue_text import place
from matting.project.video_queue import VideoQueue
from matting.project.video_search import left_out_note
from matting.system.fingerprint import FileStamp
from matting.system.invocation import Command

POLL_SECONDS = 5.0
CLEAN = "clean"


class ManyVideos:
    """A run of many videos."""

    def __init__(
        self, turn: VideoTurn, console: Console, queue: VideoQueue, finder: VideoFinder
    ) -> None:
        """
        Args:
            turn: runs one of them.
            console: for what is said of all of them.
            finder: finds what was given.
        """
        self._turn = turn
        self._options = turn.options
        self._signals = turn.signals
        self._console = console
        self._queue = queue
        self._finder = finder
        self._outcomes = Outcomes()
        self._failed: dict[str, FileStamp | None] = {}  # as they were then

    def run(self, wait: Callable[[float], object] = time.sleep) -> Ending:
        """Run all; return how the command ends.

        Args:
            wait: waits so many seconds, while videos are watched for.
        Raises:
            InputError: there is nothing to do, or an option has a value that no video can have.
            StorageError: the queue's file cannot be written.
        """
        _ = self._turn.matting
        self._ask_whether_to_clean()
        self._list_videos()
        interrupted = False
        try:
            interrupted = self._work_off()
            while is_watching(self._options) and not interrupted:
                self._wait_for_videos(wait)
                interrupted = self._work_off()
        except KeyboardInterrupt:
            # While nothing is in progress, it is the end that a watch has.
            interrupted = not is_watching(self._options)
            self._signals.ignore()
            self._console.leave_line()
        self._console.say("")
        for line in self._outcomes.lines(self._queue.videos(), interrupted=interrupted):
            show = self._console.say if line.is_done else self._console.error
            show(line.text)
        if self._queue.path is not None:
            self._console.say(f"The queue: {self._queue.path}")
        if interrupted:
            return Ending(INTERRUPTED)
        return Ending(self._outcomes.exit_code, allows_shutdown=self._outcomes.allow_shutdown)

    def _ask_whether_to_clean(self) -> None:
        """Ask once, beforehand: a question in between would hold up the next video."""
        options = vars(self._options)
        if self._options.command is not Command.RUN or CLEAN in options:
            return
        question = "Delete the working files of each video that is finished?"
        clean = not self._options.shutdown and self._console.confirm(question)
        options[CLEAN] = (CleanUp.ALL_BUT_MATTE if clean else CleanUp.NO).value

    def _list_videos(self) -> None:
        """List all that was given; say what is left out, and why.

        Raises:
            InputError: there is nothing to do, and nothing is waited for.
            StorageError: the queue's file cannot be written.
        """
        found = self._finder.find(self._console, in_folders=not is_watching(self._options))
        before = len(self._queue.videos())
        taken_out = self._queue.add(found)
        videos = self._queue.videos()
        name = self._queue.path.name if self._queue.path else ""
        for note in left_out_note(f"without a line in {name}, where they had one", taken_out):
            self._console.say(note)
        if leading_out := len(self._queue.leading_out):
            self._console.say(
                f"Left out ({quantity(leading_out, 'line')} of {name} for videos outside its "
                f"folder): to have them done, give {name} itself."
            )
        if not videos and not is_watching(self._options):
            where = self._queue.path or ", ".join(map(str, given_paths(self._options)))
            raise InputError(f"There are no videos to do: {where}.", "Give a video, or a folder.")
        self._queue.save()
        for video, other in clashes(videos, self._options.output).items():
            self._console.say(f"{video} cannot be done: {clash_reason(video, other)}")
        own = f", {before} of them from before" if before else ""
        if videos:
            self._console.say(f"{quantity(len(videos), 'video')} in the queue{own}.")

    def _work_off(self) -> bool:
        """Do what is listed; return whether that was interrupted in a video."""
        while (video := self._queue.next()) is not None:
            videos, was_done = self._queue.videos(), self._queue.was_done(video)
            self._console.say("")
            self._console.say(f"{videos.index(video) + 1} of {len(videos)}: {video}")
            outcome = self._turn.outcome(video, videos, self._console, was_done=was_done)
            if outcome is None:
                return True
            if outcome.was_done:
                self._console.say("It is done already.")
            self._outcomes.add(video, outcome)
            if not outcome.is_done:
                self._failed[place(video)] = _stamp_of(video)
            known = self._queue.outcome_of(video) if outcome.was_done and was_done else ""
            self._queue.record(video, known or outcome.for_queue(datetime.now()))
        return False

    def _wait_for_videos(self, wait: Callable[[float], object]) -> None:
        """Return when there are videos to do: some have arrived, or somebody has listed them."""
        self._console.say("")
        self._console.say("Waiting for videos. Ctrl-C ends this.")
        while True:
            wait(POLL_SECONDS)
            arrived = self._finder.arrived(self._new_of, self._console)
            if arrived:
                for video in arrived:
                    self._failed.pop(place(video), None)
                self._queue.arrive(arrived)
            if self._queue.next() is not None:
                return

    def _new_of(self, files: list[Path]) -> list[Path]:
        """Return which files are no videos of the queue, or failed and have changed since."""
        changed = {
            path
            for path in files
            if place(path) in self._failed and self._failed[place(path)] != _stamp_of(path)
        }
        new = changed.union(self._queue.unlisted(files))
        return [path for path in files if path in new]


def _stamp_of(path: Path) -> FileStamp | None:
    try:
        return FileStamp.of(path)
    except InputError:
        return None
