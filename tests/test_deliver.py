"""Stored mattes become what editors, browsers and players take: real files of a tiny clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from matting.deliver import deliver
from matting.delivery.formats import FORMATS, DeliveryFormat, FormatName
from matting.infer import infer
from matting.media.matte_file import MatteFile
from matting.media.probe import frame_times
from matting.options import OutputKind
from matting.project.paths import MattedFolder
from tests.support.recorder import Recorder
from tests.support.soft_disc import read_alpha
from tests.support.stages import cut, matting_options

COUNTS = [30, 4]  # of frames, by segment
# Whether this computer can write the other is found out when it is asked for.
ROWS = [row for row in FORMATS.values() if row.kind.is_delivered and row.name != FormatName.HEVC]


@pytest.fixture(scope="module")
def matted(tmp_path_factory: pytest.TempPathFactory, random_checkpoint: Path) -> MattedFolder:
    """A matted clip, delivered in all formats that every computer has."""
    segments = cut(tmp_path_factory.mktemp("deliver"), Recorder(), sum(COUNTS))
    options = matting_options(random_checkpoint)
    folder = infer(segments, options, None, Recorder())
    deliver(folder.root, ROWS, options, Recorder())
    return folder


def files(matted: MattedFolder, kind: OutputKind) -> list[Path]:
    return sorted(matted.output_folder(kind).glob("output_*"))


def stored_alpha(matte: Path) -> NDArray[np.uint16]:
    """Return the alpha of a stored matte, [T, H, W], 0..1023."""
    parts = [chunk.matte.alpha[:, 0].numpy() for chunk in MatteFile.open(matte).chunks(8)]
    return np.concatenate(parts)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.name))
def test_each_segment_has_all_its_frames_at_their_times(
    row: DeliveryFormat, matted: MattedFolder
) -> None:
    there = files(matted, row.kind)
    if row.pictures:
        names = [picture.name for folder in there for picture in sorted(folder.iterdir())]
        assert names == [f"{number:07d}{row.suffix}" for number in range(sum(COUNTS))]
    else:
        assert [path.name for path in there] == [f"output_00{n}{row.suffix}" for n in (0, 1)]
        assert [len(frame_times(path)) for path in there] == COUNTS


def test_the_alpha_that_is_delivered_is_the_one_that_is_stored(matted: MattedFolder) -> None:
    pairs = zip(files(matted, OutputKind.FFV1), files(matted, OutputKind.MATTE), strict=True)
    for video, matte in pairs:
        stored = stored_alpha(matte)
        assert stored.min() < stored.max()
        size_px = MatteFile.open(matte).size_px
        np.testing.assert_array_equal(read_alpha(video, 10, size_px), stored)
