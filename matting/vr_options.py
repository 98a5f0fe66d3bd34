"""What can be asked for of files for headsets. Nothing here needs a package, as in `options`."""

from __future__ import annotations

from dataclasses import dataclass

from matting.job_option import Choice


class Headset(Choice):
    """What a file is to be played by, which bounds its size and its bits a second."""

    ANY = "any"
    QUEST_2 = "quest2"
    QUEST_3 = "quest3"


class FisheyeView(Choice):
    """The field of view, in degrees, of the fisheye that equirectangular video becomes."""

    FISHEYE_190 = "190"
    FISHEYE_180 = "180"


@dataclass(frozen=True)
class VrOptions:
    """What shapes files for headsets.

    Attributes:
        fringe: whether half-transparent pixels get the colours of the people alone, where what was
            filmed stays.
        sidecar: whether files lie beside the result that tell players how it is seen.
    """

    headset: Headset = Headset.ANY
    fisheye: FisheyeView = FisheyeView.FISHEYE_190
    fringe: bool = False
    sidecar: bool = True
