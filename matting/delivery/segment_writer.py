"""One segment's mattes, made into its result files; and the frames before it, for its state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from itertools import islice

from matting.delivery.outputs import OutputTarget, create_writer
from matting.imaging.compositor import Matte
from matting.imaging.planes import TimedBatch
from matting.imaging.renderer import RenderFunction, render_matte
from matting.media.encoders import Delivery
from matting.media.images.writer import ImageWriter
from matting.media.source import FrameSource
from matting.media.video_writer import VideoWriter
from matting.options import OutputKind, OutputOptions
from matting.system import atomic_files


class SegmentWriter:
    """A segment's results, one file or folder of each kind, under temporary names until finished.

    Written beside the network, in another thread: at full size there is nearly as much to do.
    """

    def __init__(
        self,
        source: FrameSource,
        look: OutputOptions,
        targets: Mapping[OutputKind, OutputTarget],
        samples: Mapping[OutputKind, Delivery],
        make: RenderFunction,
    ) -> None:
        """
        Args:
            targets, samples: where each kind of result goes, and in which samples.
            make: how the full-size pictures are made.
        """
        self._source = source
        self._look = look
        self._targets = targets
        self._samples = samples
        self._make = make
        self._temporary = {kind: atomic_files.partial(t.path) for kind, t in targets.items()}
        self._open_files = ExitStack()
        self._writers: dict[OutputKind, VideoWriter | ImageWriter] = {}
        self._first_pts: int | None = None

    def open(self) -> None:
        """Begins the files.

        Raises:
            MissingError: this build of FFmpeg has no such encoder.
            StorageError: they cannot be written.
        """
        for kind, target in self._targets.items():
            self._writers[kind] = create_writer(
                kind,
                self._temporary[kind],
                target,
                source=self._source,
                choice=self._look.encoding,
                samples=self._samples[kind],
            )
            self._open_files.enter_context(self._writers[kind])

    def write(self, mattes: TimedBatch[Matte]) -> None:
        """Makes the pictures of mattes, and writes them at times that count from the first frame.

        Raises:
            EncodeError, StorageError: as the writers.
            MachineError: there is too little memory.
        """
        if self._first_pts is None:
            self._first_pts = mattes.pts[0]
        sample_formats = {kind: samples.sample_format for kind, samples in self._samples.items()}
        stay = _on_card(self._look, self._targets)
        times = iter([time - self._first_pts for time in mattes.pts])
        for matte in mattes.parts:
            made = render_matte(
                matte,
                sample_formats,
                self._look.background,
                renderer=self._make,
                keep_on_device=stay,
            )
            pts = list(islice(times, len(matte.source)))
            for kind, writer in self._writers.items():
                writer.write(made[kind], pts)

    def finish(self, alive: Callable[[], None]) -> None:
        """Gives them their names, once all of them are whole and checked.

        Args:
            alive: told of every frame that is checked.
        Raises:
            EncodeError: a result could not be encoded whole.
            StorageError: a result could not be written.
        """
        for writer in self._writers.values():
            writer.finish(lambda _: alive())
        self._open_files.close()
        for kind, target in self._targets.items():
            publish = atomic_files.publish_folder if target.pictures else atomic_files.publish
            publish(self._temporary[kind], target.path)

    def close(self) -> None:
        """Lets go of the files, and removes what has not got its name."""
        try:
            self._open_files.close()
        finally:
            self._writers.clear()  # encoders end with the last that holds them
            for path in self._temporary.values():
                atomic_files.discard(path)


def _on_card(look: OutputOptions, targets: Mapping[OutputKind, OutputTarget]) -> set[OutputKind]:
    """The kinds of results that their writer takes from where they were computed."""
    if not look.encoding.by_hardware:
        return set()
    return {kind for kind, target in targets.items() if not target.pictures}
