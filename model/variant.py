"""What the published variants of the network differ in: their encoders, and how many channels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """One of the published networks; decoder, projection and guided filter are built alike.

    Attributes:
        name: what its authors call it.
        features: the channels of f1 .. f4, at 1/2, 1/4, 1/8 and 1/16 of the small copy's size.
        context: the channels of LR-ASPP's output, half of which go through a ConvGRU.
        decoded: the channels of the outputs of `decode3`, `decode2` and `decode1`, likewise.
        encoder_names: what the names of its encoder's parameters alone begin with.
    """

    name: str
    features: tuple[int, int, int, int]
    context: int
    decoded: tuple[int, int, int]
    encoder_names: tuple[str, ...]

    @property
    def state_channels(self) -> tuple[int, ...]:
        """How many channels the states r1 .. r4 have."""
        return tuple(channels // 2 for channels in (*self.decoded[::-1], self.context))


MOBILENETV3 = Variant("MobileNetV3", (16, 24, 40, 960), 128, (80, 40, 32), ("backbone.features.",))
RESNET50 = Variant(
    "ResNet50",
    (64, 256, 512, 2048),
    256,
    (128, 64, 32),
    ("backbone.conv1.", "backbone.bn1.", "backbone.layer"),
)
VARIANTS = (MOBILENETV3, RESNET50)


def variant_of(parameters: Iterable[object]) -> Variant:
    """Return the variant that a checkpoint's parameters are named as, MOBILENETV3 if as neither."""
    names = [name for name in parameters if isinstance(name, str)]
    return max(VARIANTS, key=lambda v: sum(name.startswith(v.encoder_names) for name in names))
