"""A finished job gets other outputs from its mattes, equal to what matting anew would give."""

from __future__ import annotations

from pathlib import Path

import pytest

from matting.infer import infer
from matting.options import EncodingOptions, OutputKind, OutputOptions, VideoCodec
from matting.project.paths import MattedFolder
from tests.support.recorder import Recorder
from tests.support.stages import cut, matting_options, processed

KINDS = (OutputKind.COMPOSITE, OutputKind.ALPHA, OutputKind.FOREGROUND, OutputKind.ALPHA_PNG)
BLUE = (0, 71, 187)


def contents(folder: MattedFolder) -> dict[str, bytes]:
    """Return all results but the mattes, by their paths."""
    paths = (path for kind in KINDS for path in folder.output_folder(kind).rglob("output_*"))
    return {
        path.relative_to(folder.root).as_posix(): path.read_bytes()
        for path in paths
        if path.is_file()
    }


@pytest.mark.parametrize("codec", [VideoCodec.HEVC, VideoCodec.H264])
def test_what_is_made_later_is_what_would_have_been_made_at_once(
    codec: VideoCodec, tmp_path: Path, light_checkpoint: Path
) -> None:
    segments = cut(tmp_path, Recorder())
    encoding = EncodingOptions(codec)
    green = matting_options(light_checkpoint, OutputOptions(encoding=encoding))
    blue = matting_options(
        light_checkpoint, OutputOptions(background=BLUE, kinds=KINDS, encoding=encoding)
    )
    at_once = infer(segments, blue, tmp_path / "at once", Recorder())
    later = infer(segments, green, tmp_path / "later", Recorder())
    mattes = {path: path.read_bytes() for path in later.output_folder(OutputKind.MATTE).iterdir()}
    progress = Recorder()
    infer(segments, blue, tmp_path / "later", progress)
    assert not progress.mentions("Loading the network")
    assert all(processed(later).values())
    assert contents(later) == contents(at_once)
    assert {path: path.read_bytes() for path in mattes} == mattes
