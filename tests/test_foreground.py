"""The colours at soft edges are those that were asked for, in the stored matte."""

from __future__ import annotations

from pathlib import Path

from matting.imaging.matte_planes import MattePlanes, concatenate_mattes
from matting.imaging.planes import same_samples
from matting.infer import infer
from matting.media.matte_file import MatteFile
from matting.network_choice import Foreground
from matting.options import OutputKind
from matting.project.ledger import Ledger
from tests.support.recorder import Recorder
from tests.support.stages import cut, matting_options, with_matte


def test_another_foreground_is_matted_again_with_the_same_alpha(
    tmp_path: Path, light_checkpoint: Path, progress: Recorder
) -> None:
    segments = cut(tmp_path, progress, 3)
    stored: list[MattePlanes] = []
    for foreground in Foreground:
        options = with_matte(matting_options(light_checkpoint), foreground=foreground)
        ledger = Ledger(infer(segments, options, None, progress))
        path = ledger.output(ledger.names[0], OutputKind.MATTE)
        assert path is not None
        stored.append(concatenate_mattes([chunk.matte for chunk in MatteFile.open(path).chunks(1)]))
    fused, own = stored
    assert same_samples(fused.alpha_planes, own.alpha_planes)
    assert not same_samples(fused.corrections, own.corrections)
