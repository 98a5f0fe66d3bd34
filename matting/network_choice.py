"""Which network, how much of its time, and what is taken of it: the choices that a user has."""

from __future__ import annotations

from matting.job_option import Choice

RUN_UP_FRAMES = 8  # of a shot, that the network sees backwards before it mattes the first


class Model(Choice):
    """The networks whose weights were published."""

    MOBILENETV3 = "mobilenetv3"
    RESNET50 = "resnet50"  # larger


class MatteQuality(Choice):
    """How much time is spent on a matte."""

    NORMAL = "normal"
    BEST = "best"  # each frame is seen twice, the second time mirrored, for twice the network time


class Foreground(Choice):
    """The colours of half-transparent pixels: made of the colours around, or the network's own."""

    FUSED = "fused"
    NETWORK = "network"


class SmallPeople(Choice):
    """Whether people who are small in the picture are seen a second time, larger."""

    AUTO = "auto"
    OFF = "off"


class Shots(Choice):
    """Whether shots are matted by themselves, each from its own start, or all frames as one."""

    AUTO = "auto"
    OFF = "off"


class Subject(Choice):
    """How much of the people is seen, which decides the downsample ratio where none is given."""

    FULL_BODY = "full-body"
    PORTRAIT = "portrait"

    @property
    def short_side_px(self) -> int:
        """The small copy's short side, by the guide of RVM's authors to the ratio."""
        return 432 if self is Subject.FULL_BODY else 270
