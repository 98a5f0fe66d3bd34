"""Which network, and how much of its time: the choices that a user has."""

from __future__ import annotations

from matting.job_option import Choice


class Model(Choice):
    """The networks whose weights were published."""

    MOBILENETV3 = "mobilenetv3"
    RESNET50 = "resnet50"  # larger


class MatteQuality(Choice):
    """How much time is spent on a matte."""

    NORMAL = "normal"
    BEST = "best"  # each frame is seen twice, the second time mirrored, for twice the network time
